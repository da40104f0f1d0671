//! How a bill is made: prices times quantities, as clouds do it.
//!
//! A month is 730 hours. Tiers start afresh with each month and aren't shortened for a short last one. A
//! gigabyte is 10⁹ bytes. Prices come from the caller; amounts are in USD.

/// Bytes of a gigabyte.
pub const GIGABYTE: f64 = 1e9;

/// Seconds of a billing month.
pub const MONTH_SECONDS: f64 = 730.0 * 3600.0;

/// Requests per DNS query where a scenario doesn't give a rate: a session of a hundred requests resolves once.
const REQUESTS_PER_QUERY: f64 = 100.0;

/// The price of one month's gigabytes: tiers are (gigabytes of the month up to which, USD per GB), rising. What
/// exceeds the last tier's end, if it has one, costs as the last tier does.
pub fn tiered(gigabytes: f64, tiers: &[(Option<f64>, f64)]) -> f64 {
    let last = tiers.len().saturating_sub(1);
    let (mut usd, mut from) = (0.0, 0.0);
    for (position, &(up_to, price)) in tiers.iter().enumerate() {
        let end = up_to.filter(|_| position < last).unwrap_or(f64::INFINITY);
        usd += (gigabytes.min(end) - from).max(0.0) * price;
        from = end;
    }
    usd
}

/// The share of a month's revenue that is owed back: credits are (below, share), lowest first, and the lowest
/// `below` that the availability is under counts.
pub fn credit(availability: f64, credits: &[(f64, f64)]) -> f64 {
    credits.iter().find(|(below, _)| availability < *below).map_or(0.0, |(_, share)| *share)
}

/// Share of the bytes within a cluster that cross zones: where pods call each other at random, all but one of
/// `zones` calls; or what the scenario says.
pub fn cross_zone_share(zones: u32, stated: Option<f64>) -> f64 {
    stated.unwrap_or_else(|| f64::from(zones.saturating_sub(1)) / f64::from(zones.max(1)))
}

/// How many DNS queries there were: at the stated rate per second, else one per hundred requests.
pub fn dns_queries(rate: Option<f64>, seconds: f64, offered: f64) -> f64 {
    rate.map_or(offered / REQUESTS_PER_QUERY, |rate| rate * seconds)
}

/// Instances by the hour.
pub fn instances(usd_per_hour: f64, count: usize, seconds: f64) -> f64 {
    usd_per_hour * count as f64 * (seconds / 3600.0)
}

/// Gigabytes held, by the month.
pub fn storage(gigabytes: f64, usd_per_gb_month: f64, seconds: f64) -> f64 {
    gigabytes * usd_per_gb_month * (seconds / MONTH_SECONDS)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(a: f64, b: f64) {
        assert!((a - b).abs() <= 1e-12 * b.abs().max(1.0), "{a} {b}");
    }

    #[test]
    fn egress_by_hand() {
        let tiers = [(Some(100.0), 0.0), (Some(10_240.0), 0.09), (None, 0.085)];
        close(tiered(12_000.0, &tiers), 10_140.0 * 0.09 + 1760.0 * 0.085);
        close(tiered(12_000.0, &tiers), 1062.20);
        close(tiered(100.0, &tiers), 0.0);
        close(tiered(101.0, &tiers), 0.09);
        close(tiered(0.0, &tiers), 0.0);
        // A last tier with an end goes on at its price; no tiers, no price.
        close(tiered(30.0, &[(Some(10.0), 1.0), (Some(20.0), 0.5)]), 20.0);
        close(tiered(30.0, &[]), 0.0);
    }

    #[test]
    fn a_database_with_its_standby_by_hand() {
        // 0.24 USD/h x 730 h x 2 + 100 GB x 0.115 USD x 2.
        close(instances(0.24, 2, MONTH_SECONDS) + 2.0 * storage(100.0, 0.115, MONTH_SECONDS), 373.40);
    }

    #[test]
    fn the_lowest_credit_counts() {
        let credits = [(0.95, 1.0), (0.99, 0.3), (0.9999, 0.1)];
        assert_eq!(
            [0.94, 0.95, 0.9899, 0.999, 0.9999, 1.0].map(|a| credit(a, &credits)),
            [1.0, 0.3, 0.3, 0.1, 0.0, 0.0]
        );
        assert_eq!(credit(0.0, &[]), 0.0);
    }

    #[test]
    fn zones_and_queries() {
        close(cross_zone_share(3, None), 2.0 / 3.0);
        assert_eq!(
            [cross_zone_share(1, None), cross_zone_share(0, None), cross_zone_share(3, Some(0.1))],
            [0.0, 0.0, 0.1]
        );
        assert_eq!([dns_queries(None, 10.0, 500.0), dns_queries(Some(3.0), 10.0, 500.0)], [5.0, 30.0]);
    }
}
