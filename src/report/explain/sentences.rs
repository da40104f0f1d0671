//! The longer sentences: what a fault hits, who takes over and what that loses, where users are led.

use super::calendar::length;
use super::words::{Tone, Words, grouped, list};
use crate::base::Id;
use crate::domain::rollout::Why;
use crate::domain::story::{Happening, Moves, What};
use crate::domain::{Cluster, Population, Store};
use crate::metric::Unit;
use crate::report::text::{count, plain, value};

impl Words<'_> {
    /// Faults begin, or are over.
    pub(super) fn held(&self, all: &[&Happening], begins: bool) -> Vec<(Tone, String)> {
        let roots = grouped(all.iter().filter_map(|one| {
            let (id, root) = (one.root?, &self.plan.roots[one.root?]);
            Some(((self.plan.rollout.is_release(id), plain(&root.fault)), plain(&root.target)))
        }));
        let say = |((release, fault), targets): ((bool, String), Vec<String>)| {
            let on = list(&targets.into_iter().filter(|target| !target.is_empty()).collect::<Vec<_>>());
            let text = match (release, on.is_empty(), begins) {
                (true, _, true) => format!("the bad release {fault} shows in {on}"),
                (true, _, false) => format!("the bad release {fault} is gone from {on}"),
                (false, true, true) => format!("{fault} begins"),
                (false, true, false) => format!("{fault} is over"),
                (false, false, true) => format!("{fault} hits {on}"),
                (false, false, false) => format!("{fault} is over on {on}"),
            };
            (if begins { Tone::Bad } else { Tone::Good }, text)
        };
        roots.into_iter().map(say).collect()
    }

    /// Somebody takes over, and writes are lost.
    pub(super) fn promoted(&self, all: &[&Happening]) -> Vec<(Tone, String)> {
        let moves = all.iter().filter_map(|one| {
            let What::Promoted { of, from, to, .. } = one.what else { return None };
            Some(((from, to), of))
        });
        let say = |((from, to), what): ((Id<Cluster>, Id<Cluster>), Vec<Moves>)| {
            (Tone::Good, format!("{} takes over {} from {}", self.cluster(to), self.moves(&what), self.cluster(from)))
        };
        let mut said: Vec<_> = grouped(moves).into_iter().map(say).collect();
        // By store: writes that were lost, the age of the oldest.
        let mut lost: Vec<(Id<Store>, f64, f64)> = Vec::new();
        for one in all {
            let What::Promoted { of: Moves::Store(store, _), lost: writes, rpo, .. } = one.what else { continue };
            match lost.iter_mut().find(|sum| sum.0 == store) {
                Some(sum) => (sum.1, sum.2) = (sum.1 + writes, sum.2.max(rpo)),
                None => lost.push((store, writes, rpo)),
            }
        }
        said.extend(lost.into_iter().filter(|sum| sum.1 > 0.0).map(|(store, writes, rpo)| {
            let (store, what) = (self.store(store), if writes == 1.0 { "write" } else { "writes" });
            let text = format!("{} acknowledged {what} to {store} lost, the oldest {} old", count(writes), length(rpo));
            (Tone::Bad, text)
        }));
        said
    }

    /// Copies are up to date.
    pub(super) fn resynced(&self, all: &[&Happening]) -> Vec<(Tone, String)> {
        // By store and place: partitions, seconds, bytes.
        type Copies = (Vec<Option<Id<Population>>>, f64, f64);
        type Place = (Id<Store>, Id<Cluster>);
        let mut copies: Vec<(Place, Copies)> = Vec::new();
        for one in all {
            let What::Resynced(store, part, cluster, seconds, bytes) = one.what else { continue };
            match copies.iter_mut().find(|copy| copy.0 == (store, cluster)) {
                Some((_, (parts, longest, sum))) => {
                    parts.push(part);
                    (*longest, *sum) = (longest.max(seconds), *sum + bytes);
                }
                None => copies.push(((store, cluster), (vec![part], seconds, bytes))),
            }
        }
        let say = |((store, cluster), (parts, seconds, bytes)): (Place, Copies)| {
            let parts: Vec<_> = parts.into_iter().map(|part| (store, part)).collect();
            let what = list(&self.parts(&parts));
            let (cluster, bytes) = (self.cluster(cluster), value(Unit::Bytes, bytes));
            // Less than a second is nothing to wait for.
            let took = if seconds < 1.0 { String::new() } else { format!(": {bytes} in {}", length(seconds)) };
            (Tone::Good, format!("the copy of {what} in {cluster} is up to date{took}"))
        };
        copies.into_iter().map(say).collect()
    }

    /// Users are led elsewhere.
    pub(super) fn answers(&self, all: &[&Happening]) -> Vec<(Tone, String)> {
        let answers = all.iter().filter_map(|one| {
            let What::Answers(population, answer, tail) = &one.what else { return None };
            Some(((self.answer(answer), tail.to_bits()), self.population(*population)))
        });
        let say = |((to, tail), who): ((String, u64), Vec<String>)| {
            let tail = f64::from_bits(tail);
            let text = if tail > 0.0 {
                format!("DNS leads {} to {to}; the last old answer expires in {}", list(&who), length(tail))
            } else {
                format!("{} led to {to}", list(&who))
            };
            (Tone::Plain, text)
        };
        grouped(answers).into_iter().map(say).collect()
    }
}

/// Clusters run another revision.
pub(super) fn runs(revision: u64, why: Why, clusters: &str) -> (Tone, String) {
    match why {
        Why::Start => (Tone::Plain, format!("{clusters} on revision {revision}")),
        Why::Canary => (Tone::Plain, format!("revision {revision} goes to a canary in {clusters}")),
        Why::Release => (Tone::Plain, format!("revision {revision} goes to {clusters}")),
        Why::RollBack => (Tone::Good, format!("{clusters} back on revision {revision}")),
        Why::Fix => (Tone::Good, format!("{clusters} gets the fix, revision {revision}")),
        Why::Drift => (Tone::Bad, format!("somebody changes {clusters} by hand")),
        Why::SelfHeal => (Tone::Good, format!("the controller of {clusters} takes that back")),
        Why::Noticed => (Tone::Good, format!("somebody notices the change in {clusters}, and takes it back")),
    }
}
