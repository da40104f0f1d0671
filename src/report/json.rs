//! `summary.json`: the contract that other programs rely on. SI units, absent is `null`, never a NaN.

use crate::experiment::results::{
    BreakEven, Comparison, Grid, MetricResult, Note, Objective, Results, SCHEMA, ScenarioInfo, Tool,
};
use rayon::prelude::*;
use schemars::{JsonSchema, generate::SchemaSettings};
use serde::Serialize;
use serde_json::Value;

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

/// The bytes of `summary.json`: one metric, objective or comparison a line.
///
/// # Panics
/// If a figure is not finite, which only a bug upstream can bring about.
pub fn summary(results: &Results) -> Vec<u8> {
    assert_finite(results);
    let summary = Summary {
        schema: SCHEMA,
        tool: &results.tool,
        scenario: &results.scenario,
        sweep: results.grid.as_ref(),
        variants: results
            .variants
            .iter()
            .map(|variant| Variant {
                name: &variant.name,
                summary: variant.summary.as_deref(),
                metrics: &[],
                objectives: &variant.objectives,
            })
            .collect(),
        comparisons: &results.comparisons,
        pareto: &results.pareto,
        break_even: &results.break_even,
        notes: &results.notes,
    };
    let mut value = plain(&summary);
    // They are nearly all of it.
    for (position, variant) in results.variants.iter().enumerate() {
        value["variants"][position]["metrics"] = variant.metrics.par_iter().map(plain).collect::<Vec<_>>().into();
    }
    let mut text = String::new();
    write(&value, 0, &mut text);
    text.push('\n');
    text.into_bytes()
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
    let indent = |depth: usize, out: &mut String| {
        out.push('\n');
        out.extend(core::iter::repeat_n("  ", depth));
    };
    match value {
        Value::Array(items) if items.iter().any(Value::is_object) => {
            out.push('[');
            let shown = |(i, item): (usize, &Value)| {
                let mut out = String::from(if i == 0 { "" } else { "," });
                indent(depth + 1, &mut out);
                write(item, depth + 1, &mut out);
                out
            };
            out.extend(items.par_iter().enumerate().map(shown).collect::<Vec<_>>());
            indent(depth, out);
            out.push(']');
        }
        Value::Object(fields) if fields.values().any(holds_objects) => {
            out.push('{');
            for (i, (key, field)) in fields.iter().enumerate() {
                out.push_str(if i == 0 { "" } else { "," });
                indent(depth + 1, out);
                out.push_str(&Value::String(key.clone()).to_string());
                out.push_str(": ");
                write(field, depth + 1, out);
            }
            indent(depth, out);
            out.push('}');
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
