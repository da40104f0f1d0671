//! The order of those who come to a station within a stretch of time, and of the services that they come to one after
//! another (`stages.rs`).

use super::straight::is_plain;
use crate::base::{Id, Table};
use crate::domain::Service;
use crate::plan::{Plan, StepPlan};

/// Bits of a key that say who it is; the others are nanoseconds after the beginning of the stretch.
pub(super) const PLACE: u32 = 24;
/// If one belongs further away they are put in order another way.
const CROWD: usize = 32;

/// Who a key is of.
#[inline]
pub(super) fn place(key: u64) -> usize {
    (key & ((1 << PLACE) - 1)) as usize
}

/// Puts in order when some come after the beginning of a stretch, those who do within it: first roughly, by about as many
/// short times as there are of them (Isaac and Singleton 1956), then each to where it belongs near by. Gives how many these
/// are; their keys come first, then those of the others as they were. `counts` is room for how many come in each short time.
pub(super) fn sort(
    length: u64,
    times: impl ExactSizeIterator<Item = u64> + Clone,
    (keys, counts): (&mut Vec<u64>, &mut Vec<u32>),
) -> usize {
    let shift = (length / (times.len() as u64).max(1)).max(1).ilog2() + 1;
    let later = (length >> shift) as usize + 1;
    let short = |after: u64| if after < length { (after >> shift) as usize } else { later };
    counts.clear();
    counts.resize(later + 1, 0);
    for after in times.clone() {
        counts[short(after)] += 1;
    }
    // Where those of each short time begin.
    let mut before = 0;
    for count in &mut counts[..=later] {
        before += core::mem::replace(count, before);
    }
    let within = counts[later] as usize;
    keys.resize(times.len(), 0);
    for (place, after) in (0..).zip(times) {
        let next = &mut counts[short(after)];
        keys[*next as usize] = after << PLACE | place;
        *next += 1;
    }
    let sorted = &mut keys[..within];
    for at in 1..sorted.len() {
        let (key, mut to) = (sorted[at], at);
        while to > 0 && sorted[to - 1] > key {
            sorted[to] = sorted[to - 1];
            to -= 1;
        }
        if to < at {
            sorted[to] = key;
            if at - to > CROWD {
                sorted.sort_unstable();
                break;
            }
        }
    }
    within
}

/// Some come at once, of keys in order.
pub(super) fn are_ties(keys: &[u64]) -> bool {
    // Without a way out: several are looked at in one instruction.
    let before = |(one, other): (&u64, &u64)| (other >> PLACE).wrapping_sub((one >> PLACE) + 1);
    let others = keys.get(1..).unwrap_or_default();
    keys.iter().zip(others).map(before).fold(0, |any, before| any | before) >> 63 != 0
}

/// By service: where it comes in an order in which all journeys call them, one after another; none if there is none
/// (Kahn 1962).
pub(super) fn rank(plan: &Plan) -> Option<Table<Service, usize>> {
    let mut steps: Vec<(Id<Service>, Id<Service>)> = Vec::new();
    for journey in plan.journeys.iter().filter(|journey| is_plain(journey)) {
        let calls = journey.steps.iter().filter_map(|step| match step {
            StepPlan::Call(services) => services.first(),
            StepPlan::Read(..) | StepPlan::Write(..) | StepPlan::Dependency(_) => None,
        });
        let calls: Vec<_> = calls.copied().collect();
        steps.extend(calls.windows(2).map(|two| (two[0], two[1])));
    }
    let mut rank: Table<Service, usize> = vec![usize::MAX; plan.services.len()].into();
    for place in 0..plan.services.len() {
        // The first that no other calls come before but those that have their places.
        let free = |&service: &Id<Service>| {
            rank[service] == usize::MAX && steps.iter().all(|&(from, to)| to != service || rank[from] != usize::MAX)
        };
        let next = plan.services.keys().find(free)?;
        rank[next] = place;
    }
    Some(rank)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Seed;
    use crate::base::stream::uniform;

    #[test]
    fn they_come_as_a_sorted_list_says() {
        let mut rng = Seed { master: 6, replication: 0 }.stream().rng();
        let (mut keys, mut counts) = (vec![7], Vec::new());
        // Nobody, few, and many; spread, all at once, and in the first hundredth; some after the end, and in no time at all.
        for (count, length, spread) in [
            (0, 1000, 1.0),
            (1, 1000, 1.0),
            (700, 1_000_000_000, 1.3),
            (700, 1000, 1e-9),
            (700, 1_000_000, 0.01),
            (9, 1, 5.0),
        ] {
            let times: Vec<u64> = (0..count).map(|_| (uniform(&mut rng) * length as f64 * spread) as u64).collect();
            let within = sort(length, times.iter().copied(), (&mut keys, &mut counts));
            let others: Vec<usize> = (0..times.len()).filter(|&one| times[one] >= length).collect();
            assert_eq!(keys.split_off(within).into_iter().map(place).collect::<Vec<_>>(), others);
            let mut expected: Vec<(u64, usize)> = times.iter().copied().zip(0..).filter(|two| two.0 < length).collect();
            expected.sort_unstable();
            let found: Vec<(u64, usize)> = keys.iter().map(|&key| (key >> PLACE, place(key))).collect();
            assert_eq!(found, expected, "{count} in {length}");
            assert_eq!(are_ties(&keys), expected.windows(2).any(|two| two[0].0 == two[1].0));
        }
    }
}
