//! Curves that were convolved, for all plans and threads that share them.
//!
//! A convolution takes a hundred times longer than any other curve, and follows from its parts alone: so whoever needs one
//! first makes it, whoever else needs it waits for that one alone, and all get the same bits. Designs that are compared, and
//! a sweep's points, have most of them in common.

use super::intern::Map;
use crate::traffic::latency::{Curve, Part};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// Curves that are kept, some tens of kilobytes each. With more all are forgotten: who uses them has them.
const MOST: usize = 4096;

/// A curve, once it is made.
type Place = Arc<OnceLock<Arc<Curve>>>;

/// Curves of parts about which the same is quickly said.
type Alike = Vec<(Vec<Part>, Place)>;

#[derive(Default, Debug)]
struct Known {
    curves: Map<Box<[u64]>, Alike>,
    len: usize,
}

/// Convolved curves by their parts; a clone shares them.
#[derive(Clone, Default, Debug)]
pub struct Convolved(Arc<Mutex<Known>>);

impl Convolved {
    /// The sum of independent parts.
    pub(super) fn curve(&self, parts: &[Part]) -> Arc<Curve> {
        let place = self.0.lock().unwrap_or_else(PoisonError::into_inner).place(parts);
        place.get_or_init(|| Arc::new(Curve::sum(parts))).clone()
    }
}

impl Known {
    /// Where the sum of these parts is kept.
    fn place(&mut self, parts: &[Part]) -> Place {
        let key: Box<[u64]> = parts.iter().map(brief).collect();
        let same = |(others, _): &&(Vec<Part>, Place)| *others == parts;
        if let Some((_, place)) = self.curves.get(&key).and_then(|alike| alike.iter().find(same)) {
            return place.clone();
        }
        if self.len == MOST {
            *self = Self::default();
        }
        let place = Place::default();
        self.curves.entry(key).or_default().push((parts.to_vec(), place.clone()));
        self.len += 1;
        place
    }
}

/// What few other parts have, too.
fn brief(part: &Part) -> u64 {
    match part {
        Part::One(dist) => dist.mean().to_bits(),
        Part::Slowest(dists) => dists.len() as u64,
        Part::Fastest(wanted, _) => *wanted as u64,
        Part::Either(second, _) => second.to_bits(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Span;
    use crate::dist::Dist;

    fn parts(secs: u64) -> Vec<Part> {
        let constant = |secs| Dist::constant(Span::from_whole_secs(secs));
        vec![Part::One(constant(secs)), Part::Slowest(vec![constant(1), constant(secs)])]
    }

    #[test]
    fn whoever_asks_gets_the_one_that_the_first_made() {
        let all = Convolved::default();
        let first = all.curve(&parts(1));
        std::thread::scope(|scope| {
            for _ in 0..4 {
                let (all, first) = (all.clone(), &first);
                scope.spawn(move || assert!(Arc::ptr_eq(first, &all.curve(&parts(1)))));
            }
        });
        assert_eq!(*first, Curve::sum(&parts(1)));
        assert_eq!(*all.curve(&parts(2)), Curve::sum(&parts(2)));
    }

    /// What is said briefly of two can be the same.
    #[test]
    fn parts_are_told_apart_by_all_that_they_are() {
        let slowest = |secs| vec![Part::Slowest(vec![Dist::constant(Span::from_whole_secs(secs))])];
        assert_eq!(slowest(1).iter().map(brief).collect::<Vec<_>>(), slowest(2).iter().map(brief).collect::<Vec<_>>());
        let all = Convolved::default();
        assert_eq!(all.curve(&slowest(1)).mean(), 1.0);
        assert_eq!(all.curve(&slowest(2)).mean(), 2.0);
    }

    #[test]
    fn too_many_are_forgotten() {
        let mut all = Known::default();
        let first = all.place(&parts(0));
        for secs in 1..MOST as u64 {
            all.place(&parts(secs));
        }
        assert!(Arc::ptr_eq(&first, &all.place(&parts(0))));
        all.place(&parts(MOST as u64));
        assert_eq!(all.len, 1);
    }
}
