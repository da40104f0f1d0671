//! Moments of the horizon as dates in UTC, and lengths of time as people read them off a clock.

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// Turns seconds of the horizon into dates.
#[derive(Clone, Copy, Debug)]
pub struct Calendar {
    start: Option<Timestamp>,
    /// The horizon spans more than a year: dates need it.
    years: bool,
}

impl Calendar {
    /// From the scenario's `start` and horizon in seconds.
    pub fn new(start: &str, horizon_s: f64) -> Self {
        Self { start: start.parse().ok(), years: horizon_s > 366.0 * 86_400.0 }
    }

    fn at(&self, seconds: f64, format: &str) -> Option<String> {
        // To the second, as a clock shows it; halves of a nanosecond are rounding.
        let whole = jiff::SignedDuration::from_secs((seconds + 1e-6).floor() as i64);
        let moment = self.start?.checked_add(whole).ok()?.to_zoned(TimeZone::UTC);
        Some(moment.strftime(format).to_string())
    }

    /// "Sat 14 Mar 02:11:07", with the year if there are several.
    pub fn moment(&self, seconds: f64) -> String {
        let format = if self.years { "%a %-d %b %Y %H:%M:%S" } else { "%a %-d %b %H:%M:%S" };
        self.at(seconds, format).unwrap_or_else(|| offset(seconds))
    }

    /// "2026-03-14T02:11:07Z".
    pub fn iso(&self, seconds: f64) -> String {
        self.at(seconds, "%Y-%m-%dT%H:%M:%SZ").unwrap_or_default()
    }

    /// The first days of months between two times, with their names: "Mar", "Jan 2027".
    pub fn months(&self, (from, to): (f64, f64)) -> Vec<(f64, String)> {
        let Some(start) = self.start else { return Vec::new() };
        let zoned = start.to_zoned(TimeZone::UTC);
        let mut month = zoned.date().first_of_month();
        let mut marks = Vec::new();
        while marks.len() < 10_000 {
            let Ok(begins) = month.to_zoned(TimeZone::UTC) else { break };
            let at = begins.timestamp().as_second() as f64 - start.as_second() as f64;
            if at > to {
                break;
            }
            if at >= from {
                let format = if self.years && month.month() == 1 { "%b %Y" } else { "%b" };
                marks.push((at, month.strftime(format).to_string()));
            }
            let Ok(next) = month.checked_add(jiff::Span::new().months(1)) else { break };
            month = next;
        }
        marks
    }
}

/// A length of time in its two largest units: "34 s", "12 min 4 s", "4 h 12 min", "3 d 4 h".
pub(super) fn length(seconds: f64) -> String {
    let size = seconds.max(0.0);
    if size < 1.0 && size > 0.0 {
        return super::super::text::duration(size);
    }
    let tenths = (size * 10.0).round() / 10.0;
    if tenths < 120.0 && tenths.fract() != 0.0 {
        return format!("{tenths:.1} s");
    }
    let whole = size.round() as u64;
    let (days, hours, minutes, secs) = (whole / 86_400, whole / 3600 % 24, whole / 60 % 60, whole % 60);
    let two = |a: u64, unit: &str, b: u64, smaller: &str| {
        if b == 0 { format!("{a} {unit}") } else { format!("{a} {unit} {b} {smaller}") }
    };
    match whole {
        0..=119 => format!("{whole} s"),
        120..=3599 => two(minutes, "min", secs, "s"),
        3600..=172_799 => two(days * 24 + hours, "h", minutes, "min"),
        _ => two(days, "d", hours, "h"),
    }
}

/// The same since something began: "+34 s".
pub(super) fn offset(seconds: f64) -> String {
    format!("+{}", length(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_dates() {
        // 2026-01-05 is a Monday; 14 March is 68 days later.
        let year = Calendar::new("2026-01-05T00:00:00Z", 365.0 * 86_400.0);
        let at = 68.0 * 86_400.0 + 2.0 * 3600.0 + 11.0 * 60.0 + 7.9;
        assert_eq!(year.moment(at), "Sat 14 Mar 02:11:07");
        assert_eq!(year.iso(at), "2026-03-14T02:11:07Z");
        let months = year.months((0.0, 60.0 * 86_400.0));
        assert_eq!(months, [(27.0 * 86_400.0, "Feb".to_owned()), (55.0 * 86_400.0, "Mar".to_owned())]);
        let two = Calendar::new("2026-12-31T00:00:00Z", 2.0 * 365.0 * 86_400.0);
        assert_eq!(two.moment(0.0), "Thu 31 Dec 2026 00:00:00");
        assert_eq!(two.months((0.0, 86_400.0))[0].1, "Jan 2027");
    }

    #[test]
    fn lengths_have_two_units() {
        for (seconds, text) in [
            (0.0, "0 s"),
            (0.25, "250 ms"),
            (34.0, "34 s"),
            (34.06, "34.1 s"),
            (119.0, "119 s"),
            (724.0, "12 min 4 s"),
            (600.0, "10 min"),
            (15_120.0, "4 h 12 min"),
            (3600.0, "1 h"),
            (273_600.0, "3 d 4 h"),
        ] {
            assert_eq!(length(seconds), text);
        }
    }
}
