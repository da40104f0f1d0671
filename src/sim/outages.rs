//! Outages and recoveries, read off a seed's rough stays once it is over.
//!
//! A cell is a population and a journey. Its loss at a moment is the sum, over the clusters that its users are on,
//! of share × failing share; between breakpoints it is linear, because shares are. What no rough stay mentions
//! loses under 1e-4, which is left out of account here. Where requests are simulated one by one there are no stays, but
//! minutes.

use super::log::{Deed, Held, Log};
use super::memo::Memo;
use super::requests::Minutes;
use super::tally::{Rough, main_cause};
use crate::base::stream::{Rng, digest, uniform};
use crate::base::{Id, SimTime};
use crate::domain::observation::{Outage, Recovery};
use crate::domain::{Cluster, Journey, Population, Root};
use crate::plan::{DEMAND, Plan};

/// The stream that clients are drawn from.
pub(super) const CLIENT: u64 = digest("client of an outage");
/// Below 99 % success is an outage.
pub(super) const THRESHOLD: f64 = 0.01;
/// A recovery counts once it has held for this many seconds.
const HOLD: f64 = 60.0;

/// A rough stay as one cell sees it.
#[derive(Clone, Copy, Debug)]
struct Piece {
    from: f64,
    to: f64,
    cluster: Id<Cluster>,
    /// Share of the population at `from` and at `to`.
    shares: (f64, f64),
    /// Share of those that fail.
    fails: f64,
    /// Requests lost per second at `from` and at `to`.
    lost: (f64, f64),
    rough: usize,
    cell: usize,
}

impl Piece {
    /// Requests lost between two times.
    fn lost_in(&self, start: f64, end: f64) -> f64 {
        let (from, to) = (self.from.max(start), self.to.min(end));
        if to <= from {
            return 0.0;
        }
        let middle = (0.5 * (from + to) - self.from) / (self.to - self.from);
        (self.lost.0 + (self.lost.1 - self.lost.0) * middle) * (to - from)
    }
}

/// Memory for what is looked at on the way, handed from seed to seed.
#[derive(Clone, Default, Debug)]
pub(super) struct Workings {
    /// By cell.
    pieces: Vec<Vec<Piece>>,
    /// The moments at which a cell's loss bends.
    times: Vec<f64>,
    /// Pieces at a moment.
    live: Vec<Piece>,
    course: Course,
    /// Of a course.
    users: Intervals,
    service: Intervals,
}

/// What was found.
#[derive(Default)]
pub(super) struct Found {
    pub(super) outages: Vec<Outage>,
    /// By cell: seconds below the threshold.
    pub(super) below: Vec<f64>,
    /// Seconds in which any cell was below it.
    pub(super) any_below: f64,
    any: Intervals,
}

/// Finds the outages. Times come out in seconds from the end of the warm-up. The clients that they are told of
/// are drawn from `rng`.
pub(super) fn find(
    plan: &Plan,
    memo: &Memo,
    rough: &[Rough],
    minutes: Option<&Minutes>,
    log: &Log,
    rng: &mut Rng,
    workings: &mut Workings,
) -> Found {
    let origin = plan.warm_up.secs();
    let journeys = plan.journeys.len();
    let Workings { pieces, times, live, course, users, service } = workings;
    pieces.resize(plan.populations.len() * journeys, Vec::new());
    for (position, entry) in rough.iter().enumerate() {
        let (outcome, rates) = memo.rates(entry.stay.solution);
        let inputs = memo.inputs_of(entry.stay.solution);
        let (from, to) = (entry.stay.from.secs() - origin, entry.stay.to.secs() - origin);
        for (number, (cell, rate)) in memo.outcome(outcome).cells.iter().zip(rates).enumerate() {
            let fails = 1.0 - cell.success;
            if fails <= 1e-6 {
                continue;
            }
            let flow = &inputs.flows[cell.flow];
            let whole = rate / flow.share();
            let shares = (flow.share_at(entry.stay.from, entry.span), flow.share_at(entry.stay.to, entry.span));
            pieces[cell.position(journeys)].push(Piece {
                from,
                to,
                cluster: inputs.cluster,
                shares,
                fails,
                lost: (whole * shares.0 * fails, whole * shares.1 * fails),
                rough: position,
                cell: number,
            });
        }
    }
    let mut found = Found::default();
    let held = by_root(plan, log);
    for (number, pieces) in pieces.iter_mut().enumerate() {
        let (population, journey) = (Id::new(number / journeys), Id::new(number % journeys));
        pieces.sort_by(|a, b| a.from.total_cmp(&b.from).then(a.cluster.cmp(&b.cluster)));
        follow(pieces, log, population, origin, (&mut *times, &mut *live), course);
        if let Some(minutes) = minutes {
            course.leave(plan.windows());
            minutes.add_to(number, course);
            course.sort();
        }
        let longest = pieces.iter().map(|piece| piece.to - piece.from).fold(0.0, f64::max);
        // Pieces are in order of their start; none is longer than the longest.
        let near = |start: f64, end: f64| {
            let first = pieces.partition_point(|piece| piece.from < start - longest);
            &pieces[first..first + pieces[first..].partition_point(|piece| piece.from < end)]
        };
        let told = Told {
            lost: &|start, end| {
                let by_rates: f64 = near(start, end).iter().map(|piece| piece.lost_in(start, end)).sum();
                by_rates + minutes.map_or(0.0, |minutes| minutes.lost_in(number, start, end))
            },
            cause: &|start, end| {
                let by_rates = cause(near(start, end), start, memo, rough);
                by_rates.or_else(|| minutes?.cause(number, start, end)).unwrap_or(Id::new(DEMAND))
            },
            grain: &|start| minutes.map_or(0.0, |minutes| minutes.grain(number, start)),
        };
        found.add(plan, log, &held, (population, journey), course, &told, rng, (&mut *users, &mut *service));
        pieces.clear();
    }
    found.finish();
    found
}

/// Every fault's holds, by root.
fn by_root<'l>(plan: &Plan, log: &'l Log) -> Vec<Vec<&'l Held>> {
    let mut held: Vec<Vec<&Held>> = vec![Vec::new(); plan.roots.len()];
    for entry in &log.held {
        held[entry.root.index()].push(entry);
    }
    held
}

/// What is known of a cell's losses between two times: how many, and what began them; and how much later than it is
/// told something may have begun.
struct Told<'t> {
    lost: &'t dyn Fn(f64, f64) -> f64,
    cause: &'t dyn Fn(f64, f64) -> Id<Root>,
    grain: &'t dyn Fn(f64) -> f64,
}

impl Found {
    /// Adds the outages of one cell; cells come in order.
    #[expect(clippy::too_many_arguments, reason = "what an outage is told from, nothing else")]
    fn add(
        &mut self,
        plan: &Plan,
        log: &Log,
        held: &[Vec<&Held>],
        (population, journey): (Id<Population>, Id<Journey>),
        course: &Course,
        told: &Told<'_>,
        rng: &mut Rng,
        (outages, service): (&mut Intervals, &mut Intervals),
    ) {
        let origin = plan.warm_up.secs();
        let users = &course.users;
        self.below.push(users.iter().map(|(from, to)| to - from).sum());
        self.any.extend(users);
        // What doesn't hold is no recovery.
        joined(users, HOLD, outages);
        joined(&course.service, HOLD, service);
        let rate = plan.populations[population].rate * plan.populations[population].shares[journey];
        for &(start, end) in &*outages {
            let inside = |from: f64, to: f64| (to.min(end) - from.max(start)).max(0.0);
            let root = (told.cause)(start, end);
            let below = &users[users.partition_point(|&(_, to)| to <= start)..];
            // The last time that its cause took hold before it; holds of one root follow one another.
            let held = &held[root.index()];
            let latest = start + (told.grain)(start) + 1e-9;
            let held = held[..held.partition_point(|held| held.from.secs() - origin <= latest)].last().copied();
            // What was planned is no fault to recover from.
            let held = held.filter(|_| plan.switchovers.iter().all(|switchover| switchover.root != root));
            let (hit, client) = client(&course.loss, (start, end), uniform(rng));
            self.outages.push(Outage {
                population,
                journey,
                start,
                end,
                below: below.iter().take_while(|&&(from, _)| from < end).map(|&(from, to)| inside(from, to)).sum(),
                lost: (told.lost)(start, end),
                client,
                lot: -crate::base::maths::ln(uniform(rng)) / (rate * hit),
                root,
                recovery: recovery(plan, log, origin, population, held, (start, end), service),
            });
        }
    }

    /// Every cell has been added.
    fn finish(&mut self) {
        self.outages.sort_by(|a, b| {
            a.start.total_cmp(&b.start).then(a.population.cmp(&b.population)).then(a.journey.cmp(&b.journey))
        });
        self.any.sort_by(|a, b| a.0.total_cmp(&b.0));
        let mut any = Intervals::new();
        joined(&self.any, 0.0, &mut any);
        self.any_below = any.iter().map(|(from, to)| to - from).sum();
    }
}

/// A list of intervals in seconds, rising.
type Intervals = Vec<(f64, f64)>;

/// The share of users that fail between two times, linear in between.
#[derive(Clone, Copy, Debug)]
pub(super) struct Segment {
    pub(super) from: f64,
    pub(super) to: f64,
    /// At `from` and at `to`.
    pub(super) loss: (f64, f64),
}

impl Segment {
    /// When the loss passes this level, which lies between its ends.
    fn crossing(&self, level: f64) -> f64 {
        self.from + (self.to - self.from) * ((self.loss.0 - level) / (self.loss.0 - self.loss.1)).clamp(0.0, 1.0)
    }
}

/// How a cell fared.
#[derive(Clone, Default, Debug)]
pub(super) struct Course {
    /// In order of time, without gaps.
    pub(super) loss: Vec<Segment>,
    /// When too many users fail.
    pub(super) users: Intervals,
    /// When too many of those who reach the target do.
    pub(super) service: Intervals,
}

impl Course {
    /// Leaves out the time within these windows, in which no rates were seen.
    fn leave(&mut self, windows: impl Iterator<Item = (f64, f64)>) {
        for (begins, ends) in windows {
            let at = |segment: &Segment, at: f64| {
                let part = (at - segment.from) / (segment.to - segment.from);
                segment.loss.0 + (segment.loss.1 - segment.loss.0) * part
            };
            let parts = self.loss.iter().flat_map(|&segment| {
                let before = (segment.to.min(begins), segment.from);
                let after = (segment.to, segment.from.max(ends));
                [before, after].into_iter().filter(|(to, from)| from < to).map(move |(to, from)| Segment {
                    from,
                    to,
                    loss: (at(&segment, from), at(&segment, to)),
                })
            });
            self.loss = parts.collect();
        }
    }

    /// Brings it into order, once something has been added.
    fn sort(&mut self) {
        self.loss.sort_by(|a, b| a.from.total_cmp(&b.from));
        for list in [&mut self.users, &mut self.service] {
            list.sort_by(|a, b| a.0.total_cmp(&b.0));
            let parts = core::mem::take(list);
            joined(&parts, 0.0, list);
        }
    }
}

/// Follows one cell's loss through its pieces.
fn follow(
    pieces: &[Piece],
    log: &Log,
    population: Id<Population>,
    origin: f64,
    (times, live): (&mut Vec<f64>, &mut Vec<Piece>),
    course: &mut Course,
) {
    course.loss.clear();
    course.users.clear();
    course.service.clear();
    if pieces.is_empty() {
        return;
    }
    times.clear();
    times.extend(pieces.iter().flat_map(|piece| [piece.from, piece.to]));
    // Mostly a piece begins where the one before ends.
    times.dedup();
    let (first, last) = (pieces.first().map_or(0.0, |piece| piece.from), times.iter().copied().fold(0.0, f64::max));
    for (at, _) in &log.answers[population.index()] {
        let at = at.secs() - origin;
        if at > first && at < last {
            times.push(at);
        }
    }
    times.sort_by(f64::total_cmp);
    times.dedup();
    live.clear();
    let mut next = 0;
    let push = |list: &mut Intervals, from: f64, to: f64| {
        if to <= from {
            return;
        }
        match list.last_mut() {
            Some(before) if before.1 >= from => before.1 = before.1.max(to),
            Some(_) | None => list.push((from, to)),
        }
    };
    for pair in times.windows(2) {
        let (from, to) = (pair[0], pair[1]);
        live.retain(|piece| piece.to > from);
        while next < pieces.len() && pieces[next].from <= from {
            if pieces[next].to > from {
                live.push(pieces[next]);
            }
            next += 1;
        }
        let loss_at = |at: f64| -> f64 {
            live.iter()
                .map(|piece| {
                    let part = (at - piece.from) / (piece.to - piece.from);
                    (piece.shares.0 + (piece.shares.1 - piece.shares.0) * part) * piece.fails
                })
                .sum()
        };
        let segment = Segment { from, to, loss: (loss_at(from), loss_at(to)) };
        let (a, b) = segment.loss;
        course.loss.push(segment);
        let users = &mut course.users;
        match (a > THRESHOLD, b > THRESHOLD) {
            (true, true) => push(users, from, to),
            (true, false) => push(users, from, segment.crossing(THRESHOLD)),
            (false, true) => push(users, segment.crossing(THRESHOLD), to),
            (false, false) => {}
        }
        let answer = log.answer_at(population, time(0.5 * (from + to) + origin));
        let reaching: f64 = answer
            .iter()
            .map(|&(cluster, weight)| {
                live.iter().find(|piece| piece.cluster == cluster).map_or(0.0, |piece| weight * piece.fails)
            })
            .sum();
        if reaching > THRESHOLD || (answer.is_empty() && a > THRESHOLD) {
            push(&mut course.service, from, to);
        }
    }
}

/// The share of users that an outage hits at its worst; and how long the one of them at `position` of all, from 0 to
/// 1, was without an answer. Who fails at the end is taken to have failed all along, and the last hundredth, whom the
/// outage's end leaves out, is followed to its own.
fn client(loss: &[Segment], (start, end): (f64, f64), position: f64) -> (f64, f64) {
    let segments = &loss[loss.partition_point(|segment| segment.to <= start)..];
    let inside = segments.iter().take_while(|segment| segment.from < end);
    let hit = inside.clone().map(|segment| segment.loss.0.max(segment.loss.1)).fold(0.0, f64::max);
    let level = hit * position;
    let mut last = start;
    for segment in segments {
        let (a, b) = segment.loss;
        if segment.from >= end && a <= level {
            break;
        }
        if b > level {
            last = segment.to;
        } else if a > level {
            last = segment.crossing(level);
        }
    }
    (hit, last - start)
}

fn time(secs: f64) -> SimTime {
    SimTime::ZERO + crate::base::Span::from_secs(secs)
}

/// Lists intervals with gaps under `gap` seconds closed.
fn joined(intervals: &[(f64, f64)], gap: f64, list: &mut Intervals) {
    list.clear();
    for &(from, to) in intervals {
        match list.last_mut() {
            Some(before) if from - before.1 < gap || from <= before.1 => before.1 = before.1.max(to),
            Some(_) | None => list.push((from, to)),
        }
    }
}

/// What most is lost to when an outage begins.
fn cause(pieces: &[Piece], start: f64, memo: &Memo, rough: &[Rough]) -> Option<Id<Root>> {
    let at_start = pieces.iter().filter(|piece| piece.from <= start + 1e-9 && piece.to > start + 1e-9);
    let losses = at_start.flat_map(|piece| {
        let solution = rough[piece.rough].stay.solution;
        let (outcome, rates) = memo.rates(solution);
        let rate = rates[piece.cell];
        let losses = memo.outcome(outcome).losses.iter().filter(move |lost| lost.cell == piece.cell);
        losses.map(move |lost| (lost.stage, lost.root, rate * lost.share))
    });
    main_cause(losses).map(|(_, root)| root)
}

/// How long until service was back, if failover brought it back.
fn recovery(
    plan: &Plan,
    log: &Log,
    origin: f64,
    population: Id<Population>,
    held: Option<&Held>,
    (start, end): (f64, f64),
    service: &[(f64, f64)],
) -> Option<Recovery> {
    let held = held?;
    let (began, repaired) = (held.from.secs() - origin, held.to.secs() - origin);
    let first = service.partition_point(|(_, to)| *to <= start);
    let served = service.get(first).filter(|(from, _)| *from <= end).map_or(end, |&(_, to)| to);
    // What heals without a new answer or a new leader was not failover's doing.
    let acted = |until: f64| {
        let until = time(until + origin + 1e-6);
        let answers = &log.answers[population.index()];
        let next = answers.get(answers.partition_point(|(at, _)| *at < held.from));
        next.is_some_and(|(at, _)| *at <= until)
            || log.deeds[log.deeds.partition_point(|(at, _)| *at < held.from)..]
                .iter()
                .take_while(|(at, _)| *at <= until)
                .any(|(_, deed)| matches!(deed, Deed::Promoted(_)))
    };
    let achieved = |at: f64| (at < repaired && acted(at)).then_some(at - began);
    let mut stages = [0.0; 5];
    if achieved(served).is_some() {
        // A deed at the very moment of the recovery is part of it.
        let (from, to) = (held.from, time(served + origin + 1e-6));
        let deeds = &log.deeds[log.deeds.partition_point(|(at, _)| *at < from)..];
        let deeds = &deeds[..deeds.partition_point(|(at, _)| *at <= to)];
        let answers_before = log.answer_at(population, held.from);
        let answers = &log.answers[population.index()];
        let answers = &answers[..answers.partition_point(|(at, _)| *at <= to)];
        let secs = |at: SimTime| at.secs() - origin;
        // Of the cluster that was to serve, and of those that lead this population's data.
        let concerns = |deed: Deed| {
            let cluster = deed.cluster();
            answers_before.iter().any(|entry| entry.0 == cluster)
                || plan.stores.iter().any(|store| store.partitions[store.partition_of(population)].leader == cluster)
        };
        let deeds: Vec<(SimTime, Deed)> = deeds.iter().copied().filter(|&(_, deed)| concerns(deed)).collect();
        let detected = deeds.iter().find(|(_, deed)| matches!(deed, Deed::Detected(_))).map(|&(at, _)| secs(at));
        let last =
            |wanted: fn(Deed) -> bool| deeds.iter().rev().find(|(_, deed)| wanted(*deed)).map(|&(at, _)| secs(at));
        let decided = last(|deed| matches!(deed, Deed::Decided(_)));
        let promoted = last(|deed| matches!(deed, Deed::Promoted(_)));
        let routed = answers.last().filter(|(at, _)| *at >= from).map(|&(at, _)| secs(at));
        let mut before = began;
        for (stage, moment) in stages.iter_mut().zip([detected, decided, promoted, routed, Some(served)]) {
            let moment = moment.unwrap_or(before).clamp(before, served);
            *stage = moment - before;
            before = moment;
        }
    }
    Some(Recovery { service: achieved(served), users: achieved(end), stages })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Everyone fails for 34 s, then fewer and fewer for 60 s: 99.4 s below 99 %.
    fn dns() -> Vec<Segment> {
        let segment = |from, to, loss| Segment { from, to, loss };
        vec![
            segment(50.0, 100.0, (0.0, 0.0)),
            segment(100.0, 134.0, (1.0, 1.0)),
            segment(134.0, 194.0, (1.0, 0.0)),
            segment(194.0, 500.0, (0.0, 0.0)),
        ]
    }

    #[test]
    fn a_client_is_out_until_its_record_expires() {
        let outage = (100.0, 193.4);
        for (position, seconds) in [(1.0 - 1e-12, 34.0), (0.75, 49.0), (0.5, 64.0), (0.002, 93.88)] {
            let (hit, out) = client(&dns(), outage, position);
            assert!(hit == 1.0 && (out - seconds).abs() < 1e-9, "{position}: {out}");
        }
    }

    #[test]
    fn who_fails_at_the_end_failed_all_along() {
        let segment = |from, to, loss| Segment { from, to, loss };
        // Half fail, then none for 10 s, then a fifth until 70 s; what comes after is another outage.
        let loss = [
            segment(0.0, 20.0, (0.5, 0.5)),
            segment(20.0, 30.0, (0.0, 0.0)),
            segment(30.0, 70.0, (0.2, 0.2)),
            segment(70.0, 300.0, (0.0, 0.0)),
            segment(300.0, 400.0, (0.5, 0.5)),
        ];
        assert_eq!(client(&loss, (0.0, 70.0), 0.5), (0.5, 20.0));
        assert_eq!(client(&loss, (0.0, 70.0), 0.3), (0.5, 70.0));
        assert_eq!(client(&loss, (300.0, 400.0), 0.3), (0.5, 100.0));
    }
}
