//! Steps in which clients leave an old answer: over each of them a cluster is given their mean share.
//!
//! Their share falls linearly from kink to kink (`routing/dns.rs`), so whatever is linear in it is exact in steps of any
//! length. What isn't is what waits, what an autoscaler does, and when an outage ends. Where there would be none of it with
//! the greatest share at either end, a step goes on to the next kink; elsewhere none moves more than an eighth of the
//! clients.

use super::super::inputs::Condition;
use super::super::unit::slot_at;
use super::{Event, World};
use crate::base::{Id, SimTime, Span};
use crate::domain::{Cluster, Dependency};
use crate::replication::spec::Replication;
use crate::routing::dns::Expiry;

/// When steps end, after clients were given a new answer: from kink to kink, and short ones; for those who hold no connection
/// to where the old one leads, and for those who do.
#[derive(Debug)]
pub(super) struct Steps([[Vec<Span>; 2]; 2]);

impl Steps {
    pub(super) fn new(expiry: &Expiry) -> Self {
        let of = |connected, are_short| expiry.steps(connected, are_short).map(Span::from_secs).collect();
        Self([false, true].map(|connected| [false, true].map(|are_short| of(connected, are_short))))
    }

    fn of(&self, connected: bool, are_short: bool) -> &[Span] {
        &self.0[usize::from(connected)][usize::from(are_short)]
    }
}

impl World<'_> {
    /// Drops clients who have moved on, and schedules the next step of those who haven't: they may go to or come from those
    /// that are touched.
    pub(super) fn plan_steps(
        &mut self,
        now: SimTime,
        touched: &[Id<Cluster>],
        dependencies: &[(Id<Dependency>, Condition)],
    ) {
        let (expiry, before) = (self.plan.routing.expiry, self.step_end);
        for &population in &self.moving {
            self.routed[population].cohorts.retain(|cohort| cohort.ends(&expiry) > now && cohort.weight > 0.0);
        }
        self.moving.retain(|&population| !self.routed[population].cohorts.is_empty());
        let (short, long) = (self.step_of(now, true), self.step_of(now, false));
        self.step_end = long;
        if short < long && !self.is_linear(now, touched, dependencies) {
            self.step_end = short;
        }
        if self.step_end != before {
            self.dns_serial += 1;
            self.events.schedule(self.step_end, Event::Dns { serial: self.dns_serial });
        }
    }

    /// When a step ends that begins now, or is under way.
    fn step_of(&self, now: SimTime, is_short: bool) -> SimTime {
        let mut end = SimTime::NEVER;
        for cohort in self.moving.iter().flat_map(|&population| &self.routed[population].cohorts) {
            let mut steps = self.steps.of(cohort.connected, is_short).iter().map(|&step| cohort.at + step);
            end = end.min(steps.find(|&at| at > now).unwrap_or(cohort.ends(&self.plan.routing.expiry)));
        }
        // Rates change at a slot's end: the mean share of a step must not straddle it.
        if end < SimTime::NEVER { end.min(slot_at(self.plan, now).1) } else { end }
    }

    /// All that this step does is linear in the shares that move.
    fn is_linear(
        &mut self,
        now: SimTime,
        touched: &[Id<Cluster>],
        dependencies: &[(Id<Dependency>, Condition)],
    ) -> bool {
        let plan = self.plan;
        // How often writes meet others is not, nor what a cache hits; what is called elsewhere, when routes are chosen by
        // load and when what was written is followed isn't looked into.
        let of_clusters_alone = plan.addresses.is_empty()
            && plan.routing.spill.is_none()
            && self.caches.is_empty()
            && self.by_request.is_none()
            && self.tally.lived.is_none()
            && !plan.stores.iter().any(|store| matches!(store.replication, Replication::MultiLeader(_)));
        if !of_clusters_alone {
            return false;
        }
        let (slot, _) = slot_at(plan, now);
        let mut given = core::mem::take(&mut self.given);
        let is_linear = touched.iter().all(|&cluster| {
            self.inputs(now, cluster, dependencies, &mut given);
            if !given.moving() {
                return true;
            }
            // Its share moves, so it is given something else now in any case.
            self.flush(now, cluster);
            let inputs = self.memo.inputs_id(&given);
            self.units[cluster].is_linear(inputs, slot, plan, self.memo)
        });
        self.given = given;
        is_linear
    }
}
