//! How long a request takes that succeeds on a later try.
//!
//! A try that is refused or fails costs a round trip, one that comes too late its timeout; then the client backs off.
//! Tries are independent, so of so many failed ones a binomial number was late.

use super::curves::{CurveId, Curves};
use super::fixed_point::Walk;
use crate::plan::Backoff;
use crate::traffic::queueing;

/// Shares of requests below this are left out.
const NEGLIGIBLE: f64 = 1e-12;

/// Adds the latency of the requests that succeed, as the curve of a try, the delay before it in seconds, and the share of
/// them. Tries pass all hops with the first probability and then are in time with the second; `curve` is that of one.
pub(super) fn latency(
    walk: &Walk<'_>,
    (passes, in_time): (f64, f64),
    round_trip: f64,
    mut curve: CurveId,
    curves: &mut Curves,
    latency: &mut Vec<(CurveId, f64, f64)>,
) {
    let good = passes * in_time;
    if good <= 0.0 {
        return;
    }
    let again = queueing::retried(1.0 - good, walk.journey.retries(), walk.journey.budget);
    let (early, late) = ((1.0 - passes) * again, passes * (1.0 - in_time) * again);
    if early + late < NEGLIGIBLE {
        latency.push((curve, walk.delay, 1.0));
        return;
    }
    let first = latency.len();
    latency.push((curve, walk.delay, good));
    // By the number of tries so far that were late.
    let mut failed = Vec::with_capacity(walk.journey.backoffs.len() + 1);
    failed.push(1.0);
    let mut backoffs = 0.0;
    for (before, &backoff) in walk.journey.backoffs.iter().enumerate() {
        let mut late_before = 0.0;
        for share in &mut failed {
            let now = *share * early + late_before * late;
            late_before = core::mem::replace(share, now);
        }
        failed.push(late_before * late);
        if failed.iter().sum::<f64>() < NEGLIGIBLE {
            break;
        }
        match backoff {
            Backoff::Even(sure, drawn) => {
                backoffs += sure;
                curve = curves.then_even(curve, drawn);
            }
            Backoff::Memoryless(mean) => curve = curves.then_exponential(curve, mean),
        }
        let weighty = failed.iter().enumerate().filter(|(_, share)| **share >= NEGLIGIBLE);
        latency.extend(weighty.map(|(number, share)| {
            let refused = (before + 1 - number) as f64 * round_trip;
            (curve, walk.delay + backoffs + refused + number as f64 * walk.journey.patience(), share * good)
        }));
    }
    let parts = &mut latency[first..];
    let sum: f64 = parts.iter().map(|part| part.2).sum();
    for part in parts {
        part.2 /= sum.max(f64::MIN_POSITIVE);
    }
}
