//! What is known: `validation/cases.toml`.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::sync::LazyLock;

/// All cases.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Suite {
    /// The chance of a false alarm of the whole suite.
    pub level: f64,
    /// In the order of the table.
    #[serde(rename = "case")]
    pub cases: Vec<Case>,
}

/// A scenario and what is known of it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// The scenario is `validation/NAME.toml`.
    pub name: String,
    /// What it is, in a few words.
    pub title: String,
    /// Where the answer comes from.
    pub source: String,
    /// The one engine that applies; both where it is left out.
    #[serde(default)]
    pub only: Option<Engine>,
    /// What is compared.
    #[serde(rename = "figure")]
    pub figures: Vec<Figure>,
}

/// What simulates traffic: `simulation.traffic` of a scenario.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Engine {
    /// Every request on its own.
    Requests,
    /// Rates.
    Flow,
}

impl fmt::Display for Engine {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str(match self {
            Self::Requests => "requests",
            Self::Flow => "flow",
        })
    }
}

/// A figure of `summary.json` whose value is known.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Figure {
    /// What it is, in a few words.
    pub what: String,
    /// Its name in `summary.json`.
    pub metric: String,
    /// Of this service in the cluster `c`.
    #[serde(default)]
    pub service: Option<String>,
    /// Of this store.
    #[serde(default)]
    pub store: Option<String>,
    /// Its value, in the metric's unit.
    pub exact: f64,
    /// By how much the figure may be off, as a share of `exact`: where only a bound is known, or where the product tells
    /// it to a stated precision. Without it, nothing but chance and rounding.
    #[serde(default)]
    pub within: Option<f64>,
    /// Where rates approximate.
    #[serde(default)]
    pub flow: Option<Approximation>,
}

/// What rates give in the place of what is exact: flow is held to that.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Approximation {
    /// In the metric's unit.
    pub gives: f64,
    /// Which assumption ends here.
    pub because: String,
    /// As of the figure.
    #[serde(default)]
    pub within: Option<f64>,
}

impl Suite {
    /// The suite that the program brings along.
    pub fn get() -> &'static Self {
        static SUITE: LazyLock<Suite> = LazyLock::new(|| {
            let text = super::FILES.iter().find(|(name, _)| *name == "cases.toml").map(|(_, text)| *text);
            toml::from_str(text.unwrap_or_default()).expect("cases.toml is embedded, and a test reads it")
        });
        &SUITE
    }

    /// How many verdicts there are on all cases: Holm's method counts them all, also where some are asked for only.
    pub fn verdicts(&self) -> usize {
        self.cases.iter().map(|case| case.engines().len() * case.figures.len()).sum()
    }
}

impl Case {
    /// What simulates it.
    pub fn engines(&self) -> &'static [Engine] {
        match self.only {
            None => &[Engine::Requests, Engine::Flow],
            Some(Engine::Requests) => &[Engine::Requests],
            Some(Engine::Flow) => &[Engine::Flow],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metric::catalogue;
    use crate::validation::FILES;
    use std::collections::BTreeSet;

    #[test]
    fn the_folder_is_embedded_and_each_case_is_there_once() {
        let folder = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/validation")).unwrap();
        let on_disk: BTreeSet<_> = folder.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        assert_eq!(on_disk, FILES.iter().map(|(name, _)| (*name).to_owned()).collect());
        let suite = Suite::get();
        let names: BTreeSet<_> = suite.cases.iter().map(|case| case.name.as_str()).collect();
        assert_eq!(names.len(), suite.cases.len());
        for case in &suite.cases {
            assert!(on_disk.contains(&format!("{}.toml", case.name)), "{}", case.name);
            for figure in &case.figures {
                assert!(catalogue::ALL.iter().any(|metric| metric.name == figure.metric), "{}", figure.metric);
            }
        }
    }
}
