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
pub struct Dims {
    /// The population; absent: everybody.
    pub population: Option<String>,
    /// The journey; absent: all of them.
    pub journey: Option<String>,
    /// The cluster; absent: all of them.
    pub cluster: Option<String>,
    /// The service; absent: all of them.
    pub service: Option<String>,
    /// The store; absent: all of them.
    pub store: Option<String>,
    /// The stage at which requests were lost; absent: all of them.
    pub stage: Option<Stage>,
    /// The fault that they were lost to; absent: all of them.
    pub root: Option<String>,
    /// The month of the horizon, from 1; absent: the whole horizon.
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
