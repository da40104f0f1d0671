//! Pods that fail one by one, and what becomes of the calls that they are serving.

use super::Traffic;
use crate::base::{Id, SimTime};
use crate::domain::{Cluster, Root, Stage};
use crate::failure::spec::Interrupted;

impl Traffic<'_> {
    /// A pod of a station fails. The station is told of the pods that are left thereafter.
    pub(in crate::sim) fn fail_pod(
        &mut self,
        now: SimTime,
        (cluster, position): (Id<Cluster>, usize),
        calls: Interrupted,
        root: Id<Root>,
    ) {
        let station = self.first[cluster] + position;
        let mut hit = core::mem::take(&mut self.dead);
        self.stations[station].fail_pod(now, calls, &mut hit, &mut self.starts);
        for &call in &hit {
            let entry = &mut self.entries[call.entry as usize];
            match calls {
                Interrupted::Restart | Interrupted::Resume if entry.life == call.life => {
                    entry.queued += 1;
                    entry.queued_at = now;
                }
                Interrupted::Fail | Interrupted::Restart | Interrupted::Resume => {}
            }
        }
        self.schedule_starts(station as u32);
        match calls {
            Interrupted::Fail => hit.drain(..).for_each(|call| self.fail_call(now, call, (Stage::Undetected, root))),
            Interrupted::Restart | Interrupted::Resume => {
                let begun = &mut self.begun[cluster];
                *begun = begun.or((self.stations[station].waiting > 0).then_some(root));
                hit.clear();
            }
        }
        self.dead = hit;
    }
}
