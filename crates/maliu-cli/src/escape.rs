//! The last guard before a terminal or a log: controls in text become escapes, which are those of JSON, too.

use std::io::{self, Write};

use maliu::plain::is_harmful;
use serde_json::Value;

use crate::terminal;

/// Passes text on. Line feeds and tabs are the program's own; any other control, and what turns or hides text, came from
/// a file, a peer or a name, and is written as `\u001b`. In JSON such characters stand in strings only, so that what is
/// written means the same. Where standard output is coloured, the program's own styles pass.
pub(crate) struct Escaping<W>(pub W);

impl<W: Write> Write for Escaping<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write_all(bytes).map(|()| bytes.len())
    }

    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        // All of them, without a way out between: so it is done for many bytes at a time.
        let odd = |byte: &u8| matches!(byte, 0..=8 | 11..=31 | 127 | 0xc2..);
        if !bytes.iter().fold(false, |any, byte| any | odd(byte)) {
            return self.0.write_all(bytes);
        }
        match std::str::from_utf8(bytes) {
            Ok(shown) => self.0.write_all(text(shown).as_bytes()),
            Err(_) => self.0.write_all(text(&String::from_utf8_lossy(bytes)).as_bytes()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// A line of JSON without anything that does something to a terminal.
pub(crate) fn line(value: &Value) -> String {
    text(&value.to_string())
}

/// A text of one or more lines without anything else that does something to a terminal.
pub(crate) fn text(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut styled = 0;
    for (at, letter) in text.char_indices() {
        if letter == '\u{1b}' && terminal::colours() {
            styled = styled.max(at + terminal::style_at(&text[at..]));
        }
        if at < styled {
            out.push(letter);
        } else if is_harmful(letter) && !matches!(letter, '\n' | '\t') {
            let mut units = [0; 2];
            letter.encode_utf16(&mut units).iter().for_each(|unit| out.push_str(&format!("\\u{unit:04x}")));
        } else {
            out.push(letter);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_json_mean_the_same_and_hold_no_controls() {
        let value = serde_json::json!({ "name": "a\u{9b}31m\u{7f}\u{202e}\u{e0041}\n\u{1b}[2J码" });
        let line = line(&value);
        assert!(line.chars().all(|letter| !is_harmful(letter)), "{line}");
        assert_eq!(serde_json::from_str::<Value>(&line).unwrap(), value);
    }

    #[test]
    fn text_keeps_its_lines_and_letters() {
        let mut out = Vec::new();
        write!(Escaping(&mut out), "é\ttab\nline \u{1b}]0;x\u{7} \u{9b}\r").unwrap();
        Escaping(&mut out).write_all(b"\xff!").unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), "é\ttab\nline \\u001b]0;x\\u0007 \\u009b\\u000d\u{fffd}!");
    }
}
