//! Recovery times: means over the outages that a fault began.
//!
//! The stages are means over the same outages as `rto.service`, so they add up to it. An outage that the repair
//! ended has no `rto.users`, and counts as not achieved.

use super::catalogue::{
    RTO_DECIDE, RTO_DETECT, RTO_DNS_TAIL, RTO_NOT_ACHIEVED, RTO_PROMOTE, RTO_ROUTE, RTO_SCALE, RTO_SERVICE, RTO_USERS,
};
use super::facts::Facts;
use super::key::Metric;
use super::sheet::{Sheet, mean};
use crate::domain::observation::Recovery;

/// In the order of [`crate::domain::observation::Recovery::stages`].
const STAGES: [&Metric; 5] = [&RTO_DETECT, &RTO_DECIDE, &RTO_PROMOTE, &RTO_ROUTE, &RTO_SCALE];

pub(super) fn put(sheet: &mut Sheet, facts: &Facts) {
    for group in facts.groups {
        let of = group.of;
        let own = facts.seen.outages.iter().filter(|outage| of.holds(outage.population, outage.journey));
        let recoveries: Vec<&Recovery> = own.filter_map(|outage| outage.recovery.as_ref()).collect();
        let recoveries = || recoveries.iter();
        sheet.put(&RTO_SERVICE, of, mean(recoveries().filter_map(|recovery| recovery.service)));
        sheet.put(&RTO_USERS, of, mean(recoveries().filter_map(|recovery| recovery.users)));
        for (position, metric) in STAGES.into_iter().enumerate() {
            let served = recoveries().filter(|recovery| recovery.service.is_some());
            sheet.put(metric, of, mean(served.map(|recovery| recovery.stages[position])));
        }
        let tails = recoveries().filter_map(|recovery| Some(recovery.users? - recovery.service?));
        sheet.put(&RTO_DNS_TAIL, of, mean(tails));
        let unachieved = recoveries().map(|recovery| if recovery.users.is_none() { 1.0 } else { 0.0 });
        sheet.put(&RTO_NOT_ACHIEVED, of, mean(unachieved));
    }
}
