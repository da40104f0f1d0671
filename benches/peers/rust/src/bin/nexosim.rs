//! NeXosim: models with asynchronous inputs and mailboxes, here on one thread; time to the nanosecond.

use nexosim::model::{Context, Model, schedulable};
use nexosim::simulation::{Mailbox, SimInit};
use nexosim::time::MonotonicTime;
use peers::{Station, UNITS, Units};
use serde::{Deserialize, Serialize};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A delay that is never 0: nothing can be scheduled for now.
fn delay(seconds: f64) -> Duration {
    Duration::from_secs_f64(seconds).max(Duration::from_nanos(1))
}

fn seconds(time: MonotonicTime) -> f64 {
    time.duration_since(MonotonicTime::EPOCH).as_secs_f64()
}

#[derive(Serialize, Deserialize)]
struct Queue {
    station: Station,
    #[serde(skip)]
    end: Arc<Mutex<Option<Station>>>,
}

#[Model]
impl Queue {
    #[nexosim(init)]
    async fn init(&mut self, cx: &Context<Self>) {
        self.come(cx);
    }

    fn come(&mut self, cx: &Context<Self>) {
        if let Some(gap) = self.station.gap() {
            cx.schedule_event(delay(gap), schedulable!(Self::arrival), ()).expect("it is due later");
        } else {
            // The last one has come: those who wait are counted.
            *self.end.lock().expect("one thread") = Some(self.station.clone());
        }
    }

    fn serve(&mut self, service: Option<f64>, cx: &Context<Self>) {
        if let Some(service) = service {
            cx.schedule_event(delay(service), schedulable!(Self::departure), ()).expect("it is due later");
        }
    }

    #[nexosim(schedulable)]
    fn arrival(&mut self, _: (), cx: &Context<Self>) {
        let service = self.station.arrive(seconds(cx.time()));
        self.serve(service, cx);
        self.come(cx);
    }

    #[nexosim(schedulable)]
    fn departure(&mut self, _: (), cx: &Context<Self>) {
        let service = self.station.depart(seconds(cx.time()));
        self.serve(service, cx);
    }
}

#[derive(Serialize, Deserialize)]
struct Park {
    units: Units,
    #[serde(skip)]
    end: Arc<Mutex<Option<Units>>>,
}

#[Model]
impl Park {
    #[nexosim(init)]
    async fn init(&mut self, cx: &Context<Self>) {
        for unit in 0..UNITS {
            let first = self.units.first();
            cx.schedule_event(delay(first), schedulable!(Self::flip), unit).expect("it is due later");
        }
    }

    #[nexosim(schedulable)]
    fn flip(&mut self, unit: u32, cx: &Context<Self>) {
        match self.units.flip(unit, seconds(cx.time())) {
            Some(stay) => {
                cx.schedule_event(delay(stay), schedulable!(Self::flip), unit).expect("it is due later");
            }
            None => {
                self.end.lock().expect("one thread").get_or_insert_with(|| self.units.clone());
            }
        }
    }
}

fn mm4(station: Station) -> Station {
    let end = Arc::new(Mutex::new(None));
    let model = Queue { station, end: Arc::clone(&end) };
    let init = SimInit::with_num_threads(1).add_model(model, Mailbox::new(), "queue");
    init.init(MonotonicTime::EPOCH).and_then(|mut sim| Ok(sim.run()?)).expect("it runs to its end");
    end.lock().expect("one thread").take().expect("all have come")
}

fn units(units: Units) -> Units {
    let end = Arc::new(Mutex::new(None));
    let model = Park { units, end: Arc::clone(&end) };
    let init = SimInit::with_num_threads(1).add_model(model, Mailbox::new(), "park");
    init.init(MonotonicTime::EPOCH).and_then(|mut sim| Ok(sim.run()?)).expect("it runs to its end");
    end.lock().expect("one thread").take().expect("all events have been")
}

fn main() {
    peers::main(mm4, Some(&units));
}
