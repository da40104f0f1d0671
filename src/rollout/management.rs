//! Ways of managing clusters: what each makes of drift, of errors in changes, and of people's time.
//!
//! All figures are assumed, to be compared and swept, not believed: nobody publishes them by way of management. Their
//! order is what the teaching of `GitOps` claims: what a machine does alike in every cluster goes wrong less often.

use crate::base::Span;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How clusters are managed. It fills in what is left out elsewhere: `bad` of releases, `every` of drift, and it adds
/// people's hours to the bill.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Management {
    /// Somebody runs kubectl, cluster by cluster (assumed: 16 h per cluster and month, a change that drifts and hurts
    /// every 30 days, 15 % of releases bad).
    ByHand,
    /// Scripts that people run (assumed: 8 h, 60 days, 10 %).
    Scripts,
    /// Controllers apply what a repository says (assumed: 4 h, 180 days, 5 %).
    Gitops,
    /// Clusters themselves are declared, too: Cluster API or Terraform with `GitOps` (assumed: 2 h, 180 days, 5 %).
    ClusterApi,
}

/// The share of releases that are bad where neither the release nor the way of management says it: assumed.
pub const BAD: f64 = 0.05;

impl Management {
    /// Hours of people per cluster and month.
    pub const fn hours(self) -> f64 {
        match self {
            Self::ByHand => 16.0,
            Self::Scripts => 8.0,
            Self::Gitops => 4.0,
            Self::ClusterApi => 2.0,
        }
    }

    /// Mean time between two manual changes to one cluster that hurt.
    pub const fn drifts_every(self) -> Span {
        let days = match self {
            Self::ByHand => 30,
            Self::Scripts => 60,
            Self::Gitops | Self::ClusterApi => 180,
        };
        Span::from_whole_secs(days * 86_400)
    }

    /// The share of releases that are bad.
    pub const fn bad(self) -> f64 {
        match self {
            Self::ByHand => 0.15,
            Self::Scripts => 0.1,
            Self::Gitops | Self::ClusterApi => 0.05,
        }
    }
}
