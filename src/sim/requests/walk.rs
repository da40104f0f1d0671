//! A try on its way through its journey: steps in order, calls at once, stores and what lies outside.

use super::entry::{Entry, Miss};
use super::station::Admission;
use super::units::span;
use super::{Event, Traffic, Why};
use crate::base::stream::uniform;
use crate::base::{Id, SimTime, Span};
use crate::domain::{Cluster, Population, Service, Stage};
use crate::plan::{Instruction, StepPlan};
use crate::sim::inputs::Condition;
use crate::sim::lookups::cache_of;

impl Traffic<'_> {
    /// A try goes on from its step at `at`, which is now or later.
    ///
    /// What it does between two calls concerns nobody else, so it does it at once, up to where it is given up or the world
    /// may change. It calls, fails, and comes too late when it is time to.
    fn walk(&mut self, clock: SimTime, mut at: SimTime, number: u32) {
        let plan = self.plan;
        let Entry { population, journey, cluster, current, life, entered, .. } = self.entries[number as usize];
        let own = &plan.journeys[journey];
        let bound = self.bound(number);
        if !entered {
            self.entries[number as usize].entered = true;
            if let Some(why) = self.at_the_front(cluster, population, current) {
                self.fails(clock, at, number, why);
                return;
            }
        }
        let again = Event::Step { entry: number, life };
        loop {
            let Some(next) = self.next_step(number) else {
                if at == clock || self.is_in_time(at, number) {
                    self.finish(at, number);
                } else {
                    self.events.schedule(at, again);
                }
                return;
            };
            let after = match &own.steps[next] {
                StepPlan::Call(services) => {
                    let entry = self.entries[number as usize];
                    // The population's round trip ends at the first service; later calls cross the region.
                    if entry.called && !entry.crossed && self.some_here(number, services) {
                        self.entries[number as usize].crossed = true;
                        at += span(self.within(cluster) + self.proxies(cluster));
                    }
                    if at > clock {
                        self.events.schedule(at, again);
                        return;
                    }
                    let entry = &mut self.entries[number as usize];
                    (entry.called, entry.crossed) = (true, false);
                    entry.step += 1;
                    self.call(clock, number, services);
                    return;
                }
                StepPlan::Read(store, _) | StepPlan::Write(store, _) => {
                    let bytes = if let StepPlan::Write(_, bytes) = &own.steps[next] { Some(*bytes) } else { None };
                    let writes = bytes.is_some();
                    let route = self.access(cluster, population, current, *store, writes);
                    if let (false, Some(cache)) = (writes, cache_of(plan, *store, route)) {
                        let Entry { miss, crossed, .. } = self.entries[number as usize];
                        if miss == Miss::Calls && crossed && at > clock {
                            self.events.schedule(at, again);
                            return;
                        }
                        match self.look_up(at, number, *store, cache) {
                            Ok(Some(seconds)) => {
                                at += span(seconds);
                                if at > clock && at >= bound {
                                    self.events.schedule(at, again);
                                    return;
                                }
                                continue;
                            }
                            Ok(None) => return,
                            Err(why) => {
                                self.fails(clock, at, number, why);
                                return;
                            }
                        }
                    }
                    match self.accesses(number, *store, bytes, route) {
                        Ok(seconds) => seconds,
                        Err(why) => {
                            self.fails(clock, at, number, why);
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
                        self.fails(clock, at, number, why);
                        return;
                    }
                    let slower = condition.map_or(1.0, |own| own.latency.get());
                    self.dependency_time[dependency.index()].draw() * slower
                }
            };
            self.entries[number as usize].step += 1;
            at += span(after);
            if at > clock && at >= bound {
                self.events.schedule(at, again);
                return;
            }
        }
    }

    /// Until when a try may go on by itself.
    fn bound(&self, number: u32) -> SimTime {
        let entry = &self.entries[number as usize];
        if !self.alone[entry.journey] || self.counts.is_traced() {
            SimTime::ZERO
        } else if entry.wanted {
            self.until.min(entry.deadline)
        } else {
            self.until
        }
    }

    /// The answer to a try that ends then is in time, or nobody waits for it.
    fn is_in_time(&self, at: SimTime, number: u32) -> bool {
        let entry = &self.entries[number as usize];
        !entry.wanted || at + entry.back <= entry.deadline
    }

    /// A try fails at `at`, which is now or later.
    fn fails(&mut self, clock: SimTime, at: SimTime, number: u32, why: Why) {
        if at == clock {
            self.fail(clock, number, why);
        } else {
            let life = self.entries[number as usize].life;
            self.events.schedule(at, Event::Fails { entry: number, life, why });
        }
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
        self.trips.draw(self.plan.region_rtt[region][region])
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
                    self.has_waited(now, number, wait);
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

    /// A try goes on at `at`, which is now or known already.
    pub(super) fn go_on(&mut self, at: SimTime, number: u32, now: SimTime) {
        if at == now || at < self.bound(number) {
            self.walk(now, at, number);
        } else {
            let life = self.entries[number as usize].life;
            self.events.schedule(at, Event::Step { entry: number, life });
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
}
