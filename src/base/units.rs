//! Quantities with their units: rates, bytes, money and probabilities, as they are written in a scenario.
//!
//! Each type reads its own text form and says what it expected; nobody else parses units.

use core::fmt;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

fn shorten(text: &str) -> String {
    text.chars().take(40).collect()
}

/// Splits `"12.5 k/s"` into its number and the rest.
fn split_number(text: &str) -> Option<(f64, &str)> {
    let trimmed = text.trim();
    let end = trimmed
        .char_indices()
        .find(|&(i, c)| {
            let exponent_sign = matches!(c, '-' | '+') && i > 0 && matches!(trimmed.as_bytes()[i - 1], b'e' | b'E');
            let exponent = matches!(c, 'e' | 'E')
                && trimmed[i + 1..].starts_with(|next: char| next.is_ascii_digit() || matches!(next, '-' | '+'));
            !(c.is_ascii_digit() || matches!(c, '.' | '_') || exponent || exponent_sign)
        })
        .map_or(trimmed.len(), |(i, _)| i);
    let number: f64 = trimmed[..end].replace('_', "").parse().ok()?;
    number.is_finite().then_some((number, trimmed[end..].trim()))
}

/// Defines a newtype over `f64` that reads from text through `$parse` and prints through `$show`.
macro_rules! quantity {
    ($(#[$doc:meta])* $name:ident, $parse:expr, $show:expr, $expected:literal, [$($example:literal),*]) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, PartialOrd, Default, Debug)]
        pub struct $name(f64);

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Visitor;
                impl de::Visitor<'_> for Visitor {
                    type Value = $name;
                    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                        f.write_str($expected)
                    }
                    fn visit_str<E: de::Error>(self, text: &str) -> Result<$name, E> {
                        let parse: fn(&str) -> Result<$name, String> = $parse;
                        parse(text).map_err(E::custom)
                    }
                    fn visit_i64<E: de::Error>(self, number: i64) -> Result<$name, E> {
                        Err(E::custom(format!("expected {}, found {number}: add the unit", $expected)))
                    }
                    fn visit_f64<E: de::Error>(self, number: f64) -> Result<$name, E> {
                        Err(E::custom(format!("expected {}, found {number}: add the unit", $expected)))
                    }
                }
                deserializer.deserialize_any(Visitor)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let show: fn(f64, &mut fmt::Formatter<'_>) -> fmt::Result = $show;
                show(self.0, f)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }
            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({ "type": "string", "description": $expected, "examples": [$($example),*] })
            }
        }
    };
}

quantity!(
    /// Events per second.
    Rate,
    parse_rate,
    |per_sec, f| write!(f, "{per_sec}/s"),
    "a rate such as \"12500/s\", \"200/min\" or \"3/h\"",
    ["12500/s", "200/min"]
);
quantity!(
    /// A count of bytes. Decimal units are powers of 1000 (as clouds bill), binary ones of 1024.
    Bytes,
    parse_bytes,
    |bytes, f| {
        let units = [(1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB")];
        match units.iter().find(|(size, _)| bytes >= *size) {
            Some((size, name)) => write!(f, "{}{name}", bytes / size),
            None => write!(f, "{bytes}B"),
        }
    },
    "a size such as \"4KiB\", \"512MiB\" or \"100GB\"",
    ["4KiB", "100GB"]
);
quantity!(
    /// US dollars.
    Money,
    parse_money,
    |usd, f| write!(f, "{usd} USD"),
    "an amount such as \"18.50 USD\"",
    ["18.50 USD"]
);

impl Rate {
    /// A rate per second.
    pub const fn per_sec(per_sec: f64) -> Self {
        Self(per_sec)
    }
    /// Events per second.
    pub const fn get(self) -> f64 {
        self.0
    }
}

impl Bytes {
    /// A count of bytes.
    pub const fn new(bytes: f64) -> Self {
        Self(bytes)
    }
    /// Bytes.
    pub const fn get(self) -> f64 {
        self.0
    }
    /// Decimal gigabytes, the unit that transfer is billed in.
    pub fn gigabytes(self) -> f64 {
        self.0 / 1e9
    }
}

impl Money {
    /// An amount in US dollars.
    pub const fn usd(usd: f64) -> Self {
        Self(usd)
    }
    /// US dollars.
    pub const fn get(self) -> f64 {
        self.0
    }
}

fn parse_rate(text: &str) -> Result<Rate, String> {
    let bad = || format!("expected a rate such as \"12500/s\" or \"200/min\", found \"{}\"", shorten(text));
    let (number, unit) = split_number(text).ok_or_else(bad)?;
    let (scale, per) = match unit.strip_prefix('k') {
        Some(rest) => (1e3, rest),
        None => (1.0, unit),
    };
    let seconds = match per.trim_start_matches('/').trim() {
        "s" if per.starts_with('/') => 1.0,
        "min" | "m" if per.starts_with('/') => 60.0,
        "h" if per.starts_with('/') => 3600.0,
        "d" | "day" if per.starts_with('/') => 86_400.0,
        "month" if per.starts_with('/') => 730.0 * 3600.0,
        "y" | "year" if per.starts_with('/') => 8760.0 * 3600.0,
        _ => return Err(bad()),
    };
    Ok(Rate(number * scale / seconds))
}

fn parse_bytes(text: &str) -> Result<Bytes, String> {
    let bad = || format!("expected a size such as \"4KiB\" or \"100GB\", found \"{}\"", shorten(text));
    let (number, unit) = split_number(text).ok_or_else(bad)?;
    let scale = match unit {
        "B" => 1.0,
        "kB" | "KB" => 1e3,
        "MB" => 1e6,
        "GB" => 1e9,
        "TB" => 1e12,
        "PB" => 1e15,
        "KiB" | "Ki" => 1024.0,
        "MiB" | "Mi" => 1024.0 * 1024.0,
        "GiB" | "Gi" => 1024.0 * 1024.0 * 1024.0,
        "TiB" | "Ti" => 1024.0 * 1024.0 * 1024.0 * 1024.0,
        _ => return Err(bad()),
    };
    Ok(Bytes(number * scale))
}

fn parse_money(text: &str) -> Result<Money, String> {
    let bad = || format!("expected an amount such as \"18.50 USD\", found \"{}\"", shorten(text));
    let trimmed = text.trim();
    let (number, unit) = split_number(trimmed.strip_prefix('$').unwrap_or(trimmed)).ok_or_else(bad)?;
    match (unit, trimmed.starts_with('$')) {
        ("USD", false) | ("", true) => Ok(Money(number)),
        ("EUR" | "GBP" | "JPY" | "CHF", _) => {
            Err(format!("amounts are in US dollars: write \"{number} USD\" after converting"))
        }
        _ => Err(bad()),
    }
}

/// A share between 0 and 1, both included.
#[derive(Clone, Copy, PartialEq, PartialOrd, Default, Debug, Serialize)]
pub struct Probability(f64);

impl Probability {
    /// Surely not.
    pub const ZERO: Self = Self(0.0);
    /// Surely.
    pub const ONE: Self = Self(1.0);

    /// A probability, if it is one.
    pub fn new(share: f64) -> Option<Self> {
        (0.0..=1.0).contains(&share).then_some(Self(share))
    }

    /// The share, from 0 to 1.
    pub const fn get(self) -> f64 {
        self.0
    }
}

impl<'de> Deserialize<'de> for Probability {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl de::Visitor<'_> for Visitor {
            type Value = Probability;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number from 0 to 1")
            }
            fn visit_f64<E: de::Error>(self, share: f64) -> Result<Probability, E> {
                Probability::new(share).ok_or_else(|| {
                    let remedy = if share > 1.0 && share <= 100.0 {
                        format!(" (for {share} % write {})", share / 100.0)
                    } else {
                        String::new()
                    };
                    E::custom(format!("expected a share from 0 to 1, found {share}{remedy}"))
                })
            }
            fn visit_i64<E: de::Error>(self, share: i64) -> Result<Probability, E> {
                self.visit_f64(share as f64)
            }
            fn visit_u64<E: de::Error>(self, share: u64) -> Result<Probability, E> {
                self.visit_f64(share as f64)
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

impl JsonSchema for Probability {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Share".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "number", "minimum": 0, "maximum": 1, "description": "A share from 0 to 1." })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_as_people_write_them() {
        assert_eq!(parse_rate("12500/s").unwrap().get(), 12_500.0);
        assert_eq!(parse_rate("12.5k/s").unwrap().get(), 12_500.0);
        assert_eq!(parse_rate("60 /min").unwrap().get(), 1.0);
        assert_eq!(parse_rate("1e-3/s").unwrap().get(), 1e-3);
        assert_eq!(parse_bytes("4KiB").unwrap().get(), 4096.0);
        assert_eq!(parse_bytes("12 TB").unwrap().get(), 12e12);
        assert_eq!(parse_money("18.50 USD").unwrap().get(), 18.5);
        assert_eq!(parse_money("$3").unwrap().get(), 3.0);
    }

    #[test]
    fn what_lacks_its_unit_is_refused() {
        assert!(parse_rate("12500").unwrap_err().contains("expected a rate"));
        assert!(parse_rate("-3/s").unwrap_err().contains("expected a rate"));
        assert!(parse_bytes("4").unwrap_err().contains("expected a size"));
        assert!(parse_money("18 EUR").unwrap_err().contains("US dollars"));
        assert!(Probability::new(1.2).is_none());
        assert!(Probability::new(f64::NAN).is_none());
    }

    #[test]
    fn printing_and_reading_back_agree() {
        for bytes in [0.0, 17.0, 4096.0, 1.5e9, 12e12] {
            assert_eq!(parse_bytes(&Bytes::new(bytes).to_string()).unwrap().get(), bytes);
        }
        assert_eq!(parse_rate(&Rate::per_sec(1.0 / 3.0).to_string()).unwrap().get(), 1.0 / 3.0);
    }
}
