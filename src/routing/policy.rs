//! The catalogue of routing policies. A new one is a file beside this and a line here.

use super::{geo::Geo, latency::Latency, priority::Priority, weighted::Weighted};

/// What a policy may see of one candidate: an active member of a pair, or a cluster without one.
#[derive(Clone, Copy, Debug)]
pub struct Candidate<'a> {
    /// The cluster's name.
    pub name: &'a str,
    /// Great-circle distance from the population, in kilometres.
    pub distance_km: f64,
    /// Round-trip time from the population, in seconds.
    pub rtt: f64,
}

/// How a policy orders the clusters for a population.
pub trait Order {
    /// A score per candidate, lower first; ties keep the scenario's order. The policy is static: health
    /// and residency are applied by the router, which takes the first that is left.
    fn score(&self, candidate: Candidate<'_>) -> f64;

    /// A weight per candidate for policies that split a population; `None` sends all to the first.
    fn weight(&self, candidate: Candidate<'_>) -> Option<f64> {
        let _ = candidate;
        None
    }

    /// Names of clusters that the policy mentions, to be checked against the scenario.
    fn names(&self) -> Vec<&str> {
        Vec::new()
    }
}

crate::catalogue! {
    /// How the clusters are ordered for a population.
    pub enum Policy: dyn Order {
        "geo" Geo(Geo),
        "latency" Latency(Latency),
        "weighted" Weighted(Weighted),
        "priority" Priority(Priority),
    }
}

impl Default for Policy {
    fn default() -> Self {
        Self::Geo(Geo::default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn the_catalogue_is_complete() {
        let names: BTreeSet<_> = Policy::KINDS.iter().map(|kind| kind.name).collect();
        assert_eq!(names.len(), Policy::KINDS.len(), "names are unique");
        for kind in Policy::KINDS {
            assert!(!kind.doc.is_empty(), "{} has docs", kind.name);
            let parsed: Policy = toml::from_str::<std::collections::BTreeMap<String, Policy>>(kind.example)
                .unwrap_or_else(|error| panic!("the example of {} parses: {error}", kind.name))
                .remove("policy")
                .expect("examples assign `policy`");
            let back = serde_json::to_value(&parsed).unwrap();
            assert!(back.get(kind.name).is_some(), "{} writes itself as {back}", kind.name);
        }
    }
}
