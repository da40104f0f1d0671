//! Round-trip times between regions: measured matrices, and distance where nobody measured.
//!
//! The measured time of a pair is the mean of both directions; the diagonal is never used, since it
//! includes connection set-up. Elsewhere a packet is taken to travel at 2/3 of the speed of light along a
//! route 1.76 times the great circle: the median over the AWS matrix of 2025 beyond 300 km (a test
//! recomputes it; the middle 90 % of the pairs lie between 1.3 and 3.2).

use super::cited::{Cited, Kind};
use super::region::Region;
use super::sources::DataFile;
use crate::base::maths;
use std::collections::BTreeMap;

/// Speed of light in vacuum, km/s (SI).
const LIGHT_KM_PER_SEC: f64 = 299_792.458;
/// Speed of light in fibre over that in vacuum: the refractive index of silica is about 1.5.
const FIBRE: f64 = 2.0 / 3.0;
/// Length of a route over the great circle.
pub const ROUTE_FACTOR: f64 = 1.76;
/// The least round trip that distance can give, ms: equipment at both ends.
pub const FLOOR_MS: f64 = 1.0;

/// Round trip of light in fibre along the great circle, ms.
fn ideal_rtt_ms(km: f64) -> f64 {
    2.0 * km / (FIBRE * LIGHT_KM_PER_SEC) * 1e3
}

/// Round trip between two places (latitude, longitude in degrees) by distance alone, ms.
pub fn fallback_rtt_ms(a: (f64, f64), b: (f64, f64)) -> f64 {
    (ideal_rtt_ms(maths::great_circle_km(a, b)) * ROUTE_FACTOR).max(FLOOR_MS)
}

/// The same, cited.
pub(super) fn fallback_rtt(a: (f64, f64), b: (f64, f64)) -> Cited<f64> {
    Cited {
        value: fallback_rtt_ms(a, b),
        kind: Kind::Derived,
        source: "computed from the great circle".to_owned(),
        date: String::new(),
        note: format!("2 x distance x {ROUTE_FACTOR} / (2/3 c), at least {FLOOR_MS} ms"),
    }
}

/// A measured matrix, in both directions.
#[derive(Debug)]
pub(super) struct Matrix {
    file: &'static DataFile,
    /// What the column holds.
    statistic: &'static str,
    ms: BTreeMap<(usize, usize), f64>,
}

/// A matrix's file, and the column to read of it with what that holds.
pub(super) type MatrixFile = (&'static DataFile, usize, &'static str);

impl Matrix {
    pub(super) fn load((file, column, statistic): MatrixFile, index: &BTreeMap<String, usize>) -> Self {
        // Thousands of rows, and most of what a start takes: none is put into a list of its own.
        let mut times: Vec<((usize, usize), f64)> = Vec::new();
        file.each_row(|row| {
            if let (Some(&a), Some(&b)) = (index.get(&row[0]), index.get(&row[1])) {
                let ms = row[column].parse().unwrap_or_else(|error| panic!("data/{}: {error}", file.path));
                times.extend((a != b).then_some(((a, b), ms)));
            }
        });
        let ms = times.into_iter().collect();
        Self { file, statistic, ms }
    }

    /// The measured time of a pair of different regions, ms.
    pub(super) fn rtt(&self, a: &Region, b: &Region) -> Option<Cited<f64>> {
        let there = self.ms.get(&(a.index, b.index));
        let back = self.ms.get(&(b.index, a.index));
        Some(match (there, back) {
            (Some(there), Some(back)) => self.file.cite(f64::midpoint(*there, *back)).noted(&format!(
                "{}, mean of both directions ({} and {})",
                self.statistic,
                there.min(*back),
                there.max(*back)
            )),
            (Some(one), None) | (None, Some(one)) => {
                self.file.cite(*one).noted(&format!("{}, one direction only", self.statistic))
            }
            (None, None) => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::Catalog;
    use super::*;

    #[test]
    fn distance_gives_the_formula_and_the_floor() {
        let quarter = ((0.0, 0.0), (0.0, 90.0));
        // By hand: 10,007.557 km x 2 x 1.76 / 199,861.639 km/s.
        assert!((fallback_rtt_ms(quarter.0, quarter.1) - 176.254_94).abs() < 1e-5);
        assert_eq!(fallback_rtt_ms((50.0, 8.0), (50.0, 8.0)), 1.0);
    }

    #[test]
    fn the_route_factor_is_the_median_of_the_aws_matrix() {
        let catalog = Catalog::get();
        let aws: Vec<_> = catalog.regions("aws").collect();
        let mut factors = Vec::new();
        for (i, a) in aws.iter().enumerate() {
            for b in &aws[i + 1..] {
                let km = a.distance_km(b);
                if let Some(rtt) = catalog.rtt(a, b).filter(|rtt| rtt.source.contains("2025") && km > 300.0) {
                    factors.push(rtt.value / ideal_rtt_ms(km));
                }
            }
        }
        factors.sort_by(f64::total_cmp);
        assert_eq!(factors.len(), 495);
        // The directed pairs have 1.7605, the symmetrised ones 1.7637: both are 1.76 to two decimals.
        assert!((factors[247] - ROUTE_FACTOR).abs() < 0.005, "{}", factors[247]);
        assert!(factors[0] > 1.0, "nothing outruns light in fibre");
        assert!(factors[25] > 1.3 && factors[469] < 3.2, "{} {}", factors[25], factors[469]);
    }

    #[test]
    fn the_measured_matrix_is_symmetric_and_has_no_diagonal() {
        let catalog = Catalog::get();
        for provider in catalog.providers() {
            for a in catalog.regions(provider.name) {
                assert_eq!(catalog.rtt(a, a), None);
                for b in catalog.regions(provider.name) {
                    assert_eq!(catalog.rtt(a, b), catalog.rtt(b, a));
                    let rtt = catalog.rtt_or_distance(a, b).value;
                    assert!((1.0..600.0).contains(&rtt), "{} {} {rtt}", a.code, b.code);
                }
            }
        }
    }

    #[test]
    fn spot_values_of_each_matrix() {
        let catalog = Catalog::get();
        let rtt = |a, b| catalog.rtt(catalog.region(a).unwrap(), catalog.region(b).unwrap());
        let aws = rtt("us-east-1", "eu-west-1").unwrap();
        assert!((aws.value - 69.601).abs() < 1e-12);
        assert!(aws.source.starts_with("data/latency/aws_rtt_p50_2025.csv (cloudping.co"), "{}", aws.source);
        assert_eq!(aws.date, "2025-05-29");
        assert_eq!(rtt("eastus", "westeurope").unwrap().value, 84.0);
        assert!((rtt("us-central1", "europe-west1").unwrap().value - 104.917_5).abs() < 1e-12);
        assert_eq!(rtt("us-east-1", "eastus"), None, "nobody measured between providers");
    }
}
