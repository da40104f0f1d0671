//! Data: what promotions lost, and what left the places that a population prefers.

use super::catalogue::{RESIDENCY_VIOLATIONS, RPO_SECONDS, WRITES_LOST};
use super::facts::Facts;
use super::sheet::{Of, Sheet, mean};

pub(super) fn put(sheet: &mut Sheet, facts: &Facts) {
    let stores = facts.plan.stores.keys().map(Of::store);
    for of in core::iter::once(Of::ALL).chain(stores) {
        let promotions =
            || facts.seen.promotions.iter().filter(|promotion| of.store.is_none_or(|store| store == promotion.store));
        sheet.put(&RPO_SECONDS, of, mean(promotions().map(|promotion| promotion.rpo)));
        // An empty sum of floats is -0.
        sheet.put(&WRITES_LOST, of, Some(promotions().fold(0.0, |sum, promotion| sum + promotion.lost)));
    }
    sheet.put(&RESIDENCY_VIOLATIONS, Of::ALL, Some(facts.seen.violations.iter().fold(0.0, |sum, n| sum + n)));
    for (population, violations) in facts.plan.populations.keys().zip(&facts.seen.violations) {
        sheet.put(&RESIDENCY_VIOLATIONS, Of::population(population), Some(*violations));
    }
}
