//! How clients move to a new DNS answer: each keeps the old record until its resolver's copy expires.
//!
//! Resolvers are always busy, so the age of a cached record is uniform on its time to live when the answer
//! changes: the share still on the old answer falls linearly. A share of resolvers stretches the time to live
//! (8.7 % in `dns.ttl_extend_share` of `data/failures/published_rates.csv`):
//! (1 − s)(1 − t/T)⁺ + s(1 − t/T′)⁺.

use super::spec::DnsSpec;

/// Steps in which the linear pieces are taken. Anything linear in the share is exact for any number of
/// steps, because each step uses its mean; only queueing, which is not linear, sees the steps.
const STEPS: u32 = 8;

/// The law by which clients leave an old answer.
#[derive(Clone, Copy, PartialEq, Debug, serde::Serialize, serde::Deserialize)]
pub struct Expiry {
    ttl: f64,
    stretched: f64,
    stretched_ttl: f64,
}

impl Expiry {
    /// From the scenario.
    pub fn new(dns: &DnsSpec) -> Self {
        Self {
            ttl: dns.ttl.secs(),
            stretched: dns.stretched.get(),
            // A resolver that stretches never drops a record earlier than one that doesn't.
            stretched_ttl: dns.stretched_ttl.secs().max(dns.ttl.secs()),
        }
    }

    /// Everyone leaves at once.
    pub const fn at_once() -> Self {
        Self { ttl: 0.0, stretched: 0.0, stretched_ttl: 0.0 }
    }

    /// Share of clients still on the old answer `t` seconds after it changed.
    pub fn stale(&self, t: f64) -> f64 {
        let piece = |ttl: f64| if ttl > 0.0 { (1.0 - t / ttl).clamp(0.0, 1.0) } else { 0.0 };
        (1.0 - self.stretched) * piece(self.ttl) + self.stretched * piece(self.stretched_ttl)
    }

    /// Seconds after which nobody is on the old answer.
    pub fn ends(&self) -> f64 {
        if self.stretched > 0.0 { self.stretched_ttl } else { self.ttl }
    }

    /// Seconds after the change at which a new step begins, the end included.
    pub fn steps(&self) -> impl Iterator<Item = f64> + use<> {
        let (ttl, end) = (self.ttl, self.ends());
        let quick = (1..=STEPS).map(move |k| ttl * f64::from(k) / f64::from(STEPS));
        let slow_steps = if end > ttl { STEPS } else { 0 };
        let slow = (1..=slow_steps).map(move |k| ttl + (end - ttl) * f64::from(k) / f64::from(STEPS));
        quick.chain(slow).filter(|&t| t > 0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{Probability, Span};

    fn expiry(stretched: f64) -> Expiry {
        Expiry::new(&DnsSpec {
            ttl: Span::from_whole_secs(60),
            stretched: Probability::new(stretched).unwrap(),
            stretched_ttl: Span::from_whole_secs(1800),
            propagation: Span::ZERO,
        })
    }

    #[test]
    fn the_design_s_figures() {
        // Mean stale time 105.7 s: the integral of the share, (1 - s) 30 + s 900; ≤ 1 % only after 1593 s.
        let law = expiry(0.087);
        let steps = 1_800_000;
        let width = 1800.0 / f64::from(steps);
        let mean: f64 = (0..steps).map(|k| law.stale((f64::from(k) + 0.5) * width) * width).sum();
        assert!((mean - 105.69).abs() < 1e-3, "{mean}");
        assert!(law.stale(1593.0) > 0.01 && law.stale(1593.2) < 0.01);
    }

    #[test]
    fn steps_end_where_the_tail_does() {
        for (stretched, end) in [(0.0, 60.0), (0.087, 1800.0)] {
            let steps: Vec<f64> = expiry(stretched).steps().collect();
            assert!(steps.windows(2).all(|pair| pair[0] < pair[1]), "{steps:?}");
            assert_eq!(*steps.last().unwrap(), end);
            assert_eq!(expiry(stretched).stale(end), 0.0);
        }
    }

    #[test]
    fn no_time_to_live_moves_everyone_at_once() {
        let law = Expiry::at_once();
        assert_eq!(law.stale(0.0), 0.0);
        assert_eq!(law.ends(), 0.0);
    }
}
