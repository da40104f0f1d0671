//! When a write becomes visible to reads, however the store replicates.

use super::quorum::Staleness;
use crate::base::maths::bisect;
use crate::dist::Dist;

/// From a write's acknowledgement until a read sees it.
#[derive(Clone, PartialEq, Debug)]
pub enum Visibility {
    /// A copy has it after the lag.
    Lag(Dist),
    /// As soon as one of the copies that answer has it.
    Votes(Staleness),
}

impl Visibility {
    /// The chance that a read misses a write that was acknowledged `after` seconds before it began.
    pub fn stale(&self, after: f64) -> f64 {
        match self {
            Self::Lag(lag) => 1.0 - lag.cdf(after),
            Self::Votes(staleness) => staleness.at(after),
        }
    }
}

/// The time after an acknowledgement from which a `share` of `all` reads see a write, to a relative 1e-9; each part is
/// a kind of read with its number, and what is in no part sees it at once.
pub fn seen_by(share: f64, parts: &[(&Visibility, f64)], all: f64) -> f64 {
    let missed = |after: f64| parts.iter().map(|&(visibility, reads)| reads * visibility.stale(after)).sum::<f64>();
    let allowed = (1.0 - share) * all;
    if missed(0.0) <= allowed {
        return 0.0;
    }
    let (mut low, mut high) = (0.0, 1e-6);
    while missed(high) > allowed && high < 1e12 {
        (low, high) = (high, 2.0 * high);
    }
    bisect((low, high), 1e-9, |after| missed(after) > allowed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Span;

    #[test]
    fn by_hand() {
        let lag = Visibility::Lag(Dist::exponential(Span::from_whole_secs(1)));
        assert!((lag.stale(2.0) - (-2.0_f64).exp()).abs() < 1e-15);
        // Half of the reads go to the leader: of the others one in 500 may miss it, after ln 500.
        assert!((seen_by(0.999, &[(&lag, 5.0)], 10.0) - 500.0_f64.ln()).abs() < 1e-8);
        assert_eq!([seen_by(0.5, &[(&lag, 5.0)], 10.0), seen_by(0.999, &[], 10.0)], [0.0, 0.0]);
    }
}
