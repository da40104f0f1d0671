//! What probes meet, and when health checks change their minds. Lazy: a verdict is scheduled when the outcome
//! changes and called off if it changes back.

use super::super::inputs::Route;
use super::super::log::{Deed, Held};
use super::{Event, Probed, World};
use crate::base::{Id, SimTime};
use crate::domain::story::What;
use crate::domain::{Cluster, Root, Store};
use crate::failure::spec::EffectSpec;
use crate::routing::health::Outcome;
use crate::routing::spec::Depth;

impl World<'_> {
    /// What a probe of a cluster meets now.
    pub(super) fn probe(&self, cluster: Id<Cluster>) -> Outcome {
        let cut = self.compose(self.index.checks[cluster].iter().copied());
        if cut.condition.down.is_some() {
            return if cut.refuses { Outcome::Refused } else { Outcome::Silence };
        }
        let front = &self.fronts[cluster];
        if front.condition.down.is_some() {
            return if front.refuses { Outcome::Refused } else { Outcome::Silence };
        }
        let deep = match self.plan.routing.depth {
            Depth::Deep => true,
            Depth::Shallow => false,
        };
        if front.seen || (deep && front.condition.errors.get() > 0.0) {
            return Outcome::Refused;
        }
        for &(station, hold) in &self.index.stations[cluster] {
            let Some(active) = self.holds[hold].0 else { continue };
            let is_front = self.index.fronts[cluster].contains(&station);
            let fails = match active.effect {
                EffectSpec::Down(_) => is_front || deep,
                EffectSpec::Degraded(effect) => (is_front && active.seen) || (deep && effect.errors.get() > 0.0),
                EffectSpec::ReadOnly(_) => false,
            };
            if fails {
                return Outcome::Refused;
            }
        }
        if deep && (self.a_store_fails(cluster) || self.a_dependency_fails()) {
            return Outcome::Refused;
        }
        Outcome::Good
    }

    pub(super) fn a_dependency_fails(&self) -> bool {
        self.index.dependencies.iter_enumerated().any(|(dependency, holds)| {
            self.index.used_dependencies[dependency] && self.why_down(holds.iter().copied()).is_some()
        })
    }

    /// A deep check writes to what it would lead itself, and to single leaders.
    pub(super) fn a_store_fails(&self, cluster: Id<Cluster>) -> bool {
        self.partitions.iter().enumerate().any(|(position, &(store, _))| {
            let single = self.plan.stores[store].partitions.len() == 1;
            self.index.used_stores[store]
                && (single || self.leaders[position] == cluster)
                && matches!(self.write_route(cluster, position), Route::Fail(..))
        })
    }

    /// Schedules or calls off verdicts after a change.
    pub(super) fn let_probes_see(&mut self, now: SimTime, touched: &[Id<Cluster>]) {
        let plan = self.plan;
        for &cluster in touched {
            let outcome = self.probe(cluster);
            let number = cluster.index();
            let earliest = self.clusters[cluster].since + plan.routing.hold_down;
            if let Some(at) = Self::settle(&mut self.clusters[cluster], outcome, |outcome| {
                let at = plan.routing.prober.verdict(now, outcome, &self.phases[cluster]);
                if outcome == Outcome::Good { at.max(earliest) } else { at }
            }) {
                let serial = self.clusters[cluster].serial;
                self.events.schedule(at, Event::Verdict { target: number as u32, serial });
            }
            for store in plan.stores.keys() {
                let holds = &self.index.copies[cluster][store];
                if holds.is_empty() {
                    continue;
                }
                let composed = self.compose(holds.iter().copied());
                let outcome = match (composed.condition.down, composed.refuses) {
                    (None, _) => Outcome::Good,
                    (Some(_), true) => Outcome::Refused,
                    (Some(_), false) => Outcome::Silence,
                };
                if let Some(at) = Self::settle(&mut self.copies[cluster][store], outcome, |outcome| {
                    plan.routing.prober.verdict(now, outcome, &self.phases[cluster])
                }) {
                    let serial = self.copies[cluster][store].serial;
                    let target = plan.clusters.len() + number * plan.stores.len() + store.index();
                    self.events.schedule(at, Event::Verdict { target: target as u32, serial });
                }
            }
        }
    }

    /// When a verdict follows from an outcome, unless one is on its way or the mind is made up.
    pub(super) fn settle(
        probed: &mut Probed,
        outcome: Outcome,
        when: impl FnOnce(Outcome) -> SimTime,
    ) -> Option<SimTime> {
        if (outcome == Outcome::Good) == probed.up {
            if probed.pending {
                probed.pending = false;
                probed.serial += 1;
            }
            return None;
        }
        if probed.pending {
            return None;
        }
        probed.pending = true;
        probed.serial += 1;
        Some(when(outcome))
    }

    pub(super) fn verdict(&mut self, now: SimTime, target: u32, serial: u32) {
        let clusters = self.plan.clusters.len();
        let (cluster, store) = match (target as usize).checked_sub(clusters) {
            None => (Id::new(target as usize), None),
            Some(copy) => {
                let stores = self.plan.stores.len();
                (Id::new(copy / stores), Some(Id::<Store>::new(copy % stores)))
            }
        };
        let cause = match store {
            None => self.why_unhealthy(cluster),
            Some(store) => self.compose(self.index.copies[cluster][store].iter().copied()).cause,
        };
        let probed = match store {
            None => &mut self.clusters[cluster],
            Some(store) => &mut self.copies[cluster][store],
        };
        if probed.serial != serial || !probed.pending {
            return;
        }
        probed.pending = false;
        probed.up = !probed.up;
        if !probed.up {
            probed.since = now;
            probed.cause = cause.map(|(root, occurrence, _)| (root, occurrence));
        }
        let (up, cause) = (probed.up, probed.cause.map(|(root, _)| root));
        let deed = if up { Deed::Recovered(cluster) } else { Deed::Detected(cluster) };
        self.log.note(
            now,
            cause,
            || {
                if up { What::MarkedUp(cluster, store) } else { What::MarkedDown(cluster, store) }
            },
        );
        if up {
            // It is told who leads now.
            for partition in 0..self.deposed.len() {
                if self.deposed[partition] == Some(cluster) {
                    self.rejoins(now, partition);
                    self.copies_moved = true;
                }
            }
        }
        self.log.deeds.push((now, deed));
        self.touch_verdict(cluster);
        self.review_controllers(now);
        self.review_routes(now);
    }

    /// A check marks a cluster down though nothing is wrong with it; its next probes say so.
    pub(super) fn false_alarm(&mut self, now: SimTime, cluster: Id<Cluster>) {
        let Some(every) = &self.plan.routing.false_alarms else { return };
        let (rng, occurrence) = &mut self.alarms[cluster.index()];
        let next = now + every.sample_span(rng);
        *occurrence += 1;
        let occurrence = *occurrence;
        self.events.schedule(next, Event::FalseAlarm { cluster: cluster.index() as u32 });
        let probed = &mut self.clusters[cluster];
        if !probed.up || probed.pending {
            // It is down, or about to be found so, for a reason.
            return;
        }
        let root = self.plan.false_alarms[cluster.index()];
        probed.up = false;
        probed.since = now;
        probed.serial += 1;
        probed.cause = Some((root, occurrence));
        let back = self.plan.routing.prober.verdict(now, Outcome::Good, &self.phases[cluster]);
        self.log.held.push(Held { root, from: now, to: back.max(now + self.plan.routing.hold_down) });
        self.log.note(now, root, || What::MarkedDown(cluster, None));
        self.log.deeds.push((now, Deed::Detected(cluster)));
        self.touch_verdict(cluster);
        self.review_controllers(now);
        self.review_routes(now);
    }

    /// What a probe of a cluster that fails can be put down to.
    pub(super) fn why_unhealthy(&self, cluster: Id<Cluster>) -> Option<(Id<Root>, u64, SimTime)> {
        let cut = || self.compose(self.index.checks[cluster].iter().copied()).cause;
        self.fronts[cluster].cause.or_else(cut).or_else(|| {
            let stations = self.index.stations[cluster].iter().map(|&(_, hold)| hold);
            let dependencies = self.index.dependencies.iter().flatten().copied();
            let stores = self.index.copies.iter().flatten().flatten().copied();
            self.compose(stations).cause.or_else(|| self.compose(dependencies).cause).or_else(|| {
                let (here, stores) = (self.fronts[cluster].read_only, self.compose(stores));
                here.or(stores.cause).or(stores.read_only)
            })
        })
    }
}
