//! simcore (of DSLab): components that send one another events, boxed and cast, on a binary heap.

use peers::{Station, UNITS, Units};
use serde::Serialize;
use simcore::{Event, EventHandler, Simulation, SimulationContext, cast};
use std::cell::RefCell;
use std::rc::Rc;

#[derive(Clone, Serialize)]
struct Arrival {}
#[derive(Clone, Serialize)]
struct Departure {}
#[derive(Clone, Serialize)]
struct Flip {
    unit: u32,
}

struct Component<T> {
    state: T,
    context: SimulationContext,
}

impl Component<Station> {
    fn come(&mut self) {
        if let Some(gap) = self.state.gap() {
            self.context.emit_self(Arrival {}, gap);
        }
    }

    fn serve(&mut self, service: Option<f64>) {
        if let Some(service) = service {
            self.context.emit_self(Departure {}, service);
        }
    }
}

impl EventHandler for Component<Station> {
    fn on(&mut self, event: Event) {
        cast!(match event.data {
            Arrival {} => {
                let service = self.state.arrive(event.time);
                self.serve(service);
                self.come();
            }
            Departure {} => {
                let service = self.state.depart(event.time);
                self.serve(service);
            }
        })
    }
}

impl EventHandler for Component<Units> {
    fn on(&mut self, event: Event) {
        cast!(match event.data {
            Flip { unit } => {
                if let Some(stay) = self.state.flip(unit, event.time) {
                    self.context.emit_self(Flip { unit }, stay);
                }
            }
        })
    }
}

/// Runs one component until nothing is due.
fn run<T: Clone>(state: T, begin: impl Fn(&mut Component<T>)) -> T
where
    Component<T>: EventHandler + 'static,
{
    let mut sim = Simulation::new(1);
    let context = sim.create_context("component");
    let component = Rc::new(RefCell::new(Component { state, context }));
    sim.add_handler("component", component.clone());
    begin(&mut component.borrow_mut());
    sim.step_until_no_events();
    component.borrow().state.clone()
}

fn mm4(station: Station) -> Station {
    run(station, Component::come)
}

fn units(units: Units) -> Units {
    run(units, |component: &mut Component<Units>| {
        for unit in 0..UNITS {
            let first = component.state.first();
            component.context.emit_self(Flip { unit }, first);
        }
    })
}

fn main() {
    peers::main(mm4, Some(&units));
}
