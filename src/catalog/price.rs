//! List prices in US dollars, on demand: machines, data transfer and services.
//!
//! A price that no file has is never made up: a region without any machine price may take its provider's home
//! region's (`compute_or_assumed`), a region without transfer prices takes the home region's, and a service
//! takes the price of the region it was listed for. Each stand-in is marked as assumed. Free tiers, committed
//! use and taxes are not modelled. Sizes are decimal; prices per GiB are converted.

use super::cited::Cited;
use super::region::Region;
use super::sources::{DataFile, NETWORK_GCP, SERVICES, TRANSFER_AWS, TRANSFER_AWS_2023, TRANSFER_CLASS, origin_of};
use super::{Catalog, PROVIDERS};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Decimal GB in a GiB.
const GB_PER_GIB: f64 = 1.073_741_824;
/// Decimal TB in a TiB.
const TB_PER_TIB: f64 = 1.099_511_627_776;

/// A machine and its price.
#[derive(Clone, Copy, PartialEq, Debug, Serialize)]
pub struct Compute {
    /// Virtual CPUs.
    pub vcpu: f64,
    /// Memory, GiB.
    pub memory_gib: f64,
    /// US dollars per hour, Linux, on demand.
    pub usd_per_hour: f64,
}

/// A step of a monthly volume price.
#[derive(Clone, Copy, PartialEq, Debug, Serialize)]
pub struct Tier {
    /// The volume in a month up to which the price holds, decimal TB; `None` is without end.
    pub up_to_tb: Option<f64>,
    /// US dollars per decimal GB.
    pub usd_per_gb: f64,
}

/// What leaving a zone or region costs, US dollars per decimal GB.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Transfer {
    /// To another zone of the region, charged to the sender.
    pub cross_zone_out: Cited<f64>,
    /// From another zone of the region, charged to the receiver (AWS charges both sides).
    pub cross_zone_in: Cited<f64>,
    /// To another region; for Azure and GCP, whose prices go by continent, to one of the same continent.
    /// `Catalog::inter_region` knows each pair.
    pub inter_region_out: Cited<f64>,
    /// To the internet, by monthly volume; the steps ascend and the last has no end.
    pub internet: Cited<Vec<Tier>>,
}

/// The price of a service's item.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct ServicePrice {
    /// e.g. `nat`.
    pub service: String,
    /// e.g. `data processed`.
    pub item: String,
    /// What one is paid for: `hour`, `GB`, `GB-month`, `million`, …
    pub unit: String,
    /// US dollars per unit.
    pub usd: f64,
}

#[derive(Debug, Deserialize)]
struct ComputeRow {
    region: String,
    instance_type: String,
    vcpu: f64,
    memory_gib: f64,
    usd_per_hour_on_demand: f64,
    price_date: String,
    source_id: String,
}

#[derive(Deserialize)]
struct AwsRow {
    region: String,
    cross_zone_usd_per_gb_each_way: f64,
    inter_region_out_usd_per_gb: f64,
    use1_use2_pair_usd_per_gb: Option<f64>,
    internet_first_10tb: f64,
    internet_next_40tb: f64,
    internet_next_100tb: f64,
    internet_over_150tb: Option<f64>,
}

#[derive(Deserialize)]
struct SkyplaneRow {
    region: String,
    inter_region_out_usd_per_gb: f64,
    internet_first_10tb: f64,
}

#[derive(Debug, Deserialize)]
struct ClassRow {
    provider: String,
    from_group: String,
    to_group: String,
    usd_per_gb: f64,
    kind: String,
    price_date: String,
    source_id: String,
}

#[derive(Deserialize)]
struct NetworkRow {
    region: String,
    internet_first_1tib_usd_per_gib: f64,
    internet_1_to_10tib: f64,
    internet_over_10tib: f64,
    note: String,
}

#[derive(Debug, Deserialize)]
struct ServiceRow {
    provider: String,
    region: String,
    service: String,
    item: String,
    unit: String,
    usd: f64,
    price_date: String,
    source_id: String,
    note: String,
}

/// The prices of every provider.
#[derive(Debug)]
pub(super) struct Prices {
    compute: Vec<(usize, &'static DataFile, ComputeRow)>,
    transfer: BTreeMap<usize, Transfer>,
    /// The cheaper rate between the regions that have one.
    pair: BTreeMap<usize, f64>,
    classes: Vec<ClassRow>,
    services: Vec<ServiceRow>,
}

impl Prices {
    pub(super) fn load(regions: &[Region], index: &BTreeMap<String, usize>) -> Self {
        let compute = PROVIDERS
            .iter()
            .flat_map(|provider| provider.compute.rows::<ComputeRow>().into_iter().map(|row| (provider.compute, row)))
            .filter_map(|(file, row)| Some((*index.get(&row.region)?, file, row)))
            .collect();
        let classes: Vec<ClassRow> = TRANSFER_CLASS.rows();
        let (mut transfer, pair) = aws_transfer(regions, index);
        class_transfer(regions, index, &classes, &mut transfer);
        Self { compute, transfer, pair, classes, services: SERVICES.rows() }
    }
}

fn tiers<const N: usize>(steps: [(Option<f64>, f64); N]) -> Vec<Tier> {
    steps.into_iter().map(|(up_to_tb, usd_per_gb)| Tier { up_to_tb, usd_per_gb }).collect()
}

/// The transfer prices of AWS, and the rate of the Virginia - Ohio pair.
fn aws_transfer(
    regions: &[Region],
    index: &BTreeMap<String, usize>,
) -> (BTreeMap<usize, Transfer>, BTreeMap<usize, f64>) {
    let rows = TRANSFER_AWS.rows::<AwsRow>();
    // us-east-1's last step is blank in the source; us-east-2 agrees with it in every other one.
    let last = rows.iter().find(|row| row.region == "us-east-2").and_then(|row| row.internet_over_150tb);
    let (mut transfer, mut pair) = (BTreeMap::new(), BTreeMap::new());
    for row in &rows {
        let Some(&region) = index.get(&row.region) else { continue };
        let over = row.internet_over_150tb.or(last).unwrap_or(row.internet_next_100tb);
        let internet = TRANSFER_AWS.cite(tiers([
            (Some(10.0), row.internet_first_10tb),
            (Some(50.0), row.internet_next_40tb),
            (Some(150.0), row.internet_next_100tb),
            (None, over),
        ]));
        let internet = match row.internet_over_150tb {
            Some(_) => internet,
            None => internet.assumed("no price over 150 TB: that of us-east-2, equal in every other step"),
        };
        let zone = TRANSFER_AWS.cite(row.cross_zone_usd_per_gb_each_way).noted("charged on both sides");
        transfer.insert(
            region,
            Transfer {
                cross_zone_out: zone.clone(),
                cross_zone_in: zone,
                inter_region_out: TRANSFER_AWS.cite(row.inter_region_out_usd_per_gb),
                internet,
            },
        );
        pair.extend(row.use1_use2_pair_usd_per_gb.map(|usd| (region, usd)));
    }
    let home = transfer[&index["us-east-1"]].clone();
    for row in TRANSFER_AWS_2023.rows::<SkyplaneRow>() {
        let Some(&region) = index.get(&row.region) else { continue };
        transfer.entry(region).or_insert_with(|| Transfer {
            cross_zone_out: home.cross_zone_out.clone().assumed("no price: that of us-east-1"),
            cross_zone_in: home.cross_zone_in.clone().assumed("no price: that of us-east-1"),
            inter_region_out: TRANSFER_AWS_2023.cite(row.inter_region_out_usd_per_gb),
            internet: TRANSFER_AWS_2023
                .cite(tiers([(None, row.internet_first_10tb)]))
                .noted("price of the first 10 TB; the later steps are not in the source"),
        });
    }
    for region in regions.iter().filter(|region| region.provider == "aws") {
        transfer.entry(region.index).or_insert_with(|| {
            let note = format!("no price for {}: that of us-east-1", region.code);
            Transfer {
                cross_zone_out: home.cross_zone_out.clone().assumed(&note),
                cross_zone_in: home.cross_zone_in.clone().assumed(&note),
                inter_region_out: home.inter_region_out.clone().assumed(&note),
                internet: home.internet.clone().assumed(&note),
            }
        });
    }
    (transfer, pair)
}

/// The transfer prices of Azure and GCP, which go by continent; GCP's internet prices go by region.
fn class_transfer(
    regions: &[Region],
    index: &BTreeMap<String, usize>,
    classes: &[ClassRow],
    transfer: &mut BTreeMap<usize, Transfer>,
) {
    let network: BTreeMap<usize, NetworkRow> =
        NETWORK_GCP.rows::<NetworkRow>().into_iter().filter_map(|row| Some((*index.get(&row.region)?, row))).collect();
    for region in regions.iter().filter(|region| region.provider != "aws") {
        let class = |from: &str, to: &str| {
            classes
                .iter()
                .find(|row| row.provider == region.provider && row.from_group == from && row.to_group == to)
                .map(ClassRow::cited)
        };
        let internet = match network.get(&region.index) {
            Some(row) => Some(
                NETWORK_GCP
                    .cite(tiers([
                        (Some(TB_PER_TIB), row.internet_first_1tib_usd_per_gib / GB_PER_GIB),
                        (Some(10.0 * TB_PER_TIB), row.internet_1_to_10tib / GB_PER_GIB),
                        (None, row.internet_over_10tib / GB_PER_GIB),
                    ]))
                    .derived("from prices per GiB and steps in TiB")
                    .noted(&row.note),
            ),
            None => class(group(region), "internet").map(|cited| cited.map(|usd| tiers([(None, usd)]))),
        };
        let (Some(zone), Some(internet)) = (class("any", "same-region other zone"), internet) else { continue };
        transfer.insert(
            region.index,
            Transfer {
                cross_zone_in: zone.clone().map(|_| 0.0).noted("the receiver is not charged"),
                cross_zone_out: zone,
                inter_region_out: class_price(classes, region, region),
                internet,
            },
        );
    }
}

impl ClassRow {
    fn cited(&self) -> Cited<f64> {
        TRANSFER_CLASS.cite_from(self.usd_per_gb, origin_of(&self.source_id), &self.price_date).noted(&self.kind)
    }
}

/// The continent group of a region, in the words of the class file of its provider.
fn group(region: &Region) -> &'static str {
    match (region.jurisdiction.as_str(), region.country.as_str(), region.provider) {
        ("US" | "CA", _, "gcp") => "us-canada",
        ("US" | "CA", ..) => "north-america",
        (_, "MX", "gcp") => "mexico",
        (_, "MX", _) => "north-america",
        ("EU" | "EFTA" | "UK", ..) => "europe",
        ("LATAM", ..) => "south-america",
        (_, "ID" | "AU" | "NZ", "gcp") => "indonesia-oceania",
        (_, "AU" | "NZ", _) => "oceania",
        ("MEA", "ZA", _) => "africa",
        ("MEA", ..) => "middle-east",
        _ => "asia",
    }
}

/// The price of a class between two regions of a provider whose prices go by continent.
fn class_price(classes: &[ClassRow], from: &Region, to: &Region) -> Cited<f64> {
    let (a, b) = (group(from), group(to));
    let find = |from_group: &str, to_group: &str| {
        classes
            .iter()
            .find(|row| row.provider == from.provider && row.from_group == from_group && row.to_group == to_group)
            .map(ClassRow::cited)
    };
    let oceania = || [a, b].contains(&"indonesia-oceania").then(|| find("any", "indonesia-oceania")).flatten();
    let abroad = || find(a, "other-continent").or_else(|| find("any", "other-continent"));
    let own = if a == b { find(a, b) } else { None };
    let price = own.or_else(oceania).or_else(|| {
        let price = abroad()?;
        // The file has neither Mexico nor the inside of these continents.
        let unlisted = a == b || [a, b].contains(&"mexico");
        let note = || format!("no price from {a} to {b}: that between continents");
        Some(if unlisted { price.assumed(&note()) } else { price })
    });
    price.unwrap_or_else(|| panic!("data/{}: no price from {a} to {b}", TRANSFER_CLASS.path))
}

impl ComputeRow {
    fn cited(&self, file: &DataFile) -> Cited<Compute> {
        let value = Compute { vcpu: self.vcpu, memory_gib: self.memory_gib, usd_per_hour: self.usd_per_hour_on_demand };
        file.cite_from(value, origin_of(&self.source_id), &self.price_date)
    }
}

impl ServiceRow {
    fn cited(&self) -> Cited<ServicePrice> {
        let value = ServicePrice {
            service: self.service.clone(),
            item: self.item.clone(),
            unit: self.unit.clone(),
            usd: self.usd,
        };
        SERVICES.cite_from(value, origin_of(&self.source_id), &self.price_date).noted(&self.note)
    }
}

impl Catalog {
    /// The machines that have a price in a region, by type.
    pub fn instances<'a>(&'a self, region: &'a Region) -> impl Iterator<Item = (&'a str, Cited<Compute>)> {
        let rows = self.prices.compute.iter().filter(move |(index, ..)| *index == region.index);
        rows.map(|(_, file, row)| (row.instance_type.as_str(), row.cited(file)))
    }

    /// Every machine type that a provider has a price for anywhere, sorted.
    pub fn instance_types(&self, provider: &str) -> Vec<&str> {
        let of = |index: usize| self.regions[index].provider == provider;
        let types = self.prices.compute.iter().filter(|(index, ..)| of(*index)).map(|(.., row)| &*row.instance_type);
        types.collect::<std::collections::BTreeSet<_>>().into_iter().collect()
    }

    /// The price of a machine in a region, if a file has it.
    pub fn compute(&self, region: &Region, instance_type: &str) -> Option<Cited<Compute>> {
        self.instances(region).find_map(|(name, price)| (name == instance_type).then_some(price))
    }

    /// The price of a machine in a region. A region without any machine price takes its provider's home
    /// region's, marked as assumed; one that has prices but not this one's gives `None`.
    pub fn compute_or_assumed(&self, region: &Region, instance_type: &str) -> Option<Cited<Compute>> {
        if self.instances(region).next().is_some() {
            return self.compute(region, instance_type);
        }
        let home = self.region(self.provider(region.provider)?.home)?;
        let note = format!("no machine prices for {}: that of {}", region.code, home.code);
        Some(self.compute(home, instance_type)?.assumed(&note))
    }

    /// What leaving a zone or the region costs.
    pub fn transfer(&self, region: &Region) -> &Transfer {
        &self.prices.transfer[&region.index]
    }

    /// The price of a decimal GB sent from one region to another, US dollars, charged to the sender.
    ///
    /// Between providers it is the first step of the sender's internet price. Within a region it is 0.
    pub fn inter_region(&self, from: &Region, to: &Region) -> Cited<f64> {
        let transfer = self.transfer(from);
        if from == to {
            return transfer.inter_region_out.clone().map(|_| 0.0).derived("within the region");
        }
        if from.provider != to.provider {
            let first = |tiers: Vec<Tier>| tiers.first().map_or(0.0, |tier| tier.usd_per_gb);
            return transfer.internet.clone().map(first).derived("between providers: first step of the internet price");
        }
        if from.provider != "aws" {
            return class_price(&self.prices.classes, from, to);
        }
        match (self.prices.pair.get(&from.index), self.prices.pair.get(&to.index)) {
            (Some(usd), Some(_)) => TRANSFER_AWS.cite(*usd).noted("the cheaper rate between us-east-1 and us-east-2"),
            _ => transfer.inter_region_out.clone(),
        }
    }

    /// The price of a service's item in a region. `item` is the whole name or its beginning; the first in the
    /// order of the file is taken, and a price of this region before a global one before another region's
    /// (marked as assumed).
    pub fn service(&self, region: &Region, service: &str, item: &str) -> Option<Cited<ServicePrice>> {
        let rows = || {
            let all = self.prices.services.iter();
            all.filter(move |row| row.provider == region.provider && row.service == service)
        };
        let exact = rows().any(|row| row.item == item);
        let rows = || rows().filter(move |row| if exact { row.item == item } else { row.item.starts_with(item) });
        if let Some(row) = rows().find(|row| row.region == region.code) {
            return Some(row.cited());
        }
        if let Some(row) = rows().find(|row| ["global", "any"].contains(&&*row.region)) {
            return Some(row.cited());
        }
        let row = rows().next()?;
        Some(row.cited().assumed(&format!("no price for {}: that of {}", region.code, row.region)))
    }

    /// Every service and item that a provider has a price for, in the order of the file.
    pub fn services<'a>(&'a self, provider: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
        let rows = self.prices.services.iter().filter(move |row| row.provider == provider);
        rows.map(|row| (row.service.as_str(), row.item.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::super::cited::Kind;
    use super::*;

    fn region(code: &str) -> &'static Region {
        Catalog::get().region(code).unwrap()
    }

    #[test]
    fn spot_prices_of_machines() {
        let catalog = Catalog::get();
        let price = |code, kind| catalog.compute(region(code), kind).unwrap();
        let dublin = price("eu-west-1", "m6i.2xlarge");
        assert_eq!(dublin.value, Compute { vcpu: 8.0, memory_gib: 32.0, usd_per_hour: 0.428 });
        assert_eq!(dublin.source, "data/prices/compute_aws.csv (skypilot-org/skypilot-catalog, undated)");
        assert_eq!(price("australiacentral", "Standard_D2s_v5").value.usd_per_hour, 0.12);
        assert_eq!(price("africa-south1", "e2-standard-2").value.usd_per_hour, 0.073_715_5);
    }

    #[test]
    fn a_missing_machine_price_is_not_made_up() {
        let catalog = Catalog::get();
        assert_eq!(catalog.compute_or_assumed(region("eu-west-1"), "m6i.xlarge"), None, "only us-east-1 has it");
        assert_eq!(catalog.compute(region("sa-east-1"), "m6i.large"), None);
        let assumed = catalog.compute_or_assumed(region("sa-east-1"), "m6i.large").unwrap();
        assert_eq!((assumed.value.usd_per_hour, assumed.kind), (0.096, Kind::Assumed));
        assert_eq!(catalog.compute_or_assumed(region("sa-east-1"), "none.such"), None);
    }

    #[test]
    fn every_region_has_transfer_prices_in_ascending_steps() {
        for region in Catalog::get().all_regions() {
            let transfer = Catalog::get().transfer(region);
            let steps = &transfer.internet.value;
            assert_eq!(steps.last().unwrap().up_to_tb, None, "{}", region.code);
            let ends: Vec<f64> = steps.iter().filter_map(|tier| tier.up_to_tb).collect();
            assert_eq!(ends.len(), steps.len() - 1);
            assert!(ends.is_sorted_by(|a, b| a < b), "{}", region.code);
            assert!(steps.iter().all(|tier| tier.usd_per_gb > 0.0));
            assert!(transfer.cross_zone_out.value >= 0.0 && transfer.cross_zone_in.value >= 0.0);
            assert!(transfer.inter_region_out.value > 0.0);
        }
    }

    #[test]
    fn spot_prices_of_transfer() {
        let catalog = Catalog::get();
        let ohio = catalog.transfer(region("us-east-2"));
        assert_eq!((ohio.cross_zone_out.value, ohio.cross_zone_in.value), (0.01, 0.01));
        let steps: Vec<f64> = ohio.internet.value.iter().map(|tier| tier.usd_per_gb).collect();
        assert_eq!(steps, [0.09, 0.085, 0.07, 0.05]);
        assert_eq!(catalog.transfer(region("eu-central-2")).inter_region_out.value, 0.02, "from the 2023 file");
        assert_eq!(catalog.transfer(region("mx-central-1")).inter_region_out.kind, Kind::Assumed);
        assert_eq!(catalog.transfer(region("us-east-1")).internet.kind, Kind::Assumed, "its last step");
        assert_eq!(catalog.transfer(region("westeurope")).internet.value, tiers([(None, 0.0875)]));
        let iowa = catalog.transfer(region("us-central1"));
        assert_eq!((iowa.cross_zone_out.value, iowa.cross_zone_in.value), (0.01, 0.0));
        assert!((iowa.internet.value[0].usd_per_gb * 1.073_741_824 - 0.12).abs() < 1e-15);
    }

    #[test]
    fn spot_prices_between_regions() {
        let catalog = Catalog::get();
        let usd = |from, to| catalog.inter_region(region(from), region(to)).value;
        assert_eq!(usd("us-east-1", "us-east-2"), 0.01);
        assert_eq!(usd("us-east-2", "us-east-1"), 0.01);
        assert_eq!(usd("us-east-1", "eu-west-1"), 0.02);
        assert_eq!(usd("af-south-1", "us-east-1"), 0.147);
        assert_eq!(usd("westeurope", "uksouth"), 0.02);
        assert_eq!(usd("westeurope", "eastus"), 0.05);
        assert_eq!(usd("brazilsouth", "eastus"), 0.16);
        assert_eq!(usd("us-central1", "northamerica-northeast1"), 0.02);
        assert_eq!(usd("us-central1", "europe-west1"), 0.08);
        assert_eq!(usd("asia-east1", "asia-southeast2"), 0.1, "to Indonesia");
        assert_eq!(usd("us-east-1", "eastus"), 0.09, "over the internet");
        assert_eq!(usd("us-east-1", "us-east-1"), 0.0);
        assert_eq!(catalog.inter_region(region("me-west1"), region("me-central1")).kind, Kind::Assumed);
    }

    #[test]
    fn every_pair_of_regions_has_a_price() {
        let catalog = Catalog::get();
        for from in catalog.all_regions() {
            for to in catalog.all_regions().iter().filter(|to| *to != from) {
                assert!(catalog.inter_region(from, to).value > 0.0, "{} {}", from.code, to.code);
            }
        }
    }

    #[test]
    fn services_are_found_by_region_then_globally_then_elsewhere() {
        let catalog = Catalog::get();
        let find = |code, service, item| catalog.service(region(code), service, item);
        let nat = find("us-east-1", "nat", "data processed").unwrap();
        assert_eq!((nat.value.usd, nat.value.unit.as_str(), nat.kind), (0.045, "GB", Kind::Measured));
        assert_eq!(find("eu-west-1", "nat", "data processed").unwrap().kind, Kind::Assumed);
        assert_eq!(find("eu-west-1", "route53", "hosted zone").unwrap().kind, Kind::Measured);
        assert_eq!(find("us-east-1", "eks", "control plane").unwrap().value.usd, 0.1, "the first of the two");
        assert_eq!(find("us-east-1", "no-such", ""), None);
    }

    #[test]
    fn no_price_is_negative() {
        let catalog = Catalog::get();
        for region in catalog.all_regions() {
            for (name, price) in catalog.instances(region) {
                let Compute { vcpu, memory_gib, usd_per_hour } = price.value;
                assert!(vcpu > 0.0 && memory_gib > 0.0 && usd_per_hour > 0.0, "{} {name}", region.code);
            }
        }
        assert!(catalog.prices.services.iter().all(|row| row.usd > 0.0));
        assert!(catalog.prices.classes.iter().all(|row| row.usd_per_gb >= 0.0));
    }
}
