//! The two tasks, written once: each simulator's program adds how it schedules events, and nothing else.
//!
//! - `mm4`: customers come 3.2 a second to 4 servers, each busy for 1 s on average, both exponential. The share that has
//!   to wait is held to Erlang C.
//! - `units`: 300 units are up for 10 h and down for 1 h on average, both exponential. The mean number down is held to
//!   300 / 11.
//!
//! Draws are `rand_distr`'s `Exp1` from xoshiro256++ in every program.

use rand::SeedableRng;
use rand::rngs::Xoshiro256PlusPlus;
use rand_distr::{Distribution, Exp1};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use std::hint::black_box;
use std::time::Instant;

pub const SERVERS: u32 = 4;
const ARRIVALS: f64 = 3.2;
/// Erlang C at 3.2 of 4 servers.
const WAITING: f64 = 0.596_432_471_787;
/// Of the share that waits among n customers in a row, times n: from the Poisson equation of the chain that arrivals see.
const VARIANCE: f64 = 4.790;

pub const UNITS: u32 = 300;
const UP: f64 = 10.0;
const DOWN: f64 = 1.0;

/// Stands for an answer within so many standard deviations: one sound run in 16,000 fails.
const DEVIATIONS: f64 = 4.0;

/// M/M/4: who is served, who waits.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Station {
    rng: Xoshiro256PlusPlus,
    /// When those who wait came.
    queue: VecDeque<f64>,
    busy: u32,
    left: u64,
    pub arrived: u64,
    pub waited: u64,
    /// Waited in all.
    pub seconds: f64,
}

impl Station {
    pub fn new(customers: u64) -> Self {
        let rng = Xoshiro256PlusPlus::seed_from_u64(1);
        Self { rng, queue: VecDeque::new(), busy: 0, left: customers, arrived: 0, waited: 0, seconds: 0.0 }
    }

    /// A draw with mean 1.
    pub fn exponential(&mut self) -> f64 {
        Exp1.sample(&mut self.rng)
    }

    /// How long until the next customer comes, if one does.
    pub fn gap(&mut self) -> Option<f64> {
        self.left = self.left.checked_sub(1)?;
        Some(self.exponential() / ARRIVALS)
    }

    /// A customer comes: how long he will be served, if he is at once.
    pub fn arrive(&mut self, now: f64) -> Option<f64> {
        self.arrived += 1;
        if self.busy < SERVERS {
            self.busy += 1;
            Some(self.exponential())
        } else {
            self.waited += 1;
            self.queue.push_back(now);
            None
        }
    }

    /// A customer leaves: how long the next one will be served, if one waits.
    pub fn depart(&mut self, now: f64) -> Option<f64> {
        match self.queue.pop_front() {
            Some(came) => {
                self.seconds += now - came;
                Some(self.exponential())
            }
            None => {
                self.busy -= 1;
                None
            }
        }
    }
}

/// Units that fail and are repaired.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Units {
    rng: Xoshiro256PlusPlus,
    up: Vec<bool>,
    /// How long each unit is down, and up, on average.
    means: Vec<[f64; 2]>,
    down: u32,
    since: f64,
    /// Hours times units down.
    area: f64,
    left: u64,
}

impl Units {
    pub fn new(events: u64) -> Self {
        let rng = Xoshiro256PlusPlus::seed_from_u64(1);
        let (up, means) = (vec![true; UNITS as usize], black_box(vec![[DOWN, UP]; UNITS as usize]));
        Self { rng, up, means, down: 0, since: 0.0, area: 0.0, left: events }
    }

    /// How long a unit is up at first.
    pub fn first(&mut self) -> f64 {
        UP * Distribution::<f64>::sample(&Exp1, &mut self.rng)
    }

    /// A unit fails or is repaired: how long it stays so, unless the run is over.
    pub fn flip(&mut self, unit: u32, now: f64) -> Option<f64> {
        self.left = self.left.checked_sub(1)?;
        self.area += f64::from(self.down) * (now - self.since);
        self.since = now;
        let up = &mut self.up[unit as usize];
        *up = !*up;
        let mean = self.means[unit as usize][usize::from(*up)];
        self.down = if *up { self.down - 1 } else { self.down + 1 };
        Some(mean * Distribution::<f64>::sample(&Exp1, &mut self.rng))
    }
}

/// Runs the task that the command line names, as often as it says `TASK COUNT`, and prints nanoseconds each.
///
/// # Panics
/// If an answer is wrong.
pub fn main(mm4: impl Fn(Station) -> Station, units: Option<&dyn Fn(Units) -> Units>) {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [task, count] = arguments.as_slice() else { panic!("TASK COUNT") };
    let count: u64 = count.parse().expect("COUNT is a number");
    let begun = Instant::now();
    match (task.as_str(), units) {
        ("mm4", _) => {
            let station = mm4(Station::new(count));
            assert_eq!(station.arrived, count);
            let (share, sd) = (station.waited as f64 / count as f64, (VARIANCE / count as f64).sqrt());
            assert!((share - WAITING).abs() < DEVIATIONS * sd, "{share} wait, not {WAITING}");
        }
        ("units", Some(units)) => {
            let end = units(Units::new(count));
            assert_eq!(end.left, 0);
            let (mean, q) = (end.area / end.since, DOWN / (UP + DOWN));
            // Variance of the time average of independent on-off units: 2 p q / (rates · time) each.
            let sd = (2.0 * f64::from(UNITS) * q * (1.0 - q) / (1.0 / UP + 1.0 / DOWN) / end.since).sqrt();
            assert!((mean - f64::from(UNITS) * q).abs() < DEVIATIONS * sd, "{mean} down on average");
        }
        _ => panic!("no task {task}"),
    }
    println!("{:.1}", begun.elapsed().as_secs_f64() * 1e9 / count as f64);
}
