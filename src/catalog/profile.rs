//! Weekly traffic profiles: 168 hourly multipliers with mean 1, hour 0 being Monday 00:00 to 01:00 local time.
//!
//! `web` is the 1998 World Cup site over five quiet weeks, recorded in UTC (its audience was mostly in Europe
//! and America) and read as local time; its load grew within the weeks. `flat` is 1 throughout. `business` is
//! assumed: an office day by a formula, from no record.

use super::cited::{Cited, Kind};
use super::sources::WORLD_CUP;
use serde::Deserialize;

/// Hours in a week.
pub const HOURS_PER_WEEK: usize = 168;

/// The names of the built-in profiles.
pub const PROFILES: [&str; 3] = ["flat", "web", "business"];

/// A weekly profile.
#[derive(Clone, PartialEq, Debug)]
pub struct Profile {
    /// The name in a scenario.
    pub name: &'static str,
    /// Load over its weekly mean, by the hour of the week.
    pub hourly: Cited<[f64; HOURS_PER_WEEK]>,
}

impl Profile {
    /// The highest hour over the mean.
    pub fn peak(&self) -> f64 {
        self.hourly.value.iter().copied().fold(0.0, f64::max)
    }
}

/// Divides by the mean.
fn normalised(mut hourly: [f64; HOURS_PER_WEEK]) -> [f64; HOURS_PER_WEEK] {
    let mean = hourly.iter().sum::<f64>() / HOURS_PER_WEEK as f64;
    for load in &mut hourly {
        *load /= mean;
    }
    hourly
}

/// Share of the office at work at the middle of an hour of a weekday: nobody before 6, all from 9 to 12, four
/// fifths over lunch, all from 13 to 17, nobody after 20, with straight lines between.
fn at_work(hour: usize) -> f64 {
    let time = hour as f64 + 0.5;
    match hour {
        6..9 => (time - 6.0) / 3.0,
        12 => 0.8,
        9..17 => 1.0,
        17..20 => (20.0 - time) / 3.0,
        _ => 0.0,
    }
}

/// 0.1 always (machines), and 0.9 times the share at work from Monday to Friday.
fn business() -> [f64; HOURS_PER_WEEK] {
    core::array::from_fn(|hour| if hour < 5 * 24 { 0.1 + 0.9 * at_work(hour % 24) } else { 0.1 })
}

#[derive(Deserialize)]
struct Row {
    hour_of_week: usize,
    load: f64,
}

pub(super) fn load() -> Vec<Profile> {
    let mut web = [0.0; HOURS_PER_WEEK];
    for row in WORLD_CUP.rows::<Row>() {
        web[row.hour_of_week] = row.load;
    }
    let ours = |value, note: &str| Cited {
        value,
        kind: Kind::Assumed,
        source: "built in".to_owned(),
        date: String::new(),
        note: note.to_owned(),
    };
    vec![
        Profile { name: "flat", hourly: ours([1.0; HOURS_PER_WEEK], "the same load in every hour") },
        Profile {
            name: "web",
            hourly: WORLD_CUP
                .cite(normalised(web))
                .derived("divided by its own mean; recorded in UTC, read as local time"),
        },
        Profile {
            name: "business",
            hourly: ours(
                normalised(business()),
                "0.1, and on weekdays 0.9 x the share at work: 0 to 1 from 6 to 9, 0.8 from 12 to 13, 1 to 0 from 17 to 20; divided by its mean",
            ),
        },
    ]
}

#[cfg(test)]
mod tests {
    use super::super::Catalog;
    use super::*;

    #[test]
    fn every_profile_has_mean_one() {
        for name in PROFILES {
            let hourly = Catalog::get().profile(name).unwrap().hourly.value;
            let mean = hourly.iter().sum::<f64>() / 168.0;
            assert!((mean - 1.0).abs() < 1e-12, "{name} {mean}");
            assert!(hourly.iter().all(|load| *load > 0.0), "{name}");
        }
    }

    #[test]
    fn web_peaks_at_1_73_of_its_mean_as_the_scenario_says() {
        let web = Catalog::get().profile("web").unwrap();
        assert!((web.peak() - 1.73).abs() < 0.005, "{}", web.peak());
        // 1.7344 in the file, at Friday 15:00, over the file's mean of 1.000_001_79.
        assert!((web.hourly.value[111] - 1.734_396_902_9).abs() < 1e-9);
    }

    #[test]
    fn business_is_the_office_day() {
        // By hand, in a weekday: 2.4 of idle and 0.9 x (1.5 + 3 + 0.8 + 4 + 1.5) = 9.72; in the week
        // 5 x 12.12 + 2 x 2.4 = 65.4.
        let business = Catalog::get().profile("business").unwrap();
        assert!((business.peak() - 168.0 / 65.4).abs() < 1e-12);
        assert!((business.hourly.value[12] / business.hourly.value[10] - 0.82).abs() < 1e-12);
        assert!((business.hourly.value[6 * 24 + 12] / business.hourly.value[10] - 0.1).abs() < 1e-12);
    }
}
