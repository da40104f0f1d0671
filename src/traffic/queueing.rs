//! One service in one cluster as a station: Poisson arrivals, `c` servers, one queue, first come first served.
//!
//! M/M/c and M/M/c/K in closed form (Gross et al., *Fundamentals of Queueing Theory*, 4th ed., sections
//! 2.3 and 2.4), with the Allen–Cunneen factor (1 + cv²)/2 on the wait for general service times (exact for
//! M/M/c and for M/G/1). The wait of a call that waits is taken as exponential: exact for M/M/c.
//!
//! Near saturation a steady state takes longer to reach than any load lasts. What waits is then a reflected Brownian
//! motion (the heavy-traffic limit; Harrison, *Brownian Motion and Stochastic Flow Systems*, 1985): without drift its mean is √(2σ²t/π) after a time t, with
//! σ² = (1 + cv²)/(cμ) for the wait. The wait of an unlimited queue is no more than that of an hour.

use super::erlang::Loss;
use crate::base::maths::{exp, ln};
use core::f64::consts::PI;
use serde::{Deserialize, Serialize};

/// A station's load and size.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Load {
    /// Calls per second.
    pub arrivals: f64,
    /// Mean service time in seconds.
    pub service: f64,
    /// Coefficient of variation of the service time.
    pub cv: f64,
    /// Servers.
    pub servers: u64,
    /// Calls that may wait; `None` for no limit.
    pub queue: Option<u64>,
}

/// Seconds for which a load lasts.
const LASTS: f64 = 3600.0;

/// A station in steady state.
#[derive(Clone, Copy, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Steady {
    /// Share of calls that are shed.
    pub rejected: f64,
    /// Probability that an accepted call waits.
    pub waiting: f64,
    /// Mean wait in seconds of an accepted call that waits.
    pub wait_if_waiting: f64,
    /// Busy servers over servers.
    pub utilisation: f64,
    /// Probability of an empty station; `None` where nothing computes it.
    pub empty: Option<f64>,
}

impl Steady {
    /// Mean wait in seconds over all accepted calls.
    pub fn mean_wait(&self) -> f64 {
        self.waiting * self.wait_if_waiting
    }

    /// Variance of the wait over all accepted calls, in seconds squared: an exponential with an atom at 0.
    pub fn wait_variance(&self) -> f64 {
        self.waiting * (2.0 - self.waiting) * self.wait_if_waiting * self.wait_if_waiting
    }

    /// P(wait ≤ t) of an accepted call.
    pub fn wait_cdf(&self, t: f64) -> f64 {
        if self.wait_if_waiting <= 0.0 {
            return 1.0;
        }
        1.0 - self.waiting * exp(-t / self.wait_if_waiting)
    }
}

/// Sheds what exceeds capacity and never waits.
pub fn fluid(load: Load) -> Steady {
    if load.arrivals <= 0.0 {
        return Steady { empty: Some(1.0), ..Steady::default() };
    }
    let capacity = load.servers as f64 / load.service;
    let rejected = if load.servers == 0 { 1.0 } else { (1.0 - capacity / load.arrivals).max(0.0) };
    let utilisation = if load.servers == 0 { 0.0 } else { (load.arrivals / capacity).min(1.0) };
    Steady { rejected, utilisation, ..Steady::default() }
}

/// M/M/c, or M/M/c/K with a queue limit, with the Allen–Cunneen factor on the wait. An unlimited queue at saturation
/// or above it is as it is just below: its backlog is the caller's affair.
pub fn mmc(load: Load) -> Steady {
    let c = load.servers;
    if load.arrivals <= 0.0 {
        return Steady { empty: Some(1.0), ..Steady::default() };
    }
    if c == 0 {
        return Steady { rejected: 1.0, ..Steady::default() };
    }
    if load.service <= 0.0 {
        return Steady::default();
    }
    let a = load.arrivals * load.service;
    let rho = a / c as f64;
    let factor = f64::midpoint(1.0, load.cv * load.cv);
    match load.queue {
        None => {
            let each = factor * load.service / c as f64;
            let most = 2.0 * (each * LASTS / PI).sqrt();
            if rho >= 1.0 {
                return Steady {
                    rejected: 0.0,
                    waiting: 1.0,
                    wait_if_waiting: most,
                    utilisation: 1.0,
                    empty: Some(0.0),
                };
            }
            let Loss { blocked, empty } = Loss::of(c, a);
            let waiting = blocked / (1.0 - rho * (1.0 - blocked));
            let wait_if_waiting = (each / (1.0 - rho)).min(most);
            // States above c hold rho/(1 - rho) times as much as state c.
            let empty = empty.map(|empty| empty / (1.0 + blocked * rho / (1.0 - rho)));
            Steady { rejected: 0.0, waiting, wait_if_waiting, utilisation: rho, empty }
        }
        Some(limit) => {
            let Loss { blocked, empty } = Loss::of(c, a);
            if blocked == 0.0 {
                return Steady { utilisation: rho, empty, ..Steady::default() };
            }
            // p_{c+k} = p_c rho^k; blocked = p_c over the sum up to c.
            let sums = GeometricSums::of(rho, limit);
            let total = sums.unit + blocked * sums.upper;
            let p_c = blocked / total;
            let rejected = (p_c * sums.last).min(1.0);
            let accepted = 1.0 - rejected;
            // States c .. K-1 make an accepted call wait.
            let p_wait = p_c * sums.lower / accepted;
            let queue_length = p_c * sums.weighted;
            let mean_wait = factor * queue_length / (load.arrivals * accepted);
            let wait_if_waiting = if p_wait > 0.0 { mean_wait / p_wait } else { 0.0 };
            let empty = empty.map(|empty| empty * sums.unit / total);
            Steady { rejected, waiting: p_wait, wait_if_waiting, utilisation: rho * accepted, empty }
        }
    }
}

/// Sums of rho^k over a queue of `limit` places, all divided by the largest term so that none overflows.
struct GeometricSums {
    /// rho^0.
    unit: f64,
    /// Sum of rho^k for k = 1 ..= limit.
    upper: f64,
    /// Sum of rho^k for k = 0 .. limit.
    lower: f64,
    /// Sum of k rho^k for k = 1 ..= limit.
    weighted: f64,
    /// rho^limit.
    last: f64,
}

impl GeometricSums {
    fn of(rho: f64, limit: u64) -> Self {
        let n = limit as f64;
        // With s = min(rho, 1/rho): the sums of s^m and m s^m for m = 0 .. n.
        let s = if rho <= 1.0 { rho } else { 1.0 / rho };
        let short = 1.0 - s;
        let Powers { sum, weighted, last: power } = Powers::of(s, short, n);
        if rho <= 1.0 {
            // Sum of k rho^k up to n, from that below n.
            Self { unit: 1.0, upper: rho * sum, lower: sum, weighted: weighted + n * power, last: power }
        } else {
            // rho^k / rho^n = s^(n-k).
            Self { unit: power, upper: sum, lower: s * sum, weighted: n * sum - weighted, last: 1.0 }
        }
    }
}

/// Of s^m and m s^m over m = 0 .. n, and s^n, for s ≤ 1.
struct Powers {
    sum: f64,
    weighted: f64,
    last: f64,
}

impl Powers {
    /// With `short` = 1 − s.
    fn of(s: f64, short: f64, n: f64) -> Self {
        let last = exp(n * ln(s));
        if n * short < 0.25 {
            let (sum, weighted) = near_one(short, n);
            return Self { sum, weighted, last };
        }
        let sum = (1.0 - last) / short;
        Self { sum, weighted: (s * sum - n * last) / short, last }
    }
}

/// The same sums where the closed form would cancel: by the powers of 1 − s. Σ s^m = Σ C(n, j+1) (s − 1)^j over j, and
/// Σ m s^m is s times its derivative.
fn near_one(short: f64, n: f64) -> (f64, f64) {
    let (mut term, mut sum, mut slope) = (n, n, 0.0);
    // n (1 − s) < 1/4: what is left out is below 1e-15.
    for j in 1..12 {
        let j = f64::from(j);
        // C(n, j+1) (s − 1)^(j−1).
        term *= (n - j) / (j + 1.0);
        slope += j * term;
        term *= -short;
        sum += term;
    }
    (sum, (1.0 - short) * slope)
}

/// What retries make of a try that fails with probability `p`: (success probability, tries per request).
///
/// Success 1 − p^(n+1); load (1 − p^(n+1)) / (1 − p).
pub fn retries(p: f64, max: u32) -> (f64, f64) {
    let mut tries = 0.0;
    let mut still = 1.0;
    for _ in 0..=max {
        tries += still;
        still *= p;
    }
    (1.0 - still, tries)
}

/// As [`retries`] where at most `budget` retries are made for each request, over all clients.
pub fn retries_within(p: f64, max: u32, budget: f64) -> (f64, f64) {
    let retried = retried(p, max, budget);
    if retried >= 1.0 {
        return retries(p, max);
    }
    let tries = retries(p * retried, max).1;
    ((1.0 - p) * tries, tries)
}

/// The probability with which a failing try is retried so that a budget is kept.
pub fn retried(p: f64, max: u32, budget: f64) -> f64 {
    if retries(p, max).1 <= 1.0 + budget {
        return 1.0;
    }
    // tries = Σ (p r)^k over 0..=max rises with r, so r by bisection; then success = (1 − p) tries.
    let tries = |r: f64| retries(p * r, max).1;
    let (mut low, mut high) = (0.0, 1.0);
    while high - low > 1e-15 {
        let middle = 0.5 * (low + high);
        if middle <= low || middle >= high {
            break;
        }
        if tries(middle) < 1.0 + budget { low = middle } else { high = middle }
    }
    low
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_bounds_retries() {
        // One retry in ten requests at most: everything fails, so 1.1 tries; half fails, 1.1 tries of which half work.
        let (success, tries) = retries_within(1.0, 3, 0.1);
        assert!(success.abs() < 1e-12 && (tries - 1.1).abs() < 1e-12, "{success} {tries}");
        let (success, tries) = retries_within(0.5, 3, 0.1);
        assert!((success - 0.55).abs() < 1e-12 && (tries - 1.1).abs() < 1e-12, "{success} {tries}");
        // Within the budget nothing changes: 1 - 0.1^3, 1.11.
        assert_eq!(retries_within(0.1, 2, 0.2), retries(0.1, 2));
    }

    fn load(arrivals: f64, service: f64, servers: u64, queue: Option<u64>) -> Load {
        Load { arrivals, service, cv: 1.0, servers, queue }
    }

    fn close(actual: f64, expected: f64, tolerance: f64) {
        assert!((actual - expected).abs() <= tolerance * expected.abs(), "{actual} is not {expected}");
    }

    #[test]
    fn erlang_c_as_pyworkforce_prints_it() {
        // tests/oracles/open.toml, Q-MMC-MMCK: 13, 14 and 15 positions.
        for (servers, waits, within_20s) in [
            (13, 0.285_270_453_036_492_95, 0.795_594_788_417_783_1),
            (14, 0.174_131_933_595_049_83, 0.888_350_019_179_466_9),
            (15, 0.102_042_366_978_088_01, 0.941_452_842_869_022_3),
        ] {
            let steady = mmc(load(10.0 / 3.0, 3.0, servers, None));
            close(steady.waiting, waits, 1e-9);
            close(steady.wait_cdf(1.0 / 3.0), within_20s, 1e-9);
        }
        close(mmc(load(10.0 / 3.0, 3.0, 13, None)).mean_wait(), 0.285_270_453_036_492_95, 1e-9);
    }

    #[test]
    fn a_finite_queue_as_octave_prints_it() {
        let steady = mmc(load(3.0, 0.5, 2, Some(3)));
        close(steady.rejected, 0.085_113_835_376_532_4, 1e-9);
        close(steady.mean_wait(), 0.230_857_580_398_162_32, 1e-9);
        close(steady.utilisation, 0.686_164_623_467_600_7, 1e-9);
        close(steady.empty.unwrap(), 0.179_334_500_875_656_75, 1e-9);
    }

    #[test]
    fn one_server_and_any_service_is_pollaczek_khinchine() {
        // Q-MG1-PK: 0.7/s, mean 1 s; constant and lognormal with squared coefficient of variation 2.25.
        let of = |cv: f64| mmc(Load { arrivals: 0.7, service: 1.0, cv, servers: 1, queue: None });
        close(of(0.0).mean_wait(), 1.166_666_666_666_666_7, 1e-9);
        close(of(1.5).mean_wait(), 3.791_666_666_666_666_5, 1e-9);
        close(1.0 - of(0.0).waiting, 0.3, 1e-9);
    }

    #[test]
    fn a_finite_queue_survives_overload_and_saturation() {
        for rho in [0.999_999, 1.0, 1.000_001, 1.5, 4.0] {
            let steady = mmc(load(rho * 100.0, 1.0, 100, Some(5000)));
            // What is served is offered less shed, and never more than there are servers.
            close((1.0 - steady.rejected) * rho, steady.utilisation, 1e-9);
            assert!(steady.utilisation <= 1.0 + 1e-12, "{rho}: {}", steady.utilisation);
            assert!(steady.mean_wait() <= 50.0 + 1e-9);
        }
        // Far above saturation the queue is always full: shed 1 - 1/rho, wait 5000/100 s.
        let steady = mmc(load(400.0, 1.0, 100, Some(5000)));
        close(steady.rejected, 0.75, 1e-9);
        close(steady.mean_wait(), 50.0, 1e-2);
    }

    #[test]
    fn sums_over_a_queue_term_by_term() {
        for n in [0_u64, 1, 2, 7, 50, 1000, 100_000] {
            for short in [0.0, 1e-15, 1e-9, 1e-6, 0.24 / n.max(1) as f64, 0.26 / n.max(1) as f64, 0.01, 0.3, 0.999] {
                let s: f64 = 1.0 - short;
                let (mut term, mut sum, mut weighted) = (1.0, 0.0, 0.0);
                for m in 0..n {
                    sum += term;
                    weighted += m as f64 * term;
                    term *= s;
                }
                let powers = Powers::of(s, 1.0 - s, n as f64);
                // The terms' own rounding: an ulp each.
                let tolerance = 1e-14 + n as f64 * f64::EPSILON;
                close(powers.sum, sum, tolerance);
                assert!((powers.weighted - weighted).abs() <= tolerance * (weighted + s), "{n} {short}");
                let error = (powers.last - term).abs();
                assert!(error <= (1e-13 + tolerance) * term + f64::MIN_POSITIVE, "{n} {short}");
            }
        }
    }

    #[test]
    fn no_load_no_wait_and_no_servers_no_service() {
        assert_eq!(mmc(load(0.0, 1.0, 3, None)).mean_wait(), 0.0);
        assert_eq!(mmc(load(1.0, 1.0, 0, None)).rejected, 1.0);
        assert_eq!(fluid(load(1.0, 1.0, 0, None)).rejected, 1.0);
    }

    #[test]
    fn fluid_sheds_the_excess_alone() {
        let steady = fluid(load(120.0, 1.0, 80, None));
        close(steady.rejected, 1.0 / 3.0, 1e-15);
        assert_eq!(steady.waiting, 0.0);
    }

    #[test]
    fn a_hundred_thousand_servers() {
        // Half-full: nobody waits. At 99 %: Halfin–Whitt with beta = (1 - rho) sqrt(c) = 3.162:
        // C -> 1 / (1 + beta Phi(beta) / phi(beta)) = 8.5e-4, within the expansion's O(1/sqrt(c)).
        assert_eq!(mmc(load(50_000.0, 1.0, 100_000, None)).waiting, 0.0);
        let beta = 0.01 * 100_000.0_f64.sqrt();
        let density = exp(-beta * beta / 2.0) / (2.0 * core::f64::consts::PI).sqrt();
        let limit = 1.0 / (1.0 + beta * crate::base::maths::normal_cdf(beta) / density);
        close(mmc(load(99_000.0, 1.0, 100_000, None)).waiting, limit, 0.05);
    }

    #[test]
    fn an_hour_bounds_what_chance_piles_up() {
        // 100/s: without drift the mean after an hour is sqrt(2 t 2/100 / pi) = sqrt(2 · 3600 / 50 / 3.14159) s. Erlang C
        // has as much at 1 - rho = 1/100/6.77.
        let most = (144.0 / PI).sqrt();
        close(most, 6.770_275, 1e-6);
        let wait = |rho: f64| mmc(load(rho * 100.0, 1.0, 100, None)).wait_if_waiting;
        close(wait(0.998), 5.0, 1e-9);
        close(wait(1.0 - 1e-6), most, 1e-9);
        close(wait(1.0), most, 1e-12);
        assert_eq!(mmc(load(150.0, 1.0, 100, None)).rejected, 0.0);
    }

    #[test]
    fn retries_by_hand() {
        // Three tries at 0.2: success 1 - 0.008, load 1 + 0.2 + 0.04.
        let (success, tries) = retries(0.2, 2);
        close(success, 0.992, 1e-15);
        close(tries, 1.24, 1e-15);
        assert_eq!(retries(1.0, 2), (0.0, 3.0));
        assert_eq!(retries(0.0, 5), (1.0, 1.0));
    }
}
