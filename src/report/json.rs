//! `summary.json`: the contract that other programs rely on. SI units, absent is `null`, never a NaN.

use super::ahead;
use crate::experiment::results::{
    BreakEven, Comparison, Grid, MetricResult, Note, Objective, Results, SCHEMA, ScenarioInfo, Tool, VariantResult,
};
use schemars::{JsonSchema, generate::SchemaSettings};
use serde::Serialize;
use serde_json::Value;
use std::io::{self, Write};

/// What a run, a comparison or a sweep found.
#[derive(Serialize, JsonSchema)]
struct Summary<'a> {
    /// The version of this schema.
    #[schemars(extend("const" = SCHEMA))]
    schema: u32,
    /// The program that ran.
    tool: &'a Tool,
    /// What was run.
    scenario: &'a ScenarioInfo,
    /// Of a sweep, its axes: then the variants are its points, the last axis fastest.
    #[serde(skip_serializing_if = "Option::is_none")]
    sweep: Option<&'a Grid>,
    /// In file order.
    variants: Vec<Variant<'a>>,
    /// Every pair of variants on the headline metrics; of a sweep, none.
    comparisons: &'a [Comparison],
    /// Names of the variants that no other beats on availability, bill and p99 latency at once, by their means.
    pareto: &'a [String],
    /// For each pair, when the dearer one pays.
    break_even: &'a [BreakEven],
    /// What the figures rest on.
    notes: &'a [Note],
}

/// One variant's figures.
#[derive(Serialize, JsonSchema)]
struct Variant<'a> {
    /// Its name.
    name: &'a str,
    /// Its one sentence.
    summary: Option<&'a str>,
    /// Every metric, in the order of the catalogue.
    metrics: &'a [MetricResult],
    /// What the scenario expects, and how often it is so.
    objectives: &'a [Objective],
}

/// The JSON Schema of a type as it is written.
pub(super) fn schema_of<T: JsonSchema>() -> Value {
    SchemaSettings::draft2020_12().for_serialize().into_generator().into_root_schema_for::<T>().to_value()
}

/// The JSON Schema of `summary.json`.
pub fn summary_schema() -> Value {
    schema_of::<Summary<'static>>()
}

/// Writes `summary.json`: one metric, objective or comparison a line. Of a sweep it is a gigabyte for thousands of points.
///
/// # Errors
/// If it can't be written.
///
/// # Panics
/// If a figure is not finite, which only a bug upstream can bring about.
pub fn write_summary(results: &Results, to: &mut (dyn Write + Send)) -> io::Result<()> {
    assert_finite(results);
    let summary = Summary {
        schema: SCHEMA,
        tool: &results.tool,
        scenario: &results.scenario,
        sweep: results.grid.as_ref(),
        variants: vec![],
        comparisons: &results.comparisons,
        pareto: &results.pareto,
        break_even: &results.break_even,
        notes: &results.notes,
    };
    let mut pieces = Pieces::default();
    pieces.object(&plain(&summary), 0, "variants", |pieces| {
        pieces.text("[");
        for (position, variant) in results.variants.iter().enumerate() {
            let VariantResult { name, summary, metrics, objectives, .. } = variant;
            let rest = Variant { name, summary: summary.as_deref(), metrics: &[], objectives };
            pieces.text(&next(position, 2));
            pieces.object(&plain(&rest), 2, "metrics", |pieces| pieces.metrics(metrics));
        }
        pieces.text(&(line(1) + "]"));
    });
    pieces.text("\n");
    ahead::write(&pieces.0, TOGETHER, Piece::bytes, to)
}

/// Metrics that are made into text together, a hundred kilobytes or so; and such pieces that a thread makes at once.
const AT_ONCE: usize = 256;
const TOGETHER: usize = 8;

/// A piece of `summary.json`.
enum Piece<'a> {
    Text(String),
    /// Nearly all of it: metrics, the first of which has this place in its variant.
    Metrics(usize, &'a [MetricResult]),
}

#[derive(Default)]
struct Pieces<'a>(Vec<Piece<'a>>);

impl<'a> Pieces<'a> {
    fn text(&mut self, more: &str) {
        match self.0.last_mut() {
            Some(Piece::Text(text)) => text.push_str(more),
            Some(Piece::Metrics(..)) | None => self.0.push(Piece::Text(more.to_owned())),
        }
    }

    /// An object that holds objects, of which one field is filled in.
    fn object(&mut self, value: &Value, depth: usize, filled: &str, fill: impl FnOnce(&mut Self)) {
        let mut fill = Some(fill);
        self.text("{");
        for (position, (key, field)) in value.as_object().into_iter().flatten().enumerate() {
            self.text(&(next(position, depth + 1) + &named(key)));
            if let Some(fill) = fill.take_if(|_| key == filled) {
                fill(self);
            } else {
                let mut text = String::new();
                write(field, depth + 1, &mut text);
                self.text(&text);
            }
        }
        self.text(&(line(depth) + "}"));
    }

    fn metrics(&mut self, metrics: &'a [MetricResult]) {
        self.text("[");
        self.0.extend(metrics.chunks(AT_ONCE).enumerate().map(|(i, some)| Piece::Metrics(i * AT_ONCE, some)));
        self.text(&(line(3) + "]"));
    }
}

impl Piece<'_> {
    fn bytes(&self) -> Vec<u8> {
        match self {
            Self::Text(text) => text.clone().into_bytes(),
            Self::Metrics(first, metrics) => {
                let mut bytes = Vec::with_capacity(metrics.len() * LONG);
                for (position, metric) in metrics.iter().enumerate() {
                    bytes.extend_from_slice(next(first + position, 4).as_bytes());
                    serde_json::to_writer(&mut bytes, metric).expect("plain data with string keys always serialises");
                }
                bytes
            }
        }
    }
}

/// Bytes that a metric's line mostly has room in.
const LONG: usize = 512;

/// The beginning of a line.
fn line(depth: usize) -> String {
    format!("\n{:1$}", "", 2 * depth)
}

/// The beginning of the line of what has this place.
fn next(position: usize, depth: usize) -> String {
    format!("{}{}", if position == 0 { "" } else { "," }, line(depth))
}

fn named(key: &str) -> String {
    format!("{}: ", Value::from(key))
}

fn plain<T: Serialize>(data: &T) -> Value {
    serde_json::to_value(data).expect("plain data with string keys always serialises")
}

/// `serde_json` would write a NaN as `null`, and so hide the bug.
fn assert_finite(results: &Results) {
    let check = |x: f64, what: &str| assert!(x.is_finite(), "bug: {what} is {x}");
    for variant in &results.variants {
        for m in &variant.metrics {
            let ci = m.ci95.into_iter().flatten();
            let all = [m.mean, m.sd, m.min, m.p1, m.p5, m.p50, m.p95, m.p99, m.max].into_iter().flatten();
            for x in all.chain(ci) {
                check(x, &m.metric);
            }
        }
        for o in &variant.objectives {
            for x in [o.target, o.p_met, o.p_met_ci95[0], o.p_met_ci95[1]] {
                check(x, &o.metric);
            }
        }
    }
    for c in &results.comparisons {
        let all = [Some(c.difference), Some(c.ci95[0]), Some(c.ci95[1]), c.a_better_share, c.narrowing];
        all.into_iter().flatten().for_each(|x| check(x, &c.metric));
    }
    for b in &results.break_even {
        let all =
            [Some(b.bill_difference), Some(b.good_requests_difference), b.usd_per_failed_request, b.usd_per_minute];
        all.into_iter().flatten().for_each(|x| check(x, "break-even"));
    }
    check(results.scenario.horizon_s, "horizon");
}

/// Indented, but whatever holds no object stays on one line: short to read and to compare.
fn write(value: &Value, depth: usize, out: &mut String) {
    match value {
        Value::Array(items) if items.iter().any(Value::is_object) => {
            out.push('[');
            for (position, item) in items.iter().enumerate() {
                out.push_str(&next(position, depth + 1));
                write(item, depth + 1, out);
            }
            *out += &(line(depth) + "]");
        }
        Value::Object(fields) if fields.values().any(holds_objects) => {
            out.push('{');
            for (position, (key, field)) in fields.iter().enumerate() {
                *out += &(next(position, depth + 1) + &named(key));
                write(field, depth + 1, out);
            }
            *out += &(line(depth) + "}");
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) | Value::Object(_) => {
            out.push_str(&value.to_string());
        }
    }
}

fn holds_objects(value: &Value) -> bool {
    value.is_object() || value.as_array().is_some_and(|items| items.iter().any(Value::is_object))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample::sample;
    use serde_json::json;

    fn summary(results: &Results) -> Vec<u8> {
        let mut bytes = Vec::new();
        write_summary(results, &mut bytes).unwrap();
        bytes
    }

    fn keys(value: &Value) -> Vec<&str> {
        value.as_object().unwrap().keys().map(String::as_str).collect()
    }

    #[test]
    fn the_contract() {
        let results = sample();
        let bytes = summary(&results);
        let value: Value = serde_json::from_slice(&bytes).unwrap();
        assert_eq!(
            keys(&value),
            ["schema", "tool", "scenario", "variants", "comparisons", "pareto", "break_even", "notes"]
        );
        assert_eq!(keys(&value["tool"]), ["name", "version", "commit"]);
        assert_eq!(keys(&value["scenario"]), ["name", "summary", "hash", "horizon_s", "seeds", "seed"]);
        assert_eq!(value["scenario"]["horizon_s"], json!(31_536_000.0));
        let dims = ["population", "journey", "cluster", "service", "store", "stage", "root", "month"];
        let stats = ["mean", "sd", "ci95", "min", "p1", "p5", "p50", "p95", "p99", "max"];
        let metric = &value["variants"][0]["metrics"][0];
        let expected: Vec<&str> =
            ["metric"].into_iter().chain(dims).chain(["unit", "better", "n"]).chain(stats).collect();
        assert_eq!(keys(metric), expected);
        assert_eq!(metric["metric"], "availability");
        assert_eq!(metric["unit"], "1");
        assert_eq!(metric["better"], "higher");
        assert!(metric["population"].is_null());
        assert_eq!(metric["ci95"].as_array().unwrap().len(), 2);
        let comparison = &value["comparisons"][0];
        for key in ["a", "b", "difference", "ci95", "a_better_share", "verdict", "population", "root"] {
            assert!(comparison.get(key).is_some(), "{key}");
        }
        assert!(["better", "worse", "no-difference-shown"].contains(&comparison["verdict"].as_str().unwrap()));
        let objective = &value["variants"][0]["objectives"][0];
        for key in ["metric", "target", "direction", "p_met", "p_met_ci95"] {
            assert!(objective.get(key).is_some(), "{key}");
        }
        assert_eq!(objective["direction"], "at-least");
        // Names are data, exactly as they were given.
        assert_eq!(value["variants"][2]["name"], json!(results.variants[2].name));
    }

    /// The pieces come to what the whole would be, whatever the threads.
    #[test]
    fn pieces_are_laid_out_as_one() {
        let mut results = sample();
        let some = results.variants[0].metrics.clone();
        results.variants[0].metrics = some.iter().cycle().take(2 * AT_ONCE + 1).cloned().collect();
        results.variants[1].metrics = some.iter().cycle().take(AT_ONCE).cloned().collect();
        let bytes = summary(&results);
        let (value, mut whole) = (serde_json::from_slice(&bytes).unwrap(), String::new());
        write(&value, 0, &mut whole);
        assert_eq!(whole + "\n", String::from_utf8(bytes.clone()).unwrap());
        let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
        assert_eq!(bytes, pool.install(|| summary(&results)));
    }

    #[test]
    fn figures_survive_to_the_last_bit() {
        let results = sample();
        let value: Value = serde_json::from_slice(&summary(&results)).unwrap();
        let mean = value["variants"][0]["metrics"][0]["mean"].as_f64().unwrap();
        assert_eq!(Some(mean), results.variants[0].metrics[0].mean);
    }

    #[test]
    #[should_panic(expected = "bug: availability is NaN")]
    fn a_nan_is_a_bug_not_a_null() {
        let mut results = sample();
        results.variants[0].metrics[0].mean = Some(f64::NAN);
        summary(&results);
    }
}
