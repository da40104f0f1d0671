//! One bad day, told step by step.

use serde::Serialize;

/// One bad day: what happened and who noticed.
#[derive(Clone, Debug, Serialize)]
pub struct Timeline {
    /// Which seed, from 0.
    pub seed: u32,
    /// Start of the window, seconds from the start of the horizon.
    pub from_s: f64,
    /// End of the window.
    pub to_s: f64,
    /// Share of requests that succeed, by population: steps (time, share from there on).
    pub success: Vec<Series>,
    /// Ready pods by cluster: steps (time, pods from there on).
    pub ready: Vec<Series>,
    /// What was going on, in rows: faults, stages of a failover.
    pub spans: Vec<SpanRow>,
    /// Moments worth a label, in order.
    pub marks: Vec<Mark>,
}

/// A named series of steps.
#[derive(Clone, Debug, Serialize)]
pub struct Series {
    /// Its name.
    pub name: String,
    /// (seconds, value from there on).
    pub steps: Vec<(f64, f64)>,
}

/// Something that lasted; it may have begun before the window, or end after it.
#[derive(Clone, Debug, Serialize)]
pub struct SpanRow {
    /// The row it is drawn in: "fault", "failover of us-east-1", "orders".
    pub row: String,
    /// What it was: "down", "detect", "decide", "promote", "route", "scale".
    pub label: String,
    /// Start in seconds.
    pub from_s: f64,
    /// End in seconds.
    pub to_s: f64,
}

/// A moment worth a label.
#[derive(Clone, Debug, Serialize)]
pub struct Mark {
    /// Seconds.
    pub at_s: f64,
    /// What happened.
    pub label: String,
}
