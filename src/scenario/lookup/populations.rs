//! Populations: their place, clock and weekly profile; and the hour of the week at which the horizon begins.

use super::{Citations, regions};
use crate::base::Span;
use crate::catalog::{Catalog, HOURS_PER_WEEK, Place};
use crate::diag::Diagnostic;
use crate::scenario::checks::Found;
use crate::scenario::resolve::Files;
use crate::scenario::resolved::ResolvedPopulation;
use crate::scenario::spec::ScenarioSpec;
use crate::traffic::spec::{Arrivals, PopulationSpec, Profile, UtcOffset};

pub(super) fn resolve(
    spec: &ScenarioSpec,
    files: &dyn Files,
    citations: &mut Citations,
    found: &mut Found<'_>,
) -> Vec<Option<ResolvedPopulation>> {
    spec.population.iter().map(|population| one(population, files, citations, found)).collect()
}

fn one(
    population: &PopulationSpec,
    files: &dyn Files,
    citations: &mut Citations,
    found: &mut Found<'_>,
) -> Option<ResolvedPopulation> {
    let name = &*population.name;
    let before = found.errors();
    let written = regions::place(population.lat, population.lon, ["population", name], found);
    let place = named_place(population, found);
    if let Some(place) = &place {
        citations.cite(&["population", name, "at"], &place.source);
    }
    let profile = profile(population, files, citations, found);
    let replay = replay(population, files, citations, found);
    let offset = offset(population, place.as_ref(), profile.is_some(), citations, found);
    let at = written.or(place.as_ref().map(Place::at));
    (found.errors() == before).then(|| ResolvedPopulation {
        lat: at.map(|at| at.0),
        lon: at.map(|at| at.1),
        jurisdiction: place.and_then(|place| place.jurisdiction),
        utc_offset_minutes: offset,
        profile,
        replay,
    })
}

/// Recorded arrivals, in order of time.
fn replay(
    population: &PopulationSpec,
    files: &dyn Files,
    citations: &mut Citations,
    found: &mut Found<'_>,
) -> Option<Vec<(f64, u32)>> {
    #[derive(serde::Deserialize)]
    struct Row {
        at_s: f64,
        #[serde(default)]
        count: Option<u32>,
    }
    let Arrivals::Replay(file) = &population.arrivals else { return None };
    let path = ["population", &population.name, "arrivals", "replay"];
    citations.add(&path, format!("{file}, as recorded"));
    let parse = |text: String| {
        let mut rows = Vec::new();
        let mut last = 0.0;
        for (line, row) in csv::Reader::from_reader(text.as_bytes()).into_deserialize::<Row>().enumerate() {
            let Row { at_s, count } = row.map_err(|error| error.to_string())?;
            if !(at_s.is_finite() && at_s >= last) {
                return Err(format!("line {}: at_s is {at_s} after {last}; times rise from 0", line + 2));
            }
            last = at_s;
            rows.push((at_s, count.unwrap_or(1)));
        }
        Ok(rows)
    };
    let read = files.read(file).map_err(|why| format!("the arrivals `{file}` can't be read: {why}"));
    match read.and_then(|text| parse(text).map_err(|why| format!("`{file}` is no record of arrivals: {why}"))) {
        Ok(rows) => Some(rows),
        Err(why) => {
            let help = "a CSV file with the column `at_s`, and perhaps `count`";
            found.push(&path, Diagnostic::error(why).help(help));
            None
        }
    }
}

/// The place that `at` names.
fn named_place(population: &PopulationSpec, found: &mut Found<'_>) -> Option<Place> {
    let catalog = Catalog::get();
    let name = population.at.as_deref()?;
    let path = ["population", &population.name, "at"];
    if population.lat.is_some() || population.lon.is_some() {
        found.push(&path, Diagnostic::error("both `at` and coordinates").help("keep `at`, or `lat` and `lon`"));
    }
    let place = catalog.place(name);
    if place.is_none() {
        let cities = catalog.cities().iter().map(|city| &*city.name);
        let diagnostic = Diagnostic::error(format!("unknown place `{name}`"))
            .suggest(name, cities.chain(catalog.codes()))
            .help("name a city or a region of the catalogue, or give `lat` and `lon`");
        found.push(&path, diagnostic);
    }
    place
}

/// Minutes east of UTC; 0 where no clock matters.
fn offset(
    population: &PopulationSpec,
    place: Option<&Place>,
    varies: bool,
    citations: &mut Citations,
    found: &mut Found<'_>,
) -> i32 {
    let path = ["population", &population.name, "utc-offset"];
    let of_place = place.and_then(|place| place.utc_offset_minutes);
    match (population.utc_offset.map(UtcOffset::minutes), of_place) {
        (Some(minutes), _) => minutes,
        (None, Some(minutes)) => {
            if let Some(place) = place {
                citations.cite(&path, &place.source);
            }
            minutes
        }
        (None, None) if !varies => 0,
        (None, None) => {
            // Of a place that isn't known, that was said already.
            if population.at.is_none() || place.is_some() {
                let diagnostic = Diagnostic::error(format!(
                    "the offset of `{}` from UTC isn't known, and its profile varies by local time",
                    population.name
                ));
                found.push(&path, diagnostic.help("add utc-offset = \"+01:00\", or whichever it is"));
            }
            0
        }
    }
}

/// The weekly profile with mean 1; `None` where the rate is the same always.
fn profile(
    population: &PopulationSpec,
    files: &dyn Files,
    citations: &mut Citations,
    found: &mut Found<'_>,
) -> Option<Vec<f64>> {
    let path = ["population", &population.name, "profile"];
    let built_in = |name: &str, citations: &mut Citations| {
        let profile = Catalog::get().profile(name)?;
        citations.cite(&path, &profile.hourly);
        Some(profile.hourly.value.to_vec())
    };
    let hourly = match &population.profile {
        Profile::Flat => return None,
        Profile::Web => return built_in("web", citations),
        Profile::Business => return built_in("business", citations),
        Profile::Hourly(hourly) => Ok(hourly.clone()),
        Profile::Csv(file) => {
            citations.add(&path, format!("{file}, divided by its mean"));
            files
                .read(file)
                .map_err(|why| format!("the profile `{file}` can't be read: {why}"))
                .and_then(|text| parse(&text).map_err(|why| format!("`{file}` is no weekly profile: {why}")))
        }
    };
    match hourly.and_then(normalised) {
        Ok(hourly) => hourly.iter().any(|load| *load != 1.0).then_some(hourly),
        Err(why) => {
            let help = "a profile is 168 loads, one per hour from Monday 00:00 local time; in a CSV file, the columns \
                        `hour_of_week` (0 to 167) and `load`";
            found.push(&path, Diagnostic::error(why).help(help));
            None
        }
    }
}

fn normalised(mut hourly: Vec<f64>) -> Result<Vec<f64>, String> {
    if hourly.len() != HOURS_PER_WEEK {
        return Err(format!("expected {HOURS_PER_WEEK} loads, found {}", hourly.len()));
    }
    if let Some(hour) = hourly.iter().position(|load| !(load.is_finite() && *load >= 0.0)) {
        return Err(format!("the load of hour {hour} is {}; expected at least 0", hourly[hour]));
    }
    let mean = hourly.iter().sum::<f64>() / HOURS_PER_WEEK as f64;
    if !(mean.is_finite() && mean > 0.0) {
        return Err("the loads add up to nothing".to_owned());
    }
    for load in &mut hourly {
        *load /= mean;
    }
    Ok(hourly)
}

fn parse(text: &str) -> Result<Vec<f64>, String> {
    #[derive(serde::Deserialize)]
    struct Row {
        hour_of_week: usize,
        load: f64,
    }
    let mut hourly = vec![None; HOURS_PER_WEEK];
    for row in csv::Reader::from_reader(text.as_bytes()).into_deserialize::<Row>() {
        let row = row.map_err(|error| error.to_string())?;
        let Some(hour) = hourly.get_mut(row.hour_of_week) else {
            return Err(format!("hour_of_week is {}; expected 0 to 167", row.hour_of_week));
        };
        if hour.replace(row.load).is_some() {
            return Err(format!("hour {} is there twice", row.hour_of_week));
        }
    }
    let missing = hourly.iter().position(Option::is_none);
    hourly
        .into_iter()
        .collect::<Option<_>>()
        .ok_or_else(|| format!("hour {} is missing", missing.unwrap_or(HOURS_PER_WEEK)))
}

/// Time from Monday 00:00 UTC to the start of the horizon.
pub(super) fn start_in_week(text: &str, found: &mut Found<'_>) -> Option<Span> {
    let Ok(start) = text.parse::<jiff::Timestamp>() else {
        let help = "write a time in UTC, such as \"2026-01-05T00:00:00Z\" (a Monday)";
        let message = format!("`{}` is no point in time", text.chars().take(40).collect::<String>());
        found.push(&["simulation", "start"], Diagnostic::error(message).help(help));
        return None;
    };
    let start = start.to_zoned(jiff::tz::TimeZone::UTC);
    let days = u64::from(start.weekday().to_monday_zero_offset().unsigned_abs());
    let within = [(start.hour(), 3600), (start.minute(), 60), (start.second(), 1)];
    let seconds: u64 = within.iter().map(|(count, unit)| u64::from(count.unsigned_abs()) * unit).sum();
    let nanos = u64::from(start.subsec_nanosecond().unsigned_abs());
    Some(Span::from_whole_secs(days * 86_400 + seconds) + Span::from_nanos(nanos))
}
