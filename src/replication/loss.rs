//! What asynchronous replication loses when the leader dies at a random instant.
//!
//! Writes are Poisson and each reaches the follower after its own lag, so the writes that are not yet there
//! are an M/G/∞ queue: their number is Poisson with mean λ · mean(lag) whatever the lag's law, and the age of the
//! oldest exceeds `a` with probability 1 − exp(−λ E[(lag − a)⁺]).

use crate::base::maths::{bisect, exp, ln};
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

/// The age `a` at which E[(lag − a)⁺] falls to `wanted` seconds, by bisection to a relative 1e-12.
fn age(lag: &Dist, wanted: f64) -> f64 {
    let mut high = lag.mean().max(1e-9);
    while lag.mean_excess(high) > wanted {
        high *= 2.0;
        if high > 1e12 {
            return high;
        }
    }
    bisect((0.0, high), 1e-12, |age| lag.mean_excess(age) > wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

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
