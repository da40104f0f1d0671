//! Where in a failure a request was lost: the first failing hop of its attempt sets the stage.
//!
//! A convention, not a counterfactual; the chart that shows it says so.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

macro_rules! stages {
    ($($(#[$doc:meta])* $variant:ident = $name:literal, $label:literal;)+) => {
        /// The stage of a failure in which a request was lost.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize, JsonSchema)]
        #[serde(rename_all = "kebab-case")]
        pub enum Stage { $($(#[$doc])* $variant,)+ }

        impl Stage {
            /// Every stage, in the order in which reports list them.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The name in `summary.json`.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }

            /// The name in charts.
            pub const fn label(self) -> &'static str {
                match self { $(Self::$variant => $label),+ }
            }

            /// The position in [`Stage::ALL`].
            pub const fn index(self) -> usize {
                self as usize
            }
        }
    };
}

stages! {
    /// The fault is there and nobody has noticed yet.
    Undetected = "undetected", "not yet detected";
    /// Detected; somebody, or something, has yet to decide.
    Deciding = "deciding", "waiting for a decision";
    /// Decided; the standby or the follower is being promoted.
    Promoting = "promoting", "promotion";
    /// Decided and promoted; the new answer has yet to reach the name servers, or the routes to converge.
    Propagating = "propagating", "route propagation";
    /// There is somewhere to go, and what gives out the answers is down.
    RoutingDown = "routing-down", "routing is down";
    /// The client still uses an old DNS answer.
    StaleDns = "stale-dns", "stale DNS";
    /// Detected, and there is nothing to fail over to.
    NoTarget = "no-target", "nothing to fail over to";
    /// More load than capacity.
    Overload = "overload", "overload";
    /// A correct answer came after the client's timeout.
    Timeout = "timeout", "too slow";
    /// The component answers with errors: a degraded fault, a zone whose endpoints are still listed.
    Errors = "errors", "errors of a degraded part";
    /// A healthy cluster with room existed, and the residency rule forbids it.
    Residency = "residency", "residency rule";
    /// Fewer copies can be reached than must agree.
    QuorumLost = "quorum-lost", "quorum lost";
    /// The network between two clusters, or to one, is cut.
    Partition = "partition", "network partition";
    /// The copy that a write goes to takes no writes.
    ReadOnly = "read-only", "store is read-only";
    /// Callers of another cluster hold a dead address, and nobody has changed it yet.
    StaticAddress = "static-address", "address not changed";
    /// An external dependency is down.
    Dependency = "dependency", "external dependency";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stage_is_where_the_list_says() {
        for (position, stage) in Stage::ALL.iter().enumerate() {
            assert_eq!(stage.index(), position);
            assert_eq!(serde_json::to_value(stage).unwrap(), stage.name());
        }
    }
}
