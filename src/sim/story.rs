//! One seed's story: what the world wrote down, and where requests were lost.
//!
//! The seed runs exactly as in a run; all that is added is what is written down beside.

use super::log::Log;
use super::memo::Memo;
use super::requests::Minutes;
use super::tally::Rough;
use crate::base::{Id, SimTime};
use crate::domain::rollout::Revision;
use crate::domain::story::{Happening, Hold, Losing, Moves, What};
use crate::domain::{Observations, Root, rollout::Why};
use crate::plan::{DEMAND, Plan};

/// Where requests were lost: by rates, and counted one by one.
pub(super) fn losing(plan: &Plan, memo: &Memo, rough: &[Rough], minutes: Option<&Minutes>) -> Vec<Losing> {
    let origin = plan.warm_up.secs();
    let mut losing: Vec<Losing> = Vec::new();
    for entry in rough {
        let (solution, outcome) = (memo.solution(entry.stay.solution), memo.outcome_of(entry.stay.solution));
        let (from, to) = (entry.stay.from.secs() - origin, entry.stay.to.secs() - origin);
        for lost in outcome.losses.iter().filter(|lost| lost.share > 0.0 && to > from) {
            let cell = &outcome.cells[lost.cell];
            losing.push(Losing {
                from,
                to,
                population: cell.population,
                journey: cell.journey,
                stage: Some(lost.stage),
                root: lost.root,
                requests: solution.rates[lost.cell] * lost.share * (to - from),
            });
        }
    }
    let journeys = plan.journeys.len();
    for (cell, from, to, root, requests) in minutes.into_iter().flat_map(Minutes::causes) {
        let (population, journey) = (Id::new(cell / journeys), Id::new(cell % journeys));
        losing.push(Losing { from, to, population, journey, stage: None, root, requests });
    }
    losing.sort_by(|a, b| a.from.total_cmp(&b.from));
    losing
}

/// Everything that happened, in order, and who held what.
pub(super) fn told(plan: &Plan, log: &mut Log, seen: &Observations, end: SimTime) -> (Vec<Happening>, Vec<Hold>) {
    let origin = plan.warm_up.secs();
    let secs = |at: SimTime| at.secs() - origin;
    let mut held: Vec<Hold> = log
        .held
        .iter()
        .map(|held| Hold {
            root: held.root,
            from: secs(held.from),
            to: if held.to > end { f64::INFINITY } else { secs(held.to) },
        })
        .collect();
    held.sort_by(|a, b| a.from.total_cmp(&b.from).then(a.root.cmp(&b.root)));
    let begins = held.iter().map(|held| happening(held.from, held.root, What::Begins));
    let ends = held.iter().filter(|held| held.to.is_finite());
    let ends = ends.map(|held| happening(held.to, held.root, What::Ends));
    let noted = log.story.take().unwrap_or_default().into_iter();
    let noted = noted.map(|(at, root, what)| happening(secs(at), root, what));
    let promoted = seen.promotions.iter().map(|one| {
        let of = Moves::Store(one.store, one.population);
        happening(one.at, one.root, What::Promoted { of, from: one.from, to: one.to, lost: one.lost, rpo: one.rpo })
    });
    let resynced = seen.resyncs.iter().map(|one| {
        happening(one.at, None, What::Resynced(one.store, one.population, one.cluster, one.seconds, one.bytes))
    });
    let runs = seen.revisions.iter().filter(|run| run.why != Why::Start);
    let runs = runs.map(|run: &Revision| happening(run.from, None, What::Runs(run.cluster, run.revision, run.why)));
    // What begins comes before what follows from it at the same moment, and what ends after.
    let mut all: Vec<Happening> = begins.chain(resynced).chain(noted).chain(promoted).chain(runs).chain(ends).collect();
    all.retain(|one| one.at >= 0.0 && one.at <= plan.horizon.secs());
    all.sort_by(|a, b| a.at.total_cmp(&b.at));
    (all, held)
}

fn happening(at: f64, root: impl Into<Option<Id<Root>>>, what: What) -> Happening {
    // Demand is nobody's fault.
    Happening { at, root: root.into().filter(|root: &Id<Root>| root.index() != DEMAND), what }
}
