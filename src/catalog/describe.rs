//! Everything known of a region, as labelled lines with the source of each, for `regionsim catalog CODE`.

use super::Catalog;
use super::cited::{Cited, Kind};
use super::price::Tier;
use super::region::Region;
use super::sources::{DataFile, INCIDENTS_AWS, INCIDENTS_GCP, STORAGE_GCP};
use serde::Serialize;

/// A heading and its lines.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Section {
    /// The heading.
    pub title: &'static str,
    /// The lines.
    pub entries: Vec<Entry>,
}

/// One figure, ready to print.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Entry {
    /// What it is.
    pub label: String,
    /// The value with its unit.
    pub value: String,
    /// How it was come by.
    pub kind: Kind,
    /// File and origin.
    pub source: String,
    /// Date of the figure.
    pub date: String,
    /// Caveats; may be empty.
    pub note: String,
}

impl Entry {
    fn new(label: impl Into<String>, cited: Cited<String>) -> Self {
        let Cited { value, kind, source, date, note } = cited;
        Self { label: label.into(), value, kind, source, date, note }
    }
}

/// The label of the line that a region's note is about.
const COORDINATES: &str = "latitude, longitude";

fn usd(amount: f64, per: &str) -> String {
    // Seven decimals: what the files have, without what the conversion from GiB adds.
    format!("{} USD/{per}", (amount * 1e7).round() / 1e7)
}

fn tiers(tiers: &[Tier]) -> String {
    let step = |tier: &Tier| match tier.up_to_tb {
        Some(end) => format!("{} to {end:.4} TB", usd(tier.usd_per_gb, "GB")),
        None if tiers.len() == 1 => usd(tier.usd_per_gb, "GB"),
        None => format!("{} beyond", usd(tier.usd_per_gb, "GB")),
    };
    tiers.iter().map(step).collect::<Vec<_>>().join(", ")
}

/// The rows of a file about a region, a line for each cell: the header is the label.
fn cells(file: &DataFile, region: &Region) -> Vec<Entry> {
    let (header, rows) = file.cells();
    let of_region = |row: &&Vec<String>| row[0] == region.provider && row[1] == region.code;
    let mut entries = Vec::new();
    for row in rows.iter().filter(of_region) {
        // A third column of words tells the rows of one region apart.
        let words = row[2].parse::<f64>().is_err();
        for (name, cell) in header.iter().zip(row).skip(if words { 3 } else { 2 }) {
            let label = name.replace('_', " ");
            let label = if words { format!("{}: {label}", row[2]) } else { label };
            entries.push(Entry::new(label, file.cite(cell.clone())));
        }
    }
    entries
}

impl Catalog {
    /// Everything known of a region, by its code; the sections that have nothing are left out.
    pub fn describe(&self, code: &str) -> Option<Vec<Section>> {
        let region = self.region(code)?;
        let sections = [
            Section { title: "region", entries: self.describe_region(region) },
            Section { title: "machines", entries: self.describe_machines(region) },
            Section { title: "data transfer", entries: self.describe_transfer(region) },
            Section { title: "services", entries: self.describe_services(region) },
            Section { title: "storage", entries: cells(&STORAGE_GCP, region) },
            Section { title: "energy", entries: self.describe_energy(region) },
            Section {
                title: "recorded incidents",
                entries: [&INCIDENTS_AWS, &INCIDENTS_GCP].into_iter().flat_map(|file| cells(file, region)).collect(),
            },
            Section { title: "round trips", entries: self.describe_latency(region) },
        ];
        Some(sections.into_iter().filter(|section| !section.entries.is_empty()).collect())
    }

    fn describe_region(&self, region: &Region) -> Vec<Entry> {
        let place = region.place(&self.cities);
        let provider = self.provider(region.provider).map_or(region.provider, |provider| provider.title);
        let facts = [
            ("provider", Some(provider.to_owned())),
            ("name", Some(region.name.clone())),
            ("city", Some(region.city.clone()).filter(|city| !city.is_empty())),
            ("country", Some(region.country.clone())),
            (COORDINATES, Some(format!("{}, {}", region.lat, region.lon))),
            ("jurisdiction", Some(region.jurisdiction.clone())),
            ("zones", region.zones.map(|zones| zones.to_string())),
            ("opened", region.opened_year.map(|year| year.to_string())),
            ("paired region", region.paired_region.clone()),
        ];
        let known = facts.into_iter().filter_map(|(label, fact)| {
            let fact = fact?;
            let mut cited = region.source.clone().map(|()| fact);
            if label != COORDINATES {
                cited.note.clear();
            }
            Some(Entry::new(label, cited))
        });
        let offset = place.utc_offset_minutes.map(|minutes| {
            let text = format!("{minutes} min, standard time");
            Entry::new("UTC offset", place.source.map(|()| text))
        });
        known.chain(offset).collect()
    }

    fn describe_machines(&self, region: &Region) -> Vec<Entry> {
        self.instances(region)
            .map(|(name, price)| {
                let text =
                    |c: super::Compute| format!("{}, {} vCPU, {} GiB", usd(c.usd_per_hour, "h"), c.vcpu, c.memory_gib);
                Entry::new(name, price.map(text))
            })
            .collect()
    }

    fn describe_transfer(&self, region: &Region) -> Vec<Entry> {
        let transfer = self.transfer(region);
        let per_gb = |cited: &Cited<f64>| cited.clone().map(|amount| usd(amount, "GB"));
        vec![
            Entry::new("to another zone", per_gb(&transfer.cross_zone_out)),
            Entry::new("from another zone", per_gb(&transfer.cross_zone_in)),
            Entry::new("to another region", per_gb(&transfer.inter_region_out)),
            Entry::new("to the internet", transfer.internet.clone().map(|steps| tiers(&steps))),
        ]
    }

    fn describe_services(&self, region: &Region) -> Vec<Entry> {
        self.services(region.provider)
            .filter_map(|(service, item)| {
                let price = self.service(region, service, item)?;
                Some(Entry::new(format!("{service}: {item}"), price.map(|price| usd(price.usd, &price.unit))))
            })
            .collect()
    }

    fn describe_energy(&self, region: &Region) -> Vec<Entry> {
        let mut entries = Vec::new();
        if let Some(carbon) = self.carbon(region) {
            let share = carbon.value.carbon_free_share;
            let cited = carbon.clone().map(|carbon| format!("{} gCO2e/kWh", carbon.grams_per_kwh));
            entries.push(Entry::new("grid", cited));
            entries.extend(share.map(|share| Entry::new("carbon-free energy", carbon.map(|_| format!("{share}")))));
        }
        entries.extend(self.watts(region.provider).map(|watts| {
            let text = |w: super::Watts| format!("{} W idle, {} W busy, PUE {}", w.idle, w.busy, w.pue);
            Entry::new("a vCPU", watts.map(text))
        }));
        entries
    }

    /// To every region of the provider, the nearest in time first.
    fn describe_latency(&self, region: &Region) -> Vec<Entry> {
        let others = self.regions(region.provider).filter(|other| *other != region);
        let mut trips: Vec<_> = others.map(|other| (other, self.rtt_or_distance(region, other))).collect();
        trips.sort_by(|a, b| a.1.value.total_cmp(&b.1.value));
        trips.into_iter().map(|(other, rtt)| Entry::new(&*other.code, rtt.map(|ms| format!("{ms:.2} ms")))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_every_region_has_a_label_a_value_and_a_source() {
        for code in Catalog::get().codes() {
            for section in Catalog::get().describe(code).unwrap() {
                for entry in section.entries {
                    assert!(!entry.label.is_empty() && !entry.value.is_empty(), "{code} {entry:?}");
                    let known = entry.source.starts_with("data/") || entry.source.starts_with("computed");
                    assert!(known, "{code} {entry:?}");
                    assert!(entry.kind == Kind::Measured || !entry.note.is_empty(), "{code} {entry:?}");
                }
            }
        }
    }

    #[test]
    fn virginia() {
        let sections = Catalog::get().describe("us-east-1").unwrap();
        let value = |title: &str, label: &str| {
            let section = sections.iter().find(|section| section.title == title).unwrap();
            section.entries.iter().find(|entry| entry.label == label).unwrap().value.clone()
        };
        assert_eq!(value("region", "zones"), "6");
        assert_eq!(value("machines", "m6i.2xlarge"), "0.384 USD/h, 8 vCPU, 32 GiB");
        assert_eq!(value("data transfer", "to another zone"), "0.01 USD/GB");
        assert_eq!(value("round trips", "eu-west-1"), "69.60 ms");
        assert_eq!(Catalog::get().describe("nowhere-1"), None);
    }
}
