//! "Did you mean": the nearest of the words that would have been right.
//!
//! The distance is Damerau and Levenshtein's (insertions, deletions, substitutions, swaps of neighbours) with upper
//! case, `_` and spaces taken as `-`; a third of the word may be wrong, as in rustc.

/// The nearest candidate, if one is near enough; among equals the first.
#[must_use]
pub fn did_you_mean<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // The distance takes time in the product of the lengths, and a longer word is no slip of the finger.
    const LONGEST: usize = 64;
    let plain = |text: &str| text.to_lowercase().replace(['_', ' '], "-");
    let length = word.chars().count();
    if length > LONGEST {
        return None;
    }
    let word = plain(word);
    candidates
        .into_iter()
        .filter(|candidate| candidate.len() <= 4 * LONGEST)
        .filter_map(|candidate| {
            let other = plain(candidate);
            let distance = strsim::damerau_levenshtein(&word, &other);
            let allowed = length.max(other.chars().count()).div_ceil(3).min(4);
            (distance <= allowed && distance < length.max(1)).then_some((distance, candidate))
        })
        .min_by_key(|&(distance, _)| distance)
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_recognised_and_other_words_are_not() {
        let keys = ["region", "replicas", "standby-for", "scale", "at"];
        assert_eq!(did_you_mean("regoin", keys), Some("region"));
        assert_eq!(did_you_mean("standby_for", keys), Some("standby-for"));
        assert_eq!(did_you_mean("Replica", keys), Some("replicas"));
        assert_eq!(did_you_mean("quorum", keys), None);
        assert_eq!(did_you_mean("x", keys), None);
        assert_eq!(did_you_mean("", keys), None);
        assert_eq!(did_you_mean(&"a".repeat(100_000), keys), None);
    }
}
