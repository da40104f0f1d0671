//! The name of one measured value: a metric and what it is of.

use crate::domain::Stage;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The unit of a metric, in SI.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub enum Unit {
    /// A share from 0 to 1.
    #[serde(rename = "1")]
    Share,
    /// Seconds.
    #[serde(rename = "s")]
    Seconds,
    /// Requests.
    #[serde(rename = "requests")]
    Requests,
    /// Writes to a store.
    #[serde(rename = "writes")]
    Writes,
    /// A plain count.
    #[serde(rename = "count")]
    Count,
    /// Pods.
    #[serde(rename = "pods")]
    Pods,
    /// US dollars.
    #[serde(rename = "USD")]
    Usd,
    /// Bytes.
    #[serde(rename = "B")]
    Bytes,
    /// Per second.
    #[serde(rename = "1/s")]
    PerSecond,
    /// Seconds squared.
    #[serde(rename = "s^2")]
    SecondsSquared,
}

impl Unit {
    /// The unit's symbol in `summary.json`.
    pub const fn symbol(self) -> &'static str {
        match self {
            Self::Share => "1",
            Self::Seconds => "s",
            Self::Requests => "requests",
            Self::Writes => "writes",
            Self::Count => "count",
            Self::Pods => "pods",
            Self::Usd => "USD",
            Self::Bytes => "B",
            Self::PerSecond => "1/s",
            Self::SecondsSquared => "s^2",
        }
    }
}

/// Which way a metric is good.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Better {
    /// More is better.
    Higher,
    /// Less is better.
    Lower,
    /// It describes; it doesn't judge.
    Neither,
}

/// One entry of the catalogue of metrics.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub struct Metric {
    /// The name in `summary.json`, in expectations and in `--format json`.
    pub name: &'static str,
    /// Its unit.
    pub unit: Unit,
    /// Which way it is good.
    pub better: Better,
    /// One sentence: what it is, exactly.
    pub doc: &'static str,
}

/// What a value is of; a dimension that doesn't apply is `None`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[allow(missing_docs, reason = "each field is the dimension of its name")]
pub struct Dims {
    pub population: Option<String>,
    pub journey: Option<String>,
    pub cluster: Option<String>,
    pub service: Option<String>,
    pub store: Option<String>,
    pub stage: Option<Stage>,
    pub root: Option<String>,
    pub month: Option<u32>,
}

/// The name of one measured value.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Key {
    /// The metric.
    pub metric: &'static Metric,
    /// What it is of.
    pub dims: Dims,
}
