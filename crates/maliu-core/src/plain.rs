//! Text of files and peers made harmless to show: nothing in it moves a cursor, hides or turns other text, or is endless.

use core::fmt::{self, Write};

/// Most characters of one text that are shown.
pub const MAX_SHOWN: usize = 1024;

/// A text as it may be shown on a terminal or in a log: on one line, with control characters escaped, and no more than
/// [`MAX_SHOWN`] characters of it.
///
/// ```
/// use maliu_core::plain::plain;
///
/// assert_eq!(plain("a\x1b[2Jb\nc\u{202e}d").to_string(), r"a\u{1b}[2Jb\nc\u{202e}d");
/// ```
pub fn plain(text: &str) -> Plain<'_> {
    Plain(text)
}

/// See [`plain`].
#[derive(Clone, Copy, Debug)]
pub struct Plain<'a>(&'a str);

impl fmt::Display for Plain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut letters = self.0.chars();
        for letter in letters.by_ref().take(MAX_SHOWN) {
            if is_harmful(letter) {
                write!(f, "{}", letter.escape_default())?;
            } else {
                f.write_char(letter)?;
            }
        }
        match letters.as_str().len() {
            0 => Ok(()),
            more => write!(f, "… ({more} more bytes)"),
        }
    }
}

/// Whether a character does something to a terminal or to the text around it: controls, separators of lines, marks that
/// turn the direction of writing, and those that are not seen at all.
pub fn is_harmful(letter: char) -> bool {
    letter.is_control()
        || matches!(letter,
            '\u{61c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
            | '\u{feff}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;

    #[test]
    fn what_moves_a_cursor_or_turns_text_is_escaped_and_letters_are_not() {
        for (text, shown) in [
            ("码流 é 🎬", "码流 é 🎬"),
            ("\x1b]0;title\x07", r"\u{1b}]0;title\u{7}"),
            ("\u{9b}31m\x7f", r"\u{9b}31m\u{7f}"),
            ("one\r\ntwo\ttab", r"one\r\ntwo\ttab"),
            ("a\u{202e}b\u{2066}c\u{2028}", r"a\u{202e}b\u{2066}c\u{2028}"),
            ("\0", r"\u{0}"),
        ] {
            assert_eq!(plain(text).to_string(), shown);
        }
    }

    #[test]
    fn long_text_is_cut() {
        let long = plain(&"é".repeat(5000)).to_string();
        assert_eq!(long.chars().take_while(|letter| *letter == 'é').count(), MAX_SHOWN);
        assert!(long.ends_with("… (7952 more bytes)"), "{}", &long[long.len() - 40..]);
    }
}
