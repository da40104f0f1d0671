//! Numbers as people read them, and untrusted names as plain text.
//!
//! Three significant digits, SI prefixes, a space before the unit. An availability keeps two digits of what is
//! missing from 1, so that 99.99 % and 99.999 % never look alike and nothing short of 1 prints as 100 %.

use crate::base::{maths::ln, stream::digest};
use crate::metric::Unit;

/// Seconds of the year that yearly figures are scaled to: 365 days.
pub const YEAR_S: f64 = 31_536_000.0;

/// The first `digits` significant digits of a number, as a plain decimal.
pub fn significant(x: f64, digits: u16) -> String {
    let size = x.abs();
    if size == 0.0 || !x.is_finite() {
        return "0".into();
    }
    // Scientific form first: its exponent is that of the rounded number, so 9.996 becomes 10.0, not 10.00.
    let rounded = format!("{size:.*e}", usize::from(digits.saturating_sub(1)));
    let exponent: i32 = rounded.split_once('e').and_then(|(_, power)| power.parse().ok()).unwrap_or(0);
    let decimals = usize::try_from(i32::from(digits) - 1 - exponent).unwrap_or(0);
    let text = format!("{size:.decimals$}");
    if x < 0.0 { format!("−{text}") } else { text }
}

/// A length of time in seconds: "183 ms", "94 s", "4.2 min", "5.3 h", "12 d".
pub fn duration(seconds: f64) -> String {
    let size = seconds.abs();
    let (divisor, unit) = match size {
        0.0 => return "0 s".into(),
        _ if size < 1e-3 => (1e-6, "µs"),
        _ if size < 0.9995 => (1e-3, "ms"),
        _ if size < 120.0 => (1.0, "s"),
        _ if size < 7200.0 => (60.0, "min"),
        _ if size < 172_800.0 => (3600.0, "h"),
        _ => (86_400.0, "d"),
    };
    let digits = if size < 0.9995 { 3 } else { 2 };
    format!("{} {unit}", significant(seconds / divisor, digits))
}

/// An amount of US dollars: "$0.42", "$812", "$12.4 k", "$1.24 M".
pub fn money(usd: f64) -> String {
    let size = usd.abs();
    let sign = if usd < 0.0 { "−" } else { "" };
    match size {
        0.0 => "$0".into(),
        _ if size < 0.01 => format!("{sign}${}", significant(size, 2)),
        _ if size < 99.995 => format!("{sign}${size:.2}"),
        _ if size < 999.5 => format!("{sign}${size:.0}"),
        _ if size < 999_500.0 => format!("{sign}${} k", significant(size / 1e3, 3)),
        _ if size < 999.5e6 => format!("{sign}${} M", significant(size / 1e6, 3)),
        _ => format!("{sign}${} bn", significant(size / 1e9, 3)),
    }
}

/// An availability in percent, with two digits of what is missing: "99.9953 %". Only 1 is "100 %".
pub fn availability(share: f64) -> String {
    if share >= 1.0 {
        return "100 %".into();
    }
    let mut decimals = 1;
    let mut bound = 0.1;
    // A hair of slack: 1 − 0.9999 is a little under 0.0001.
    while decimals < 12 && 1.0 - share < bound * 0.999_999 {
        decimals += 1;
        bound /= 10.0;
    }
    let text = format!("{:.*}", decimals - 1, share * 100.0);
    let text = if text.starts_with("100") { format!("{:.*}", decimals + 1, share * 100.0) } else { text };
    if text.starts_with("100") { "> 99.9999999 %".into() } else { format!("{text} %") }
}

/// A round availability, as objectives and axes have: "99.99 %".
pub fn round_availability(share: f64) -> String {
    let text = format!("{:.10}", share * 100.0);
    format!("{} %", text.trim_end_matches('0').trim_end_matches('.'))
}

/// An interval whose ends share their unit: "3.2 to 5.0 min", "$6.09 to 6.14 M".
pub fn interval(low: &str, high: &str) -> String {
    let (low_number, low_unit) = low.rsplit_once(' ').unwrap_or((low, ""));
    let (_, high_unit) = high.rsplit_once(' ').unwrap_or((high, ""));
    if low_unit != high_unit {
        return format!("{low} to {high}");
    }
    let high = if low.starts_with('$') { high.trim_start_matches('$') } else { high };
    let low = if low_unit.is_empty() { low } else { low_number };
    format!("{low} to {high}")
}

/// An amount on an axis, without needless zeros: "$5 M".
pub fn round_money(usd: f64) -> String {
    let text = money(usd);
    let (number, unit) = text.split_once(' ').map_or((text.as_str(), String::new()), |(n, u)| (n, format!(" {u}")));
    let number = if number.contains('.') { number.trim_end_matches('0').trim_end_matches('.') } else { number };
    format!("{number}{unit}")
}

/// How many nines an availability has: 0.999 has 3. `None` for an availability of 1.
pub fn nines(share: f64) -> Option<f64> {
    (share < 1.0).then(|| -ln((1.0 - share).min(1.0)) / core::f64::consts::LN_10)
}

/// The same as text: "3.3 nines", "no loss".
pub fn nines_text(share: f64) -> String {
    nines(share).map_or_else(|| "no loss".into(), |nines| format!("{:.1} nines", (nines * 10.0).floor() / 10.0 + 0.0))
}

/// A share in percent to the nearest whole, but 0 and 100 only when exact: "93 %", "> 99 %", "< 1 %".
pub fn percent(share: f64) -> String {
    match share {
        _ if share > 0.0 && share < 0.005 => "< 1 %".into(),
        _ if (0.995..1.0).contains(&share) => "> 99 %".into(),
        _ => format!("{:.0} %", share * 100.0),
    }
}

/// A count: separators up to 999 999, prefixes beyond: "12 345", "3.42 M".
pub fn count(x: f64) -> String {
    let size = x.abs();
    match size {
        0.0 => "0".into(),
        _ if size < 99.95 => {
            if (size - size.round()).abs() < 1e-9 {
                format!("{x:.0}").replace('-', "−")
            } else {
                significant(x, 3)
            }
        }
        _ if size < 999_999.5 => {
            let digits = format!("{size:.0}");
            let (head, tail) = digits.split_at(digits.len().saturating_sub(3));
            let body = if head.is_empty() { tail.to_owned() } else { format!("{head}\u{202f}{tail}") };
            if x < 0.0 { format!("−{body}") } else { body }
        }
        _ if size < 999.5e6 => format!("{} M", significant(x / 1e6, 3)),
        _ if size < 999.5e9 => format!("{} bn", significant(x / 1e9, 3)),
        _ => format!("{} × 10¹²", significant(x / 1e12, 3)),
    }
}

/// A value in its unit, as people read it. A share is a percentage.
pub fn value(unit: Unit, x: f64) -> String {
    match unit {
        Unit::Share if x.abs() >= 0.9 && x <= 1.0 => availability(x),
        Unit::Share => format!("{} %", significant(x * 100.0, 3)),
        Unit::Seconds => duration(x),
        Unit::Requests | Unit::Count | Unit::Pods | Unit::Writes => count(x),
        Unit::Usd => money(x),
        Unit::Bytes => match x.abs() {
            size if size < 1e3 => format!("{} B", significant(x, 3)),
            size if size < 1e6 => format!("{} kB", significant(x / 1e3, 3)),
            size if size < 1e9 => format!("{} MB", significant(x / 1e6, 3)),
            size if size < 1e12 => format!("{} GB", significant(x / 1e9, 3)),
            _ => format!("{} TB", significant(x / 1e12, 3)),
        },
        Unit::PerSecond => format!("{}/s", count(x)),
        Unit::SecondsSquared => format!("{} s²", significant(x, 3)),
    }
}

/// Untrusted text with what could act on a reader or a terminal made visible: control characters, line breaks,
/// direction overrides, invisible characters and those that XML forbids become U+FFFD.
pub fn plain(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '\u{61c}'
            | '\u{200b}'
            | '\u{200e}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}'
            | '\u{fffe}'
            | '\u{ffff}' => char::REPLACEMENT_CHARACTER,
            c if c.is_control() => char::REPLACEMENT_CHARACTER,
            c => c,
        })
        .collect()
}

/// [`plain`] text of at most `max` characters; a cut shows as "…".
pub fn short(text: &str, max: usize) -> String {
    let text = plain(text);
    if text.chars().count() <= max {
        return text;
    }
    let head: String = text.chars().take(max.saturating_sub(1)).collect();
    format!("{}…", head.trim_end())
}

/// [`short`] text of at most `most` characters, and of as many as fit.
pub fn fitting(text: &str, most: usize, fits: impl Fn(&str) -> bool) -> String {
    let mut letters = most;
    while letters > 1 && !fits(&short(text, letters)) {
        letters -= 1;
    }
    short(text, letters)
}

/// A name for a file or folder: lower-case ASCII letters, digits and dashes, 1 to 60 characters.
///
/// A name that is not such already, but for case, spaces and underscores, gets a digest, so that two names never meet.
pub fn slug(name: &str) -> String {
    const LONGEST: usize = 60;
    let mut slug = String::new();
    let mut faithful = true;
    for c in name.chars() {
        match c {
            'a'..='z' | '0'..='9' | 'A'..='Z' => slug.push(c.to_ascii_lowercase()),
            _ => {
                faithful &= c == '-';
                if !slug.is_empty() && !slug.ends_with('-') {
                    slug.push('-');
                }
            }
        }
    }
    let trimmed = slug.trim_end_matches('-');
    faithful &= trimmed == name;
    if faithful && !trimmed.is_empty() && trimmed.len() <= LONGEST {
        return trimmed.to_owned();
    }
    let stem: String = trimmed.chars().take(LONGEST - 9).collect();
    let tag = digest(name) >> 32;
    let stem = stem.trim_end_matches('-');
    if stem.is_empty() { format!("x-{tag:08x}") } else { format!("{stem}-{tag:08x}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        for (seconds, text) in [
            (0.0, "0 s"),
            (0.000_25, "250 µs"),
            (0.183, "183 ms"),
            (0.0101, "10.1 ms"),
            (94.0, "94 s"),
            (252.0, "4.2 min"),
            (7199.0, "120 min"),
            (19_080.0, "5.3 h"),
            (1_036_800.0, "12 d"),
            (-252.0, "−4.2 min"),
        ] {
            assert_eq!(duration(seconds), text);
        }
    }

    #[test]
    fn amounts() {
        for (usd, text) in [
            (0.0, "$0"),
            (0.423, "$0.42"),
            (0.0042, "$0.0042"),
            (812.4, "$812"),
            (999.6, "$1.00 k"),
            (12_440.0, "$12.4 k"),
            (999_600.0, "$1.00 M"),
            (1_240_000.0, "$1.24 M"),
            (-3.2e9, "−$3.20 bn"),
        ] {
            assert_eq!(money(usd), text);
        }
    }

    #[test]
    fn availabilities_keep_their_nines() {
        for (share, text) in [
            (1.0, "100 %"),
            (0.9995, "99.950 %"),
            (0.999_953, "99.9953 %"),
            (0.99, "99.0 %"),
            (0.9999, "99.990 %"),
            (0.999_999_87, "99.999987 %"),
            (0.5, "50 %"),
            (0.0, "0 %"),
        ] {
            assert_eq!(availability(share), text, "{share}");
        }
        assert!(!availability(1.0 - 1e-13).starts_with("100"));
        assert_eq!(nines(1.0), None);
        assert!((nines(0.999).unwrap() - 3.0).abs() < 1e-12);
    }

    #[test]
    fn shared_units_stand_once() {
        assert_eq!(interval("3.2 min", "5.0 min"), "3.2 to 5.0 min");
        assert_eq!(interval("94 s", "5.0 min"), "94 s to 5.0 min");
        assert_eq!(interval("$6.09 M", "$6.14 M"), "$6.09 to 6.14 M");
        assert_eq!(interval("$812", "$1.24 k"), "$812 to $1.24 k");
        assert_eq!(interval("1", "2"), "1 to 2");
        assert_eq!(round_availability(1.0 - 1e-4), "99.99 %");
        assert_eq!(round_money(5e6), "$5 M");
        assert_eq!(round_money(250.0), "$250");
    }

    #[test]
    fn counts_and_shares() {
        assert_eq!(count(12_345.0), "12\u{202f}345");
        assert_eq!(count(42.0), "42");
        assert_eq!(count(4.25), "4.25");
        assert_eq!(count(3_420_000.0), "3.42 M");
        assert_eq!(percent(0.934), "93 %");
        assert_eq!(percent(0.999), "> 99 %");
        assert_eq!(percent(1.0), "100 %");
        assert_eq!(significant(9.996, 3), "10.0");
        assert_eq!(significant(0.099_96, 3), "0.100");
        assert_eq!(significant(1234.5, 3), "1234");
    }

    #[test]
    fn slugs_are_safe_and_distinct() {
        assert_eq!(slug("active-active"), "active-active");
        let hostile =
            ["", ".", "..", "../../x", "a/b", "a b", "A-B", "con", "<script>", "=cmd()", "אבג", "-", &"x".repeat(300)];
        let slugs: Vec<_> = hostile.iter().map(|name| slug(name)).collect();
        for slug in &slugs {
            assert!((1..=60).contains(&slug.len()), "{slug}");
            assert!(slug.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-'), "{slug}");
        }
        let unique: std::collections::BTreeSet<_> = slugs.iter().collect();
        assert_eq!(unique.len(), slugs.len());
    }

    #[test]
    fn names_lose_what_acts() {
        assert_eq!(plain("a\u{1b}[31m\u{202e}b\nc"), "a\u{fffd}[31m\u{fffd}b\u{fffd}c");
        assert_eq!(short("abcdef", 4), "abc…");
        assert_eq!(short("abcd", 4), "abcd");
    }
}
