//! The bill: prices times what was used. Whatever is broken, what was provisioned is billed.

use super::catalogue::{
    COST_BILL, COST_CONTROL_PLANE, COST_CROSS_ZONE, COST_DATABASES, COST_DNS, COST_EGRESS, COST_HEALTH_CHECKS,
    COST_LOAD_BALANCERS, COST_NODES, COST_PEOPLE, COST_REPLICATION, COST_STORAGE, NODE_HOURS, PEOPLE_HOURS,
};
use super::connections;
use super::facts::Facts;
use super::key::Metric;
use super::sheet::{Of, Sheet};
use crate::cost::bill::{GIGABYTE, MONTH_SECONDS, cross_zone_share, dns_queries, instances, storage, tiered};

/// One line of the bill: its whole, then its parts. Gives the whole.
pub(super) fn line(sheet: &mut Sheet, metric: &'static Metric, parts: impl Iterator<Item = (Of, f64)>) -> f64 {
    let parts: Vec<_> = parts.collect();
    let whole = parts.iter().fold(0.0, |sum, (_, usd)| sum + usd);
    sheet.put(metric, Of::ALL, Some(whole));
    for (of, usd) in parts {
        sheet.put(metric, of, Some(usd));
    }
    whole
}

/// Gives the bill.
pub(super) fn put(sheet: &mut Sheet, facts: &Facts) -> f64 {
    let Facts { plan, seen, seconds, .. } = *facts;
    let cost = &plan.cost;
    let month = seconds / MONTH_SECONDS;
    let clusters = || plan.clusters.iter_enumerated();
    let by_month = |of: &dyn Fn(&crate::domain::observation::Month) -> f64| seen.months.iter().map(of).sum::<f64>();

    let node_hours = |id: usize| by_month(&|month| month.node_hours[id]);
    line(sheet, &NODE_HOURS, clusters().map(|(id, _)| (Of::cluster(id), node_hours(id.index()))));
    let mut bill = line(
        sheet,
        &COST_NODES,
        clusters().map(|(id, cluster)| {
            let price = cluster.pool.as_ref().map_or(0.0, |pool| pool.price);
            (Of::cluster(id), node_hours(id.index()) * price)
        }),
    );
    bill += line(
        sheet,
        &COST_CONTROL_PLANE,
        clusters()
            .map(|(id, cluster)| (Of::cluster(id), instances(plan.regions[cluster.region].control_plane, 1, seconds))),
    );
    bill += line(
        sheet,
        &COST_LOAD_BALANCERS,
        clusters().map(|(id, cluster)| {
            let price = plan.regions[cluster.region].load_balancer;
            (Of::cluster(id), instances(price, cost.load_balancers as usize, seconds))
        }),
    );
    bill += line(
        sheet,
        &COST_DATABASES,
        plan.stores
            .iter_enumerated()
            .map(|(id, store)| (Of::store(id), instances(store.instance_price, store.copies.len(), seconds))),
    );
    bill += line(
        sheet,
        &COST_STORAGE,
        plan.stores.iter_enumerated().map(|(id, store)| {
            let price = |copy: crate::base::Id<crate::domain::Cluster>| {
                store.storage_price.unwrap_or(plan.regions[plan.clusters[copy].region].storage)
            };
            (Of::store(id), store.copies.iter().fold(0.0, |sum, &copy| sum + storage(store.size, price(copy), seconds)))
        }),
    );
    // Tiers count a region's bytes of one month, from all of its clusters.
    let egress = by_month(&|month| {
        plan.regions
            .iter_enumerated()
            .map(|(region, prices)| {
                let here = clusters().filter(|(_, cluster)| cluster.region == region);
                let bytes: f64 = here.map(|(id, _)| month.egress[id.index()]).sum();
                tiered(bytes / GIGABYTE, &prices.egress)
            })
            .sum()
    });
    bill += whole(sheet, &COST_EGRESS, egress);
    let replication = by_month(&|month| {
        month.transfer.iter().map(|&(from, to, bytes)| bytes / GIGABYTE * plan.regions[from].transfer[to]).sum()
    });
    bill += whole(sheet, &COST_REPLICATION, replication);
    bill += line(
        sheet,
        &COST_CROSS_ZONE,
        clusters().map(|(id, cluster)| {
            let crossing =
                by_month(&|month| month.internal[id.index()]) * cross_zone_share(cluster.zones, cost.cross_zone_share);
            (Of::cluster(id), crossing / GIGABYTE * plan.regions[cluster.region].cross_zone)
        }),
    );
    bill += connections::put(sheet, facts);
    let queries = dns_queries(cost.dns_query_rate, seconds, facts.all().sum(&facts.offered));
    bill += whole(sheet, &COST_DNS, queries / 1e6 * cost.dns_queries);
    // One check watches each cluster.
    bill += line(sheet, &COST_HEALTH_CHECKS, clusters().map(|(id, _)| (Of::cluster(id), cost.health_check * month)));
    let people = cost.people_hours * cost.people_price * month;
    bill += line(sheet, &COST_PEOPLE, clusters().map(|(id, _)| (Of::cluster(id), people)));
    sheet.put(&PEOPLE_HOURS, Of::ALL, Some(cost.people_hours * month * plan.clusters.len() as f64));
    whole(sheet, &COST_BILL, bill)
}

/// A line that has no parts. Gives it.
pub(super) fn whole(sheet: &mut Sheet, metric: &'static Metric, usd: f64) -> f64 {
    // An empty sum of floats is -0.
    let usd = usd + 0.0;
    sheet.put(metric, Of::ALL, Some(usd));
    usd
}
