//! A scenario as a list of settings, one per value, each by the path that `--set` takes.
//!
//! Baselines keep it, so that what changed since can be named.

use super::origin::inline;
use super::path::Path;
use serde::Serialize;
use toml::Value as Toml;

/// Every value of the scenario in the order of the format, as TOML; a list without tables is one value.
///
/// # Errors
/// When the scenario can't be said in TOML, which only a bug can cause.
pub fn settings<T: Serialize>(scenario: &T) -> Result<Vec<(Path, String)>, toml::ser::Error> {
    let mut out = Vec::new();
    add(&Toml::try_from(scenario)?, &Path::default(), &mut out);
    Ok(out)
}

fn add(value: &Toml, path: &Path, out: &mut Vec<(Path, String)>) {
    match value {
        Toml::Table(table) if !table.is_empty() => {
            for (name, value) in table {
                add(value, &path.join(name), out);
            }
        }
        Toml::Array(list) if list.iter().any(Toml::is_table) => {
            for (index, element) in list.iter().enumerate() {
                let name = element.get("name").and_then(Toml::as_str);
                add(element, &path.join(name.map_or_else(|| index.to_string(), str::to_owned)), out);
            }
        }
        _ => out.push((path.clone(), inline(value))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_has_the_path_that_set_takes() {
        let scenario: Toml = toml::from_str(
            "a = 1\n[[service]]\nname = \"my web\"\ntime = { exponential = { mean = \"5ms\" } }\npath = [\"x\", \"y\"]\n\
             [[expect]]\nmetric = \"availability\"\n",
        )
        .unwrap();
        let all: Vec<_> =
            settings(&scenario).unwrap().iter().map(|(path, value)| format!("{path} = {value}")).collect();
        assert_eq!(
            all,
            [
                "a = 1",
                "service.\"my web\".name = \"my web\"",
                "service.\"my web\".time.exponential.mean = \"5ms\"",
                "service.\"my web\".path = [\"x\", \"y\"]",
                "expect.0.metric = \"availability\"",
            ]
        );
    }
}
