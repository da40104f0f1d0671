//! When a health check notices: probes every interval at a phase, several in a row, several checkers.
//!
//! Lazy: nothing is simulated probe by probe. When a target's condition changes, the moment at which the
//! verdict would follow is computed; if the condition changes back before, the verdict is called off, because
//! the row of equal outcomes was broken. A probe at the very instant of a change saw the world before it.

use super::spec::HealthSpec;
use crate::base::{SimTime, Span};

/// Seconds of a week's worth of phases fit any interval: phases are taken modulo the interval.
#[derive(Clone, Copy, PartialEq, Debug, serde::Serialize, serde::Deserialize)]
pub struct Prober {
    interval: Span,
    timeout: Span,
    failures: u32,
    successes: u32,
    quorum: u32,
}

/// What a probe meets.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// A good answer.
    Good,
    /// A refused connection, or an error: known at once.
    Refused,
    /// Nothing: known after the timeout.
    Silence,
}

impl Prober {
    /// From the scenario.
    pub fn new(health: &HealthSpec) -> Self {
        Self {
            interval: health.interval,
            timeout: health.timeout,
            failures: health.failures,
            successes: health.successes,
            quorum: health.quorum,
        }
    }

    /// Time between two probes of one checker.
    pub const fn interval(&self) -> Span {
        self.interval
    }

    /// When the verdict follows, if `outcome` begins at `now` and lasts; `phases` are the checkers'.
    pub fn verdict(&self, now: SimTime, outcome: Outcome, phases: &[Span]) -> SimTime {
        let (row, extra) = match outcome {
            Outcome::Good => (self.successes, Span::ZERO),
            Outcome::Refused => (self.failures, Span::ZERO),
            Outcome::Silence => (self.failures, self.timeout),
        };
        let mut moments: Vec<SimTime> = phases
            .iter()
            .map(|&phase| {
                let later = u64::from(row.saturating_sub(1)).saturating_mul(self.interval.nanos());
                self.next_probe(now, phase) + Span::from_nanos(later) + extra
            })
            .collect();
        moments.sort_unstable();
        moments[(self.quorum.max(1) as usize - 1).min(moments.len() - 1)]
    }

    /// The first probe strictly after `now`.
    fn next_probe(&self, now: SimTime, phase: Span) -> SimTime {
        let interval = self.interval.nanos().max(1);
        let phase = phase.nanos() % interval;
        let since = (now.nanos() + (interval - phase)) % interval;
        SimTime::from_nanos(now.nanos() + (interval - since))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secs(secs: u64) -> SimTime {
        SimTime::ZERO + Span::from_whole_secs(secs)
    }

    fn prober() -> Prober {
        Prober::new(&HealthSpec {
            interval: Span::from_whole_secs(10),
            timeout: Span::from_whole_secs(4),
            ..HealthSpec::default()
        })
    }

    #[test]
    fn detection_by_hand() {
        let prober = prober();
        let at = |now, phase, outcome| prober.verdict(secs(now), outcome, &[Span::from_whole_secs(phase)]);
        // Probes at 7, 17, 27, 37 …: a black hole from 20 fails those of 27, 37, 47; the last waits 4 s.
        assert_eq!(at(20, 7, Outcome::Silence), secs(51));
        assert_eq!(at(20, 7, Outcome::Refused), secs(47));
        assert_eq!(at(20, 7, Outcome::Good), secs(47));
        // The probe at the instant of the fault still succeeded: the latest detection, 3 * 10 + 4.
        assert_eq!(at(20, 0, Outcome::Silence), secs(54));
    }

    #[test]
    fn detection_lies_between_its_bounds() {
        let prober = prober();
        for nanos in (0..10_000_000_000_u64).step_by(123_456_789) {
            let now = SimTime::from_nanos(86_400_000_000_000 + nanos);
            let detection = prober.verdict(now, Outcome::Silence, &[Span::from_nanos(3_141_592_653)]) - now;
            assert!(detection > Span::from_whole_secs(24) && detection <= Span::from_whole_secs(34), "{detection}");
        }
    }

    #[test]
    fn a_quorum_waits_for_its_last_member() {
        let mut prober = prober();
        let phases = [1, 3, 5, 7].map(Span::from_whole_secs);
        prober.quorum = 3;
        assert_eq!(prober.verdict(secs(100), Outcome::Refused, &phases), secs(125));
    }
}
