//! Simulated time: whole nanoseconds, so that equal times are equal and order never depends on rounding.
//!
//! A `u64` of nanoseconds lasts 584 years; a draw beyond it is [`SimTime::NEVER`].

use core::fmt;
use core::ops::{Add, AddAssign, Sub};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

const NANOS_PER_SEC: u64 = 1_000_000_000;

/// A point on the simulation's clock, in nanoseconds since its start.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize)]
pub struct SimTime(u64);

/// A length of time in nanoseconds. Never negative.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Span(u64);

impl SimTime {
    /// The start of a run.
    pub const ZERO: Self = Self(0);
    /// Later than every event.
    pub const NEVER: Self = Self(u64::MAX);

    /// A time from its count of nanoseconds.
    pub const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    /// Nanoseconds since the start.
    pub const fn nanos(self) -> u64 {
        self.0
    }

    /// Seconds since the start.
    pub fn secs(self) -> f64 {
        Span(self.0).secs()
    }

    /// The span from `earlier` to `self`; zero if `earlier` is later.
    pub const fn since(self, earlier: Self) -> Span {
        Span(self.0.saturating_sub(earlier.0))
    }
}

impl Span {
    /// No time at all.
    pub const ZERO: Self = Self(0);
    /// Longer than any run.
    pub const FOREVER: Self = Self(u64::MAX);
    /// One hour.
    pub const HOUR: Self = Self(3600 * NANOS_PER_SEC);
    /// One week of seven days.
    pub const WEEK: Self = Self(168 * 3600 * NANOS_PER_SEC);
    /// A billing month of 730 hours.
    pub const MONTH: Self = Self(730 * 3600 * NANOS_PER_SEC);

    /// A span from its count of nanoseconds.
    pub const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    /// A span of whole seconds.
    pub const fn from_whole_secs(secs: u64) -> Self {
        Self(secs * NANOS_PER_SEC)
    }

    /// A span from seconds, rounded to the nanosecond. Negative becomes zero; beyond the clock, and
    /// anything that is not a number, becomes [`Span::FOREVER`].
    pub fn from_secs(secs: f64) -> Self {
        if secs <= 0.0 {
            return Self::ZERO;
        }
        let nanos = secs * 1e9;
        // What fits a signed number is cut off in one instruction, and what is cut off is exact; rounding calls a function.
        if nanos < i64::MAX as f64 {
            let whole = nanos as i64;
            return Self(whole.cast_unsigned() + u64::from(nanos - whole as f64 >= 0.5));
        }
        let nanos = nanos.round();
        if nanos < u64::MAX as f64 { Self(nanos as u64) } else { Self::FOREVER }
    }

    /// Nanoseconds.
    pub const fn nanos(self) -> u64 {
        self.0
    }

    /// Seconds.
    pub fn secs(self) -> f64 {
        // Split first: a large u64 does not fit an f64's 53 bits.
        let (whole, rest) = (self.0 / NANOS_PER_SEC, self.0 % NANOS_PER_SEC);
        whole.cast_signed() as f64 + rest.cast_signed() as f64 * 1e-9
    }

    /// Hours.
    pub fn hours(self) -> f64 {
        self.secs() / 3600.0
    }

    /// True for a span of no length.
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }
}

impl Add<Span> for SimTime {
    type Output = Self;
    fn add(self, span: Span) -> Self {
        Self(self.0.saturating_add(span.0))
    }
}

impl AddAssign<Span> for SimTime {
    fn add_assign(&mut self, span: Span) {
        *self = *self + span;
    }
}

impl Sub for SimTime {
    type Output = Span;
    fn sub(self, earlier: Self) -> Span {
        assert!(self >= earlier, "time ran backwards: {self:?} - {earlier:?}");
        Span(self.0 - earlier.0)
    }
}

impl Add for Span {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == 0 {
            return f.write_str("0s");
        }
        let units: [(u64, &str); 7] = [
            (86_400 * NANOS_PER_SEC, "d"),
            (3600 * NANOS_PER_SEC, "h"),
            (60 * NANOS_PER_SEC, "m"),
            (NANOS_PER_SEC, "s"),
            (1_000_000, "ms"),
            (1000, "us"),
            (1, "ns"),
        ];
        let mut rest = self.0;
        let mut first = true;
        for (size, name) in units {
            let count = rest / size;
            if count > 0 {
                if !first {
                    f.write_str(" ")?;
                }
                write!(f, "{count}{name}")?;
                first = false;
                rest %= size;
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// Reads `"90s"`, `"1h 30m"`, `"326d 15h"`, `"12.7y"`, `"800ms"`. A day is 24 hours, a year 365 days.
///
/// # Errors
/// Says what was expected when the text is not such a duration.
pub fn parse_span(text: &str) -> Result<Span, String> {
    let bad = || format!("expected a duration such as \"30s\", \"1h 30m\" or \"12.7y\", found \"{}\"", shorten(text));
    let trimmed = text.trim();
    if trimmed.starts_with('P') {
        return parse_iso(trimmed).ok_or_else(bad);
    }
    let mut total = 0_u64;
    let beyond = || format!("\"{}\" is beyond the clock's 584 years", shorten(text));
    let mut rest = trimmed;
    if rest.is_empty() {
        return Err(bad());
    }
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !(c.is_ascii_digit() || c == '.')).ok_or_else(|| {
            if trimmed == "0" {
                "a duration needs a unit: write \"0s\"".to_owned()
            } else {
                format!("a duration needs a unit: write \"{}s\" for seconds", shorten(trimmed))
            }
        })?;
        let number = &rest[..digits];
        let tail = rest[digits..].trim_start();
        let letters = tail.find(|c: char| !c.is_alphabetic()).unwrap_or(tail.len());
        let nanos = match &tail[..letters] {
            "ns" => 1_u64,
            "us" | "µs" | "μs" => 1000,
            "ms" => 1_000_000,
            "s" | "sec" | "secs" | "second" | "seconds" => NANOS_PER_SEC,
            "m" | "min" | "mins" | "minute" | "minutes" => 60 * NANOS_PER_SEC,
            "h" | "hr" | "hrs" | "hour" | "hours" => 3600 * NANOS_PER_SEC,
            "d" | "day" | "days" => 86_400 * NANOS_PER_SEC,
            "w" | "week" | "weeks" => 7 * 86_400 * NANOS_PER_SEC,
            "y" | "yr" | "year" | "years" => 365 * 86_400 * NANOS_PER_SEC,
            "" => return Err(bad()),
            other => {
                return Err(format!(
                    "\"{}\" is not a unit of time: use ns, us, ms, s, m, h, d, w or y (in \"{}\")",
                    shorten(other),
                    shorten(text)
                ));
            }
        };
        // Whole numbers stay whole: a sum of floats would lose nanoseconds.
        let part = match number.parse::<u64>() {
            Ok(whole) => whole.checked_mul(nanos).ok_or_else(beyond)?,
            Err(_) => Span::from_secs(number.parse::<f64>().map_err(|_| bad())? * (nanos as f64 / 1e9)).0,
        };
        total = total.checked_add(part).ok_or_else(beyond)?;
        rest = tail[letters..].trim_start();
    }
    if total > 584 * 365 * 86_400 * NANOS_PER_SEC {
        return Err(beyond());
    }
    Ok(Span(total))
}

/// ISO 8601 durations (`PT1H30M`) through jiff, days counted as 24 hours.
fn parse_iso(text: &str) -> Option<Span> {
    let span: jiff::Span = text.parse().ok()?;
    let duration = span.to_duration(jiff::SpanRelativeTo::days_are_24_hours()).ok()?;
    let nanos = duration.as_nanos();
    u64::try_from(nanos).ok().map(Span)
}

fn shorten(text: &str) -> String {
    text.chars().take(40).collect()
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl de::Visitor<'_> for Visitor {
            type Value = Span;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a duration such as \"30s\", \"1h 30m\" or \"12.7y\"")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Span, E> {
                parse_span(text).map_err(E::custom)
            }
            fn visit_i64<E: de::Error>(self, number: i64) -> Result<Span, E> {
                Err(E::custom(format!("a duration needs a unit: write \"{number}s\" for seconds")))
            }
            fn visit_f64<E: de::Error>(self, number: f64) -> Result<Span, E> {
                Err(E::custom(format!("a duration needs a unit: write \"{number}s\" for seconds")))
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

impl Serialize for Span {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl JsonSchema for Span {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Duration".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "description": "A duration: \"30s\", \"1h 30m\", \"800ms\", \"12.7y\" (a day is 24 h, a year 365 d), or ISO 8601 (\"PT1H\").",
            "examples": ["30s", "1h 30m", "12.7y"]
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_as_people_write_them() {
        let secs = |text: &str| parse_span(text).unwrap().secs();
        assert_eq!(secs("30s"), 30.0);
        assert_eq!(secs("1h 30m"), 5400.0);
        assert_eq!(secs("1h30m"), 5400.0);
        assert_eq!(secs("326d 15h"), 326.0 * 86_400.0 + 15.0 * 3600.0);
        assert_eq!(secs("12.7y"), 12.7 * 365.0 * 86_400.0);
        assert_eq!(secs("800ms"), 0.8);
        assert_eq!(secs("PT1H30M"), 5400.0);
        assert_eq!(secs("0s"), 0.0);
    }

    #[test]
    fn what_is_not_a_duration_says_why() {
        assert!(parse_span("30").unwrap_err().contains("needs a unit"));
        assert!(parse_span("30 parsecs").unwrap_err().contains("not a unit of time"));
        assert!(parse_span("").unwrap_err().contains("expected a duration"));
        assert!(parse_span("-3s").unwrap_err().contains("expected a duration"));
        assert!(parse_span("900y").unwrap_err().contains("584 years"));
    }

    #[test]
    fn printing_and_reading_back_agree() {
        for nanos in [0, 1, 999, 1_000_000, 90_000_000_000, 28_220_399_999_999_999] {
            let span = Span::from_nanos(nanos);
            assert_eq!(parse_span(&span.to_string()).unwrap(), span, "{span}");
        }
    }

    #[test]
    fn seconds_are_rounded_to_the_nanosecond() {
        let rounded = |secs: f64| (secs * 1e9).round() as u64;
        for secs in [0.5e-9 - 1e-25, 0.5e-9, 1.5e-9, 2.5e-9, 0.1, 1e5 / 3.0, 9_007_199.254_740_993, 9.3e9] {
            assert_eq!(Span::from_secs(secs).nanos(), rounded(secs), "{secs}");
        }
        assert_eq!(Span::from_secs(-1.0), Span::ZERO);
    }

    #[test]
    fn a_draw_beyond_the_clock_is_never() {
        assert_eq!(SimTime::ZERO + Span::from_secs(f64::INFINITY), SimTime::NEVER);
        assert_eq!(SimTime::from_nanos(5) + Span::from_secs(1e30), SimTime::NEVER);
        assert_eq!(Span::from_secs(f64::NAN), Span::FOREVER);
    }
}
