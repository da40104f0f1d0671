//! A try on its way through its journey: steps in order, calls at once, stores and what lies outside.

use super::sample::span;
use super::station::Admission;
use super::{Entry, Event, Miss, Traffic, Why};
use crate::base::stream::uniform;
use crate::base::{Id, SimTime, Span};
use crate::domain::{Cluster, Population, Service, Stage, Store};
use crate::plan::{CachePlan, Instruction, StepPlan};
use crate::replication::spec::Replication;
use crate::sim::inputs::{Condition, Route};
use crate::sim::lookups::{Hits, cache_of};
use crate::sim::unit::slot_at;

impl Traffic<'_> {
    /// A try goes on from its step.
    pub(super) fn walk(&mut self, now: SimTime, number: u32) {
        let plan = self.plan;
        let Entry { population, journey, cluster, current, life, step, miss, begun, .. } =
            self.entries[number as usize];
        let own = &plan.journeys[journey];
        if step == 0
            && miss == Miss::No
            && let Some(why) = self.at_the_front(cluster, population, current)
        {
            self.fail(now, number, why);
            return;
        }
        loop {
            let Some(next) = self.next_step(number) else {
                self.finish(now, number);
                return;
            };
            let after = match &own.steps[next] {
                StepPlan::Call(services) => {
                    let entry = self.entries[number as usize];
                    // The population's round trip ends at the first service; later calls cross the region.
                    if entry.called && !entry.crossed && self.some_here(number, services) {
                        self.entries[number as usize].crossed = true;
                        let trip = self.within(cluster) + self.proxies(cluster);
                        if trip > 0.0 {
                            self.events.schedule(now + span(trip), Event::Step { entry: number, life });
                            return;
                        }
                    }
                    let entry = &mut self.entries[number as usize];
                    (entry.called, entry.crossed) = (true, false);
                    entry.step += 1;
                    self.call(now, number, services);
                    return;
                }
                StepPlan::Read(store, _) | StepPlan::Write(store, _) => {
                    let writes = matches!(own.steps[next], StepPlan::Write(..));
                    let route = self.access(cluster, population, current, *store, writes);
                    if let (false, Some(cache)) = (writes, cache_of(plan, *store, route)) {
                        match self.look_up(now, number, *store, cache) {
                            Ok(Some(seconds)) if seconds > 0.0 => {
                                self.events
                                    .schedule(now + Span::from_secs(seconds), Event::Step { entry: number, life });
                                return;
                            }
                            Ok(Some(_)) => continue,
                            Ok(None) => return,
                            Err(why) => {
                                self.fail(now, number, why);
                                return;
                            }
                        }
                    }
                    match self.take_trip(cluster, *store, writes, route) {
                        Ok(seconds) => {
                            self.counts.accessed(begun, *store, journey, writes, seconds);
                            if let (StepPlan::Write(_, bytes), Route::Via(..)) = (&own.steps[next], route) {
                                let partition = self.first_partitions[*store];
                                let partition = partition + plan.stores[*store].partition_of(population);
                                let sum = &mut self.written[partition];
                                sum.0 += 1.0 / self.scale;
                                sum.1 += bytes / self.scale;
                            }
                            seconds
                        }
                        Err(why) => {
                            self.fail(now, number, why);
                            return;
                        }
                    }
                }
                StepPlan::Dependency(dependency) => {
                    let view = self.views[cluster].as_ref();
                    let condition = view.and_then(|view| {
                        view.inputs.dependencies.iter().find(|(other, _)| other == dependency).map(|(_, own)| *own)
                    });
                    if let Some(why) = condition.and_then(|own| self.meets(&own, Stage::Dependency, population)) {
                        self.fail(now, number, why);
                        return;
                    }
                    let slower = condition.map_or(1.0, |own| own.latency.get());
                    self.dependency_time[dependency.index()].draw(&mut self.network) * slower
                }
            };
            self.entries[number as usize].step += 1;
            if after > 0.0 {
                self.events.schedule(now + span(after), Event::Step { entry: number, life });
                return;
            }
        }
    }

    /// Goes on with a read of a cache: a hit ends it, a miss calls what is in front of the cached store and then reads
    /// that. The seconds until it goes on, `None` while it waits for a call, or why it fails.
    pub(super) fn look_up(
        &mut self,
        now: SimTime,
        number: u32,
        store: Id<Store>,
        cache: CachePlan,
    ) -> Result<Option<f64>, Why> {
        let plan = self.plan;
        let Entry { population, journey, cluster, current, miss, crossed, begun, .. } = self.entries[number as usize];
        let through = cache.through.filter(|&service| plan.clusters[cluster].station_of[service].is_some());
        match (miss, through) {
            (Miss::No, _) => {
                let seconds = self.store_time[store].draw(&mut self.network);
                self.counts.took(begun, store, false, seconds);
                let hits = self.hits(now, cluster, population, store);
                let entry = &mut self.entries[number as usize];
                if uniform(&mut self.choices[population]) < hits {
                    self.counts.read(begun, store, journey, true);
                    entry.step += 1;
                } else {
                    entry.miss = if through.is_some() { Miss::Calls } else { Miss::Reads };
                    entry.crossed = false;
                }
                Ok(Some(seconds))
            }
            (Miss::Calls, Some(service)) => {
                let entry = &mut self.entries[number as usize];
                entry.crossed = !crossed;
                if !crossed {
                    return Ok(Some(self.within(cluster)));
                }
                entry.miss = Miss::Reads;
                self.call(now, number, &[service]);
                Ok(None)
            }
            (Miss::Calls, None) | (Miss::Reads, _) => {
                let route = self.access(cluster, population, current, cache.of, false);
                let seconds = self.take_trip(cluster, cache.of, false, route)?;
                self.counts.read(begun, store, journey, false);
                self.counts.accessed(begun, cache.of, journey, false, seconds);
                let entry = &mut self.entries[number as usize];
                entry.miss = Miss::No;
                entry.step += 1;
                Ok(Some(seconds))
            }
        }
    }

    /// The share of a population's reads that a cluster's cache answers: as the planned rates of the hour keep it.
    pub(super) fn hits(
        &mut self,
        now: SimTime,
        cluster: Id<Cluster>,
        population: Id<Population>,
        store: Id<Store>,
    ) -> f64 {
        let plan = self.plan;
        let Some(view) = &mut self.views[cluster] else { return 0.0 };
        let (slot, _) = slot_at(plan, now);
        if view.hits.0 != slot {
            view.hits = (slot, Hits::expected(plan, &view.inputs, slot));
        }
        view.hits.1.of(store, plan.stores[store].partition_of(population)).1
    }

    /// The position of a try's next step in its journey, once chance has had its say; `None` at the end.
    pub(super) fn next_step(&mut self, number: u32) -> Option<usize> {
        let Entry { journey, population, step, .. } = self.entries[number as usize];
        let own = &self.plan.journeys[journey];
        if own.program.is_empty() {
            return ((step as usize) < own.steps.len()).then_some(step as usize);
        }
        let mut at = step as usize;
        loop {
            match own.program.get(at) {
                None => return None,
                Some(&Instruction::Step(next)) => {
                    self.entries[number as usize].step = at as u32;
                    return Some(next);
                }
                Some(&Instruction::Jump(chance, to)) => {
                    let jumps = chance >= 1.0 || uniform(&mut self.choices[population]) < chance;
                    at = if jumps { to } else { at + 1 };
                }
            }
        }
    }

    /// One trip within a cluster's region, in seconds.
    pub(super) fn within(&mut self, cluster: Id<Cluster>) -> f64 {
        let region = self.plan.clusters[cluster].region;
        self.jitter.draw(self.plan.region_rtt[region][region], &mut self.network)
    }

    /// Why a try fails before it reaches anything in a cluster, if it does.
    pub(super) fn at_the_front(
        &mut self,
        cluster: Id<Cluster>,
        population: Id<Population>,
        current: bool,
    ) -> Option<Why> {
        let view = self.views[cluster].as_ref()?;
        let flow = view.flow(population, current)?;
        let blame = flow.blame;
        if let Some(root) = flow.refused {
            return Some((blame, root));
        }
        let front = view.inputs.front;
        let inputs = &view.inputs;
        let dead = (inputs.zones_up == 0 && inputs.zones_listed == 0).then_some(inputs.zones_root);
        if let Some(root) = front.down.or(dead) {
            return Some((blame, root));
        }
        self.meets(&front, blame, population)
    }

    /// What a condition does to one who meets it.
    pub(super) fn meets(&mut self, condition: &Condition, down: Stage, population: Id<Population>) -> Option<Why> {
        if let Some(root) = condition.down {
            return Some((down, root));
        }
        let errors = condition.errors.get();
        if errors > 0.0 && uniform(&mut self.choices[population]) < errors {
            return Some((Stage::Errors, condition.errors_root));
        }
        None
    }

    /// Calls services at once.
    pub(super) fn call(&mut self, now: SimTime, number: u32, services: &[Id<Service>]) {
        let plan = self.plan;
        let entry = self.entries[number as usize];
        let own = &plan.clusters[entry.cluster];
        let Some(view) = self.views[entry.cluster].as_ref() else { return };
        let blame = view.flow(entry.population, entry.current).map_or(Stage::Undetected, |flow| flow.blame);
        let (up, listed, zones_root) = (view.inputs.zones_up, view.inputs.zones_listed, view.inputs.zones_root);
        let overload_root = self.overload_root(entry.cluster);
        let later = view.inputs.front.latency.get();
        let mut latest = now;
        let mut open = 0;
        self.entries[number as usize].open = u32::MAX;
        for &service in services {
            match self.call_elsewhere(now, number, service) {
                Some(true) => {
                    open += 1;
                    continue;
                }
                Some(false) => return,
                None => {}
            }
            let Some(position) = own.station_of[service].map(|position| position as usize) else { continue };
            let condition = self.views[entry.cluster].as_ref().map(|view| view.conditions[position]);
            let fails = (listed > 0 && {
                let share = f64::from(listed) / f64::from(up + listed);
                uniform(&mut self.choices[entry.population]) < share
            })
            .then_some((Stage::Undetected, zones_root))
            .or_else(|| condition.and_then(|condition| self.meets(&condition, blame, entry.population)));
            if let Some(why) = fails {
                self.fail(now, number, why);
                return;
            }
            let station = self.first[entry.cluster] + position;
            match self.admit(now, number, station, Span::ZERO) {
                Admission::Rejected => {
                    self.fail(now, number, (Stage::Overload, overload_root));
                    return;
                }
                Admission::Displaces(other) => {
                    open += 1;
                    self.fail_call(now, other, (Stage::Overload, overload_root));
                }
                Admission::Taken | Admission::Waits => open += 1,
                Admission::Leaves(at, wait) => {
                    self.entries[number as usize].waited += wait.secs();
                    let service = later * condition.map_or(1.0, |condition| condition.latency.get());
                    debug_assert!(service == 1.0, "what is known beforehand doesn't degrade");
                    latest = latest.max(at);
                }
            }
        }
        self.entries[number as usize].open = open + u32::from(latest > now && open > 0);
        if open == 0 {
            self.go_on(latest, number, now);
        } else if latest > now {
            self.events.schedule(latest, Event::Answer { entry: number, life: entry.life });
        }
    }

    /// All calls of a step are back at `at`, which is now or known already.
    pub(super) fn go_on(&mut self, at: SimTime, number: u32, now: SimTime) {
        let Entry { journey, step, life, .. } = self.entries[number as usize];
        let own = &self.plan.journeys[journey];
        if own.program.is_empty() && step as usize == own.steps.len() {
            self.finish(at, number);
        } else if at > now {
            self.events.schedule(at, Event::Step { entry: number, life });
        } else {
            self.walk(now, number);
        }
    }

    /// One call's answer is back.
    pub(super) fn answered(&mut self, now: SimTime, number: u32, life: u32) {
        let entry = &mut self.entries[number as usize];
        if entry.life != life {
            return;
        }
        entry.open -= 1;
        if entry.open == 0 {
            self.go_on(now, number, now);
        }
    }

    /// How long an access to a store takes, or why it can't be.
    pub(super) fn take_trip(
        &mut self,
        from: Id<Cluster>,
        store: Id<Store>,
        writes: bool,
        route: Route,
    ) -> Result<f64, Why> {
        let plan = self.plan;
        let between =
            |a: Id<Cluster>, b: Id<Cluster>| plan.region_rtt[plan.clusters[a].region][plan.clusters[b].region];
        let time = &self.store_time[store];
        let (jitter, rng) = (self.jitter, &mut self.network);
        Ok(match route {
            Route::Via(copy, ack) => {
                jitter.draw(between(from, copy), rng) + jitter.draw(ack.get(), rng) + time.draw(rng)
            }
            Route::Near(copy) | Route::Deposed(copy) => jitter.draw(between(from, copy), rng) + time.draw(rng),
            Route::Vote(through, copies, wanted) => {
                let trip = jitter.draw(between(from, through), rng);
                let delays = match (&plan.stores[store].replication, writes) {
                    (Replication::Quorum(own), true) => (own.delays.write.as_ref(), own.delays.ack.as_ref()),
                    (Replication::Quorum(own), false) => (own.delays.read.as_ref(), own.delays.response.as_ref()),
                    (
                        Replication::Sync(_)
                        | Replication::SemiSync(_)
                        | Replication::Async(_)
                        | Replication::MultiLeader(_)
                        | Replication::Cache(_),
                        _,
                    ) => (None, None),
                };
                let mut answers: Vec<f64> = plan.stores[store]
                    .copies
                    .iter()
                    .enumerate()
                    .filter(|(position, _)| copies >> position & 1 == 1)
                    .map(|(_, &copy)| {
                        let round_trip = if copy == through { 0.0 } else { between(through, copy) };
                        let way = match delays {
                            (None, None) => jitter.draw(round_trip, rng),
                            (there, back) => [there, back].into_iter().fold(0.0, |sum, delay| match delay {
                                Some(own) => sum + own.sample(rng),
                                None => sum + jitter.draw(0.5 * round_trip, rng),
                            }),
                        };
                        way + time.draw(rng)
                    })
                    .collect();
                answers.sort_by(f64::total_cmp);
                trip + answers.get(wanted as usize - 1).copied().unwrap_or(0.0)
            }
            Route::Cache(_) => time.draw(rng),
            Route::Fail(stage, root) => return Err((stage, root)),
        })
    }

    /// Where a population's accesses to a store go now.
    pub(super) fn access(
        &self,
        cluster: Id<Cluster>,
        population: Id<Population>,
        current: bool,
        store: Id<Store>,
        writes: bool,
    ) -> Route {
        let flow = self.views[cluster].as_ref().and_then(|view| view.flow(population, current));
        let access = flow.map(|flow| flow.stores[store.index()]);
        match access {
            Some(access) => {
                if writes {
                    access.write
                } else {
                    access.read
                }
            }
            None => Route::Near(cluster),
        }
    }
}
