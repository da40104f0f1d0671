//! Who is turned away: what the stations shed, shared out among those who call them, and what becomes of it.

use super::fixed_point::Walk;
use super::outcome::Lost;
use super::station::StationState;
use crate::base::Id;
use crate::domain::{Root, Stage};

/// Shares out what the stations shed: alike, or from the lowest priority up.
pub(super) fn shed(walks: &mut [Walk<'_>], states: &[StationState], arrivals: &[f64]) {
    let first = walks.first().map_or(0, |walk| walk.journey.priority);
    let alike = walks.iter().all(|walk| walk.journey.priority == first);
    for hop in walks.iter_mut().flat_map(|walk| &mut walk.hops) {
        if let Some(station) = hop.station {
            hop.passes_on = states[station].passes_on;
            if alike {
                hop.fails = hop.share * states[station].steady.rejected;
            }
        }
    }
    if alike {
        return;
    }
    let mut classes: Vec<u32> = walks.iter().map(|walk| walk.journey.priority).collect();
    classes.sort_unstable();
    classes.dedup();
    for (station, state) in states.iter().enumerate() {
        let mut left = state.steady.rejected * arrivals[station];
        for &class in &classes {
            let of_class = |walk: &&mut Walk<'_>| walk.journey.priority == class;
            let offered: f64 = walks.iter_mut().filter(of_class).map(|walk| offers(walk, station)).sum();
            let fails = if offered > 0.0 { (left / offered).min(1.0) } else { 0.0 };
            left = (left - offered).max(0.0);
            for hop in walks.iter_mut().filter(of_class).flat_map(|walk| &mut walk.hops) {
                if hop.station == Some(station) {
                    hop.fails = hop.share * fails;
                }
            }
        }
    }
}

/// Calls per second that a walk makes to a station's queue.
fn offers(walk: &Walk<'_>, station: usize) -> f64 {
    let mut reached = walk.rate * walk.tries;
    let mut calls = 0.0;
    for hop in &walk.hops {
        if hop.station == Some(station) {
            calls += reached * hop.share;
        }
        reached *= hop.goes_on();
    }
    calls
}

/// What a walk loses, in proportion to the hops at which a try fails; last, as `late`, what comes too late.
pub(super) fn losses(
    walk: &Walk<'_>,
    cell: usize,
    (success, in_time): (f64, f64),
    (stage, root): (Stage, Id<Root>),
    losses: &mut Vec<Lost>,
) {
    let passes = walk.passes();
    let fails = 1.0 - passes * in_time;
    if fails <= 0.0 {
        return;
    }
    let lost = (1.0 - success) / fails;
    let mut reached = 1.0;
    for hop in &walk.hops {
        if hop.fails > 0.0 && reached > 0.0 {
            losses.push(Lost { cell, stage: hop.stage, root: hop.root, share: lost * reached * hop.fails });
        }
        reached *= 1.0 - hop.fails;
    }
    if in_time < 1.0 {
        losses.push(Lost { cell, stage, root, share: lost * passes * (1.0 - in_time) });
    }
}
