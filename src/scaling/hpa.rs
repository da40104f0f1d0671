//! The horizontal pod autoscaler's rule: desired = ceil(ready × metric / target).
//!
//! After `replica_calculator.go` and the documented algorithm of Kubernetes: pods that aren't ready count as 0
//! when that would scale up; nothing happens within the tolerance; scale-up is limited per sync; scale-down
//! follows the highest recommendation of the stabilisation window.

use super::spec::Autoscale;
use crate::base::Span;
use serde::{Deserialize, Serialize};

/// What the autoscaler looks at.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub enum Target {
    /// Utilisation of the ready pods' servers, from 0 to 1: it saturates.
    Utilisation(f64),
    /// Requests per second and pod: it doesn't.
    PerPod(f64),
}

/// One service's autoscaler in one cluster.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub struct Rule {
    /// What it looks at, and the value it aims for.
    pub target: Target,
    /// Fewest pods.
    pub min: u32,
    /// Most pods.
    pub max: u32,
    /// Time between two decisions, on a grid that begins at time 0.
    pub sync: Span,
    /// No change while |metric/target − 1| is at most this.
    pub tolerance: f64,
    /// Window whose highest recommendation a scale-down follows.
    pub stabilization: Span,
    /// At most this share more per sync …
    pub max_growth: f64,
    /// … or this many pods, whichever is more.
    pub max_growth_pods: u32,
}

impl Rule {
    /// From the scenario; `None` if it names neither target, which loading has reported.
    pub fn new(spec: &Autoscale) -> Option<Self> {
        let target = match (spec.target, spec.per_pod) {
            (Some(share), None) => Target::Utilisation(share.get()),
            (None, Some(rate)) => Target::PerPod(rate.get()),
            (None, None) | (Some(_), Some(_)) => return None,
        };
        Some(Self {
            target,
            min: spec.min,
            max: spec.max,
            sync: spec.sync,
            tolerance: spec.tolerance,
            stabilization: spec.stabilization,
            max_growth: spec.max_growth,
            max_growth_pods: spec.max_growth_pods,
        })
    }

    /// The ratio of the metric to its target, over ready pods.
    pub fn ratio(&self, arrivals: f64, utilisation: f64, ready: u32) -> f64 {
        if ready == 0 {
            return 0.0;
        }
        match self.target {
            Target::Utilisation(target) => utilisation.min(1.0) / target,
            Target::PerPod(target) => arrivals / f64::from(ready) / target,
        }
    }

    /// Pods recommended, before limits: `ready` of `current` are ready, their mean metric is `ratio` × target.
    pub fn recommend(&self, ready: u32, current: u32, ratio: f64) -> u32 {
        if ready == 0 || (ratio - 1.0).abs() <= self.tolerance + 1e-12 {
            return current;
        }
        let unready = current.saturating_sub(ready);
        if ratio < 1.0 || unready == 0 {
            return ceil(ratio * f64::from(ready));
        }
        let rebalanced = ratio * f64::from(ready) / f64::from(current);
        if rebalanced < 1.0 || (rebalanced - 1.0).abs() <= self.tolerance + 1e-12 {
            return current;
        }
        ceil(rebalanced * f64::from(current)).max(current)
    }

    /// The most pods that one sync may grow `current` to.
    pub fn growth_limit(&self, current: u32) -> u32 {
        let by_share = (f64::from(current) * (1.0 + self.max_growth)).min(f64::from(u32::MAX)) as u32;
        by_share.max(current.saturating_add(self.max_growth_pods))
    }
}

/// The ceiling, forgiving the last bits of a product that is whole.
fn ceil(x: f64) -> u32 {
    (x - 1e-9).ceil().max(0.0).min(f64::from(u32::MAX)) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(target: Target) -> Rule {
        Rule {
            target,
            min: 2,
            max: 50,
            sync: Span::from_whole_secs(15),
            tolerance: 0.1,
            stabilization: Span::from_whole_secs(300),
            max_growth: 1.0,
            max_growth_pods: 4,
        }
    }

    #[test]
    fn the_rule_as_documented() {
        // AS-HPA-SATURATE, variant rule: (current, metric, target).
        let per_pod = rule(Target::PerPod(70.0));
        assert_eq!(per_pod.recommend(1, 1, 140.0 / 70.0), 2);
        // A page prints 2; the right value is 3.
        assert_eq!(rule(Target::PerPod(70.0)).recommend(3, 3, 50.0 / 70.0), 3);
        assert_eq!(per_pod.recommend(13, 13, 1.0989), 13);
    }

    #[test]
    fn pods_that_are_not_ready_count_as_zero() {
        let cpu = rule(Target::Utilisation(0.7));
        // 6 ready at 100 %: 9. Then 6 of 9 ready: average 0.667, ratio 0.952, none.
        assert_eq!(cpu.recommend(6, 6, cpu.ratio(1000.0, 1.0, 6)), 9);
        assert_eq!(cpu.recommend(6, 9, cpu.ratio(1000.0, 1.0, 6)), 9);
        assert_eq!(cpu.recommend(9, 9, cpu.ratio(1000.0, 1.0, 9)), 13);
        assert_eq!(cpu.recommend(9, 13, cpu.ratio(1000.0, 1.0, 9)), 13);
        assert_eq!(cpu.recommend(13, 13, cpu.ratio(1000.0, 10.0 / 13.0, 13)), 13);
    }

    #[test]
    fn growth_is_the_larger_of_share_and_pods() {
        assert_eq!(rule(Target::PerPod(1.0)).growth_limit(200), 400);
        assert_eq!(rule(Target::PerPod(1.0)).growth_limit(2), 6);
    }
}
