//! Where a cluster is: a region of the catalogue that its manifests or its name say.

use crate::catalog::Catalog;

/// Names that people give to places, and the AWS region that is nearest to what they mean.
const PLACES: [(&str, &str); 20] = [
    ("us-west", "us-west-2"),
    ("us-east", "us-east-1"),
    ("us-central", "us-east-2"),
    ("eu-west", "eu-west-1"),
    ("eu-central", "eu-central-1"),
    ("eu-north", "eu-north-1"),
    ("eu-south", "eu-south-1"),
    ("ap-south", "ap-south-1"),
    ("ap-southeast", "ap-southeast-1"),
    ("ap-northeast", "ap-northeast-1"),
    ("ap-east", "ap-east-1"),
    ("sa-east", "sa-east-1"),
    ("ca-central", "ca-central-1"),
    ("me-central", "me-central-1"),
    ("af-south", "af-south-1"),
    ("europe", "eu-west-1"),
    ("asia", "ap-southeast-1"),
    ("apac", "ap-southeast-1"),
    ("eu", "eu-west-1"),
    ("us", "us-east-1"),
];

/// A region, and whether the name is more than a hint.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Guess {
    pub(super) code: String,
    /// The catalogue has exactly this code.
    pub(super) is_code: bool,
}

/// The catalogue's region with this code.
pub(super) fn code(text: &str) -> Option<String> {
    Catalog::get().region(text).map(|region| region.code.clone())
}

/// The region that a cluster's name holds: a code of the catalogue, a quarter of the world, or a city.
pub(super) fn of_name(name: &str) -> Option<Guess> {
    let name = name.to_ascii_lowercase().replace(['_', '.', ' ', '/'], "-");
    let parts: Vec<&str> = name.split('-').take(16).collect();
    // Longer pieces first: `us-east-1` before `us-east`.
    let pieces = || (1..=parts.len()).rev().flat_map(|length| parts.windows(length).map(|piece| piece.join("-")));
    if let Some(code) = pieces().find_map(|piece| code(&piece)) {
        return Some(Guess { code, is_code: true });
    }
    let hint = |code: &str| Some(Guess { code: code.to_owned(), is_code: false });
    if let Some((_, code)) = pieces().find_map(|piece| PLACES.iter().find(|(place, _)| *place == piece)) {
        return hint(code);
    }
    let regions = Catalog::get().all_regions();
    let is_city = |piece: &str, city: &str| !city.is_empty() && city.to_lowercase().replace(' ', "-") == piece;
    let code = pieces().find_map(|piece| regions.iter().find(|region| is_city(&piece, &region.city)));
    code.and_then(|region| hint(&region.code))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_clusters_say_regions() {
        let of = |name| of_name(name).map(|guess| (guess.code, guess.is_code));
        let some = |code: &str, is_code| Some((code.to_owned(), is_code));
        assert_eq!(of("us-west"), some("us-west-2", false));
        assert_eq!(of("prod-eu-west-1"), some("eu-west-1", true));
        assert_eq!(of("gke_europe-west1_blue"), some("europe-west1", true));
        assert_eq!(of("aks-westeurope"), some("westeurope", true));
        assert_eq!(of("frankfurt"), some("eu-central-1", false));
        assert_eq!(of("production"), None);
        assert_eq!(of(""), None);
    }

    #[test]
    fn every_place_is_in_the_catalogue() {
        for (_, region) in PLACES {
            assert_eq!(code(region).as_deref(), Some(region));
        }
    }
}
