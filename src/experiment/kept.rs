//! What is kept of a variant's seeds until its report: columns of numbers, sums, and the worst outages.
//!
//! Seeds are added in order, so that sums have the same bits whatever the threads. Of each seed that was added its figures
//! stay, since quantiles over seeds, paired comparisons and `seeds.csv` need them all: eight bytes a figure, and none where
//! all seeds have the same. Once that is too much they go to a shelf, so memory doesn't grow with the number of seeds. All
//! else of a seed is added up, or is of the worst seeds only.

use crate::base::Id;
use crate::domain::observation::Outage;
use crate::domain::rollout::Revision;
use crate::domain::{Root, Stage};
use crate::metric::RunSummary;
use crate::metric::values::{OUTAGES_KEPT, worse};
use crate::stats::column::PIECE;
use crate::stats::{Column, Shelf};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Seeds whose figures wait to go into the columns together: a figure each into thousands of columns, which are far apart,
/// would take longer than to find them.
const TOGETHER: usize = 32;

/// Figures in memory, of all variants, from which on they go to a shelf, and those to come as well: 16 MB.
const MOST_FIGURES: usize = 2 << 20;

/// What is kept of a variant's seeds.
#[derive(Clone, Debug, Default)]
pub struct Kept {
    /// How many were added.
    seeds: usize,
    /// By key of the layout.
    columns: Vec<Arc<Column>>,
    /// Full pieces of columns go to the shelf.
    goes_away: bool,
    /// Figures of the last seeds, not in the columns yet.
    rows: Vec<Vec<Option<f64>>>,
    /// Requests lost by stage and root, of those that some seed has.
    losses: BTreeMap<(Stage, Id<Root>), Arc<Column>>,
    /// By population, then all: the distribution of latency, each seed's times its good requests, and these.
    latency: Vec<(Vec<f64>, f64)>,
    /// The longest outages, and whose they are.
    outages: Vec<(u64, Outage)>,
    /// The first seed.
    first: Option<Told>,
    /// The first of those with the outage that lost most, and how much that was; and that outage.
    worst: Option<(Told, Outage)>,
    /// What each cluster ran when.
    revisions: Vec<Revision>,
    /// The share of all users on a bad release, as it changed.
    exposures: Vec<(f64, f64)>,
}

/// A seed whose day may be told.
#[derive(Clone, Debug)]
pub(super) struct Told {
    /// Its number.
    pub(super) replication: u64,
    /// Its longest outages.
    pub(super) outages: Vec<Outage>,
}

impl Kept {
    /// Adds the next seed.
    pub fn add(&mut self, summary: RunSummary) {
        let RunSummary { replication, values, losses, outages, curves, good, revisions, exposures } = summary;
        for (stage, root, requests) in losses {
            let column = Arc::make_mut(self.losses.entry((stage, root)).or_default());
            if column.len() <= self.seeds {
                column.fill(Some(0.0), self.seeds);
                column.push(Some(requests));
            }
        }
        self.latency.resize(curves.len().max(self.latency.len()), (Vec::new(), 0.0));
        for ((sums, whole), (curve, good)) in self.latency.iter_mut().zip(curves.iter().zip(good)) {
            sums.resize(curve.len().max(sums.len()), 0.0);
            sums.iter_mut().zip(curve).for_each(|(sum, share)| *sum += share * good);
            *whole += good;
        }
        self.revisions.extend(revisions);
        self.exposures.extend(exposures);
        for outage in &outages {
            self.keep_outage(replication, outage);
        }
        // Of equals the first stays.
        let most = outages.iter().reduce(|best, other| if other.lost > best.lost { other } else { best });
        let most = most.filter(|most| self.worst.as_ref().is_none_or(|(_, worst)| most.lost > worst.lost)).cloned();
        if let Some(most) = most {
            self.worst = Some((Told { replication, outages: outages.clone() }, most));
        }
        if self.first.is_none() {
            self.first = Some(Told { replication, outages });
        }
        self.rows.push(values);
        self.seeds += 1;
        if self.rows.len() == TOGETHER {
            self.settle();
        }
    }

    fn keep_outage(&mut self, replication: u64, outage: &Outage) {
        let order = |kept: &(u64, Outage)| worse(&kept.1, outage).then(kept.0.cmp(&replication));
        if self.outages.len() < OUTAGES_KEPT || self.outages.last().is_some_and(|last| order(last).is_gt()) {
            let place = self.outages.partition_point(|kept| order(kept).is_le());
            self.outages.insert(place, (replication, outage.clone()));
            self.outages.truncate(OUTAGES_KEPT);
        }
    }

    /// Puts into the columns what waits for it.
    pub(super) fn settle(&mut self) {
        let keys = self.rows.first().map_or(0, Vec::len);
        self.columns.resize_with(keys.max(self.columns.len()), Arc::default);
        for (position, column) in self.columns.iter_mut().enumerate() {
            let column = Arc::make_mut(column);
            self.rows.iter().for_each(|row| column.push(row.get(position).copied().flatten()));
        }
        self.rows.clear();
    }

    /// Full pieces of columns in memory.
    fn full(&self) -> usize {
        self.columns.iter().chain(self.losses.values()).map(|column| column.full()).sum()
    }

    fn put_away(&mut self, shelf: &Arc<dyn Shelf>) {
        self.goes_away = true;
        let all = self.columns.iter_mut().chain(self.losses.values_mut());
        all.filter(|column| column.full() > 0).for_each(|column| Arc::make_mut(column).put_away(shelf));
    }

    /// The figures by key of the layout, of all that is settled; of no seeds there are none.
    pub(super) fn column(&self, position: usize) -> Arc<Column> {
        debug_assert!(self.rows.is_empty(), "a fold begins when all is settled");
        self.columns.get(position).cloned().unwrap_or_default()
    }

    /// Requests lost by stage and root, in that order, of those that some seed has.
    pub(super) fn losses(&self) -> impl Iterator<Item = (Stage, Id<Root>, Arc<Column>)> + '_ {
        self.losses.iter().map(|(&(stage, root), column)| {
            let mut column = column.clone();
            Arc::make_mut(&mut column).fill(Some(0.0), self.seeds);
            (stage, root, column)
        })
    }

    /// By population, then all: what [`RunSummary::curves`] come to, times good requests, and these.
    pub(super) fn latency(&self) -> &[(Vec<f64>, f64)] {
        &self.latency
    }

    /// The longest outages with their seeds, longest first.
    pub(super) fn outages(&self) -> &[(u64, Outage)] {
        &self.outages
    }

    /// The first seed.
    pub(super) fn first(&self) -> Option<&Told> {
        self.first.as_ref()
    }

    /// The first of the seeds with the outage that lost most, and that.
    pub(super) fn worst(&self) -> Option<(&Told, &Outage)> {
        self.worst.as_ref().map(|(told, outage)| (told, outage))
    }

    /// What each cluster ran when, in the first seed.
    pub(super) fn revisions(&self) -> &[Revision] {
        &self.revisions
    }

    /// The share of all users on a bad release, as it changed in the first seed.
    pub(super) fn exposures(&self) -> &[(f64, f64)] {
        &self.exposures
    }
}

/// Adds a seed to what is kept of one of several variants, and puts figures away if there are too many of all.
pub(super) fn keep(all: &mut [Kept], variant: usize, summary: RunSummary, shelf: Option<&Arc<dyn Shelf>>) {
    all[variant].add(summary);
    // Pieces of a variant's columns fill up at about the same time.
    let Some(shelf) = shelf.filter(|_| all[variant].seeds.is_multiple_of(PIECE)) else { return };
    if all[variant].goes_away {
        all[variant].put_away(shelf);
    } else if all.iter().map(Kept::full).sum::<usize>() * PIECE > MOST_FIGURES {
        for kept in all {
            kept.put_away(shelf);
        }
    }
}

impl FromIterator<RunSummary> for Kept {
    fn from_iter<I: IntoIterator<Item = RunSummary>>(summaries: I) -> Self {
        let mut kept = Self::default();
        summaries.into_iter().for_each(|summary| kept.add(summary));
        kept.settle();
        kept
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metric::{Layout, fixture};
    use crate::stats::shelf::tests::Room;

    /// By hand, over more seeds than go into the columns together: what is lost where only some seeds lose, and a seed that
    /// is like the one before.
    #[test]
    fn every_figure_of_every_seed_is_there() {
        let plan = fixture::plan();
        let layout = Layout::new(&plan);
        let seeds: Vec<RunSummary> = (0..2 * TOGETHER as u64 + 3)
            .map(|replication| {
                let scale = if replication < 40 { 0.0 } else { (replication / 2) as f64 };
                RunSummary { replication, ..layout.summarise(&plan, &fixture::observations(scale)) }
            })
            .collect();
        let kept: Kept = seeds.iter().cloned().collect();
        for position in 0..layout.keys().len() {
            assert!(kept.column(position).iter().eq(seeds.iter().map(|seed| seed.values[position])), "{position}");
        }
        let lost: Vec<_> = kept.losses().map(|(stage, _, column)| (stage, column)).collect();
        assert_eq!(lost.len(), 3);
        assert_eq!(lost[0].0, Stage::Undetected);
        let expected = (0..seeds.len()).map(|seed| if seed < 40 { 0.0 } else { 7000.0 * (seed / 2) as f64 });
        assert!(lost[0].1.iter().eq(expected.map(Some)));
        assert_eq!(kept.worst().unwrap().0.replication, 66);
        assert_eq!(kept.first().unwrap().replication, 0);
    }

    /// Of two variants, the second of which begins when figures go to the shelf already.
    #[test]
    fn figures_that_were_put_away_are_the_same() {
        let plan = fixture::plan();
        let layout = Layout::new(&plan);
        let seeds: Vec<RunSummary> = (0..2 * PIECE as u64 + 9)
            .map(|replication| {
                let seen = fixture::observations((replication % 11) as f64);
                RunSummary { replication, ..layout.summarise(&plan, &seen) }
            })
            .collect();
        let whole: Kept = seeds.iter().cloned().collect();
        let room = Arc::new(Room::of(usize::MAX));
        let shelf: Arc<dyn Shelf> = room.clone();
        let mut all = vec![Kept::default(); 2];
        all[1].put_away(&shelf);
        for (variant, seed) in [0, 1].into_iter().flat_map(|variant| seeds.iter().map(move |seed| (variant, seed))) {
            keep(&mut all, variant, seed.clone(), Some(&shelf));
        }
        all.iter_mut().for_each(Kept::settle);
        assert_eq!((all[0].goes_away, all[1].goes_away), (false, true));
        assert!(!room.is_empty());
        for position in 0..layout.keys().len() {
            let expected = whole.column(position);
            assert!(all.iter().all(|kept| kept.column(position).iter().eq(expected.iter())), "{position}");
        }
        let lost =
            |kept: &Kept| kept.losses().map(|(_, _, column)| column.iter().collect::<Vec<_>>()).collect::<Vec<_>>();
        assert!(all.iter().all(|kept| lost(kept) == lost(&whole)));
    }

    /// In whatever order they come, and however many at once.
    #[test]
    fn the_longest_outages_are_those_of_all_in_one_list() {
        let plan = fixture::plan();
        let layout = Layout::new(&plan);
        let length = |replication: u64| f64::from((replication * 7919 % 97) as u32);
        let seeds = (0..150).map(|replication| {
            let mut seen = fixture::observations(1.0);
            seen.outages.iter_mut().for_each(|outage| outage.end = outage.start + length(replication));
            RunSummary { replication, ..layout.summarise(&plan, &seen) }
        });
        let mut all: Vec<(u64, Outage)> = seeds
            .clone()
            .flat_map(|seed| seed.outages.into_iter().map(move |outage| (seed.replication, outage)))
            .collect();
        all.sort_by(|a, b| worse(&a.1, &b.1).then(a.0.cmp(&b.0)));
        all.truncate(OUTAGES_KEPT);
        assert_eq!(seeds.collect::<Kept>().outages(), all);
    }
}
