//! What a finished seed observed: what rates added up, and what requests counted in their time.

use super::log::Log;
use super::memo::Memo;
use super::outages;
use super::requests::{Counts, Minutes};
use super::tally::Rough;
use super::world::{Change, World};
use crate::base::maths::bisect;
use crate::base::{Seed, SimTime};
use crate::domain::Observations;
use crate::domain::observation::{Resync, curve_nodes};
use crate::domain::rollout::{Revision, RolloutTally, Why};
use crate::plan::{Plan, RequestsPlan};
use crate::stats::Histogram;
use crate::traffic::mixture::{Mixture, Readings};
use std::sync::LazyLock;

/// Looks at the stays in which too much was lost.
type Look<'l> = &'l mut dyn FnMut(&Memo, &[Rough], Option<&Minutes>);

/// Everything that a seed observed.
pub(super) fn all(plan: &Plan, world: World<'_>, counts: Option<Counts>, seed: Seed, end: SimTime) -> Observations {
    with_losses(plan, world, counts, seed, end, &mut |_, _, _| {}).0
}

/// The same, and what the world wrote down; `look` sees the stays in which too much was lost, before they are forgotten.
pub(super) fn with_losses(
    plan: &Plan,
    mut world: World<'_>,
    counts: Option<Counts>,
    seed: Seed,
    end: SimTime,
    look: Look<'_>,
) -> (Observations, Log) {
    let processed = world.events.processed() + counts.as_ref().map_or(0, |counts| counts.processed);
    let mut observations = Observations { replication: seed.replication, events: processed, ..Observations::default() };
    let last = match &plan.requests {
        Some(RequestsPlan { windows: None, .. }) => world.pods(),
        Some(RequestsPlan { windows: Some(_), .. }) | None => world.last_states(end),
    };
    let rough = core::mem::take(&mut world.tally.rough);
    let log = core::mem::take(&mut world.log);
    let mut clients = seed.stream().with(outages::CLIENT).rng();
    let minutes = counts.as_ref().map(|counts| &counts.minutes);
    look(world.memo, &rough, minutes);
    let mut workings = core::mem::take(&mut world.memo.outages);
    let outages = outages::find(plan, world.memo, &rough, minutes, &log, &mut clients, &mut workings);
    observations.outages = outages.outages;
    observations.below = outages.below;
    observations.any_below = outages.any_below;
    told(plan, &log, end, &mut observations);
    let origin = SimTime::ZERO + plan.warm_up;
    let exposures = world.take_exposures().into_iter().filter(|(at, _)| *at >= origin);
    observations.exposures = exposures.map(|(at, share)| (at.since(origin).secs(), share)).collect();
    released(plan, world.take_releases(), end, &mut observations);
    let World { tally, memo, .. } = world;
    memo.visited = tally.finish(plan, memo, counts, &mut observations);
    memo.visited.take_back(rough);
    memo.outages = workings;
    for (tallies, last) in observations.stations.iter_mut().zip(last) {
        for (tally, last) in tallies.iter_mut().zip(last) {
            tally.last = last;
        }
    }
    (observations, log)
}

/// What the world wrote down: promotions and faults.
fn told(plan: &Plan, log: &Log, end: SimTime, observations: &mut Observations) {
    let origin = SimTime::ZERO + plan.warm_up;
    observations.promotions = log
        .promotions
        .iter()
        .map(|promotion| {
            let mut promotion = *promotion;
            promotion.at -= plan.warm_up.secs();
            promotion
        })
        .filter(|promotion| promotion.at >= 0.0)
        .collect();
    let since = plan.warm_up.secs();
    let resyncs = log.resyncs.iter().filter(|resync| resync.at >= since);
    observations.resyncs = resyncs.map(|resync| Resync { at: resync.at - since, ..*resync }).collect();
    observations.faults = vec![(0, 0.0); plan.roots.len()];
    for held in &log.held {
        let (count, seconds) = &mut observations.faults[held.root.index()];
        *count += u64::from(held.from >= origin && (held.from > SimTime::ZERO || origin > SimTime::ZERO));
        *seconds += held.to.min(end).since(held.from.max(origin)).secs();
    }
}

/// What became of releases, and what each cluster ran when.
fn released(plan: &Plan, (tally, trail): (RolloutTally, Vec<Change>), end: SimTime, observations: &mut Observations) {
    observations.rollouts = tally;
    if plan.rollout.releases.is_empty() && plan.rollout.drifts.is_empty() {
        return;
    }
    let origin = SimTime::ZERO + plan.warm_up;
    for cluster in plan.clusters.keys() {
        let mut runs = Revision { cluster, revision: 0, from: 0.0, to: 0.0, why: Why::Start };
        for change in trail.iter().filter(|change| change.cluster == cluster && change.at < end) {
            let at = change.at.since(origin).secs();
            let revision = change.revision.unwrap_or(runs.revision);
            // Steps of one conversion are one row.
            if (revision, change.why) == (runs.revision, runs.why) {
                continue;
            }
            if at > runs.from {
                observations.revisions.push(Revision { to: at, ..runs });
            }
            runs = Revision { revision, from: at, why: change.why, ..runs };
        }
        observations.revisions.push(Revision { to: end.since(origin).secs(), ..runs });
    }
}

/// How long things took: by rates, and counted one by one.
#[derive(Clone, Default)]
pub(super) struct Times {
    pub(super) rates: Mixture,
    pub(super) counted: Histogram,
}

impl Times {
    /// Adds all of another.
    pub(super) fn merge(&mut self, other: &Self) {
        self.rates.merge(&other.rates);
        self.counted.merge(&other.counted);
    }

    /// Mean in seconds.
    pub(super) fn mean(&self) -> Option<f64> {
        self.joined(self.rates.mean(), self.counted.mean())
    }

    /// P(time ≤ t), if there was anything.
    fn cdf(&self, t: f64) -> f64 {
        let rates = (!self.rates.is_empty()).then(|| self.rates.cdf(t));
        self.joined(rates, self.counted.cdf(t)).unwrap_or(0.0)
    }

    /// How many took at most as long as each node of a chart.
    pub(super) fn below_nodes(&self) -> Vec<f64> {
        static NODES: LazyLock<Readings> = LazyLock::new(|| Readings::at(curve_nodes()));
        let mut below = self.rates.below(&NODES);
        let counted = self.counted.cdfs(NODES.times().iter().copied());
        for (sum, share) in below.iter_mut().zip(counted) {
            *sum += share * self.counted.weight();
        }
        below
    }

    /// How many there are.
    pub(super) fn weight(&self) -> f64 {
        self.rates.weight() + self.counted.weight()
    }

    /// What is of both kinds, from that of each: by weight.
    fn joined(&self, rates: Option<f64>, counted: Option<f64>) -> Option<f64> {
        match (rates, counted) {
            (Some(rates), Some(counted)) => {
                let (a, b) = (self.rates.weight(), self.counted.weight());
                Some((rates * a + counted * b) / (a + b))
            }
            (one, None) | (None, one) => one,
        }
    }

    /// The times that these rising shares don't exceed, if there was anything.
    pub(super) fn quantiles<const N: usize>(&self, shares: [f64; N]) -> [f64; N] {
        let Some(counted) = self.counted.quantiles(shares) else { return self.rates.quantiles(shares) };
        if self.rates.is_empty() {
            return counted;
        }
        // That of both lies between those of each.
        let rates = self.rates.quantiles(shares);
        let mut at = shares.iter().zip(rates.iter().zip(counted)).map(|(&share, (&rates, counted))| {
            bisect((rates.min(counted), rates.max(counted)), 1e-6, |t| self.cdf(t) < share)
        });
        shares.map(|_| at.next().unwrap_or(0.0))
    }
}
