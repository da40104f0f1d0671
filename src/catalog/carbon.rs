//! Carbon intensity of the regions' grids, and the power of a virtual CPU.
//!
//! Location-based intensity. A region without a figure takes that of the nearest region in the same country
//! (of any provider), marked as assumed; a country without one has none.

use super::Catalog;
use super::cited::Cited;
use super::region::Region;
use super::sources::{CARBON, ENERGY, VCPU_WATTS, origin_of};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The grid of a region.
#[derive(Clone, Copy, PartialEq, Debug, Serialize)]
pub struct Carbon {
    /// Grams of CO2 equivalent per kWh.
    pub grams_per_kwh: f64,
    /// Share of the provider's energy that is free of carbon, 0 to 1 (GCP only).
    pub carbon_free_share: Option<f64>,
}

/// What a virtual CPU draws.
#[derive(Clone, Copy, PartialEq, Debug, Serialize)]
pub struct Watts {
    /// W per vCPU, idle.
    pub idle: f64,
    /// W per vCPU, fully busy.
    pub busy: f64,
    /// Power of the whole site over that of the machines.
    pub pue: f64,
}

#[derive(Deserialize)]
struct CarbonRow {
    region: String,
    grid_gco2e_per_kwh: f64,
    carbon_free_energy_share: Option<f64>,
    vintage: String,
    source_id: String,
}

#[derive(Debug, Deserialize)]
struct Constant {
    provider: String,
    #[serde(rename = "constant")]
    name: String,
    value: f64,
    unit: String,
    source_id: String,
}

#[derive(Debug, Deserialize)]
struct CpuRow {
    provider: String,
    cpu_architecture: String,
    min_watts_per_vcpu: f64,
    max_watts_per_vcpu: f64,
    note: String,
}

/// What the three files of `carbon/` hold.
#[derive(Debug)]
pub(super) struct Energy {
    carbon: BTreeMap<usize, Cited<Carbon>>,
    constants: Vec<Constant>,
    cpus: Vec<CpuRow>,
}

impl Energy {
    pub(super) fn load(index: &BTreeMap<String, usize>) -> Self {
        let carbon = CARBON.rows::<CarbonRow>().into_iter().filter_map(|row| {
            let value =
                Carbon { grams_per_kwh: row.grid_gco2e_per_kwh, carbon_free_share: row.carbon_free_energy_share };
            let date = if row.vintage == "not stated" { "year not stated" } else { &row.vintage };
            Some((*index.get(&row.region)?, CARBON.cite_from(value, origin_of(&row.source_id), date)))
        });
        Self { carbon: carbon.collect(), constants: ENERGY.rows(), cpus: VCPU_WATTS.rows() }
    }
}

impl Catalog {
    /// The grid of a region: its own figure, or the nearest in the same country (assumed).
    pub fn carbon(&self, region: &Region) -> Option<Cited<Carbon>> {
        let known = &self.energy.carbon;
        if let Some(own) = known.get(&region.index) {
            return Some(own.clone());
        }
        let (distance, stand_in) = known
            .keys()
            .map(|&index| &self.regions[index])
            .filter(|other| other.country == region.country)
            .map(|other| (region.distance_km(other), other))
            .min_by(|a, b| a.0.total_cmp(&b.0))?;
        let cited = known[&stand_in.index].clone();
        let note =
            format!("no figure: {}:{} in the same country, {distance:.0} km away", stand_in.provider, stand_in.code);
        // The carbon-free share is a matter of the provider's contracts, not of the grid.
        Some(cited.assumed(&note).map(|carbon| Carbon { carbon_free_share: None, ..carbon }))
    }

    /// A constant of `data/carbon/energy_constants.csv` for a provider or for any, with its unit.
    pub fn energy_constant(&self, provider: &str, name: &str) -> Option<(Cited<f64>, &str)> {
        let of = |provider: &str| self.energy.constants.iter().find(|c| c.provider == provider && c.name == name);
        let row = of(provider).or_else(|| of("any"))?;
        Some((ENERGY.cite_from(row.value, origin_of(&row.source_id), ENERGY.date), &row.unit))
    }

    /// What an average virtual CPU of a provider draws. GCP has no figures in the file: AWS's are assumed.
    pub fn watts(&self, provider: &str) -> Option<Cited<Watts>> {
        self.provider(provider)?;
        let of = |provider: &str| {
            let constant = |name| self.energy_constant(provider, name);
            let (idle, _) = constant("min_watts_per_vcpu")?;
            let (busy, pue) = (constant("max_watts_per_vcpu")?.0.value, constant("pue")?.0.value);
            Some(idle.map(|idle| Watts { idle, busy, pue }))
        };
        of(provider).or_else(|| Some(of("aws")?.assumed(&format!("no figure for {provider}: that of aws"))))
    }

    /// Watts per vCPU, idle and busy, of a processor generation such as `Ice Lake` at a provider.
    pub fn cpu_watts(&self, provider: &str, architecture: &str) -> Option<Cited<(f64, f64)>> {
        let row =
            self.energy.cpus.iter().find(|row| row.provider == provider && row.cpu_architecture == architecture)?;
        Some(VCPU_WATTS.cite((row.min_watts_per_vcpu, row.max_watts_per_vcpu)).noted(&row.note))
    }
}

#[cfg(test)]
mod tests {
    use super::super::cited::Kind;
    use super::*;

    fn carbon(code: &str) -> Option<Cited<Carbon>> {
        let catalog = Catalog::get();
        catalog.carbon(catalog.region(code).unwrap())
    }

    #[test]
    fn spot_values() {
        let virginia = carbon("us-east-1").unwrap();
        assert_eq!((virginia.value.grams_per_kwh, virginia.kind), (415.755, Kind::Measured));
        let paris = carbon("europe-west9").unwrap();
        assert_eq!((paris.value.carbon_free_share, paris.date.as_str()), (Some(0.96), "2024"));
        let pue = Catalog::get().energy_constant("azure", "pue").unwrap();
        assert_eq!((pue.0.value, pue.1), (1.185, "ratio"));
        assert_eq!(Catalog::get().cpu_watts("gcp", "Ice Lake").unwrap().value, (0.7668, 3.6516));
    }

    #[test]
    fn a_stand_in_is_of_the_same_country_and_says_so() {
        // Zurich has no figure at AWS; Google's region there has.
        let zurich = carbon("eu-central-2").unwrap();
        assert_eq!((zurich.value.grams_per_kwh, zurich.kind), (15.05, Kind::Assumed));
        assert!(zurich.note.contains("gcp:europe-west6"));
        assert_eq!(carbon("ap-southeast-6"), None, "no figure for New Zealand");
    }

    #[test]
    fn watts_are_in_order() {
        for provider in Catalog::get().providers() {
            let watts = Catalog::get().watts(provider.name).unwrap();
            assert!(0.0 < watts.value.idle && watts.value.idle < watts.value.busy && watts.value.pue > 1.0);
            assert_eq!(watts.kind == Kind::Assumed, provider.name == "gcp");
        }
        assert_eq!(Catalog::get().watts("nobody"), None);
    }
}
