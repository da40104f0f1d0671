//! The scenario's text: each value with the file and line that it is from, or `# assumed`.

mod links;
mod services;
mod users;

use super::cluster::Role;
use super::documents::Documents;
use super::platform::Platform;
use super::yaml::Place;
use crate::diag::harmless;
use std::fmt::Write as _;

/// Requests that one pod serves at a time, where nothing says it.
const CONCURRENCY: u32 = 8;
/// Most characters of a name.
const LONGEST: usize = 100;
/// Mean service time in seconds, where nothing says it.
const TIME: f64 = 0.05;
/// The share of what a cluster can carry that its users ask for, where nothing says it.
const LOAD: f64 = 0.3;

/// Text as TOML has it, on one line.
fn quoted(text: &str) -> String {
    format!("\"{}\"", harmless(text).replace('\\', "\\\\").replace('"', "\\\""))
}

/// A name as a scenario has it: not longer than one may be.
fn named(text: &str) -> String {
    quoted(&harmless(text).chars().take(LONGEST).collect::<String>())
}

/// A comment: one line, whatever the text holds.
fn comment(text: &str) -> String {
    format!("# {}", harmless(text))
}

/// Lines of TOML.
struct Text<'a> {
    out: String,
    documents: &'a Documents,
}

impl Text<'_> {
    fn line(&mut self, line: &str) {
        let _ = writeln!(self.out, "{line}");
    }

    fn key(&mut self, key: &str, value: &str, why: &str) {
        let _ = writeln!(self.out, "{key} = {value}  {}", comment(why));
    }

    /// `from clusters/us-west/web.yaml:7`
    fn say(&self, place: Place) -> String {
        format!("from {}", self.documents.say(place))
    }

    fn from(&mut self, key: &str, value: &str, place: Place) {
        let why = self.say(place);
        self.key(key, value, &why);
    }
}

pub(super) fn scenario(name: &str, platform: &Platform, documents: &Documents) -> String {
    let mut text = Text { out: String::new(), documents };
    text.line(&comment(
        "Written by `regionsim import k8s`. Each value says which line it is from, or that it is assumed:",
    ));
    text.line(&comment(
        "users, service times, how data is replicated and what fails are in no manifest. Check those first.",
    ));
    text.line("format = 1");
    let _ = writeln!(text.out, "name = {}", named(if harmless(name).trim().is_empty() { "imported" } else { name }));
    links::management(&mut text, platform);
    text.line("");
    clusters(&mut text, platform);
    for service in &platform.services {
        services::service(&mut text, platform, service);
    }
    for store in 0..platform.stores.len() {
        services::store(&mut text, platform, store);
    }
    links::dependencies(&mut text, platform);
    users::journeys(&mut text, platform);
    users::populations(&mut text, platform);
    links::connections(&mut text, platform);
    links::gitops(&mut text, platform);
    text.line("[[fault]]");
    text.key("name", "\"region lost\"", "assumed; more are in `regionsim list figures`");
    text.line("of = { regions = \"all\" }");
    text.key("every", "{ exponential = { mean = \"4y\" } }", "assumed");
    text.key("repair", "{ lognormal = { median = \"4h\", p95 = \"14h\" } }", "assumed");
    text.out
}

fn clusters(text: &mut Text<'_>, platform: &Platform) {
    for name in &platform.aside {
        text.line(&comment(&format!("Left out: cluster `{name}` doesn't run what users call.")));
    }
    for cluster in &platform.clusters {
        text.line("[[cluster]]");
        text.key("name", &quoted(&cluster.name), &cluster.because);
        text.key("region", &quoted(&cluster.region.0), &cluster.region.1);
        text.line(
            "# nodes = { type = \"m6i.2xlarge\", min = 3, max = 50 }  # in no manifest: without it nodes cost nothing",
        );
        match cluster.role {
            Role::Front => {}
            Role::Called => text.key("serves", "false", "assumed: no way in for users is here, and others call it"),
            Role::Trial => text.key("serves", "false", "assumed from its name"),
        }
        for remark in cluster.signs.remarks.iter().take(200) {
            text.line(&comment(remark));
        }
        text.line("");
    }
}

/// Several names as TOML has them.
fn list<'n>(names: impl Iterator<Item = &'n str>) -> String {
    format!("[{}]", names.map(quoted).collect::<Vec<_>>().join(", "))
}

/// Seconds as a scenario writes them.
fn span(seconds: f64) -> String {
    let milliseconds = (seconds * 1e3).round().max(1.0);
    quoted(&if milliseconds % 1e3 == 0.0 {
        format!("{:.0}s", milliseconds / 1e3)
    } else {
        format!("{milliseconds:.0}ms")
    })
}
