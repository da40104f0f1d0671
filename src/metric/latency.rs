//! Latency of good requests.

use super::catalogue::{LATENCY_MEAN, LATENCY_P50, LATENCY_P90, LATENCY_P95, LATENCY_P99, LATENCY_P999};
use super::facts::Facts;
use super::key::Metric;
use super::sheet::Sheet;
use crate::domain::observation::QUANTILES;

/// In the order of [`QUANTILES`].
const BY_QUANTILE: [&Metric; QUANTILES.len()] = [&LATENCY_P50, &LATENCY_P90, &LATENCY_P95, &LATENCY_P99, &LATENCY_P999];

pub(super) fn put(sheet: &mut Sheet, facts: &Facts) {
    for group in facts.groups {
        let of = group.of;
        let latency = facts
            .seen
            .latency
            .iter()
            .find(|latency| (latency.population, latency.journey) == (of.population, of.journey));
        sheet.put(&LATENCY_MEAN, of, latency.map(|latency| latency.mean));
        for (position, metric) in BY_QUANTILE.into_iter().enumerate() {
            sheet.put(metric, of, latency.map(|latency| latency.quantiles[position]));
        }
    }
}
