//! How each cell fared from minute to minute: what outages are read off.
//!
//! A request belongs to the minute in which it began. A minute with too few requests to tell goes on into the next.

use crate::base::stream::Rng;
use crate::base::{Id, SimTime, Span};
use crate::domain::{Root, Stage};
use crate::plan::{DEMAND, Plan};
use crate::sim::log::Log;
use crate::sim::outages::{self, Course, Found, Segment, THRESHOLD, Told};
use std::collections::VecDeque;

/// Length of a window.
const WINDOW: Span = Span::from_whole_secs(60);
/// Windows that stay open for late answers.
const OPEN: usize = 15;
/// Fewest requests that tell whether 99 % of them succeed.
const LEAST: f64 = 100.0;

/// Requests of one cell: (offered, good), all of them, and of those who were given the current answer.
#[derive(Clone, Copy, Debug, Default)]
struct Fare {
    all: (f64, f64),
    current: (f64, f64),
}

/// A stretch of time of one cell.
#[derive(Clone, Copy, Debug)]
struct Stretch {
    /// Seconds from the start of the horizon.
    from: f64,
    to: f64,
    offered: f64,
    /// Share of all requests that failed.
    loss: f64,
    /// Share of those that failed of the ones who were given the current answer.
    reaching: f64,
    /// What most of them were lost to.
    cause: Option<Id<Root>>,
}

/// What isn't enough to tell yet: since when, how it went, and what was lost to whom.
type Partial = (f64, Fare, Vec<(Id<Root>, f64)>);

/// One window.
#[derive(Debug, Default)]
struct Window {
    cells: Vec<Fare>,
    losses: Vec<(usize, Stage, Id<Root>, f64)>,
}

/// All windows, of which the last are open.
#[derive(Debug)]
pub(super) struct Windows {
    origin: SimTime,
    open: VecDeque<Window>,
    /// The number of the first open window.
    first: u64,
    cells: usize,
    /// By cell: what has been closed, and what wasn't enough to tell.
    closed: Vec<Vec<Stretch>>,
    partial: Vec<Option<Partial>>,
}

impl Windows {
    pub(super) fn new(cells: usize, origin: SimTime) -> Self {
        Self {
            origin,
            open: VecDeque::new(),
            first: 0,
            cells,
            closed: vec![Vec::new(); cells],
            partial: vec![None; cells],
        }
    }

    fn window(&mut self, begun: SimTime) -> Option<&mut Window> {
        let number = begun.since(self.origin).nanos() / WINDOW.nanos();
        while number >= self.first + self.open.len() as u64 {
            if self.open.len() == OPEN {
                self.close_first();
            }
            self.open.push_back(Window { cells: vec![Fare::default(); self.cells], losses: Vec::new() });
        }
        let position = number.checked_sub(self.first)?;
        self.open.get_mut(position as usize)
    }

    pub(super) fn offered(&mut self, begun: SimTime, cell: usize, current: bool) {
        if let Some(window) = self.window(begun) {
            let fare = &mut window.cells[cell];
            fare.all.0 += 1.0;
            fare.current.0 += f64::from(u8::from(current));
        }
    }

    pub(super) fn good(&mut self, begun: SimTime, cell: usize, current: bool) {
        if let Some(window) = self.window(begun) {
            let fare = &mut window.cells[cell];
            fare.all.1 += 1.0;
            fare.current.1 += f64::from(u8::from(current));
        }
    }

    pub(super) fn lost(&mut self, begun: SimTime, cell: usize, stage: Stage, root: Id<Root>) {
        if let Some(window) = self.window(begun) {
            match window.losses.iter_mut().find(|loss| (loss.0, loss.1, loss.2) == (cell, stage, root)) {
                Some(loss) => loss.3 += 1.0,
                None => window.losses.push((cell, stage, root, 1.0)),
            }
        }
    }

    fn close_first(&mut self) {
        let Some(window) = self.open.pop_front() else { return };
        let (from, to) = (self.first * WINDOW.nanos(), (self.first + 1) * WINDOW.nanos());
        let (from, to) = (Span::from_nanos(from).secs(), Span::from_nanos(to).secs());
        self.first += 1;
        for (cell, fare) in window.cells.iter().enumerate() {
            let (began, mut sum, mut causes) =
                self.partial[cell].take().unwrap_or_else(|| (from, Fare::default(), Vec::new()));
            for (sum, more) in [(&mut sum.all, fare.all), (&mut sum.current, fare.current)] {
                sum.0 += more.0;
                sum.1 += more.1;
            }
            for &(_, _, root, count) in window.losses.iter().filter(|loss| loss.0 == cell) {
                match causes.iter_mut().find(|cause| cause.0 == root) {
                    Some(cause) => cause.1 += count,
                    None => causes.push((root, count)),
                }
            }
            if sum.all.0 == 0.0 {
                continue;
            }
            if sum.all.0 < LEAST {
                self.partial[cell] = Some((began, sum, causes));
                continue;
            }
            let fails = |(offered, good): (f64, f64)| if offered > 0.0 { 1.0 - good / offered } else { 0.0 };
            self.closed[cell].push(Stretch {
                from: began,
                to,
                offered: sum.all.0,
                loss: fails(sum.all),
                reaching: fails(sum.current),
                cause: causes.into_iter().max_by(|a, b| a.1.total_cmp(&b.1).then(b.0.cmp(&a.0))).map(|(root, _)| root),
            });
        }
    }

    /// The outages of every cell. A request counts as `weight`.
    pub(super) fn outages(mut self, plan: &Plan, log: &Log, journeys: usize, weight: f64, clients: &mut Rng) -> Found {
        while !self.open.is_empty() {
            self.close_first();
        }
        let mut found = Found::default();
        let held = outages::by_root(plan, log);
        for (cell, stretches) in self.closed.iter().enumerate() {
            let mut course = Course::default();
            for stretch in stretches {
                let Stretch { from, to, loss, reaching, .. } = *stretch;
                course.loss.push(Segment { from, to, loss: (loss, loss) });
                for (fails, list) in [(loss, &mut course.users), (reaching, &mut course.service)] {
                    if fails > THRESHOLD {
                        list.push((from, to));
                    }
                }
            }
            let within =
                |start: f64, end: f64| stretches.iter().filter(move |stretch| stretch.from < end && stretch.to > start);
            let told = Told {
                lost: &|start, end| within(start, end).map(|stretch| stretch.offered * stretch.loss * weight).sum(),
                cause: &|start, end| within(start, end).find_map(|stretch| stretch.cause).unwrap_or(Id::new(DEMAND)),
            };
            let of = (Id::new(cell / journeys), Id::new(cell % journeys));
            found.add(plan, log, &held, of, &course, &told, clients);
        }
        found.finish();
        found
    }
}
