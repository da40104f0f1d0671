//! The pods of one service in one cluster: how many are wanted, how many are ready, which are on their way.

use super::hpa::Rule;
use super::nodes::Placed;
use crate::base::{SimTime, Span};
use serde::{Deserialize, Serialize};

/// The pods of one service in one cluster.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize)]
pub struct Deployment {
    /// Pods that serve.
    pub ready: u32,
    /// Pods on their way: when they will serve, and how many; in order of time.
    pub pending: Vec<(SimTime, u32)>,
    /// Recommendations that are still in the stabilisation window: when last made, and the value; newest
    /// last, values falling, because an older and lower one can never count.
    pub recommended: Vec<(SimTime, u32)>,
}

impl Deployment {
    /// With so many pods, all ready.
    pub fn steady(pods: u32) -> Self {
        Self { ready: pods, ..Self::default() }
    }

    /// Becomes as another is, in its own memory.
    pub fn copy_from(&mut self, other: &Self) {
        self.ready = other.ready;
        self.pending.clone_from(&other.pending);
        self.recommended.clone_from(&other.recommended);
    }

    /// Moves all times from one base to another.
    pub fn shift(&mut self, from: Span, to: SimTime) {
        for (at, _) in self.pending.iter_mut().chain(&mut self.recommended) {
            // A recommendation can be older than the run's first week only relative to the base, never before it.
            *at = SimTime::from_nanos((at.nanos() + to.nanos()).saturating_sub(from.nanos()));
        }
    }

    /// Pods that exist, ready or on their way.
    pub fn total(&self) -> u32 {
        self.ready + self.pending.iter().map(|&(_, pods)| pods).sum::<u32>()
    }

    /// When the next pods become ready.
    pub fn next_ready(&self) -> SimTime {
        self.pending.first().map_or(SimTime::NEVER, |&(at, _)| at)
    }

    /// Makes ready what is due by `now`.
    pub fn start_due(&mut self, now: SimTime) {
        while let Some(&(at, pods)) = self.pending.first() {
            if at > now {
                break;
            }
            self.ready += pods;
            self.pending.remove(0);
        }
    }

    /// A ready pod fails and is ready again at `until`: meanwhile it is on its way.
    pub fn fail(&mut self, until: SimTime) {
        if self.ready > 0 {
            self.ready -= 1;
            self.expect(until, 1);
        }
    }

    /// So many pods will be ready at `at`.
    fn expect(&mut self, at: SimTime, count: u32) {
        let position = self.pending.partition_point(|&(other, _)| other <= at);
        match position.checked_sub(1).map(|before| &mut self.pending[before]) {
            Some((other, pods)) if *other == at => *pods += count,
            Some(_) | None => self.pending.insert(position, (at, count)),
        }
    }

    /// Adds pods that have been placed; they serve `startup` after they have a node.
    pub fn add(&mut self, now: SimTime, placed: &[Placed], startup: Span) {
        for place in placed {
            let at = now + Span::from_secs(place.delay) + startup;
            if at <= now {
                self.ready += place.pods;
                continue;
            }
            self.expect(at, place.pods);
        }
    }

    /// Removes down to `total` pods: those furthest from ready first.
    pub fn shrink_to(&mut self, total: u32) {
        let mut excess = self.total().saturating_sub(total);
        while excess > 0 {
            match self.pending.last_mut() {
                Some((_, pods)) if *pods > excess => {
                    *pods -= excess;
                    excess = 0;
                }
                Some((_, pods)) => {
                    excess -= *pods;
                    self.pending.pop();
                }
                None => {
                    self.ready -= excess;
                    excess = 0;
                }
            }
        }
    }

    /// What the autoscaler wants at a sync, given the ratio of its metric to its target. Remembers the
    /// recommendation.
    pub fn sync(&mut self, now: SimTime, rule: &Rule, ratio: f64) -> u32 {
        let current = self.total();
        let recommended = rule.recommend(self.ready, current, ratio);
        let oldest = now.nanos().saturating_sub(rule.stabilization.nanos());
        self.recommended.retain(|&(at, value)| at.nanos() > oldest && value > recommended);
        self.recommended.push((now, recommended));
        let highest = self.recommended[0].1;
        let stabilised = if recommended >= current { recommended } else { highest.min(current) };
        stabilised.min(rule.growth_limit(current)).clamp(rule.min, rule.max.max(rule.min))
    }

    /// The next time at which a sync would do something else than the last one did under the same load:
    /// when the oldest recommendation leaves the window.
    pub fn next_expiry(&self, rule: &Rule) -> SimTime {
        match self.recommended.len() {
            0 | 1 => SimTime::NEVER,
            _ => self.recommended[0].0 + rule.stabilization,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scaling::hpa::Target;

    fn secs(secs: u64) -> SimTime {
        SimTime::ZERO + Span::from_whole_secs(secs)
    }

    fn rule() -> Rule {
        Rule {
            target: Target::Utilisation(0.6),
            min: 1,
            max: 1000,
            sync: Span::from_whole_secs(15),
            tolerance: 0.1,
            stabilization: Span::from_whole_secs(300),
            max_growth: 1.0,
            max_growth_pods: 4,
        }
    }

    #[test]
    fn a_fall_in_load_is_followed_after_the_window() {
        let mut pods = Deployment::steady(10);
        let rule = rule();
        assert_eq!(pods.sync(secs(15), &rule, 1.0), 10);
        for tick in 2..=20 {
            assert_eq!(pods.sync(secs(15 * tick), &rule, 0.5), 10, "tick {tick}");
        }
        // The recommendation of 10 was made at 15 s: it leaves the window at 315 s.
        assert_eq!(pods.next_expiry(&rule), secs(315));
        assert_eq!(pods.sync(secs(315), &rule, 0.5), 5);
    }

    #[test]
    fn a_failed_pod_comes_back() {
        let mut pods = Deployment::steady(2);
        pods.fail(secs(50));
        pods.fail(secs(30));
        pods.fail(secs(20));
        assert_eq!((pods.ready, pods.total(), pods.next_ready()), (0, 2, secs(30)));
        pods.start_due(secs(30));
        assert_eq!((pods.ready, pods.next_ready()), (1, secs(50)));
        // What stops first is what is furthest from ready.
        pods.shrink_to(1);
        assert_eq!((pods.ready, pods.total()), (1, 1));
    }

    #[test]
    fn pods_arrive_in_order_and_leave_from_the_end() {
        let mut pods = Deployment::steady(10);
        let startup = Span::from_whole_secs(40);
        pods.add(secs(0), &[Placed { pods: 2, delay: 0.0 }, Placed { pods: 3, delay: 90.0 }], startup);
        pods.add(secs(0), &[Placed { pods: 1, delay: 0.0 }], startup);
        assert_eq!(pods.pending, [(secs(40), 3), (secs(130), 3)]);
        pods.start_due(secs(40));
        assert_eq!((pods.ready, pods.total()), (13, 16));
        pods.shrink_to(14);
        assert_eq!((pods.ready, pods.total()), (13, 14));
        pods.shrink_to(5);
        assert_eq!((pods.ready, pods.total()), (5, 5));
    }
}
