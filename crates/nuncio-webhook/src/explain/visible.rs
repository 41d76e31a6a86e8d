//! Bytes as text in which nothing is invisible and no secret stands.

use std::fmt::Write as _;

use crate::Secrets;

/// Enough to see where two texts start to differ, and no flood.
const MAX_SHOWN_BYTES: usize = 4096;
/// A shorter secret is found in texts by chance, and protects nothing.
const MIN_BLANKED_CHARS: usize = 4;

/// Makes bytes visible, without the secrets.
pub(super) struct Visible {
    /// The secrets as they would show.
    secrets: Vec<String>,
}

impl Visible {
    pub(super) fn without(secrets: &Secrets) -> Self {
        let shown = secrets.all().iter().map(|secret| escaped(secret.text.as_bytes()));
        let mut secrets: Vec<_> =
            shown.filter(|secret| secret.chars().count() >= MIN_BLANKED_CHARS).collect();
        // One that is part of another would leave the rest of it.
        secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        Self { secrets }
    }

    /// The start of `bytes` with escapes for what cannot be seen.
    pub(super) fn text(&self, bytes: &[u8]) -> String {
        // Blanked before it is cut, so that no half of a secret is left.
        let blank = |text: String, secret: &String| text.replace(secret, "***");
        let mut text = self.secrets.iter().fold(escaped(bytes), blank);
        if text.len() > MAX_SHOWN_BYTES {
            let end = (0..=MAX_SHOWN_BYTES).rev().find(|at| text.is_char_boundary(*at));
            text.truncate(end.unwrap_or_default());
            let _ = write!(text, "… ({} bytes)", bytes.len());
        }
        text
    }
}

fn escaped(bytes: &[u8]) -> String {
    let mut text = String::new();
    for chunk in bytes.utf8_chunks() {
        for character in chunk.valid().chars() {
            match character {
                '"' | '\'' => text.push(character),
                _ => text.extend(character.escape_debug()),
            }
        }
        chunk.invalid().iter().for_each(|byte| _ = write!(text, "\\x{byte:02x}"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_seen_is_written_as_an_escape() {
        let visible = Visible::without(&Secrets::new());
        assert_eq!(visible.text(b"a \"b\"\r\n\0\xeb\\"), r#"a "b"\r\n\0\xeb\\"#);
        assert_eq!(visible.text("\u{feff}é\u{a0}\u{200b}".as_bytes()), r"\u{feff}é\u{a0}\u{200b}");
    }

    #[test]
    fn a_secret_is_blanked_also_where_it_is_escaped_or_cut() {
        let secrets = Secrets::new().with("a", "made-up").with("b", "made-up-longer\n");
        let visible = Visible::without(&secrets);
        assert_eq!(visible.text(b"x made-up-longer\n made-up"), "x *** ***");
        let long = [vec![b'x'; MAX_SHOWN_BYTES - 3], b"made-up".to_vec()].concat();
        assert!(!visible.text(&long).contains('m'));
        assert!(visible.text(&[b'x'; 5000]).ends_with("x… (5000 bytes)"));
    }
}
