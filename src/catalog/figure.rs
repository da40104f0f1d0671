//! Figures with a key: control-loop defaults, replication and failover, mesh overhead, failure rates, service
//! level agreements, and the headline values of `defaults.toml` under `defaults.`.

use super::Catalog;
use super::cited::Cited;
use super::sources::{CONTROLS, DEFAULTS, DERIVED_RATES, DataFile, MESH, PUBLISHED_RATES, REPLICATION, SLAS};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One keyed figure, as the file has it.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Figure {
    /// e.g. `route53.check_interval_fast`.
    pub key: String,
    /// The value as written; `<1` where the source gives a bound, words where it gives no number.
    pub text: Cited<String>,
    /// The unit of the value, e.g. `s`.
    pub unit: String,
    /// `primary` (read in the publisher's own text), `secondary`, `derived`, `UNVERIFIED` or `GAP`.
    pub confidence: String,
}

impl Figure {
    /// The value as a number in the figure's unit. A bound (`<1`) gives its limit; words and ranges give nothing.
    pub fn number(&self) -> Option<Cited<f64>> {
        let bare = self.text.value.trim_start_matches(['<', '=', '>']);
        let number: f64 = bare.parse().ok()?;
        let mut cited = self.text.clone().map(|_| number);
        if bare != self.text.value {
            cited = cited.derived(&format!("the limit of what the source gives as {:?}", self.text.value));
        }
        Some(match self.confidence.as_str() {
            "" | "primary" | "derived" => cited,
            "UNVERIFIED" => cited.assumed("not verified"),
            other => cited.noted(other),
        })
    }
}

#[derive(Deserialize)]
struct Row {
    key: String,
    value: String,
    unit: String,
    meaning: String,
    source: String,
    source_date: String,
    confidence: String,
}

#[derive(Deserialize)]
struct DerivedRow {
    key: String,
    value: String,
    unit: String,
    numerator: String,
    denominator: String,
    formula_and_caveat: String,
    inputs: String,
}

/// A source column in full: "same" and "same as above" mean the row above, "same repo:" its repository.
fn in_full(source: &str, above: &mut String) -> String {
    if !["same", "same as above"].contains(&source) {
        *above = match (source.strip_prefix("same repo:"), above.split_once(':')) {
            (Some(path), Some((repository, _))) => format!("{repository}:{path}"),
            _ => source.to_owned(),
        };
    }
    above.clone()
}

fn keyed(file: &DataFile) -> Vec<Figure> {
    let rows = file.rows::<Row>();
    let mut above = String::new();
    rows.iter()
        .map(|row| Figure {
            key: row.key.clone(),
            text: file
                .cite_from(row.value.clone(), &in_full(&row.source, &mut above), &row.source_date)
                .noted(&row.meaning),
            unit: row.unit.clone(),
            confidence: row.confidence.clone(),
        })
        .collect()
}

fn derived() -> Vec<Figure> {
    let rows = DERIVED_RATES.rows::<DerivedRow>();
    let mut above = String::new();
    rows.iter()
        .map(|row| {
            let counts = match (row.numerator.as_str(), row.denominator.as_str()) {
                ("", _) => String::new(),
                (over, "") => format!("n = {over}"),
                (over, under) => format!("{over} / {under}"),
            };
            let inputs = in_full(&row.inputs, &mut above);
            Figure {
                key: row.key.clone(),
                text: DERIVED_RATES
                    .cite_from(row.value.clone(), &format!("from {inputs}"), DERIVED_RATES.date)
                    .derived(&counts)
                    .noted(&row.formula_and_caveat),
                unit: row.unit.clone(),
                confidence: "derived".to_owned(),
            }
        })
        .collect()
}

/// The comment after each `key = value` of a TOML text, by `section.key`.
fn comments(text: &str) -> BTreeMap<String, &str> {
    let mut section = "";
    let mut found = BTreeMap::new();
    for line in text.lines() {
        let (code, comment) = line.split_once('#').unwrap_or((line, ""));
        if let Some(name) = code.trim().strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            section = name;
        } else if let Some((key, _)) = code.split_once('=') {
            found.insert(format!("{section}.{}", key.trim()), comment.trim());
        }
    }
    found
}

fn flatten(prefix: &str, table: &toml::Table, comments: &BTreeMap<String, &str>, out: &mut Vec<Figure>) {
    for (name, value) in table {
        let path = if prefix.is_empty() { name.clone() } else { format!("{prefix}.{name}") };
        let text = match value {
            toml::Value::Table(inner) => {
                flatten(&path, inner, comments, out);
                continue;
            }
            toml::Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        let comment = comments.get(&path).copied().unwrap_or_default();
        let cited = DEFAULTS.cite(text);
        out.push(Figure {
            text: if comment.starts_with("derived") { cited.derived(comment) } else { cited.noted(comment) },
            key: format!("defaults.{path}"),
            unit: String::new(),
            confidence: String::new(),
        });
    }
}

fn defaults() -> Vec<Figure> {
    let table: toml::Table = DEFAULTS.text.parse().unwrap_or_else(|error| panic!("data/{}: {error}", DEFAULTS.path));
    let mut figures = Vec::new();
    flatten("", &table, &comments(DEFAULTS.text), &mut figures);
    figures
}

pub(super) fn load() -> BTreeMap<String, Figure> {
    let files = [&CONTROLS, &REPLICATION, &MESH, &PUBLISHED_RATES, &SLAS];
    let mut all = BTreeMap::new();
    for figure in files.into_iter().flat_map(keyed).chain(derived()).chain(defaults()) {
        let key = figure.key.clone();
        assert!(all.insert(key.clone(), figure).is_none(), "two figures are called {key}");
    }
    all
}

impl Catalog {
    /// Every keyed figure, in the order of the keys.
    pub fn figures(&self) -> impl Iterator<Item = &Figure> {
        self.figures.values()
    }

    /// A keyed figure as it is written, with its unit.
    pub fn figure(&self, key: &str) -> Option<&Figure> {
        self.figures.get(key)
    }

    /// A keyed figure as a number in its own unit (`figure` has it): control loops such as
    /// `route53.check_interval_fast`, rates such as `gcp.single_region_multi_service_rate`, or headline values
    /// such as `defaults.latency.inter_zone_ms`.
    pub fn control(&self, key: &str) -> Option<Cited<f64>> {
        self.figures.get(key)?.number()
    }
}

#[cfg(test)]
mod tests {
    use super::super::cited::Kind;
    use super::*;

    #[test]
    fn every_key_of_every_file_is_there() {
        let count =
            |prefix: bool| Catalog::get().figures().filter(|f| f.key.starts_with("defaults.") == prefix).count();
        assert_eq!(count(false), 39 + 14 + 16 + 35 + 10 + 24);
        assert_eq!(count(true), comments(DEFAULTS.text).len());
    }

    #[test]
    fn spot_values() {
        let catalog = Catalog::get();
        let value = |key: &str| catalog.control(key).unwrap_or_else(|| panic!("{key}")).value;
        assert_eq!(value("route53.check_interval_fast"), 10.0);
        assert_eq!(value("argocd.reconciliation_base"), 120.0);
        assert_eq!(value("gcp.single_region_multi_service_rate"), 0.105);
        assert_eq!(value("sla.aws.ec2.region"), 99.99);
        assert_eq!(value("istio.sidecar.cpu_per_1000rps"), 0.2);
        assert_eq!(value("defaults.latency.inter_zone_ms"), 0.76);
        assert_eq!(value("defaults.failures.known_cause_share.upgrade"), 16.0);
        assert_eq!(catalog.figure("route53.check_interval_fast").unwrap().unit, "s");
    }

    #[test]
    fn bounds_are_marked_and_words_are_no_numbers() {
        let catalog = Catalog::get();
        let lag = catalog.control("aurora_global.replication_lag").unwrap();
        assert_eq!((lag.value, lag.kind), (1.0, Kind::Derived));
        assert_eq!(catalog.control("route53.failure_threshold_default").unwrap().kind, Kind::Assumed, "unverified");
        assert_eq!(catalog.control("aurora_global.rto_unplanned"), None);
        assert_eq!(catalog.control("dean.rack_repair_hours"), None, "a range");
        assert_eq!(catalog.control("istio.added_p50"), None, "a gap");
    }

    #[test]
    fn a_figure_says_where_it_is_from() {
        let catalog = Catalog::get();
        let fast = catalog.control("route53.check_interval_fast").unwrap();
        assert!(fast.source.starts_with("data/controls/control_loop_defaults.csv (awsdocs/amazon-route53-docs"));
        assert_eq!(fast.date, "2023-06");
        // "same as above" and "same repo" are replaced by what stands above.
        assert!(catalog.figures().all(|figure| !figure.text.source.contains("(same")));
    }
}
