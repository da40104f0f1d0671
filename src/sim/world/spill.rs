//! The answers of a load balancer that sees load: what a cluster has no room for goes to the next.

use super::super::log::Answer;
use super::super::unit::slot_at;
use super::{Event, World};
use crate::base::{Id, SimTime, Span};
use crate::domain::{Cluster, Population};
use crate::routing::spill::{Demand, divide};

/// Shares are whole multiples of one over this: what is finer makes no difference, and a state of its own.
const PARTS: f64 = 256.0;
/// The load is looked at no more often than this.
pub(super) const LEAST: Span = Span::from_whole_secs(15);

impl World<'_> {
    /// Each population's answer, by what each cluster has room for now.
    pub(super) fn spread(&mut self, now: SimTime, spill: f64) -> Vec<Answer> {
        let plan = self.plan;
        let (slot, _) = slot_at(plan, now);
        let room = plan.clusters.keys().map(|cluster| self.room(now, cluster, spill)).collect();
        let demands: Vec<Demand> = plan
            .populations
            .iter_enumerated()
            .map(|(id, population)| {
                let rate = population.rate * population.profile[slot] * self.routed[id].factor;
                let calls = self.index.calls[id].iter().map(|calls| calls * rate).collect();
                Demand { clusters: self.candidates(id).into_iter().map(Id::index).collect(), calls }
            })
            .collect();
        divide(&demands, room).iter().map(|shares| in_parts(shares)).collect()
    }

    /// Calls per second that a cluster takes of each service.
    fn room(&mut self, now: SimTime, cluster: Id<Cluster>, spill: f64) -> Vec<f64> {
        self.flush(now, cluster);
        let inputs = self.memo.inputs(self.units[cluster].inputs);
        let front = inputs.front.capacity.get();
        let degraded: Vec<(u32, f64)> =
            inputs.stations.iter().map(|(station, condition)| (*station, condition.capacity.get())).collect();
        let pods = self.units[cluster].pods(self.memo);
        self.plan
            .services
            .iter_enumerated()
            .map(|(id, service)| {
                let Some(station) = self.plan.clusters[cluster].station_of[id] else { return f64::INFINITY };
                let own = degraded.iter().find(|(other, _)| *other == station).map_or(1.0, |&(_, capacity)| capacity);
                let servers = f64::from(pods[station as usize].ready) * f64::from(service.concurrency);
                spill * front * own * servers / service.mean
            })
            .collect()
    }

    /// The clusters that may serve a population, the best first: those that seem up, or the first if none does.
    fn candidates(&self, population: Id<Population>) -> Vec<Id<Cluster>> {
        let own = &self.plan.populations[population];
        let allowed = || own.order.iter().map(|&pair| self.active_of(pair)).filter(|&cluster| !own.forbidden[cluster]);
        if !self.plan.routing.fallback {
            return allowed().take(1).collect();
        }
        let up: Vec<_> = allowed().filter(|&cluster| self.clusters[cluster].up).collect();
        if up.is_empty() { allowed().take(1).collect() } else { up }
    }

    /// The load balancer looks again: soon while anything is out of the ordinary, else when rates change.
    pub(super) fn rebalance_later(&mut self, now: SimTime, changed: bool) {
        let unsettled = self.routed.iter().any(|routed| routed.pending.is_some() || routed.answer != routed.nominal);
        let (_, slot_end) = slot_at(self.plan, now);
        let next =
            if unsettled { slot_end.min(now + self.plan.routing.propagation.max(self.look_again)) } else { slot_end };
        // What doesn't change is looked at less and less often.
        self.look_again = if changed { LEAST } else { (self.look_again + self.look_again).min(Span::HOUR) };
        self.rebalance_serial += 1;
        self.events.schedule(next, Event::Rebalance { serial: self.rebalance_serial });
    }
}

/// Shares as an answer, in whole parts; the first takes what rounding leaves.
fn in_parts(shares: &[(usize, f64)]) -> Answer {
    let mut answer: Answer = Vec::new();
    let mut rest = PARTS;
    for &(cluster, share) in shares.iter().skip(1) {
        let parts = (share * PARTS).round().min(rest);
        rest -= parts;
        if parts > 0.0 {
            answer.push((Id::new(cluster), parts / PARTS));
        }
    }
    if let Some(&(first, _)) = shares.first()
        && rest > 0.0
    {
        answer.insert(0, (Id::new(first), rest / PARTS));
    }
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_add_up_to_all() {
        assert_eq!(in_parts(&[(2, 1.0)]), [(Id::new(2), 1.0)]);
        assert_eq!(in_parts(&[(0, 0.999), (1, 0.001)]), [(Id::new(0), 1.0)]);
        assert_eq!(in_parts(&[(0, 0.5), (1, 0.25), (2, 0.25)]).iter().map(|share| share.1).sum::<f64>(), 1.0);
        assert!(in_parts(&[]).is_empty());
    }
}
