//! Stations and faults.
//!
//! The mean number waiting is the sum of waits over time (Little's law). Service time is that of an idle pod:
//! a degraded part's slowness isn't in `station.in-system` and `station.sojourn.mean`.

use super::catalogue::{
    FAULT_COUNT, FAULT_TIME, REPLICAS, REPLICAS_FINAL, REPLICAS_READY_FINAL, STATION_ARRIVALS, STATION_EMPTY,
    STATION_IN_SYSTEM, STATION_INTERRUPTED, STATION_QUEUE, STATION_REJECTED, STATION_SHED, STATION_SOJOURN,
    STATION_THROUGHPUT, STATION_WAIT_MEAN, STATION_WAIT_MET, STATION_WAIT_P50, STATION_WAIT_P95, STATION_WAIT_P99,
    STATION_WAIT_VARIANCE, STATION_WAITING, UTILISATION, UTILISATION_FINAL,
};
use super::facts::Facts;
use super::sheet::{Of, Sheet, per};
use crate::domain::observation::StationTally;
use crate::plan::{DEMAND, ServicePlan};

pub(super) fn put(sheet: &mut Sheet, facts: &Facts) {
    assert_eq!(facts.seen.stations.len(), facts.plan.clusters.len(), "tallies of each cluster");
    let ready = |tallies: &[StationTally]| tallies.iter().fold(0.0, |sum, tally| sum + tally.ready);
    let everywhere = facts.seen.stations.iter().fold(0.0, |sum, tallies| sum + ready(tallies));
    sheet.put(&REPLICAS, Of::ALL, per(everywhere, facts.seconds));
    for ((cluster, plan), tallies) in facts.plan.clusters.iter_enumerated().zip(&facts.seen.stations) {
        assert_eq!(tallies.len(), plan.stations.len(), "tallies of each station of {}", plan.name);
        sheet.put(&REPLICAS, Of::cluster(cluster), per(ready(tallies), facts.seconds));
        for (station, tally) in plan.stations.iter().zip(tallies) {
            let of = Of { service: Some(station.service), ..Of::cluster(cluster) };
            one(sheet, of, &facts.plan.services[station.service], tally, facts);
        }
    }
    for (root, (count, time)) in facts.plan.roots.keys().zip(&facts.seen.faults) {
        if root.index() != DEMAND {
            let of = Of { root: Some(root), ..Of::ALL };
            sheet.put(&FAULT_COUNT, of, Some(*count as f64));
            sheet.put(&FAULT_TIME, of, Some(*time));
        }
    }
}

fn one(sheet: &mut Sheet, of: Of, service: &ServicePlan, tally: &StationTally, facts: &Facts) {
    let seconds = facts.seconds;
    let rate = |sum: f64| per(sum, seconds);
    let each = |sum: f64| per(sum, tally.served);
    let seen = seconds > 0.0;
    sheet.put(&UTILISATION, of, rate(tally.utilisation));
    sheet.put(&REPLICAS, of, rate(tally.ready));
    let (asked, ready, utilisation) = tally.last;
    sheet.put(&UTILISATION_FINAL, of, seen.then_some(utilisation));
    sheet.put(&REPLICAS_FINAL, of, seen.then_some(f64::from(asked)));
    sheet.put(&REPLICAS_READY_FINAL, of, seen.then_some(f64::from(ready)));
    sheet.put(&STATION_ARRIVALS, of, rate(tally.arrivals));
    sheet.put(&STATION_THROUGHPUT, of, rate(tally.served));
    let shed = (tally.arrivals - tally.served).max(0.0);
    sheet.put(&STATION_REJECTED, of, per(shed, tally.arrivals));
    sheet.put(&STATION_SHED, of, Some(shed));
    sheet.put(&STATION_WAITING, of, each(tally.waited));
    let wait = each(tally.wait);
    sheet.put(&STATION_WAIT_MEAN, of, wait);
    let variance = wait.zip(each(tally.wait_square)).map(|(wait, square)| (square - wait * wait).max(0.0));
    sheet.put(&STATION_WAIT_VARIANCE, of, variance);
    for (metric, wait) in
        [&STATION_WAIT_P50, &STATION_WAIT_P95, &STATION_WAIT_P99].into_iter().zip(tally.wait_quantiles)
    {
        sheet.put(metric, of, (tally.served > 0.0).then_some(wait));
    }
    if service.wait_objective.is_some() {
        sheet.put(&STATION_WAIT_MET, of, each(tally.met));
    }
    // A service time without a mean has no sojourn either.
    let finite = |value: Option<f64>| value.filter(|value| value.is_finite());
    sheet.put(&STATION_QUEUE, of, rate(tally.wait + tally.wait_again));
    sheet.put(&STATION_SOJOURN, of, finite(each(tally.wait + tally.wait_again + tally.service)));
    sheet.put(&STATION_IN_SYSTEM, of, finite(rate(tally.in_system)));
    sheet.put(&STATION_EMPTY, of, tally.empty.and_then(rate));
    // Rates don't know which calls a failing pod has.
    let by_request = facts.plan.requests.is_some();
    sheet.put(&STATION_INTERRUPTED, of, each(tally.interrupted).filter(|_| by_request));
}
