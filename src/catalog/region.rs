//! Regions of the providers, and the places where populations live.
//!
//! A region's site is the source's: often a city centre, sometimes (Malaysia, Thailand, France Central) the
//! middle of a country. A place is a region or a city; cities come from a short list compiled by hand, and
//! then from the regions' own city and name columns.

use super::cited::Cited;
use super::sources::{CITIES, DataFile};
use crate::base::maths;
use serde::{Deserialize, Serialize};

/// A provider's region.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Region {
    /// `aws`, `azure` or `gcp`.
    pub provider: &'static str,
    /// The provider's code, e.g. `us-east-1`. Unique over the three providers.
    pub code: String,
    /// The provider's name, e.g. `US East (N. Virginia)`.
    pub name: String,
    /// The nearest city, or the state or country, as the source has it; may be empty.
    pub city: String,
    /// ISO 3166-1 alpha-2.
    pub country: String,
    /// Latitude, degrees north.
    pub lat: f64,
    /// Longitude, degrees east.
    pub lon: f64,
    /// One of EU, EFTA, UK, US, CA, LATAM, CN, APAC, MEA.
    pub jurisdiction: String,
    /// Availability zones; `None` where the source lists none.
    pub zones: Option<u32>,
    /// The year in which it opened.
    pub opened_year: Option<u16>,
    /// The code of the region that the provider pairs it with (Azure).
    pub paired_region: Option<String>,
    /// Where the row came from.
    pub source: Cited<()>,
    /// Position in the catalogue.
    #[serde(skip)]
    pub(super) index: usize,
}

/// Where something is: a region or a city.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Place {
    /// The name in full.
    pub name: String,
    /// Latitude, degrees north.
    pub lat: f64,
    /// Longitude, degrees east.
    pub lon: f64,
    /// One of EU, EFTA, UK, US, CA, LATAM, CN, APAC, MEA.
    pub jurisdiction: Option<String>,
    /// Minutes east of Greenwich in standard time. Known for listed cities, and for regions in one of them;
    /// the region tables themselves have no time zones.
    pub utc_offset_minutes: Option<i32>,
    /// The region's code, if the place is a region itself.
    pub region: Option<String>,
    /// Where it came from.
    pub source: Cited<()>,
}

impl Place {
    /// (latitude, longitude) in degrees.
    pub const fn at(&self) -> (f64, f64) {
        (self.lat, self.lon)
    }
}

impl Region {
    /// (latitude, longitude) in degrees.
    pub const fn at(&self) -> (f64, f64) {
        (self.lat, self.lon)
    }

    /// Great-circle distance to another region, km.
    pub fn distance_km(&self, other: &Self) -> f64 {
        maths::great_circle_km(self.at(), other.at())
    }
}

#[derive(Deserialize)]
struct Row {
    provider: String,
    region: String,
    name: String,
    city: String,
    country: String,
    lat: f64,
    lon: f64,
    jurisdiction: String,
    zones: u32,
    opened_year: Option<u16>,
    paired_region: Option<String>,
}

/// Regions whose coordinates in the source are far from the city in the source, with what they are.
pub(super) const SITE_NOTES: [(&str, &str); 5] = [
    ("spaincentral", "the longitude lacks its minus sign: 600 km east of Madrid"),
    ("germanynorth", "the coordinates are those of Bremen, 320 km from Berlin"),
    ("francecentral", "the coordinates are the middle of France, 280 km from Paris"),
    ("francesouth", "the coordinates are 260 km from Marseille"),
    ("asia-southeast3", "the coordinates are the middle of Thailand, 240 km from Bangkok"),
];

/// Appends the regions of a provider's file.
pub(super) fn load(provider: &'static str, file: &DataFile, regions: &mut Vec<Region>) {
    for row in file.rows::<Row>() {
        assert_eq!(row.provider, provider, "data/{}", file.path);
        let note = SITE_NOTES.iter().find(|(code, _)| *code == row.region).map_or("", |(_, note)| note);
        regions.push(Region {
            provider,
            code: row.region,
            name: row.name,
            city: row.city,
            country: row.country,
            lat: row.lat,
            lon: row.lon,
            jurisdiction: row.jurisdiction,
            zones: (row.zones > 0).then_some(row.zones),
            opened_year: row.opened_year,
            paired_region: row.paired_region,
            source: file.cite(()).noted(note),
            index: regions.len(),
        });
    }
}

/// A city where users may live.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct City {
    /// English name.
    pub name: String,
    /// ISO 3166-1 alpha-2.
    pub country: String,
    /// Latitude, degrees north.
    pub lat: f64,
    /// Longitude, degrees east.
    pub lon: f64,
    /// Minutes east of Greenwich, standard time.
    pub utc_offset_minutes: i32,
    /// One of EU, EFTA, UK, US, CA, LATAM, CN, APAC, MEA.
    pub jurisdiction: String,
}

/// The cities of the hand-compiled list.
pub(super) fn load_cities() -> Vec<City> {
    CITIES.rows()
}

/// Lower case without the accents that city names carry, so that "Sao Paulo" finds "São Paulo".
fn folded(name: &str) -> String {
    let plain = |c| match c {
        'á' | 'ã' | 'ä' | 'å' => 'a',
        'é' | 'è' => 'e',
        'í' => 'i',
        'ó' | 'õ' | 'ö' => 'o',
        'ú' | 'ü' => 'u',
        other => other,
    };
    name.trim().chars().flat_map(char::to_lowercase).map(plain).collect()
}

/// A listed city by its name.
pub(super) fn city_named<'a>(cities: &'a [City], name: &str) -> Option<&'a City> {
    let wanted = folded(name);
    cities.iter().find(|city| folded(&city.name) == wanted)
}

/// The first region whose city or name is `name`.
pub(super) fn region_named<'a>(regions: &'a [Region], name: &str) -> Option<&'a Region> {
    let wanted = folded(name);
    if wanted.is_empty() {
        return None;
    }
    let by = |field: fn(&Region) -> &str| regions.iter().find(|region| folded(field(region)) == wanted);
    by(|region| &region.city).or_else(|| by(|region| &region.name))
}

impl City {
    /// The city as a place.
    pub(super) fn place(&self) -> Place {
        Place {
            name: format!("{}, {}", self.name, self.country),
            lat: self.lat,
            lon: self.lon,
            jurisdiction: Some(self.jurisdiction.clone()),
            utc_offset_minutes: Some(self.utc_offset_minutes),
            region: None,
            source: CITIES.cite(()),
        }
    }
}

impl Region {
    /// The region as a place. Its time is that of the listed city it lies in, if there is one.
    pub(super) fn place(&self, cities: &[City]) -> Place {
        let city = city_named(cities, &self.city).filter(|city| city.country == self.country);
        let source = self.source.clone();
        Place {
            name: self.name.clone(),
            lat: self.lat,
            lon: self.lon,
            jurisdiction: Some(self.jurisdiction.clone()),
            utc_offset_minutes: city.map(|city| city.utc_offset_minutes),
            region: Some(self.code.clone()),
            source: match city {
                Some(city) => source.noted(&format!("UTC offset of {} in data/{}", city.name, CITIES.path)),
                None => source,
            },
        }
    }
}
