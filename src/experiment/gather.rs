//! From the parts of all shards back to what is kept of a scenario's seeds, as if one machine had simulated it.
//!
//! Parts are read one after the other, and a seed's summary at a time: beside what a fold needs anyway, nothing grows with
//! the number of shards.

use super::kept::{Kept, keep};
use super::part::{Part, PartError};
use super::run::Job;
use super::work::WorkPlan;
use crate::metric::{Layout, RunSummary};
use crate::stats::Shelf;
use std::io::{Read, Seek};
use std::sync::Arc;

/// By variant, what is kept of a scenario's seeds; too many figures go to the shelf. `open` gives the part of a shard.
///
/// # Errors
/// With the first shard whose part is of no use, and why.
pub fn gather<R: Read + Seek>(
    plan: &WorkPlan,
    scenario: usize,
    jobs: &[Job],
    shelf: Option<&Arc<dyn Shelf>>,
    open: &mut dyn FnMut(u32) -> Result<Part<R>, PartError>,
) -> Result<Vec<Kept>, (u32, PartError)> {
    let layouts: Vec<Layout> = jobs.iter().map(|job| Layout::new(&job.plan)).collect();
    let mut all = vec![Kept::default(); jobs.len()];
    for index in 0..plan.shards {
        let one = open(index).and_then(|part| {
            read(plan, index, scenario, part, &mut |variant, summary| {
                let fits = layouts[variant].admits(&jobs[variant].plan, &summary);
                if fits {
                    keep(&mut all, variant, summary, shelf);
                }
                fits
            })
        });
        one.map_err(|error| (index, error))?;
    }
    all.iter_mut().for_each(Kept::settle);
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
                let summary = part.summary()?;
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

#[cfg(test)]
mod tests {
    use super::super::part::encode;
    use super::super::work::{Block, tests::plan};
    use super::*;
    use crate::metric::fixture;
    use std::io::Cursor;

    fn jobs() -> Vec<Job> {
        let job = || Job { plan: fixture::plan(), scenario: fixture::scenario(), resolved: String::new() };
        vec![job(), job()]
    }

    /// What a seed of a variant comes to.
    fn summary(variant: usize, seed: u32) -> RunSummary {
        let plan = fixture::plan();
        let seen = fixture::observations(f64::from(seed) / 3.0 + variant as f64);
        RunSummary { replication: seed.into(), ..Layout::new(&plan).summarise(&plan, &seen) }
    }

    fn part(plan: &WorkPlan, index: u32, of: &[Block]) -> Vec<u8> {
        let seeds = of.iter().flat_map(|block| block.seeds.clone().map(|seed| summary(block.variant, seed)));
        encode(plan, index, &seeds.collect::<Vec<_>>())
    }

    fn gathered(plan: &WorkPlan, parts: &[Vec<u8>]) -> Result<Vec<Kept>, (u32, PartError)> {
        gather(plan, 0, &jobs(), None, &mut |index| Part::open(Cursor::new(parts[index as usize].as_slice())))
    }

    #[test]
    fn any_number_of_shards_gives_the_same_seeds() {
        let whole: Vec<Kept> = (0..2).map(|variant| (0..10).map(|seed| summary(variant, seed)).collect()).collect();
        for shards in [1, 3, 8, 30] {
            let plan = plan(shards);
            let parts: Vec<_> = (0..shards).map(|index| part(&plan, index, &plan.blocks(index))).collect();
            assert_eq!(format!("{:?}", gathered(&plan, &parts).unwrap()), format!("{whole:?}"));
        }
    }

    /// Nothing is counted twice, and nothing is left out, even if whoever made a part says that it is right.
    #[test]
    fn a_part_with_other_seeds_is_refused() {
        let plan = plan(2);
        let said = |second: Vec<u8>| {
            let parts = [part(&plan, 0, &plan.blocks(0)), second];
            let (index, error) = gathered(&plan, &parts).unwrap_err();
            assert_eq!(index, 1);
            error.to_string()
        };
        let with = |seeds| part(&plan, 1, &[Block { variant: 1, seeds }]);
        assert!(said(with(0..9)).ends_with("it ends before its last seed"));
        assert!(said(with(0..11)).ends_with("it goes on after its last seed"));
        assert!(said(with(1..11)).ends_with("its seeds are others"));
        let mut odd = summary(1, 0);
        odd.values.truncate(3);
        assert!(said(encode(&plan, 1, &[odd])).ends_with("a seed's figures are another scenario's"));
        assert!(said(part(&plan, 0, &plan.blocks(0))).starts_with("it holds part 0 of 2"));
    }
}
