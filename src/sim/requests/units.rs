//! Seconds as whole nanoseconds, and back: of one, and of many at once.

use crate::base::Span;

/// Below 2⁵² a number's whole part can be read off its bits, several times faster than a conversion that saturates.
const WHOLE: f64 = (1_u64 << 52) as f64;

/// 2⁵² and so many nanoseconds, of which there are fewer than that.
#[inline]
pub(super) fn raised(nanos: u64) -> f64 {
    f64::from_bits(nanos | WHOLE.to_bits())
}

/// The nanoseconds of [`raised`].
#[inline]
pub(super) fn lowered(raised: f64) -> u64 {
    raised.to_bits().wrapping_sub(WHOLE.to_bits())
}

/// A span of so many seconds, at least 0, to the nearest nanosecond.
#[inline]
pub(super) fn span(seconds: f64) -> Span {
    nanos(seconds * 1e9)
}

/// A span of so many nanoseconds, at least 0, to the nearest.
#[inline]
pub(super) fn nanos(nanos: f64) -> Span {
    if (0.0..0.5 * WHOLE).contains(&nanos) {
        Span::from_nanos(lowered(nanos + WHOLE))
    } else {
        Span::from_nanos((nanos + 0.5) as u64)
    }
}

/// Spans of so many seconds, each times a factor: nanoseconds as of [`span`], one by one. What is set in any of
/// them is set in what it gives.
pub(super) fn spans(seconds: &[f64], factor: f64, spans: &mut [u64]) -> u64 {
    let mut any = 0;
    for (span, seconds) in spans.iter_mut().zip(seconds) {
        *span = lowered(seconds * factor * 1e9 + WHOLE);
        any |= *span;
    }
    if any >> 52 != 0 {
        for (own, seconds) in spans.iter_mut().zip(seconds) {
            *own = span(seconds * factor).nanos();
            any |= *own;
        }
    }
    any
}

/// The seconds of so many nanoseconds, as of [`seconds`], one by one.
pub(super) fn seconds_each(nanos: &[u64], secs: &mut [f64]) {
    let mut any = 0;
    for (secs, nanos) in secs.iter_mut().zip(nanos) {
        *secs = (raised(*nanos) - WHOLE) * 1e-9;
        any |= nanos;
    }
    if any >> 52 != 0 {
        for (secs, &nanos) in secs.iter_mut().zip(nanos) {
            *secs = seconds(Span::from_nanos(nanos));
        }
    }
}

/// The seconds of a span; exact up to a hundred days.
#[inline]
pub(super) fn seconds(span: Span) -> f64 {
    // Signed numbers convert in one instruction.
    i64::try_from(span.nanos()).map_or_else(|_| span.nanos() as f64, |nanos| nanos as f64) * 1e-9
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_are_as_one_by_one() {
        // Halves of nanoseconds, ordinary times, and what is beyond 52 days and beyond the clock.
        let ordinary = [0.0, 0.5e-9, 1.5e-9, 1e-3, 0.25, 86_400.0, 4e6];
        let long = [0.0, 0.1, 5e6, 1e9, 3e10, f64::INFINITY];
        for (seconds_of, factor) in [(&ordinary[..], 1.0), (&ordinary[..], 1.3), (&long[..], 1.0)] {
            let mut found = vec![0; seconds_of.len()];
            spans(seconds_of, factor, &mut found);
            let expected: Vec<u64> = seconds_of.iter().map(|seconds| span(seconds * factor).nanos()).collect();
            assert_eq!(found, expected);
            let mut back = vec![0.0; found.len()];
            seconds_each(&found, &mut back);
            let expected: Vec<f64> = found.iter().map(|&nanos| seconds(Span::from_nanos(nanos))).collect();
            assert_eq!(back, expected);
        }
    }
}
