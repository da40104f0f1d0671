//! Connections between clusters: what they carry, what they cost, what they leave open. Absent where there are none.

use super::bill::{line, whole};
use super::catalogue::{
    CONNECTION_BYTES, CONNECTION_CALLS, COST_CONNECTION_DATA, COST_CONNECTIONS, COST_PROXIES, PUBLIC_ENDPOINTS,
    UNAUTHENTICATED, UNENCRYPTED,
};
use super::facts::Facts;
use super::sheet::{Of, Sheet};
use crate::base::Id;
use crate::cost::bill::{GIGABYTE, MONTH_SECONDS};
use crate::domain::{Cluster, Connection};
use crate::plan::ConnectionPlan;

/// Puts what connections carry and leave open. Gives their lines of the bill.
pub(super) fn put(sheet: &mut Sheet, facts: &Facts) -> f64 {
    let Facts { plan, seen, seconds, .. } = *facts;
    if plan.connections.is_empty() {
        for metric in [
            &CONNECTION_CALLS,
            &CONNECTION_BYTES,
            &PUBLIC_ENDPOINTS,
            &UNENCRYPTED,
            &UNAUTHENTICATED,
            &COST_CONNECTIONS,
            &COST_CONNECTION_DATA,
            &COST_PROXIES,
        ] {
            sheet.put(metric, Of::ALL, None);
        }
        return 0.0;
    }
    let of = |id: Id<Connection>, which: fn(&(Id<Connection>, f64, f64)) -> f64| -> f64 {
        let entries = seen.months.iter().flat_map(|month| &month.carried.connections);
        entries.filter(|entry| entry.0 == id).map(which).sum()
    };
    let (calls, bytes) = (|id| of(id, |entry| entry.1), |id| of(id, |entry| entry.2));
    let all = || plan.connections.iter_enumerated();
    let sum = |amount: &dyn Fn(Id<Connection>) -> f64, counts: fn(&ConnectionPlan) -> bool| -> f64 {
        all().filter(|(_, own)| counts(own)).map(|(id, _)| amount(id)).sum::<f64>() + 0.0
    };
    let a_month = if seconds > 0.0 { MONTH_SECONDS / seconds } else { 0.0 };
    sheet.put(&CONNECTION_CALLS, Of::ALL, Some(sum(&calls, |_| true)));
    sheet.put(&CONNECTION_BYTES, Of::ALL, Some(sum(&bytes, |_| true)));
    let endpoints: u32 = all().map(|(_, own)| own.endpoints).sum();
    sheet.put(&PUBLIC_ENDPOINTS, Of::ALL, Some(f64::from(endpoints)));
    sheet.put(&UNENCRYPTED, Of::ALL, Some(sum(&bytes, |own| !own.encrypted) * a_month));
    sheet.put(&UNAUTHENTICATED, Of::ALL, Some(sum(&calls, |own| !own.authenticated) * a_month));

    let hourly = all().map(|(_, own)| own.per_hour).chain(plan.hubs.iter().map(|hub| hub.per_hour)).sum::<f64>();
    let mut bill = whole(sheet, &COST_CONNECTIONS, hourly * (seconds / 3600.0));
    let data = all().map(|(id, own)| bytes(id) / GIGABYTE * own.per_gb).sum();
    bill += whole(sheet, &COST_CONNECTION_DATA, data);
    let proxied = |id: Id<Cluster>| -> f64 {
        let entries = seen.months.iter().flat_map(|month| &month.carried.proxied);
        entries.filter(|entry| entry.0 == id).map(|entry| entry.1).sum()
    };
    bill + line(
        sheet,
        &COST_PROXIES,
        plan.clusters.iter_enumerated().map(|(id, cluster)| {
            // A proxy takes its share of a node, at the node's price.
            let hour = cluster.pool.as_ref().map_or(0.0, |pool| pool.price / pool.node.cpu.max(1e-9));
            let cpu = cluster.proxies.as_ref().map_or(0.0, |proxies| proxies.cpu);
            (Of::cluster(id), proxied(id) * cpu / 3600.0 * hour)
        }),
    )
}
