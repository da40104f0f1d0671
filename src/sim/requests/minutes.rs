//! How each cell fared from minute to minute: what outages are read off.
//!
//! A request belongs to the minute in which it began. A minute with too few requests to tell goes on into the next; at
//! the end of a window what is left goes with the minutes before it.

use crate::base::{Id, SimTime, Span};
use crate::domain::{Root, Stage};
use crate::sim::outages::{Course, Segment, THRESHOLD};
use std::collections::VecDeque;

/// Length of a minute.
const MINUTE: Span = Span::from_whole_secs(60);
/// Minutes that stay open for late answers.
const OPEN: usize = 15;
/// Fewest requests that tell whether 99 % of them succeed.
const LEAST: f64 = 100.0;

/// Requests of one cell: (offered, good), all of them, and of those who were given the current answer.
#[derive(Clone, Copy, Debug, Default)]
struct Fare {
    all: (f64, f64),
    current: (f64, f64),
}

impl Fare {
    fn add(&mut self, more: &Self) {
        for (sum, more) in [(&mut self.all, more.all), (&mut self.current, more.current)] {
            sum.0 += more.0;
            sum.1 += more.1;
        }
    }
}

/// What was lost, to whom.
type Causes = Vec<(Id<Root>, f64)>;

/// A stretch of time of one cell.
#[derive(Clone, Debug)]
struct Stretch {
    /// Seconds from the start of the horizon.
    from: f64,
    to: f64,
    fare: Fare,
    causes: Causes,
}

impl Stretch {
    fn fails((offered, good): (f64, f64)) -> f64 {
        if offered > 0.0 { 1.0 - good / offered } else { 0.0 }
    }

    fn add(&mut self, to: f64, fare: &Fare, causes: impl IntoIterator<Item = (Id<Root>, f64)>) {
        self.to = to;
        self.fare.add(fare);
        for (root, count) in causes {
            match self.causes.iter_mut().find(|cause| cause.0 == root) {
                Some(cause) => cause.1 += count,
                None => self.causes.push((root, count)),
            }
        }
    }

    /// What most of them were lost to.
    fn cause(&self) -> Option<Id<Root>> {
        self.causes.iter().max_by(|a, b| a.1.total_cmp(&b.1).then(b.0.cmp(&a.0))).map(|&(root, _)| root)
    }
}

/// One minute.
#[derive(Debug, Default)]
struct Minute {
    cells: Vec<Fare>,
    losses: Vec<(usize, Stage, Id<Root>, f64)>,
}

/// All minutes, of which the last are open.
#[derive(Debug)]
pub(in crate::sim) struct Minutes {
    origin: SimTime,
    /// What one request stands for.
    weight: f64,
    open: VecDeque<Minute>,
    /// The number of the first open minute.
    first: u64,
    cells: usize,
    /// By cell: what has been closed, and what wasn't enough to tell.
    closed: Vec<Vec<Stretch>>,
    partial: Vec<Option<Stretch>>,
    /// By cell: how many were closed when this window began.
    before: Vec<usize>,
}

impl Minutes {
    pub(super) fn new(cells: usize, origin: SimTime, weight: f64) -> Self {
        Self {
            origin,
            weight,
            open: VecDeque::new(),
            first: 0,
            cells,
            closed: vec![Vec::new(); cells],
            partial: vec![None; cells],
            before: vec![0; cells],
        }
    }

    fn minute(&mut self, begun: SimTime) -> Option<&mut Minute> {
        let number = begun.since(self.origin).nanos() / MINUTE.nanos();
        if self.open.is_empty() {
            self.first = self.first.max(number);
        }
        while number >= self.first + self.open.len() as u64 {
            if self.open.len() == OPEN {
                self.close_first();
            }
            self.open.push_back(Minute { cells: vec![Fare::default(); self.cells], losses: Vec::new() });
        }
        let position = number.checked_sub(self.first)?;
        self.open.get_mut(position as usize)
    }

    pub(super) fn offered(&mut self, begun: SimTime, cell: usize, current: bool) {
        if let Some(minute) = self.minute(begun) {
            let fare = &mut minute.cells[cell];
            fare.all.0 += 1.0;
            fare.current.0 += f64::from(u8::from(current));
        }
    }

    pub(super) fn good(&mut self, begun: SimTime, cell: usize, current: bool) {
        if let Some(minute) = self.minute(begun) {
            let fare = &mut minute.cells[cell];
            fare.all.1 += 1.0;
            fare.current.1 += f64::from(u8::from(current));
        }
    }

    /// So many have begun in a minute, and are good.
    pub(super) fn went_straight(&mut self, begun: SimTime, cell: usize, current: bool, good: u32) {
        if let Some(minute) = self.minute(begun) {
            let (fare, good) = (&mut minute.cells[cell], f64::from(good));
            let (all, now) = (&mut fare.all, &mut fare.current);
            (all.0, all.1) = (all.0 + good, all.1 + good);
            if current {
                (now.0, now.1) = (now.0 + good, now.1 + good);
            }
        }
    }

    /// When the minute begins in which something does.
    pub(super) fn start_of(&self, begun: SimTime) -> SimTime {
        let number = begun.since(self.origin).nanos() / MINUTE.nanos();
        self.origin + Span::from_nanos(number.saturating_mul(MINUTE.nanos()))
    }

    /// When the minute ends in which something begins.
    pub(super) fn end_of(&self, begun: SimTime) -> SimTime {
        let number = begun.since(self.origin).nanos() / MINUTE.nanos();
        self.origin + Span::from_nanos((number + 1).saturating_mul(MINUTE.nanos()))
    }

    pub(super) fn lost(&mut self, begun: SimTime, cell: usize, stage: Stage, root: Id<Root>) {
        if let Some(minute) = self.minute(begun) {
            match minute.losses.iter_mut().find(|loss| (loss.0, loss.1, loss.2) == (cell, stage, root)) {
                Some(loss) => loss.3 += 1.0,
                None => minute.losses.push((cell, stage, root, 1.0)),
            }
        }
    }

    fn close_first(&mut self) {
        let Some(minute) = self.open.pop_front() else { return };
        let (from, to) = (self.first * MINUTE.nanos(), (self.first + 1) * MINUTE.nanos());
        let (from, to) = (Span::from_nanos(from).secs(), Span::from_nanos(to).secs());
        self.first += 1;
        for (cell, fare) in minute.cells.iter().enumerate() {
            let begins = || Stretch { from, to, fare: Fare::default(), causes: Vec::new() };
            let mut sum = self.partial[cell].take().unwrap_or_else(begins);
            let losses = minute.losses.iter().filter(|loss| loss.0 == cell);
            sum.add(to, fare, losses.map(|&(_, _, root, count)| (root, count)));
            if sum.fare.all.0 == 0.0 {
                continue;
            }
            if sum.fare.all.0 < LEAST {
                self.partial[cell] = Some(sum);
            } else {
                self.closed[cell].push(sum);
            }
        }
    }

    /// A window ends, and all its requests have.
    pub(super) fn close(&mut self) {
        while !self.open.is_empty() {
            self.close_first();
        }
        for ((partial, closed), before) in self.partial.iter_mut().zip(&mut self.closed).zip(&mut self.before) {
            if let Some(Stretch { to, fare, causes, .. }) = partial.take()
                && let Some(last) = closed.get_mut(*before..).and_then(<[Stretch]>::last_mut)
            {
                last.add(to, &fare, causes);
            }
            *before = closed.len();
        }
    }

    /// Adds what is known of a cell to its course.
    pub(in crate::sim) fn add_to(&self, cell: usize, course: &mut Course) {
        for Stretch { from, to, fare, .. } in &self.closed[cell] {
            let (loss, reaching) = (Stretch::fails(fare.all), Stretch::fails(fare.current));
            course.loss.push(Segment { from: *from, to: *to, loss: (loss, loss) });
            for (fails, list) in [(loss, &mut course.users), (reaching, &mut course.service)] {
                if fails > THRESHOLD {
                    list.push((*from, *to));
                }
            }
        }
    }

    fn within(&self, cell: usize, start: f64, end: f64) -> impl Iterator<Item = &Stretch> {
        self.closed[cell].iter().filter(move |stretch| stretch.from < end && stretch.to > start)
    }

    /// Requests of a cell that were lost between two times.
    pub(in crate::sim) fn lost_in(&self, cell: usize, start: f64, end: f64) -> f64 {
        let lost = |stretch: &Stretch| stretch.fare.all.0 * Stretch::fails(stretch.fare.all) * self.weight;
        self.within(cell, start, end).map(lost).sum()
    }

    /// What most requests of a cell were lost to when its trouble began.
    pub(in crate::sim) fn cause(&self, cell: usize, start: f64, end: f64) -> Option<Id<Root>> {
        self.within(cell, start, end).find_map(Stretch::cause)
    }

    /// What was lost when, to what: cell, from, to, cause, requests.
    pub(in crate::sim) fn causes(&self) -> impl Iterator<Item = (usize, f64, f64, Id<Root>, f64)> + '_ {
        let weight = self.weight;
        let stretches = self.closed.iter().enumerate().flat_map(|(cell, all)| all.iter().map(move |one| (cell, one)));
        stretches.flat_map(move |(cell, one)| {
            one.causes.iter().map(move |&(root, count)| (cell, one.from, one.to, root, count * weight))
        })
    }

    /// How much later than at this time, in seconds, what began then may really have begun.
    pub(in crate::sim) fn grain(&self, cell: usize, start: f64) -> f64 {
        let found = self.closed[cell].iter().find(|stretch| stretch.from <= start && stretch.to > start);
        found.map_or(0.0, |stretch| stretch.to - stretch.from)
    }
}
