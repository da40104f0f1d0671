//! Which answer a population is given, and the clients that are still on old ones.

use super::super::log::Answer;
use super::{Cohort, Event, World};
use crate::base::{Id, SimTime};
use crate::domain::story::What;
use crate::domain::{Cluster, Population};
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

    /// What gives out the answers is down: those that were given stand.
    pub(super) fn answers_stand(&self) -> bool {
        self.why_down(self.index.routing.iter().copied()).is_some()
    }

    pub(super) fn review_routes(&mut self, now: SimTime) {
        if self.answers_stand() {
            return;
        }
        if let Some(spill) = self.plan.routing.spill {
            let answers = self.spread(now, spill);
            let mut changed = false;
            for (population, answer) in self.plan.populations.keys().zip(answers) {
                changed |= self.answer(now, population, answer);
            }
            self.rebalance_later(now, changed);
            return;
        }
        for population in self.plan.populations.keys() {
            let chosen = self.choose(population);
            self.answer(now, population, chosen);
        }
    }

    /// A population is to be given this answer; true if that is news.
    fn answer(&mut self, now: SimTime, population: Id<Population>, chosen: Answer) -> bool {
        let routed = &mut self.routed[population];
        if chosen == *routed.pending.as_ref().unwrap_or(&routed.answer) {
            return false;
        }
        routed.serial += 1;
        if chosen == routed.answer {
            routed.pending = None;
            return true;
        }
        routed.pending = Some(chosen);
        let (population, serial) = (population.index() as u32, routed.serial);
        self.events.schedule(now + self.plan.routing.propagation, Event::Answer { population, serial });
        true
    }

    /// The name servers give a new answer.
    pub(super) fn give(&mut self, population: Id<Population>, answer: Answer, now: SimTime) {
        if answer == self.routed[population].answer {
            return;
        }
        let left = |cluster: Id<Cluster>| answer.iter().all(|other| other.0 != cluster);
        let old = &self.routed[population].answer;
        let cause = old.iter().find_map(|&(cluster, _)| self.clusters[cluster].cause.filter(|_| left(cluster)));
        // Who is sent on for want of room has the cause of that.
        let crowded = || {
            let full = self.plan.routing.spill.and(old.first())?;
            Some(self.memo.inputs(self.units[full.0].inputs).overload_root).filter(|root| root.index() != DEMAND)
        };
        let cause = cause.map(|(root, _)| root).or_else(crowded);
        // A pair's own standby took over when it was promoted.
        let is_pair = |from, to| {
            let mut pairs = (0..self.plan.pairs.len()).map(|pair| (self.active_of(pair), self.passive_of(pair)));
            pairs.any(|pair| pair == (to, Some(from)) || pair == (from, Some(to)))
        };
        let gone = old.iter().map(|entry| entry.0).filter(|&from| left(from) && !self.clusters[from].up);
        let heirs = |from| answer.iter().map(move |entry| (from, entry.0)).filter(|&(from, to)| !is_pair(from, to));
        let taken: Vec<_> = gone.flat_map(heirs).collect();
        for (from, to) in taken {
            self.takes_over(now, from, to);
        }
        let expiry = self.plan.routing.expiry;
        let why = cause.or(self.routed[population].moved.map(|(root, _)| root));
        self.log.note(now, why.filter(|root| root.index() != DEMAND), || {
            What::Answers(population, answer.clone(), expiry.ends(false))
        });
        self.touch_led(population);
        let routed = &mut self.routed[population];
        let had_left = !routed.cohorts.is_empty();
        let stale: f64 = routed.cohorts.iter().map(|cohort| cohort.stale(&expiry, now)).sum();
        let old = core::mem::replace(&mut routed.answer, answer.clone());
        let (weight, moved) = (1.0 - stale, routed.moved);
        if expiry.sticks() {
            // Each cluster's clients on their own: it may be one of them that dies.
            routed.cohorts.extend(old.iter().map(|&(cluster, part)| Cohort {
                answer: vec![(cluster, 1.0)],
                weight: weight * part,
                at: now,
                connected: true,
                moved,
            }));
        } else if expiry.ends(false) > 0.0 {
            routed.cohorts.push(Cohort { answer: old, weight, at: now, connected: false, moved });
        }
        let before = routed.moved.filter(|(root, _)| cause.is_none() || root.index() != DEMAND);
        routed.moved =
            (routed.answer != routed.nominal).then(|| before.unwrap_or((cause.unwrap_or(Id::new(DEMAND)), now)));
        self.log.answers[population.index()].push((now, answer));
        if !had_left && !self.routed[population].cohorts.is_empty() {
            self.moving.push(population);
        }
        self.touch_led(population);
    }
}
