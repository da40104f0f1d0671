//! desque: boxed events on a binary heap.

use desque::serial::{Event, Simulation};
use desque::{Result, SimState, SimTime};
use peers::{Station, UNITS, Units};

#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
struct Time(f64);

impl Eq for Time {}
impl Ord for Time {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.total_cmp(&other.0)
    }
}
impl SimTime for Time {}

struct State<T>(T);

impl<T> SimState<Time> for State<T> {
    fn is_complete(&self, _: &Time) -> bool {
        false
    }
}

#[derive(Debug)]
struct Arrival;
#[derive(Debug)]
struct Departure;
#[derive(Debug)]
struct Flip(u32);

type Queue = Simulation<State<Station>, Time>;

impl Event<State<Station>, Time> for Arrival {
    fn execute(&mut self, sim: &mut Queue) -> Result {
        let now = sim.current_time().0;
        if let Some(service) = sim.state_mut().0.arrive(now) {
            sim.schedule(Departure, Time(now + service))?;
        }
        match sim.state_mut().0.gap() {
            Some(gap) => sim.schedule(Arrival, Time(now + gap)),
            None => Ok(()),
        }
    }
}

impl Event<State<Station>, Time> for Departure {
    fn execute(&mut self, sim: &mut Queue) -> Result {
        let now = sim.current_time().0;
        match sim.state_mut().0.depart(now) {
            Some(service) => sim.schedule(Departure, Time(now + service)),
            None => Ok(()),
        }
    }
}

impl Event<State<Units>, Time> for Flip {
    fn execute(&mut self, sim: &mut Simulation<State<Units>, Time>) -> Result {
        let now = sim.current_time().0;
        match sim.state_mut().0.flip(self.0, now) {
            Some(stay) => sim.schedule(Flip(self.0), Time(now + stay)),
            None => Ok(()),
        }
    }
}

fn mm4(mut station: Station) -> Station {
    let first = station.gap().expect("there are customers");
    let mut sim = Simulation::new(State(station), Time(0.0));
    sim.schedule(Arrival, Time(first)).expect("it is due later");
    sim.run().expect("no event fails");
    sim.state().0.clone()
}

fn units(mut units: Units) -> Units {
    let first: Vec<f64> = (0..UNITS).map(|_| units.first()).collect();
    let mut sim = Simulation::new(State(units), Time(0.0));
    for (unit, at) in (0..).zip(first) {
        sim.schedule(Flip(unit), Time(at)).expect("it is due later");
    }
    sim.run().expect("no event fails");
    sim.state().0.clone()
}

fn main() {
    peers::main(mm4, Some(&units));
}
