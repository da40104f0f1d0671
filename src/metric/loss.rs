//! The business loss.
//!
//! A minute of outage is a minute's requests, at the month's mean rate, that fail: an outage of a tenth of the
//! users for ten minutes is one. Credits are owed month by month, a short month's in proportion.

use super::catalogue::{COST_LOSS, LOSS_MINUTES, LOSS_REQUESTS, LOSS_SLA, LOSS_WRITES};
use super::data::not_kept;
use super::facts::{Facts, availability};
use super::sheet::{Of, Sheet};
use crate::cost::bill::{MONTH_SECONDS, credit};

/// Gives the loss.
pub(super) fn put(sheet: &mut Sheet, facts: &Facts) -> f64 {
    let Facts { plan, seen, .. } = *facts;
    let journeys = facts.groups.iter().filter(|group| group.of.population.is_none());
    let by_journey: Vec<(Of, f64)> = journeys
        .filter_map(|group| {
            let journey = &plan.journeys[group.of.journey?];
            Some((group.of, group.sum(&facts.lost) * (1.0 - journey.recaptured) * journey.loss))
        })
        .collect();
    let requests = by_journey.iter().fold(0.0, |sum, (_, usd)| sum + usd);
    sheet.put(&LOSS_REQUESTS, Of::ALL, Some(requests));
    for (of, usd) in by_journey {
        sheet.put(&LOSS_REQUESTS, of, Some(usd));
    }
    let (mut minutes, mut sla) = (0.0, 0.0);
    for month in &seen.months {
        let up = availability(month.good.iter().sum(), month.offered.iter().sum()).unwrap_or(1.0);
        minutes += (1.0 - up) * month.seconds / 60.0;
        if let Some((revenue, credits)) = &plan.cost.sla {
            sla += credit(up, credits) * revenue * (month.seconds / MONTH_SECONDS);
        }
    }
    let minutes = minutes * plan.cost.outage_per_minute;
    sheet.put(&LOSS_MINUTES, Of::ALL, Some(minutes));
    sheet.put(&LOSS_SLA, Of::ALL, Some(sla));
    let by_store = plan.stores.iter_enumerated().map(|(id, store)| (id, not_kept(facts, id) * store.loss_per_write));
    let by_store: Vec<_> = by_store.collect();
    let writes = by_store.iter().fold(0.0, |sum, (_, usd)| sum + usd);
    sheet.put(&LOSS_WRITES, Of::ALL, Some(writes));
    for (store, usd) in by_store {
        sheet.put(&LOSS_WRITES, Of::store(store), Some(usd));
    }
    let loss = requests + minutes + writes + sla;
    sheet.put(&COST_LOSS, Of::ALL, Some(loss));
    loss
}
