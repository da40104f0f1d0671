//! Requests, availability by request and by time, outages.
//!
//! Time-availability of several cells is their mean weighted by offered requests. Outages of several cells are
//! the intervals in which any of them is out: those that overlap or touch are one.

use super::catalogue::{
    AVAILABILITY, AVAILABILITY_ANY, AVAILABILITY_TIME, DOWNTIME, OUTAGE_CLIENT, OUTAGE_LONGEST, OUTAGE_MEAN, OUTAGES,
    REQUESTS_GOOD, REQUESTS_LOST, REQUESTS_OFFERED,
};
use super::facts::{Facts, availability, months};
use super::sheet::{Of, Sheet, mean, per};

pub(super) fn put(sheet: &mut Sheet, facts: &Facts) {
    for group in facts.groups {
        let (offered, good) = (group.sum(&facts.offered), group.sum(&facts.good));
        sheet.put(&REQUESTS_OFFERED, group.of, Some(offered));
        sheet.put(&REQUESTS_GOOD, group.of, Some(good));
        sheet.put(&REQUESTS_LOST, group.of, Some(group.sum(&facts.lost)));
        sheet.put(&AVAILABILITY, group.of, availability(good, offered));
        let weighted: f64 = group.cells.iter().map(|&cell| facts.seen.below[cell] * facts.offered[cell]).sum();
        let downtime = per(weighted, offered);
        sheet.put(&DOWNTIME, group.of, downtime);
        let up = downtime.and_then(|downtime| per(facts.seconds - downtime, facts.seconds));
        sheet.put(&AVAILABILITY_TIME, group.of, up.map(|up| up.clamp(0.0, 1.0)));
        let outages = || {
            let all = facts.seen.outages.iter();
            all.filter(|outage| group.of.holds(outage.population, outage.journey))
        };
        let lengths = merged(outages().map(|outage| (outage.start, outage.end)).collect());
        sheet.put(&OUTAGES, group.of, Some(lengths.len() as f64));
        sheet.put(&OUTAGE_LONGEST, group.of, lengths.iter().copied().reduce(f64::max));
        sheet.put(&OUTAGE_MEAN, group.of, mean(lengths.into_iter()));
        let drawn = outages().min_by(|a, b| a.lot.total_cmp(&b.lot));
        sheet.put(&OUTAGE_CLIENT, group.of, drawn.map(|outage| outage.client));
    }
    for position in 0..months(facts.plan) {
        let of = Of { month: Some(position as u32 + 1), ..Of::ALL };
        let month = facts.seen.months.get(position);
        sheet.put(
            &AVAILABILITY,
            of,
            month.and_then(|month| availability(month.good.iter().sum(), month.offered.iter().sum())),
        );
    }
    let all_up = per(facts.seconds - facts.seen.any_below, facts.seconds);
    sheet.put(&AVAILABILITY_ANY, Of::ALL, all_up.map(|up| up.clamp(0.0, 1.0)));
}

/// Lengths of the union of intervals.
fn merged(mut intervals: Vec<(f64, f64)>) -> Vec<f64> {
    intervals.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut union: Vec<(f64, f64)> = Vec::new();
    for (start, end) in intervals {
        match union.last_mut() {
            Some(last) if start <= last.1 => last.1 = last.1.max(end),
            Some(_) | None => union.push((start, end)),
        }
    }
    union.into_iter().map(|(start, end)| end - start).collect()
}

#[cfg(test)]
mod tests {
    use super::merged;

    #[test]
    fn what_overlaps_or_touches_is_one() {
        assert_eq!(merged(vec![(50.0, 60.0), (0.0, 10.0), (5.0, 20.0), (20.0, 30.0), (1.0, 2.0)]), [30.0, 10.0]);
        assert!(merged(Vec::new()).is_empty());
    }
}
