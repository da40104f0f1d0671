//! Which answer a population is given, and the clients that are still on old ones.

use super::super::log::Answer;
use super::{Cohort, Event, World};
use crate::base::{Id, SimTime};
use crate::domain::Population;
use crate::plan::DEMAND;

impl World<'_> {
    /// The answer for a population, by what health checks think.
    pub(super) fn choose(&self, population: Id<Population>) -> Answer {
        let own = &self.plan.populations[population];
        let member = |pair: usize| {
            let plan = &self.plan.pairs[pair];
            if self.switched[pair] { plan.standby.unwrap_or(plan.primary) } else { plan.primary }
        };
        let allowed = |pair: &usize| !own.forbidden[member(*pair)];
        if let Some(weights) = &own.weights {
            let pick = |healthy: bool| -> Answer {
                own.order
                    .iter()
                    .copied()
                    .filter(allowed)
                    .filter(|&pair| weights[pair] > 0.0 && (!healthy || self.clusters[member(pair)].up))
                    .map(|pair| (member(pair), weights[pair]))
                    .collect()
            };
            let mut answer = pick(true);
            if answer.is_empty() {
                answer = pick(false);
            }
            let sum: f64 = answer.iter().map(|&(_, weight)| weight).sum();
            for entry in &mut answer {
                entry.1 /= sum;
            }
            return answer;
        }
        let mut candidates = own.order.iter().copied().filter(allowed).map(member);
        let Some(first) = candidates.next() else { return Vec::new() };
        if self.clusters[first].up || !self.plan.routing.fallback {
            return vec![(first, 1.0)];
        }
        // Fail-open: when nobody is healthy, the first is as good as any.
        let healthy = candidates.find(|&cluster| self.clusters[cluster].up).unwrap_or(first);
        vec![(healthy, 1.0)]
    }

    pub(super) fn review_routes(&mut self, now: SimTime) {
        for population in self.plan.populations.keys() {
            let chosen = self.choose(population);
            let routed = &mut self.routed[population];
            if chosen == *routed.pending.as_ref().unwrap_or(&routed.answer) {
                continue;
            }
            routed.serial += 1;
            if chosen == routed.answer {
                routed.pending = None;
                continue;
            }
            routed.pending = Some(chosen);
            let (population, serial) = (population.index() as u32, routed.serial);
            self.events.schedule(now + self.plan.routing.propagation, Event::Answer { population, serial });
        }
    }

    /// The name servers give a new answer.
    pub(super) fn give(&mut self, population: Id<Population>, answer: Answer, now: SimTime) {
        if answer == self.routed[population].answer {
            return;
        }
        let cause = self.routed[population]
            .answer
            .iter()
            .find_map(|&(cluster, _)| self.clusters[cluster].cause.filter(|_| answer.iter().all(|a| a.0 != cluster)));
        let expiry = self.plan.routing.expiry;
        let routed = &mut self.routed[population];
        let stale: f64 =
            routed.cohorts.iter().map(|cohort| cohort.weight * expiry.stale((now - cohort.at).secs())).sum();
        let old = core::mem::replace(&mut routed.answer, answer.clone());
        if expiry.ends() > 0.0 {
            routed.cohorts.push(Cohort { answer: old, weight: 1.0 - stale, at: now, moved: routed.moved });
        }
        routed.moved = (routed.answer != routed.nominal)
            .then(|| routed.moved.unwrap_or((cause.map_or(Id::new(DEMAND), |(root, _)| root), now)));
        self.log.answers[population.index()].push((now, answer));
    }
}
