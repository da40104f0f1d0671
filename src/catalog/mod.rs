//! Provider data, compiled into the binary: regions and cities, round trips, prices, carbon, control-loop
//! defaults, failure rates and traffic profiles, each figure with its source and date.
//!
//! One loader reads every provider from the table below: a provider is its region file, its matrices and its
//! price files. Rows of codes that are no region of the table (government clouds, local zones) are passed over.

mod carbon;
mod cited;
mod describe;
mod figure;
mod latency;
mod price;
mod profile;
mod region;
mod sources;

pub use carbon::{Carbon, Watts};
pub use cited::{Cited, Kind};
pub use describe::{Entry, Section};
pub use figure::Figure;
pub use latency::{FLOOR_MS, ROUTE_FACTOR, fallback_rtt_ms};
pub use price::{Compute, ServicePrice, Tier, Transfer};
pub use profile::{HOURS_PER_WEEK, PROFILES, Profile};
pub use region::{City, Place, Region};
pub use sources::{DataFile, FILES};

use latency::{Matrix, MatrixFile};
use std::collections::BTreeMap;
use std::sync::OnceLock;

/// A provider, and the files that make it.
#[derive(Debug)]
pub struct Provider {
    /// `aws`, `azure` or `gcp`.
    pub name: &'static str,
    /// The name in full.
    pub title: &'static str,
    /// The region whose prices stand in where a region has none.
    pub home: &'static str,
    regions: &'static DataFile,
    /// In the order of preference.
    matrices: &'static [MatrixFile],
    compute: &'static DataFile,
}

static PROVIDERS: [Provider; 3] = [
    Provider {
        name: "aws",
        title: "Amazon Web Services",
        home: "us-east-1",
        regions: &sources::REGIONS_AWS,
        matrices: &[(&sources::RTT_AWS_2025, 2, "P50"), (&sources::RTT_AWS_2020, 3, "ping average")],
        compute: &sources::COMPUTE_AWS,
    },
    Provider {
        name: "azure",
        title: "Microsoft Azure",
        home: "eastus",
        regions: &sources::REGIONS_AZURE,
        matrices: &[(&sources::RTT_AZURE_2025, 2, "P50")],
        compute: &sources::COMPUTE_AZURE,
    },
    Provider {
        name: "gcp",
        title: "Google Cloud",
        home: "us-central1",
        regions: &sources::REGIONS_GCP,
        matrices: &[(&sources::RTT_GCP_2020, 3, "ping average")],
        compute: &sources::COMPUTE_GCP,
    },
];

/// Everything known of the providers.
#[derive(Debug)]
pub struct Catalog {
    regions: Vec<Region>,
    index: BTreeMap<String, usize>,
    cities: Vec<City>,
    matrices: Vec<Matrix>,
    prices: price::Prices,
    energy: carbon::Energy,
    figures: BTreeMap<String, Figure>,
    profiles: Vec<Profile>,
}

impl Catalog {
    /// The catalogue, read from the embedded files once.
    pub fn get() -> &'static Self {
        static CATALOG: OnceLock<Catalog> = OnceLock::new();
        CATALOG.get_or_init(Self::load)
    }

    fn load() -> Self {
        let mut regions = Vec::new();
        for provider in &PROVIDERS {
            region::load(provider.name, provider.regions, &mut regions);
        }
        let index: BTreeMap<_, _> = regions.iter().map(|region| (region.code.clone(), region.index)).collect();
        assert_eq!(index.len(), regions.len(), "a region code is used by two providers");
        let files = PROVIDERS.iter().flat_map(|provider| provider.matrices);
        Self {
            matrices: files.map(|file| Matrix::load(*file, &index)).collect(),
            prices: price::Prices::load(&regions, &index),
            energy: carbon::Energy::load(&index),
            cities: region::load_cities(),
            figures: figure::load(),
            profiles: profile::load(),
            regions,
            index,
        }
    }

    /// The providers.
    pub fn providers(&self) -> &'static [Provider] {
        &PROVIDERS
    }

    /// A provider by its name.
    pub fn provider(&self, name: &str) -> Option<&'static Provider> {
        PROVIDERS.iter().find(|provider| provider.name == name)
    }

    /// The regions of a provider, in the order of their codes; none if there is no such provider.
    pub fn regions<'a>(&'a self, provider: &'a str) -> impl Iterator<Item = &'a Region> {
        self.regions.iter().filter(move |region| region.provider == provider)
    }

    /// The regions of every provider.
    pub fn all_regions(&self) -> &[Region] {
        &self.regions
    }

    /// Every region code, sorted.
    pub fn codes(&self) -> impl Iterator<Item = &str> {
        self.index.keys().map(String::as_str)
    }

    /// A region by its code, alone (`us-east-1`) or with its provider (`aws:us-east-1`).
    pub fn region(&self, code: &str) -> Option<&Region> {
        let (provider, code) = match code.split_once(':') {
            Some((provider, code)) => (Some(provider), code),
            None => (None, code),
        };
        let region = &self.regions[*self.index.get(code)?];
        provider.is_none_or(|provider| provider == region.provider).then_some(region)
    }

    /// The listed cities.
    pub fn cities(&self) -> &[City] {
        &self.cities
    }

    /// A place by a region's code, a listed city, or a region's city or name, in this order.
    ///
    /// Case and accents do not matter for names.
    pub fn place(&self, name: &str) -> Option<Place> {
        if let Some(region) = self.region(name) {
            return Some(region.place(&self.cities));
        }
        if let Some(city) = region::city_named(&self.cities, name) {
            return Some(city.place());
        }
        Some(region::region_named(&self.regions, name)?.place(&self.cities))
    }

    /// The measured round trip between two regions, ms: the mean of both directions where both were measured.
    ///
    /// `None` for a region with itself, between providers, and where nobody measured.
    pub fn rtt(&self, a: &Region, b: &Region) -> Option<Cited<f64>> {
        self.matrices.iter().find_map(|matrix| matrix.rtt(a, b))
    }

    /// The measured round trip between two regions, or else the one computed from the distance, ms.
    pub fn rtt_or_distance(&self, a: &Region, b: &Region) -> Cited<f64> {
        self.rtt(a, b).unwrap_or_else(|| latency::fallback_rtt(a.at(), b.at()))
    }

    /// The round trip between two places, ms: measured if both are regions and somebody measured, else computed.
    pub fn rtt_between(&self, a: &Place, b: &Place) -> Cited<f64> {
        let region = |place: &Place| place.region.as_deref().and_then(|code| self.region(code));
        region(a)
            .zip(region(b))
            .and_then(|(a, b)| self.rtt(a, b))
            .unwrap_or_else(|| latency::fallback_rtt(a.at(), b.at()))
    }

    /// A weekly profile by its name: `flat`, `web` or `business`.
    pub fn profile(&self, name: &str) -> Option<&Profile> {
        self.profiles.iter().find(|profile| profile.name == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_regions_of_each_provider() {
        let count = |provider| Catalog::get().regions(provider).count();
        assert_eq!((count("aws"), count("azure"), count("gcp"), count("ibm")), (34, 58, 43, 0));
        assert_eq!(Catalog::get().codes().count(), 34 + 58 + 43);
        for provider in Catalog::get().providers() {
            assert_eq!(Catalog::get().region(provider.home).unwrap().provider, provider.name);
        }
    }

    #[test]
    fn a_region_is_found_with_and_without_its_provider() {
        let catalog = Catalog::get();
        let virginia = catalog.region("us-east-1").unwrap();
        assert_eq!((virginia.provider, virginia.zones, virginia.opened_year), ("aws", Some(6), Some(2006)));
        assert_eq!(catalog.region("aws:us-east-1"), Some(virginia));
        assert_eq!(catalog.region("gcp:us-east-1"), None);
        assert_eq!(catalog.region("nowhere-1"), None);
        let canberra = catalog.region("australiacentral").unwrap();
        assert_eq!((canberra.zones, canberra.paired_region.as_deref()), (None, Some("australiacentral2")));
    }

    #[test]
    fn jurisdictions() {
        let catalog = Catalog::get();
        let of = |code| catalog.region(code).unwrap().jurisdiction.as_str();
        assert_eq!((of("eu-west-2"), of("eu-central-2"), of("eu-west-1")), ("UK", "EFTA", "EU"));
        let known = ["EU", "EFTA", "UK", "US", "CA", "LATAM", "CN", "APAC", "MEA"];
        assert!(catalog.all_regions().iter().all(|region| known.contains(&&*region.jurisdiction)));
        assert!(catalog.cities().iter().all(|city| known.contains(&&*city.jurisdiction)));
    }

    #[test]
    fn paired_regions_exist() {
        let catalog = Catalog::get();
        for region in catalog.all_regions() {
            if let Some(pair) = &region.paired_region {
                // Sweden South is closed to new customers and not in the table.
                assert!(catalog.region(pair).is_some() || pair == "swedensouth", "{} {pair}", region.code);
            }
        }
    }

    #[test]
    fn places_by_city_region_and_name() {
        let catalog = Catalog::get();
        let frankfurt = catalog.place("frankfurt").unwrap();
        assert_eq!((frankfurt.jurisdiction.as_deref(), frankfurt.utc_offset_minutes), (Some("EU"), Some(60)));
        assert_eq!(catalog.place("Sao Paulo"), catalog.place("São Paulo"));
        assert_eq!(catalog.place("Sao Paulo").unwrap().utc_offset_minutes, Some(-180));
        let dublin = catalog.place("eu-west-1").unwrap();
        assert_eq!((dublin.region.as_deref(), dublin.utc_offset_minutes), (Some("eu-west-1"), Some(0)));
        assert_eq!(catalog.place("us-east-1").unwrap().utc_offset_minutes, None, "no listed city of that name");
        assert_eq!(catalog.place("westus2").unwrap().utc_offset_minutes, None, "the state, not the capital");
        assert_eq!(catalog.place("Hamina").unwrap().region.as_deref(), Some("europe-north1"));
        assert_eq!(catalog.place("west europe").unwrap().region.as_deref(), Some("westeurope"));
        assert_eq!(catalog.place("Atlantis"), None);
        assert_eq!(catalog.place(""), None);
    }

    /// A slip in a hand-typed coordinate puts a city far from the region that a provider has there.
    #[test]
    fn listed_cities_agree_with_the_regions_in_them() {
        let catalog = Catalog::get();
        let mut compared = 0;
        for region in catalog.all_regions() {
            let city = region::city_named(catalog.cities(), &region.city).filter(|city| city.country == region.country);
            let Some(city) = city else { continue };
            let km = crate::base::maths::great_circle_km((city.lat, city.lon), region.at());
            let noted = region::SITE_NOTES.iter().any(|(code, _)| *code == region.code);
            assert_eq!(km > 80.0, noted, "{} {} {km}", region.code, city.name);
            compared += 1;
        }
        assert!(compared > 50, "{compared}");
    }

    #[test]
    fn cities_are_unique_and_on_the_globe() {
        let cities = Catalog::get().cities();
        for (i, city) in cities.iter().enumerate() {
            assert!(city.lat.abs() < 90.0 && city.lon.abs() <= 180.0, "{}", city.name);
            // Civil time strays at most 3 h from the sun's.
            assert!((f64::from(city.utc_offset_minutes) - city.lon * 4.0).abs() < 180.0, "{}", city.name);
            assert!(cities[..i].iter().all(|other| other.name != city.name), "{}", city.name);
        }
    }

    #[test]
    fn the_round_trip_between_places() {
        let catalog = Catalog::get();
        let place = |name| catalog.place(name).unwrap();
        let measured = catalog.rtt_between(&place("us-east-1"), &place("eu-west-1"));
        assert_eq!((measured.kind, (measured.value * 1e3).round()), (Kind::Measured, 69_601.0));
        let computed = catalog.rtt_between(&place("Frankfurt"), &place("eu-west-1"));
        assert_eq!(computed.kind, Kind::Derived);
        assert_eq!(computed.value, fallback_rtt_ms(place("Frankfurt").at(), place("eu-west-1").at()));
    }
}
