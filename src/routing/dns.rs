//! How clients leave an old answer: each keeps the old DNS record until its resolver's copy expires, and some keep a
//! connection, or a session that sticks, for longer.
//!
//! Resolvers are always busy, so the age of a cached record is uniform on its time to live when the answer
//! changes: the share still on the old answer falls linearly. A share of resolvers stretches the time to live
//! (8.7 % in `dns.ttl_extend_share` of `data/failures/published_rates.csv`):
//! (1 − s)(1 − t/T)⁺ + s(1 − t/T′)⁺.
//!
//! Connections and sessions that last for L are met at a random age too: of the clients that hold one, the share
//! (1 − t/L)⁺ still does after `t`. Whoever holds one for longer than its resolver keeps the record leaves when it
//! ends; whose ends before asks the resolver. A connection to a cluster that can't be reached breaks, and its client
//! is one of the resolver's again.

use super::spec::{DnsSpec, StickySpec};

/// Short steps in which all clients leave: none moves more than an eighth of them. Anything linear in the share is exact
/// for any number of steps, because each step uses its mean; only queueing, which is not linear, sees the steps.
const STEPS: f64 = 8.0;

/// The law by which clients leave an old answer.
#[derive(Clone, Copy, PartialEq, Debug, serde::Serialize, serde::Deserialize)]
pub struct Expiry {
    ttl: f64,
    stretched: f64,
    stretched_ttl: f64,
    /// Share of clients that hold a connection or session, and how long one lasts.
    sticky: f64,
    lasts: f64,
}

impl Expiry {
    /// From the scenario.
    pub fn new(dns: &DnsSpec) -> Self {
        Self {
            ttl: dns.ttl.secs(),
            stretched: dns.stretched.get(),
            // A resolver that stretches never drops a record earlier than one that doesn't.
            stretched_ttl: dns.stretched_ttl.secs().max(dns.ttl.secs()),
            ..Self::at_once()
        }
    }

    /// Everyone leaves at once.
    pub const fn at_once() -> Self {
        Self { ttl: 0.0, stretched: 0.0, stretched_ttl: 0.0, sticky: 0.0, lasts: 0.0 }
    }

    /// The same where clients hold connections or sessions.
    #[must_use]
    pub fn with_sticky(self, sticky: &StickySpec) -> Self {
        Self { sticky: sticky.share.get(), lasts: sticky.lasts.secs(), ..self }
    }

    /// Some clients hold connections or sessions.
    pub fn sticks(&self) -> bool {
        self.sticky > 0.0
    }

    /// Share of clients still on the old answer `t` seconds after it changed; `connected` while connections to where
    /// it leads hold.
    pub fn stale(&self, t: f64, connected: bool) -> f64 {
        let piece = |ttl: f64| if ttl > 0.0 { (1.0 - t / ttl).clamp(0.0, 1.0) } else { 0.0 };
        let asking = (1.0 - self.stretched) * piece(self.ttl) + self.stretched * piece(self.stretched_ttl);
        if !(connected && self.sticks()) {
            return asking;
        }
        let holding = (1.0 - self.stretched) * piece(self.ttl.max(self.lasts))
            + self.stretched * piece(self.stretched_ttl.max(self.lasts));
        (1.0 - self.sticky) * asking + self.sticky * holding
    }

    /// Seconds after which nobody is on the old answer.
    pub fn ends(&self, connected: bool) -> f64 {
        let asking = if self.stretched > 0.0 { self.stretched_ttl } else { self.ttl };
        if connected && self.sticks() { asking.max(self.lasts) } else { asking }
    }

    /// Seconds after the change at which a new step begins, the end included: short steps, or one from kink to kink of the
    /// share. None straddles a kink.
    pub fn steps(&self, connected: bool, are_short: bool) -> impl Iterator<Item = f64> + use<> {
        let end = self.ends(connected);
        let mut kinks = [self.ttl, self.ends(false), if connected { self.lasts.min(end) } else { 0.0 }];
        kinks.sort_by(f64::total_cmp);
        let pieces = [(0.0, kinks[0]), (kinks[0], kinks[1]), (kinks[1], kinks[2])];
        let (law, most) = (*self, if are_short { STEPS } else { 1.0 });
        let step = move |(from, to): (f64, f64)| {
            let leave = if to > from { law.stale(from, connected) - law.stale(to, connected) } else { 0.0 };
            // Rounding of the share makes no step of its own.
            let steps = (leave * most - 1e-9).ceil().max(f64::from(to > from)) as u32;
            (1..=steps).map(move |k| from + (to - from) * f64::from(k) / f64::from(steps))
        };
        pieces.into_iter().flat_map(step)
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
        let mean: f64 = (0..steps).map(|k| law.stale((f64::from(k) + 0.5) * width, true) * width).sum();
        assert!((mean - 105.69).abs() < 1e-3, "{mean}");
        assert!(law.stale(1593.0, true) > 0.01 && law.stale(1593.2, true) < 0.01);
    }

    #[test]
    fn steps_end_where_the_tail_does() {
        for (stretched, end) in [(0.0, 60.0), (0.087, 1800.0)] {
            let steps: Vec<f64> = expiry(stretched).steps(false, true).collect();
            assert!(steps.windows(2).all(|pair| pair[0] < pair[1]), "{steps:?}");
            assert_eq!(*steps.last().unwrap(), end);
            assert_eq!(expiry(stretched).stale(end, true), 0.0);
        }
    }

    #[test]
    fn long_steps_go_from_kink_to_kink() {
        let sticky = StickySpec { share: Probability::new(0.25).unwrap(), lasts: Span::from_whole_secs(600) };
        let long = |law: &Expiry, connected| law.steps(connected, false).collect::<Vec<f64>>();
        assert_eq!(long(&expiry(0.087), false), [60.0, 1800.0]);
        assert_eq!(long(&expiry(0.087).with_sticky(&sticky), true), [60.0, 600.0, 1800.0]);
        assert_eq!(long(&expiry(0.0), false), [60.0]);
    }

    #[test]
    fn connections_outlast_records() {
        let sticky = StickySpec { share: Probability::new(0.25).unwrap(), lasts: Span::from_whole_secs(600) };
        let law = expiry(0.1).with_sticky(&sticky);
        // After 30 s, of 9 in 10 clients a quarter counts on 600 s and the rest on 60; of the tenth, all on 1800.
        let by_hand = 0.9 * (0.75 * 0.5 + 0.25 * 0.95) + 0.1 * (59.0 / 60.0);
        assert!((law.stale(30.0, true) - by_hand).abs() < 1e-12);
        assert_eq!(law.stale(30.0, false), expiry(0.1).stale(30.0, false));
        let steps: Vec<f64> = law.steps(true, true).collect();
        assert!(steps.windows(2).all(|pair| pair[0] < pair[1]), "{steps:?}");
        for kink in [60.0, 600.0, 1800.0] {
            assert!(steps.contains(&kink), "{kink} is not in {steps:?}");
        }
        assert!(!law.steps(false, true).any(|step| step == 600.0));
        let edge = Expiry::at_once().with_sticky(&sticky);
        assert_eq!((edge.stale(0.0, true), edge.stale(300.0, true), edge.ends(true)), (0.25, 0.125, 600.0));
        assert_eq!((edge.stale(0.0, false), edge.ends(false)), (0.0, 0.0));
    }

    #[test]
    fn no_time_to_live_moves_everyone_at_once() {
        let law = Expiry::at_once();
        assert_eq!(law.stale(0.0, true), 0.0);
        assert_eq!(law.ends(true), 0.0);
    }
}
