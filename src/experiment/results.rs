//! What an experiment found: the numbers of `summary.json`, and what the charts are drawn from.

pub use crate::domain::rollout::Why;
pub use crate::domain::timeline::{Mark, Series, SpanRow, Timeline};
use crate::metric::{Better, Dims, Unit};
use crate::stats::Column;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// The version of `summary.json`'s schema.
pub const SCHEMA: u32 = 1;

/// Everything that a report is made from.
#[derive(Clone, Debug)]
pub struct Results {
    /// The program that ran.
    pub tool: Tool,
    /// What was run.
    pub scenario: ScenarioInfo,
    /// One entry per variant, in file order.
    pub variants: Vec<VariantResult>,
    /// Every pair of variants, by metric.
    pub comparisons: Vec<Comparison>,
    /// Names of the variants that no other beats on availability, cost and latency at once.
    pub pareto: Vec<String>,
    /// Outage cost above which the dearer design of a pair pays.
    pub break_even: Vec<BreakEven>,
    /// What the figures rest on: assumptions, sources, limits.
    pub notes: Vec<Note>,
    /// Of a sweep, what its points are: then the variants are they, the last axis fastest, and no pair is compared.
    pub grid: Option<Grid>,
}

/// The axes of a sweep.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, JsonSchema)]
pub struct Grid {
    /// In the order written.
    pub axes: Vec<GridAxis>,
}

/// One axis of a sweep.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, JsonSchema)]
pub struct GridAxis {
    /// Its name: untrusted text.
    pub name: String,
    /// What it is set to: untrusted text.
    pub values: Vec<String>,
}

impl Grid {
    /// The value that each axis has at a point.
    pub fn values(&self, point: usize) -> Vec<&str> {
        let mut rest = point;
        let mut values: Vec<&str> = Vec::with_capacity(self.axes.len());
        for axis in self.axes.iter().rev() {
            let count = axis.values.len().max(1);
            values.push(axis.values.get(rest % count).map_or("", String::as_str));
            rest /= count;
        }
        values.reverse();
        values
    }
}

/// The program that ran.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Tool {
    /// Always "regionsim".
    pub name: String,
    /// Its version.
    pub version: String,
    /// The commit it was built from, where that is known.
    pub commit: Option<String>,
}

/// What was run.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct ScenarioInfo {
    /// The scenario's name: untrusted text.
    pub name: String,
    /// Its one sentence: untrusted text.
    pub summary: Option<String>,
    /// Digest of the canonical resolved scenario, hexadecimal.
    pub hash: String,
    /// Simulated seconds per seed.
    pub horizon_s: f64,
    /// Seeds.
    pub seeds: u32,
    /// The master seed.
    pub seed: u64,
}

/// One variant's figures.
#[derive(Clone, Debug)]
pub struct VariantResult {
    /// The variant's name: untrusted text.
    pub name: String,
    /// Its one sentence: untrusted text.
    pub summary: Option<String>,
    /// Every metric, in the order of the catalogue.
    pub metrics: Vec<MetricResult>,
    /// Objectives and the probability that a seed's horizon meets them.
    pub objectives: Vec<Objective>,
    /// Latency of good responses by population, all seeds together: rising points of the distribution.
    pub latency: Vec<LatencyCurve>,
    /// The longest outages over all seeds, worst first.
    pub outages: Vec<OutageRecord>,
    /// What each cluster ran when, in the first seed.
    pub revisions: Vec<RevisionRecord>,
    /// The share of all users on a bad release, as it changed in the first seed: (seconds, share).
    pub exposures: Vec<(f64, f64)>,
    /// One bad day, if any seed had one.
    pub timeline: Option<Timeline>,
    /// Where things are.
    pub map: Map,
    /// The resolved scenario of this variant, as TOML with the origin of each value.
    pub resolved: String,
}

/// What a cluster ran for a while.
#[derive(Clone, Debug, Serialize)]
pub struct RevisionRecord {
    /// The cluster: untrusted text.
    pub cluster: String,
    /// The revision, counted from 0, which it ran at the beginning.
    pub revision: u64,
    /// Since when, in seconds from the start of the horizon.
    pub from_s: f64,
    /// Until when.
    pub to_s: f64,
    /// Why.
    pub why: Why,
}

/// One metric over all seeds.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct MetricResult {
    /// The metric's name.
    pub metric: String,
    /// What it is of.
    #[serde(flatten)]
    pub dims: Dims,
    /// Its unit, in SI.
    pub unit: Unit,
    /// Which way it is good.
    pub better: Better,
    /// Seeds in which it exists: a recovery time needs an outage.
    pub n: u32,
    /// Mean over those seeds.
    pub mean: Option<f64>,
    /// Standard deviation over those seeds.
    pub sd: Option<f64>,
    /// 95 % interval of the mean (Student t).
    pub ci95: Option<[f64; 2]>,
    /// Smallest.
    pub min: Option<f64>,
    /// 1st percentile.
    pub p1: Option<f64>,
    /// 5th percentile: one seed in twenty is below.
    pub p5: Option<f64>,
    /// Median.
    pub p50: Option<f64>,
    /// 95th percentile.
    pub p95: Option<f64>,
    /// 99th percentile.
    pub p99: Option<f64>,
    /// Largest.
    pub max: Option<f64>,
    /// The value of each seed, in seed order; `None` where it doesn't exist.
    #[serde(skip)]
    pub values: Arc<Column>,
}

/// An objective and how often it is met.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Objective {
    /// The metric's name.
    pub metric: String,
    /// What it is of.
    #[serde(flatten)]
    pub dims: Dims,
    /// The bound, in the metric's unit.
    pub target: f64,
    /// "at-least" or "at-most".
    pub direction: Direction,
    /// The metric's unit.
    pub unit: Unit,
    /// Share of seeds that meet it.
    pub p_met: f64,
    /// Its 95 % interval (Wilson).
    pub p_met_ci95: [f64; 2],
}

/// Which side of a bound is good.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Direction {
    /// At or above the bound.
    AtLeast,
    /// At or below the bound.
    AtMost,
}

/// One metric of one variant against another's, paired by seed.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Comparison {
    /// The first variant.
    pub a: String,
    /// The second variant.
    pub b: String,
    /// The metric's name.
    pub metric: String,
    /// What it is of.
    #[serde(flatten)]
    pub dims: Dims,
    /// The metric's unit.
    pub unit: Unit,
    /// Mean of a − b over the seeds that have both.
    pub difference: f64,
    /// Its 95 % interval (Student t on the paired differences).
    pub ci95: [f64; 2],
    /// Share of seeds in which a is better; ties count half. Absent for a metric without a direction.
    pub a_better_share: Option<f64>,
    /// Width of the interval that independent runs would have given, over this one's.
    pub narrowing: Option<f64>,
    /// What may be said.
    pub verdict: crate::stats::Verdict,
    /// Seeds that would show a difference of this size, where none is shown.
    pub seeds_needed: Option<u64>,
}

/// When the dearer of two designs pays.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct BreakEven {
    /// The dearer variant.
    pub dearer: String,
    /// The cheaper variant.
    pub cheaper: String,
    /// Difference of the bills, USD over the horizon.
    pub bill_difference: f64,
    /// Difference of good requests over the horizon; more for the dearer one.
    pub good_requests_difference: f64,
    /// Loss per failed request above which the dearer one pays, USD. Absent: it never does.
    pub usd_per_failed_request: Option<f64>,
    /// The same per minute of total outage at the mean rate, USD. Absent: it never does.
    pub usd_per_minute: Option<f64>,
}

/// Something that the figures rest on.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Note {
    /// What kind of statement it is.
    pub kind: NoteKind,
    /// The statement.
    pub text: String,
}

/// What kind of statement a note is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum NoteKind {
    /// A choice nobody measured.
    Assumption,
    /// Where a figure came from.
    Source,
    /// What is not modelled.
    Limit,
    /// How something was computed.
    Method,
}

/// Latency of good responses: rising points of the distribution function.
#[derive(Clone, Debug, Serialize)]
pub struct LatencyCurve {
    /// The population; `None` for all of them.
    pub population: Option<String>,
    /// Seconds and the share of good responses at most that slow.
    pub points: Vec<(f64, f64)>,
}

/// An interval in which fewer than 99 % of one population's requests of one journey succeeded.
#[derive(Clone, Debug, Serialize)]
pub struct OutageRecord {
    /// Which seed, from 0.
    pub seed: u32,
    /// Whose.
    pub population: String,
    /// Of what.
    pub journey: String,
    /// Start, in seconds from the start of the horizon.
    pub start_s: f64,
    /// Length in seconds.
    pub duration_s: f64,
    /// Requests lost in it.
    pub lost: f64,
    /// The fault that began it.
    pub root: String,
    /// Seconds until those who reach the target are served, if failover did it.
    pub rto_service_s: Option<f64>,
    /// Seconds until all users are served, if failover did it.
    pub rto_users_s: Option<f64>,
}

/// Where things are.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Map {
    /// Clusters.
    pub clusters: Vec<MapCluster>,
    /// Populations and where their requests go when all is well.
    pub populations: Vec<MapPopulation>,
}

/// A cluster on the map.
#[derive(Clone, Debug, Serialize)]
pub struct MapCluster {
    /// Its name.
    pub name: String,
    /// Its region's name.
    pub region: String,
    /// Degrees.
    pub lat: f64,
    /// Degrees.
    pub lon: f64,
    /// It serves nobody until it is promoted.
    pub standby: bool,
}

/// A population on the map.
#[derive(Clone, Debug, Serialize)]
pub struct MapPopulation {
    /// Its name.
    pub name: String,
    /// Degrees.
    pub lat: f64,
    /// Degrees.
    pub lon: f64,
    /// Mean requests per second.
    pub rate: f64,
    /// The clusters that serve it when all is well, with their share of it and the RTT in seconds.
    pub served_by: Vec<(String, f64, f64)>,
}
