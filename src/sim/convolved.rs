//! Curves that were convolved, for all threads that simulate one plan.
//!
//! A convolution takes a hundred times longer than any other curve, and follows from the plan and its key alone: so whoever
//! needs one first makes it, whoever else needs it waits for that one alone, and all get the same bits.

use super::intern::Map;
use crate::traffic::latency::Curve;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// Curves that are kept, some tens of kilobytes each: what comes later is made by each thread for itself.
const MOST: usize = 4096;

/// By key, once it is made.
type Known = Map<Box<[u64]>, Arc<OnceLock<Arc<Curve>>>>;

/// Convolved curves by their keys; a clone shares them.
#[derive(Clone, Default, Debug)]
pub(super) struct Convolved(Arc<Mutex<Known>>);

impl Convolved {
    /// The curve of a key, which `make` makes if nobody did.
    pub(super) fn curve(&self, key: &[u64], make: impl FnOnce() -> Curve) -> Arc<Curve> {
        let place = {
            let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            match known.get(key) {
                Some(place) => place.clone(),
                None if known.len() < MOST => known.entry(key.into()).or_default().clone(),
                None => Arc::default(),
            }
        };
        place.get_or_init(|| Arc::new(make())).clone()
    }
}

#[cfg(test)]
mod tests {
    use super::Convolved;
    use crate::base::Span;
    use crate::dist::Dist;
    use crate::traffic::latency::{Curve, Part};
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[test]
    fn whoever_asks_gets_the_one_that_the_first_made() {
        let made = AtomicUsize::new(0);
        let all = Convolved::default();
        let ask = |all: Convolved, key: u64| {
            all.curve(&[key], || {
                made.fetch_add(1, Ordering::Relaxed);
                Curve::sum(&[Part::One(Dist::constant(Span::from_whole_secs(key)))])
            })
        };
        let first = ask(all.clone(), 1);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                let all = all.clone();
                scope.spawn(|| (ask(all.clone(), 1), ask(all, 2)));
            }
        });
        assert!(std::sync::Arc::ptr_eq(&first, &ask(all, 1)));
        assert_eq!(made.into_inner(), 2);
    }
}
