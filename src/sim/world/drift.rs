//! Drift: what somebody changes by hand in a cluster holds it like a fault, until a controller takes it back or somebody
//! notices.

use super::releases::{Deferred, Due};
use super::revisions::Change;
use super::{Event, World, purpose};
use crate::base::SimTime;
use crate::domain::rollout::Why;

impl World<'_> {
    /// Somebody changes a cluster by hand.
    pub(super) fn drift(&mut self, now: SimTime, drift: u32) -> bool {
        let own = &self.plan.rollout.drifts[drift as usize];
        let (rng, count) = &mut self.releases.drifts[drift as usize];
        *count += 1;
        let occurrence = *count;
        if let Some(every) = &own.every {
            let next = now + every.sample_span(rng);
            self.events.schedule(next, Event::Rollout(Due::Drift(drift)));
        }
        let noticed = own.noticed.sample_span(&mut self.consequence(own.hit.root, occurrence, 0, purpose::DETECT, 0));
        if !self.hold(own.hit.hold, own.hit.root, own.effect, noticed, occurrence) {
            return false;
        }
        self.note(now, own.cluster, None, Why::Drift);
        self.note(now + noticed, own.cluster, None, Why::Noticed);
        if self.plan.rollout.gitops.as_ref().is_some_and(|gitops| gitops.self_heal) {
            self.heal_later(now, drift, self.holds[own.hit.hold as usize].1);
        }
        true
    }

    pub(super) fn heal_later(&mut self, now: SimTime, drift: u32, serial: u32) {
        let own = &self.plan.rollout.drifts[drift as usize];
        // Unless it has been noticed meanwhile.
        if self.holds[own.hit.hold as usize].1 != serial || self.holds[own.hit.hold as usize].0.is_none() {
            return;
        }
        if !self.can_sync(own.cluster) {
            self.releases.deferred.push(Deferred::Heal { drift, serial });
            return;
        }
        let mut rng = self.consequence(own.hit.root, u64::from(serial), 0, purpose::POLL, 0);
        let at = now + self.reconciles(now, &mut rng);
        self.events.schedule(at, Event::Rollout(Due::Healed { drift, serial }));
    }

    /// A controller takes a manual change back. True if there is one.
    pub(super) fn healed(&mut self, now: SimTime, drift: u32, serial: u32) -> bool {
        let own = &self.plan.rollout.drifts[drift as usize];
        let (active, current) = self.holds[own.hit.hold as usize];
        if active.is_none() || current != serial {
            return false;
        }
        if !self.can_sync(own.cluster) {
            self.releases.deferred.push(Deferred::Heal { drift, serial });
            return false;
        }
        self.release(now, own.hit.hold);
        if let Some(held) = self.log.held.iter_mut().rev().find(|held| held.root == own.hit.root) {
            held.to = now;
        }
        let of_it = |change: &&mut Change| change.cluster == own.cluster && change.why == Why::Noticed;
        if let Some(change) = self.releases.trail.iter_mut().rev().find(of_it) {
            (change.at, change.why) = (now, Why::SelfHeal);
        }
        true
    }
}
