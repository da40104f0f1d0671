//! The nodes of a cluster: pods packed by CPU and memory, new nodes after their provisioning time.
//!
//! Nodes are counted by what the pods ask for, as a bin packing without waste. Provisioning is a
//! deterministic cohort: of the pods that wait for nodes, a quarter is served at each of the delay's quantiles
//! 1/8, 3/8, 5/8 and 7/8 (all at once for a constant). With dozens of nodes that is what independent draws
//! amount to, and nothing random happens inside a nominal hour.

use crate::dist::Dist;
use serde::{Deserialize, Serialize};

/// Steps of a cohort.
const COHORT: u32 = 4;

/// What one pod asks for.
#[derive(Clone, Copy, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Request {
    /// vCPUs.
    pub cpu: f64,
    /// Bytes.
    pub memory: f64,
}

/// The nodes of one cluster.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Pool {
    /// What one node offers.
    pub node: Request,
    /// Fewest nodes.
    pub min: u32,
    /// Most nodes.
    pub max: u32,
    /// Provisioning delays of a cohort, in seconds, rising; each serves an equal share.
    pub delays: Vec<f64>,
    /// USD per node and hour.
    pub price: f64,
}

/// Some pods and the seconds until they have a node.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Placed {
    /// Pods.
    pub pods: u32,
    /// Seconds until they are placed.
    pub delay: f64,
}

/// The steps of a provisioning delay.
pub fn cohort(provisioning: &Dist) -> Vec<f64> {
    if provisioning.is_constant() {
        return vec![provisioning.mean()];
    }
    (0..COHORT).map(|k| provisioning.quantile((f64::from(k) + 0.5) / f64::from(COHORT))).collect()
}

impl Pool {
    /// Nodes that pods asking for `used` in all need, between `min` and `max`.
    pub fn nodes(&self, used: Request, min: u32) -> u32 {
        let need = (used.cpu / self.node.cpu).max(used.memory / self.node.memory);
        ((need - 1e-9).ceil().max(0.0).min(f64::from(u32::MAX)) as u32).max(min).min(self.max.max(min))
    }

    /// Places `pods` more, each asking for `each`, beside pods that ask for `used`; `usable` is the share of
    /// the pool that isn't in a dead zone. No new node is to be had where it is `short`. What finds no room isn't placed.
    pub fn place(&self, pods: u32, each: Request, used: Request, min: u32, usable: f64, short: bool) -> Vec<Placed> {
        let room = |nodes: f64| {
            let by_cpu = (nodes * self.node.cpu - used.cpu) / each.cpu.max(1e-12);
            let by_memory = (nodes * self.node.memory - used.memory) / each.memory.max(1e-12);
            (by_cpu.min(by_memory) + 1e-9).floor().max(0.0).min(f64::from(u32::MAX)) as u32
        };
        let at_once = pods.min(room(f64::from(self.nodes(used, min)).min(f64::from(self.max) * usable)));
        let new = if short { 0 } else { room(f64::from(self.max) * usable).saturating_sub(at_once) };
        let later = (pods - at_once).min(new);
        let mut placed = Vec::new();
        if at_once > 0 {
            placed.push(Placed { pods: at_once, delay: 0.0 });
        }
        let steps = self.delays.len() as u64;
        let mut given = 0;
        for (k, &delay) in self.delays.iter().enumerate() {
            // Equal shares in whole pods: the k-th ends at k/steps of them.
            let upto = (u64::from(later) * (k as u64 + 1) / steps) as u32;
            if upto > given {
                placed.push(Placed { pods: upto - given, delay });
                given = upto;
            }
        }
        placed
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Span;

    fn pool(max: u32) -> Pool {
        Pool {
            node: Request { cpu: 8.0, memory: 32e9 },
            min: 2,
            max,
            delays: cohort(&Dist::constant(Span::from_whole_secs(90))),
            price: 0.384,
        }
    }

    const POD: Request = Request { cpu: 0.5, memory: 0.5e9 };

    fn of(pods: f64) -> Request {
        Request { cpu: POD.cpu * pods, memory: POD.memory * pods }
    }

    #[test]
    fn packing_by_hand() {
        // 16 pods a node by CPU.
        assert_eq!(pool(100).nodes(of(1000.0), 2), 63);
        assert_eq!(pool(100).nodes(of(1.0), 2), 2);
        assert_eq!(pool(10).nodes(of(1000.0), 2), 10);
    }

    #[test]
    fn slack_first_then_new_nodes_then_nothing() {
        // 30 pods on 2 nodes leave room for 2; 3 nodes at most hold 48.
        let placed = pool(3).place(40, POD, of(30.0), 2, 1.0, false);
        assert_eq!(placed, [Placed { pods: 2, delay: 0.0 }, Placed { pods: 16, delay: 90.0 }]);
        // Where no node is to be had there is what there is.
        assert_eq!(pool(3).place(40, POD, of(30.0), 2, 1.0, true), [Placed { pods: 2, delay: 0.0 }]);
    }

    #[test]
    fn a_cohort_serves_everyone_once() {
        let mut pool = pool(1000);
        pool.delays = vec![10.0, 20.0, 30.0, 40.0];
        let placed = pool.place(103, POD, of(32.0), 2, 1.0, false);
        assert_eq!(placed.iter().map(|p| p.pods).sum::<u32>(), 103);
        assert_eq!(placed.iter().map(|p| p.pods).collect::<Vec<_>>(), [25, 26, 26, 26]);
    }
}
