//! `regionsim new`: a scenario to start from.
//!
//! A template is a design (clusters, routing, failover) and, after it, the platform that all designs have.

use super::failure::Failure;
use super::files::STDIN;
use super::scenario::mistake;
use super::terminal::{print, table};
use super::write;
use crate::diag::{did_you_mean, harmless};
use crate::scenario::path::quote;
use clap::Args;
use std::path::{Path, PathBuf};

/// A design to start from.
struct Template {
    name: &'static str,
    about: &'static str,
    design: &'static str,
    /// How its orders are replicated.
    replication: &'static str,
}

const TEMPLATES: [Template; 4] = [
    Template {
        name: "single",
        about: "one cluster in one region",
        design: include_str!("../../templates/new/single.toml"),
        replication: "",
    },
    Template {
        name: "active-passive",
        about: "one region serves, another stands by",
        design: include_str!("../../templates/new/active-passive.toml"),
        replication: "replication = { async = { lag = { lognormal = { median = \"800ms\", p99 = \"20s\" } } } }   # what is \
                      under way is lost",
    },
    Template {
        name: "active-active",
        about: "two regions serve, either can carry everybody",
        design: include_str!("../../templates/new/active-active.toml"),
        replication: "replication = { multi-leader = { lag = \"1s\" } }   # each takes writes; the last one to a key wins",
    },
    Template {
        name: "regional-dr",
        about: "a primary and a disaster-recovery cluster in each continent",
        design: include_str!("../../templates/new/regional-dr.toml"),
        replication: "partitions = { geo = {} }         # each population's orders are led where it is served\n\
                      max-followers = 1\n\
                      replication = { sync = { degrade = true } }   # nothing is lost, and an order takes a round trip longer",
    },
];
const PLATFORM: &str = include_str!("../../templates/new/platform.toml");

/// Write a commented scenario to start from
#[derive(Args)]
#[command(after_help = "Examples:\n  regionsim new                          the templates\n  \
                        regionsim new active-passive shop.toml\n  regionsim new single - | regionsim run -")]
pub(super) struct New {
    /// Which one; without it, they are listed
    #[arg(value_name = "TEMPLATE")]
    template: Option<String>,
    /// The file to write; `-` is standard output [default: TEMPLATE.toml]
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
}

impl New {
    pub(super) fn execute(self) -> Result<(), Failure> {
        let Some(name) = &self.template else {
            let rows = TEMPLATES.iter().map(|template| [template.name, template.about]);
            return print(table(&["template", "what it is"], rows));
        };
        let Some(template) = TEMPLATES.iter().find(|template| template.name == name) else {
            let known = TEMPLATES.iter().map(|template| template.name);
            let near = did_you_mean(name, known).map(|near| format!("did you mean `{near}`? ")).unwrap_or_default();
            let help = format!("{near}`regionsim new` lists them");
            return Err(mistake(format!("there is no template `{}`", harmless(name)), help));
        };
        let file = self.file.unwrap_or_else(|| PathBuf::from(format!("{}.toml", template.name)));
        if file == Path::new(STDIN) {
            return print(template.text(template.name));
        }
        // A link that leads nowhere is there, too.
        if file.symlink_metadata().is_ok() {
            let message = format!("{} is there already", harmless(&file.display().to_string()));
            return Err(mistake(message, "name another file, or move that one away"));
        }
        let stem = file.file_stem().map_or_else(|| template.name.into(), |stem| stem.to_string_lossy());
        write::file(&file, template.text(&stem).as_bytes())?;
        let shown = harmless(&file.display().to_string()).into_owned();
        print(format!("{shown} is written. Next:\n  regionsim run {shown}\n"))
    }
}

impl Template {
    fn text(&self, name: &str) -> String {
        let short: String = name.chars().take(100).collect();
        let design = self.design.replace("\"@name@\"", &quote(&short));
        let platform = match self.replication {
            "" => PLATFORM.replace("@replication@\n", ""),
            replication => PLATFORM.replace("@replication@", replication),
        };
        design + &platform
    }
}
