//! What asynchronous replication loses when the leader dies at a random instant.
//!
//! Writes are Poisson and each reaches the follower after its own lag, so the writes that are not yet there
//! are an M/G/∞ queue: their number is Poisson with mean λ · mean(lag) whatever the lag's law, and the age of the
//! oldest exceeds `a` with probability 1 − exp(−λ E[(lag − a)⁺]).

use crate::base::maths::{exp, ln};
use crate::base::stream::{Rng, uniform};
use crate::dist::Dist;
use crate::dist::poisson::poisson;

/// What one promotion lost.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Loss {
    /// Writes that the leader had acknowledged and the follower doesn't have.
    pub writes: u64,
    /// Age in seconds of the oldest of them; 0 if there are none.
    pub oldest: f64,
}

/// Draws what is lost when `rate` writes a second follow with `lag`.
pub fn draw(rate: f64, lag: &Dist, rng: &mut Rng) -> Loss {
    let u = uniform(rng);
    let all = rate * lag.mean_excess(0.0);
    if u <= exp(-all) {
        return Loss::default();
    }
    // P(oldest ≤ a) = exp(−rate · E[(lag − a)⁺]) = u.
    let wanted = -ln(u) / rate;
    let oldest = age(lag, wanted);
    // Given the oldest, the younger ones are Poisson with what is left of the mean.
    let younger = (all - rate * lag.mean_excess(oldest)).max(0.0);
    Loss { writes: 1 + poisson(younger, rng), oldest }
}

/// Seconds of writes that a follower is behind at a time, after intervals in which nothing reached it, in order of
/// their start. While nothing reaches it that grows by a second each second; then it catches up `catch_up` times as
/// fast as writes come.
pub fn behind(intervals: impl Iterator<Item = (f64, f64)>, at: f64, catch_up: f64) -> f64 {
    let (mut behind, mut until) = (0.0_f64, f64::NEG_INFINITY);
    let caught_up = |behind: f64, time: f64| (behind - (catch_up - 1.0) * time.max(0.0)).max(0.0);
    for (from, to) in intervals.filter(|&(from, _)| from < at) {
        let (from, to) = (from.max(until), to.min(at));
        if to > from {
            behind = caught_up(behind, from - until) + to - from;
            until = to;
        }
    }
    caught_up(behind, at - until)
}

/// The age `a` at which E[(lag − a)⁺] falls to `wanted` seconds, by bisection to a relative 1e-12.
fn age(lag: &Dist, wanted: f64) -> f64 {
    let mut high = lag.mean().max(1e-9);
    while lag.mean_excess(high) > wanted {
        high *= 2.0;
        if high > 1e12 {
            return high;
        }
    }
    let mut low = 0.0;
    while high - low > 1e-12 * high {
        let middle = 0.5 * (low + high);
        if middle <= low || middle >= high {
            break;
        }
        if lag.mean_excess(middle) > wanted {
            low = middle;
        } else {
            high = middle;
        }
    }
    high
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_follower_falls_behind_and_catches_up() {
        let at = |intervals: &[(f64, f64)], at, catch_up| behind(intervals.iter().copied(), at, catch_up);
        // Cut off for 600 s; twice as fast it gains a second each second.
        assert_eq!(at(&[(100.0, 700.0)], 400.0, 2.0), 300.0);
        assert_eq!(at(&[(100.0, 700.0)], 1000.0, 2.0), 300.0);
        assert_eq!(at(&[(100.0, 700.0)], 1000.0, 3.0), 0.0);
        // 600 behind, 200 gained, 100 more; intervals that overlap count once.
        assert_eq!(at(&[(100.0, 700.0), (300.0, 500.0), (900.0, 1000.0)], 1000.0, 2.0), 500.0);
        assert_eq!(at(&[], 1000.0, 2.0), 0.0);
        assert_eq!(at(&[(2000.0, 3000.0)], 1000.0, 2.0), 0.0);
    }
    use crate::base::{Seed, Span};

    /// Mean and standard deviation of losses, mean age, share without loss: over `n` draws.
    fn sample(rate: f64, lag: &Dist, n: u32) -> (f64, f64, f64, f64) {
        let mut rng = Seed { master: 5, replication: 0 }.stream().with(1).rng();
        let losses: Vec<Loss> = (0..n).map(|_| draw(rate, lag, &mut rng)).collect();
        let mean = |of: &dyn Fn(&Loss) -> f64| losses.iter().map(of).sum::<f64>() / f64::from(n);
        let writes = mean(&|loss| loss.writes as f64);
        let square = mean(&|loss| (loss.writes as f64 - writes).powi(2));
        (writes, square.sqrt(), mean(&|loss| loss.oldest), mean(&|loss| f64::from(u8::from(loss.writes == 0))))
    }

    #[test]
    fn as_the_oracle_has_it() {
        // R-RPO-ASYNC: bounds are five standard errors of 100,000 draws.
        let n = 100_000;
        let root = f64::from(n).sqrt();
        let (writes, sd, age, _) = sample(200.0, &Dist::constant(Span::from_nanos(800_000_000)), n);
        assert!((writes - 160.0).abs() < 5.0 * 12.65 / root, "{writes}");
        assert!((sd - 12.649).abs() < 5.0 * 12.65 / (2.0 * f64::from(n)).sqrt(), "{sd}");
        assert!((age - 0.795).abs() < 5.0 * 0.005 / root, "{age}");
        let (writes, sd, age, _) = sample(200.0, &Dist::exponential(Span::from_secs(0.8)), n);
        assert!((writes - 160.0).abs() < 5.0 * 12.65 / root, "{writes}");
        assert!((sd - 12.649).abs() < 5.0 * 12.65 / (2.0 * f64::from(n)).sqrt(), "{sd}");
        // The oldest is a Gumbel variable: its standard deviation is 0.8 pi / sqrt(6).
        assert!((age - 4.521_911_584_108_288).abs() < 5.0 * 1.0261 / root, "{age}");
        let (writes, sd, age, none) = sample(2.0, &Dist::exponential(Span::from_secs(0.8)), n);
        assert!((writes - 1.6).abs() < 5.0 * 1.265 / root, "{writes}");
        assert!((sd - 1.264_911).abs() < 5.0 * 1.3 / root, "{sd}");
        assert!((age - 0.906_822).abs() < 5.0 * 0.9 / root, "{age}");
        assert!((none - 0.201_896_518).abs() < 5.0 * 0.4015 / root, "{none}");
    }
}
