//! A fault's clock: up for a while, down for a while, as good as new after each repair.
//!
//! An alternating renewal process. Started in equilibrium it is down at time 0 with probability
//! MTTR/(MTTF + MTTR), and what is left of the current period has the equilibrium residual law (Cox, *Renewal
//! Theory*, 1962, chapter 7), so that the expected availability over any horizon is MTTF/(MTTF + MTTR).

use super::spec::ClockStart;
use crate::base::Span;
use crate::base::stream::{Rng, uniform};
use crate::dist::Dist;

/// The state in which a clock starts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum First {
    /// Up, until the first occurrence after this long.
    Up(Span),
    /// Down, until the repair after this long.
    Down(Span),
}

/// Draws the state at time 0 of a fault's clock.
pub fn first(every: &Dist, repair: &Dist, start: ClockStart, rng: &mut Rng) -> First {
    match start {
        ClockStart::New => First::Up(every.sample_span(rng)),
        ClockStart::Equilibrium => {
            let (up, down) = (every.mean(), repair.mean());
            // Both are always drawn, so that the stream is at the same place either way.
            let choice = uniform(rng);
            let left_up = Span::from_secs(every.sample_residual(rng));
            let left_down = Span::from_secs(repair.sample_residual(rng));
            if choice * (up + down) < down { First::Down(left_down) } else { First::Up(left_up) }
        }
    }
}

/// Draws when a shock first comes: shocks are instants, so their clock is never down.
pub fn first_shock(every: &Dist, start: ClockStart, rng: &mut Rng) -> Span {
    match start {
        ClockStart::New => every.sample_span(rng),
        ClockStart::Equilibrium => Span::from_secs(every.sample_residual(rng)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Seed;

    #[test]
    fn down_at_the_start_as_often_as_ever() {
        // MTTF 3 h, MTTR 1 h: down in a quarter of starts; five standard errors.
        let (every, repair) = (Dist::exponential(Span::from_whole_secs(10_800)), Dist::exponential(Span::HOUR));
        let n = 40_000;
        let mut rng = Seed { master: 3, replication: 0 }.stream().with(9).rng();
        let down = (0..n)
            .filter(|_| matches!(first(&every, &repair, ClockStart::Equilibrium, &mut rng), First::Down(_)))
            .count();
        let share = down as f64 / f64::from(n);
        assert!((share - 0.25).abs() < 5.0 * (0.25 * 0.75 / f64::from(n)).sqrt(), "{share}");
        assert!(matches!(first(&every, &repair, ClockStart::New, &mut rng), First::Up(_)));
    }
}
