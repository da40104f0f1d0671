//! The event list alone: the hold model, and units that fail and are repaired.

use super::{DEVIATIONS, Ready, Work};
use rand_distr::{Distribution, Exp1};
use regionsim::base::{Seed, SimTime, Span};
use regionsim::engine::EventList;
use std::hint::black_box;
use std::rc::Rc;

/// Fail/repair: as many units as peers are measured with, up for 10 h and down for 1 h on average.
const UNITS: u32 = 300;
const UP: f64 = 36_000.0;
const DOWN: f64 = 3600.0;

pub(super) fn all(share: u64) -> Vec<Work> {
    let events = 200_000 / share;
    let hold = [10_usize, 1_000, 100_000].map(|pending| {
        let name = format!("event list, hold, {} pending", thousands(pending));
        Work::new(name, "event", move || hold(pending, events))
    });
    let units = [
        Work::new("event list, 300 fail/repair units", "event", move || {
            let before: Rc<[f64]> = draws(events + u64::from(UNITS)).into();
            fail_repair(events, move || {
                let before = black_box(before.clone());
                (0..).map(move |event| before[event])
            })
        }),
        Work::new("event list, 300 fail/repair units and their draws", "event", move || {
            fail_repair(events, || Exp1.sample_iter(Seed { master: 1, replication: 0 }.stream().rng()))
        }),
    ];
    hold.into_iter().chain(units).collect()
}

fn thousands(count: usize) -> String {
    if count < 1000 { count.to_string() } else { format!("{},{:03}", count / 1000, count % 1000) }
}

/// Exponential draws with mean 1.
fn draws(count: u64) -> Vec<f64> {
    let mut rng = Seed { master: 1, replication: 0 }.stream().rng();
    (0..count).map(|_| Exp1.sample(&mut rng)).collect()
}

/// Takes out the next event and puts one in an exponential second later, over and over. Delays are drawn beforehand.
fn hold(pending: usize, events: u64) -> Ready {
    let delays: Vec<Span> = draws(events.max(pending as u64)).into_iter().map(Span::from_secs).collect();
    let mut list = EventList::default();
    for (event, delay) in delays[..pending].iter().enumerate() {
        list.schedule(SimTime::ZERO + *delay, event);
    }
    Ready::new(events, move || {
        let (begin, before) = (list.now(), list.processed());
        let mut last = begin;
        for delay in black_box(&delays[..events as usize]) {
            let (at, event) = list.pop().expect("as many are pending as before");
            assert!(at >= last, "events come out in order");
            last = at;
            list.schedule(at + *delay, event);
        }
        assert_eq!(list.processed() - before, events);
        // Without memory, n of them are one Poisson stream of n a second.
        let (took, n, k) = (last.since(begin).secs(), pending as f64, events as f64);
        assert!((took * n - k).abs() < DEVIATIONS * k.sqrt(), "{k} events took {took} s");
    })
}

/// Units that fail and are repaired, each with one event pending and with means of its own, as in a model. `begin` makes
/// the draws anew for each run.
fn fail_repair<D: Iterator<Item = f64>>(events: u64, begin: impl Fn() -> D + 'static) -> Ready {
    let mut list = EventList::default();
    let mut up = vec![true; UNITS as usize];
    let means = black_box(vec![[DOWN, UP]; UNITS as usize]);
    Ready::new(events, move || {
        let mut drawn = begin();
        let mut draw = || drawn.next().expect("draws have no end");
        list.reset();
        up.fill(true);
        for unit in 0..UNITS {
            list.schedule(SimTime::ZERO + Span::from_secs(UP * draw()), unit);
        }
        let (mut down, mut area, mut since) = (0_u32, 0.0, SimTime::ZERO);
        for _ in 0..events {
            let (at, unit) = list.pop().expect("every unit has one pending");
            area += f64::from(down) * at.since(since).secs();
            since = at;
            let up = &mut up[unit as usize];
            *up = !*up;
            let mean = means[unit as usize][usize::from(*up)];
            down = if *up { down - 1 } else { down + 1 };
            list.schedule(at + Span::from_secs(mean * draw()), unit);
        }
        // Variance of the time average of independent on-off units: 2 p q / (rates · time) each. All are up at first,
        // which costs the time average at most that of one relaxation time.
        let (hours, q) = (since.secs(), DOWN / (UP + DOWN));
        let (expected, rates) = (f64::from(UNITS) * q, 1.0 / UP + 1.0 / DOWN);
        let sd = (2.0 * expected * (1.0 - q) / rates / hours).sqrt();
        let mean = area / hours;
        assert!((mean - expected).abs() < DEVIATIONS * sd + expected / rates / hours, "{mean} down on average");
    })
}
