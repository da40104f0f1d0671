//! What threads find in any order, taken in order.

use std::collections::BTreeMap;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How many may wait for one before them, until who brings more waits as well.
const MOST_EARLY: usize = 128;
/// How often who waits looks whether all has ended.
const LOOKS: Duration = Duration::from_millis(20);

/// Hands things on in the order of their numbers, from 0; a thread at a time.
pub(super) struct InOrder<T, F> {
    state: Mutex<State<T, F>>,
    moved: Condvar,
}

struct State<T, F> {
    next: u64,
    early: BTreeMap<u64, T>,
    take: F,
}

impl<T, F: FnMut(u64, T)> InOrder<T, F> {
    /// `take` gets them.
    pub(super) fn new(take: F) -> Self {
        Self { state: Mutex::new(State { next: 0, early: BTreeMap::new(), take }), moved: Condvar::new() }
    }

    fn lock(&self) -> MutexGuard<'_, State<T, F>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Hands this on, and what waited for it; or keeps it until those before it are there.
    pub(super) fn bring(&self, number: u64, thing: T) {
        let mut state = self.lock();
        state.early.insert(number, thing);
        let State { next, early, take } = &mut *state;
        while let Some(thing) = early.remove(next) {
            take(*next, thing);
            *next += 1;
        }
        drop(state);
        self.moved.notify_all();
    }

    /// Waits while too many wait for one that is being found, or until all has ended. Who is to bring that one has
    /// to bring it first.
    pub(super) fn wait(&self, has_ended: &dyn Fn() -> bool) {
        let mut state = self.lock();
        while state.early.len() > MOST_EARLY && !has_ended() {
            state = self.moved.wait_timeout(state, LOOKS).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

    /// The first comes late: others go ahead of it so far and no further, and all come in order.
    #[test]
    fn nobody_gets_too_far_ahead() {
        const ALL: u64 = 1000;
        let mut told = Vec::new();
        let early = AtomicUsize::new(0);
        {
            let order = InOrder::new(|number, thing: u64| {
                assert_eq!(number, thing);
                told.push(thing);
            });
            let next = AtomicU64::new(1);
            std::thread::scope(|scope| {
                let ahead = scope.spawn(|| {
                    loop {
                        order.wait(&|| false);
                        let number = next.fetch_add(1, Ordering::Relaxed);
                        if number >= ALL {
                            break;
                        }
                        order.bring(number, number);
                        early.fetch_max(order.lock().early.len(), Ordering::Relaxed);
                    }
                });
                while order.lock().early.len() <= MOST_EARLY {
                    std::thread::yield_now();
                }
                order.bring(0, 0);
                ahead.join().unwrap();
            });
        }
        assert_eq!(told, (0..ALL).collect::<Vec<_>>());
        assert_eq!(early.into_inner(), MOST_EARLY + 1);
    }

    #[test]
    fn who_waits_goes_when_all_has_ended() {
        let order = InOrder::new(|_, ()| {});
        (1..=MOST_EARLY as u64 + 1).for_each(|number| order.bring(number, ()));
        let looks = AtomicUsize::new(0);
        order.wait(&|| looks.fetch_add(1, Ordering::Relaxed) == 2);
        assert_eq!(looks.into_inner(), 3);
    }
}
