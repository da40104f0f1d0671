//! Followers: who can't be reached, who is behind, who has caught up. While one is in trouble the writes that clusters
//! acknowledge are counted for each partition ([`crate::replication::history`]); otherwise this costs nothing.
//!
//! Looked at when something that matters to a copy has changed: a fault, a leader, a copy that is level again.

use super::super::data;
use super::{Event, World};
use crate::base::{Id, SimTime, Span};
use crate::domain::observation::Resync;
use crate::domain::{Cluster, Root};
use crate::replication::history::{History, Speeds, Written};

/// What clusters wrote to one partition.
#[derive(Default)]
struct Rates {
    /// A cluster begins, or ends, to write so many a second.
    edges: Vec<(SimTime, bool, f64)>,
    bytes: f64,
}

impl Rates {
    /// What was written in the `seconds` until `now`.
    fn added_up(mut self, now: SimTime, seconds: f64) -> Written {
        self.edges.sort_by_key(|&(at, begins, _)| (at, begins));
        let mut written = Written { pieces: Vec::new(), bytes: self.bytes };
        let (mut before, mut rate, mut writers) = (0.0, 0.0, 0_u32);
        for (at, begins, each) in self.edges {
            let at = seconds - now.since(at).secs();
            if at > before {
                written.pieces.push((at, rate * (at - before)));
                before = at;
            }
            if begins {
                writers += 1;
                rate += each;
            } else {
                writers -= 1;
                // Nothing is left over of a sum.
                rate = if writers == 0 { 0.0 } else { rate - each };
            }
        }
        if before < seconds {
            written.pieces.push((seconds, rate * (seconds - before)));
        }
        written
    }
}

impl World<'_> {
    /// The place of a cluster among the members of a partition.
    pub(super) fn member(&self, partition: usize, cluster: Id<Cluster>) -> Option<usize> {
        let (store, part) = self.partitions[partition];
        self.plan.stores[store].partitions[part].members().position(|member| member == cluster)
    }

    pub(super) fn speeds(&self, partition: usize) -> Speeds {
        let store = &self.plan.stores[self.partitions[partition].0];
        Speeds { catch_up: store.catch_up, copy: store.copy_speed, size: store.size * 1e9 }
    }

    /// Lets copies follow until now, if who can is about to change or has.
    pub(super) fn follow(&mut self, now: SimTime) {
        self.copies_moved = false;
        // Where accesses go where they went, a leader reaches whom it reached.
        if !self.histories_changed && !self.reach_differs(|partition| !self.stale.stands(partition)) {
            return;
        }
        self.let_copies_follow(now);
        let mut away = Vec::new();
        for partition in 0..self.partitions.len() {
            let stands = self.stale.stands(partition);
            let reach = if stands { None } else { self.reach(partition, &mut away) };
            let history = &mut self.histories[partition];
            let changed = match reach {
                Some((grows, ships)) => history.set(grows, ships, &away),
                None => history.count(),
            };
            if changed {
                self.touch_data(partition);
            }
        }
        self.expect_changes(now);
        let troubled = self.histories.iter().any(History::is_troubled);
        if troubled && self.tally.lived.is_none() {
            for cluster in self.plan.clusters.keys() {
                self.flush(now, cluster);
            }
            self.tally.lived = Some(Vec::new());
            // What was written before doesn't matter to anybody.
            if let Some(counted) = &mut self.by_request {
                counted.fill((0.0, 0.0));
            }
        } else if !troubled {
            self.tally.lived = None;
        }
    }

    /// In some of these partitions a leader reaches others than it did, or is there where it wasn't.
    pub(super) fn reach_differs(&self, among: impl Fn(usize) -> bool) -> bool {
        let mut away = Vec::new();
        (0..self.partitions.len()).filter(|&partition| among(partition)).any(|partition| {
            let reach = self.reach(partition, &mut away);
            reach.is_some_and(|(grows, ships)| self.histories[partition].differs(grows, ships, &away))
        })
    }

    /// Whether the leader of a partition that is led and used takes writes, whether it is there to follow, and for each
    /// member why it can't be reached; see [`History::set`].
    fn reach(&self, partition: usize, away: &mut Vec<Option<Id<Root>>>) -> Option<(bool, bool)> {
        let (store, part) = self.partitions[partition];
        if !self.index.used_stores[store] || !self.plan.stores[store].is_led() {
            return None;
        }
        let leader = self.leaders[partition];
        let ships = self.why_gone(leader, store).is_none();
        let grows = ships && self.read_only(leader, store).is_none();
        let members = self.plan.stores[store].partitions[part].members();
        away.clear();
        away.extend(members.map(|member| self.why_away(partition, leader, member)));
        Some((grows, ships))
    }

    /// Why the leader of a partition can't reach a member, if it can't.
    fn why_away(&self, partition: usize, leader: Id<Cluster>, member: Id<Cluster>) -> Option<Id<Root>> {
        if member == leader {
            return None;
        }
        let (store, _) = self.partitions[partition];
        // One that goes on as a leader doesn't follow.
        let unaware = (self.deposed[partition] == Some(member)).then(|| self.partition_controllers[partition].cause.0);
        self.copy_is_gone(member, store).or_else(|| self.cut(leader, member)).or(unaware)
    }

    /// Schedules when the next copy is level or copied.
    fn expect_changes(&mut self, now: SimTime) {
        self.histories_changed = false;
        let next = (0..self.partitions.len())
            .filter_map(|partition| self.histories[partition].next_change(self.speeds(partition)))
            .reduce(f64::min);
        self.follow_serial += 1;
        if let Some(next) = next {
            let at = now + Span::from_secs(next).max(Span::from_nanos(1));
            self.events.schedule(at, Event::CaughtUp { serial: self.follow_serial });
        }
    }

    /// Counts what was written since the last time, and moves copies on.
    pub(super) fn let_copies_follow(&mut self, now: SimTime) {
        let seconds = now.since(self.followed).secs();
        self.followed = now;
        if self.tally.lived.is_none() || seconds == 0.0 {
            return;
        }
        for cluster in self.plan.clusters.keys() {
            self.flush(now, cluster);
        }
        let lived = self.tally.lived.replace(Vec::new()).unwrap_or_default();
        let mut rates: Vec<Rates> = self.partitions.iter().map(|_| Rates::default()).collect();
        for stay in lived {
            let memo = &*self.memo;
            let (inputs, (outcome, rates_of)) = (memo.inputs_of(stay.solution), memo.rates(stay.solution));
            let of = (&memo.outcome(outcome).cells[..], rates_of);
            data::written(self.plan, inputs, of, |store, population, rate, bytes| {
                let partition = self.first_partitions[store] + self.plan.stores[store].partition_of(population);
                if self.histories[partition].is_troubled() {
                    rates[partition].edges.push((stay.from, true, rate));
                    rates[partition].edges.push((stay.to, false, rate));
                    rates[partition].bytes += rate * bytes * (stay.to - stay.from).secs();
                }
            });
        }
        for (partition, rates) in rates.into_iter().enumerate() {
            let counted = self.by_request.as_mut().map(|counted| core::mem::take(&mut counted[partition]));
            if !self.histories[partition].is_troubled() {
                continue;
            }
            let written = match counted {
                Some((writes, bytes)) => Written { pieces: vec![(seconds, writes)], bytes },
                None => rates.added_up(now, seconds),
            };
            let speeds = self.speeds(partition);
            let followed = self.histories[partition].advance(seconds, &written, speeds);
            if followed.moved {
                self.touch_data(partition);
            }
            let (store, part) = self.partitions[partition];
            let plan = &self.plan.stores[store];
            for done in followed.done {
                let Some(to) = plan.partitions[part].members().nth(done.member) else { continue };
                let from = self.leaders[partition];
                let region = |cluster: Id<Cluster>| self.plan.clusters[cluster].region;
                self.tally.copied.push((region(from), region(to), done.extra));
                self.copies_moved = true;
                self.histories_changed = true;
                self.log.resyncs.push(Resync {
                    store,
                    population: (plan.partitions.len() > 1).then(|| Id::new(part)),
                    at: now.secs(),
                    cluster: to,
                    seconds: done.seconds,
                    bytes: done.bytes,
                });
            }
        }
    }

    /// Some copy is level, or copied: it may count again, and lead again.
    pub(super) fn caught_up(&mut self, now: SimTime) {
        self.histories_changed = true;
        self.follow(now);
        for partition in 0..self.partitions.len() {
            self.review_partition(now, partition);
        }
    }
}
