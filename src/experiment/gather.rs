//! From the parts of all shards back to the summaries of a scenario, as if one machine had simulated it.
//!
//! Parts are read one after the other, and a seed's summary at a time: beside what a fold needs anyway, nothing grows with
//! the number of shards.

use super::part::{Part, PartError};
use super::run::Job;
use super::work::WorkPlan;
use crate::metric::{Layout, RunSummary};
use std::io::{Read, Seek};

/// By variant, the summaries of a scenario's seeds, in order. `open` gives the part of a shard.
///
/// # Errors
/// With the first shard whose part is of no use, and why.
pub fn gather<R: Read + Seek>(
    plan: &WorkPlan,
    scenario: usize,
    jobs: &[Job],
    open: &mut dyn FnMut(u32) -> Result<Part<R>, PartError>,
) -> Result<Vec<Vec<RunSummary>>, (u32, PartError)> {
    let layouts: Vec<Layout> = jobs.iter().map(|job| Layout::new(&job.plan)).collect();
    let mut all: Vec<Vec<RunSummary>> = jobs.iter().map(|_| Vec::new()).collect();
    for index in 0..plan.shards {
        let one = open(index).and_then(|part| {
            read(plan, index, scenario, part, &mut |variant, summary| {
                let fits = layouts[variant].admits(&jobs[variant].plan, &summary);
                all[variant].push(summary);
                fits
            })
        });
        one.map_err(|error| (index, error))?;
    }
    Ok(all)
}

/// Gives a part's summaries of one scenario to `take`, which says whether they fit.
fn read<R: Read + Seek>(
    plan: &WorkPlan,
    index: u32,
    scenario: usize,
    mut part: Part<R>,
    take: &mut dyn FnMut(usize, RunSummary) -> bool,
) -> Result<(), PartError> {
    part.is_of(plan, index)?;
    for (position, blocks) in plan.share(index).into_iter().enumerate() {
        for block in blocks {
            for seed in block.seeds {
                let summary = part.next()?;
                if summary.replication != u64::from(seed) {
                    return Err(PartError::Content("its seeds are others"));
                }
                if position == scenario && !take(block.variant, summary) {
                    return Err(PartError::Content("a seed's figures are another scenario's"));
                }
            }
        }
    }
    part.end()
}
