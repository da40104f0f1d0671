//! What the page may do: run its own style and its own script, told by their digests, and load nothing at all.

use base64::prelude::{BASE64_STANDARD, Engine};
use sha2::{Digest, Sha256};

/// The page's style sheet.
pub(super) const STYLE: &str = include_str!("../../../templates/report.css");
/// The page's script.
pub(super) const SCRIPT: &str = include_str!("../../../templates/report.js");

/// The page's Content-Security-Policy (W3C, *Content Security Policy Level 3*).
pub(super) fn policy() -> String {
    let source = |text: &str| format!("'sha256-{}'", BASE64_STANDARD.encode(Sha256::digest(text)));
    format!(
        "default-src 'none'; style-src {}; script-src {}; base-uri 'none'; form-action 'none'",
        source(STYLE),
        source(SCRIPT)
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::svg::variant_colour;

    #[test]
    fn nothing_ends_the_elements_that_hold_them() {
        for text in [STYLE, SCRIPT] {
            assert!(!text.contains("</") && !text.contains("<!--"));
        }
    }

    #[test]
    fn the_style_has_the_colour_of_every_variant() {
        for place in 0..7 {
            let rule = format!(".v{place}{{--c:{}}}", variant_colour(place));
            assert!(STYLE.contains(&rule), "{rule}");
        }
        assert_eq!(variant_colour(7), variant_colour(0), "then they begin again");
    }
}
