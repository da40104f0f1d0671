//! When a controller next looks at its repository.
//!
//! Intervals are `poll` plus an even share of `jitter` (Argo CD: 120 s and up to 60 s). A commit comes at a moment that
//! has nothing to do with them, so what is left of the interval has the equilibrium residual law
//! P(left ≤ x) = ∫₀ˣ P(interval > u) du / mean (Cox, *Renewal Theory*, 1962, chapter 5).

use crate::base::Span;

/// What is left of an interval, in seconds, from a uniform.
pub fn until_next(poll: f64, jitter: f64, uniform: f64) -> f64 {
    let area = uniform * (poll + 0.5 * jitter);
    if area <= poll || jitter <= 0.0 {
        return area.min(poll);
    }
    // poll + y − y²/(2 jitter) = area.
    let left = jitter * jitter - 2.0 * jitter * (area - poll);
    poll + jitter - left.max(0.0).sqrt()
}

/// What is left until the next of the moments `phase`, `phase + poll`, …: nothing at such a moment.
pub fn until_phase(poll: Span, phase: Span, since_start: Span) -> Span {
    let (poll, phase) = (poll.nanos(), phase.nanos());
    let past = (since_start.nanos() + poll - phase % poll) % poll;
    Span::from_nanos((poll - past) % poll)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_residual_of_a_jittered_interval() {
        let n = 100_000;
        let mean: f64 =
            (0..n).map(|k| until_next(120.0, 60.0, (f64::from(k) + 0.5) / f64::from(n))).sum::<f64>() / f64::from(n);
        // E[X²] / (2 E[X]): 150² + 60²/12 over 300; the midpoint rule errs by the square root's end, under 1e-3.
        assert!((mean - (150.0_f64.powi(2) + 300.0) / 300.0).abs() < 1e-3, "{mean}");
        assert!((until_next(120.0, 60.0, 1.0) - 180.0).abs() < 1e-9);
        assert_eq!(until_next(120.0, 0.0, 0.25), 30.0);
    }

    #[test]
    fn a_phase_is_kept() {
        let at = |secs| until_phase(Span::from_whole_secs(180), Span::from_whole_secs(10), Span::from_whole_secs(secs));
        assert_eq!(at(0), Span::from_whole_secs(10));
        assert_eq!(at(10), Span::ZERO);
        assert_eq!(at(11), Span::from_whole_secs(179));
        assert_eq!(at(371), Span::from_whole_secs(179));
    }
}
