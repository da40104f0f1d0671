//! Untrusted text made harmless for a terminal: characters that move the cursor, hide text or turn its direction
//! ("Trojan Source", CVE-2021-42574) are shown as escapes.

use std::borrow::Cow;

/// Whether a character is a control, a format character without a glyph, or turns the direction of text.
pub(super) fn is_harmful(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// The text on one line with every harmful character escaped as in Rust: `\u{202e}`.
#[must_use]
pub fn harmless(text: &str) -> Cow<'_, str> {
    if !text.contains(is_harmful) {
        return Cow::Borrowed(text);
    }
    let escaped = text.chars().fold(String::with_capacity(text.len() + 16), |mut out, c| {
        if is_harmful(c) {
            out.extend(c.escape_default());
        } else {
            out.push(c);
        }
        out
    });
    Cow::Owned(escaped)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn harmful_characters_are_escaped_and_others_kept() {
        assert_eq!(harmless("\u{1b}[2Jé漢🙂\u{202e}x\u{9b}31m\n"), "\\u{1b}[2Jé漢🙂\\u{202e}x\\u{9b}31m\\n");
        assert!(matches!(harmless("Zürich"), Cow::Borrowed("Zürich")));
    }
}
