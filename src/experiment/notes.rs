//! What the figures rest on, said once.

use super::results::{Note, NoteKind};
use super::run::Job;
use std::collections::BTreeSet;

/// How figures come about.
const METHOD: [&str; 6] = [
    "Between events rates are constant and requests are expected numbers: what differs between seeds is which \
     faults happen and how long each step takes, not request noise.",
    "Variants share seeds: the same faults hit each. Differences are paired seed by seed; intervals are Student's \
     at 95 %, those of shares are Wilson's.",
    "A request is one user's attempt, retries included. It is good if a correct answer comes within the client's \
     timeout. An outage is an interval in which fewer than 99 % of a population's requests of a journey succeed.",
    "Losses are put down to the first hop of the attempt that fails, and to the fault that makes it fail. That is a \
     convention, not what would have been without the fault.",
    "A recovery time that the repair ended first is not achieved by failover; it isn't averaged in.",
    "A month is 730 hours and price tiers start afresh with each. What is broken is billed like what works. An \
     outage minute is a minute's requests, at the month's mean rate, that fail.",
];

/// What isn't modelled.
const LIMITS: [&str; 3] = [
    "List prices: no free tiers beyond those written, no commitments, no negotiated discounts, no taxes.",
    "Replica and node faults, releases, stale reads and write conflicts are not modelled here.",
    "The mean time and number in a station take an idle pod's service time, also while a part is degraded.",
];

/// The notes of a run: method, limits, then each distinct source of a looked-up value, assumptions first.
pub fn notes(jobs: &[Job]) -> Vec<Note> {
    let note = |kind| move |text: &str| Note { kind, text: text.to_owned() };
    let mut notes: Vec<Note> = METHOD.iter().copied().map(note(NoteKind::Method)).collect();
    notes.extend(LIMITS.iter().copied().map(note(NoteKind::Limit)));
    let mut seen = BTreeSet::new();
    let cited = || jobs.iter().flat_map(|job| job.scenario.citations.values());
    let distinct: Vec<&String> = cited().filter(|text| seen.insert(text.as_str())).collect();
    // The catalogue marks what stands in for a missing figure with this word.
    let (assumed, sourced): (Vec<&String>, Vec<&String>) =
        distinct.into_iter().partition(|text| text.to_lowercase().contains("assumed"));
    notes.extend(assumed.into_iter().map(String::as_str).map(note(NoteKind::Assumption)));
    notes.extend(sourced.into_iter().map(String::as_str).map(note(NoteKind::Source)));
    notes
}
