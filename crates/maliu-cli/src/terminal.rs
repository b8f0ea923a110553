//! The terminal that standard output may be: whether text is coloured, and how wide lines may be.

use std::{
    env,
    io::{self, IsTerminal},
    sync::OnceLock,
};

/// Text of the program's own that stands out: a name that begins a paragraph, a label, a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Style {
    /// The name of a file.
    Title,
    /// A word that names what follows it.
    Label,
    /// A fault.
    Fault,
    /// A notice.
    Notice,
}

impl Style {
    const ALL: [Self; 4] = [Self::Title, Self::Label, Self::Fault, Self::Notice];

    fn start(self) -> &'static str {
        match self {
            Self::Title => "\u{1b}[1m",
            Self::Label => "\u{1b}[36m",
            Self::Fault => "\u{1b}[31m",
            Self::Notice => "\u{1b}[33m",
        }
    }

    /// The text in this style on a terminal; elsewhere as it is.
    pub(crate) fn paint(self, text: impl ToString) -> String {
        self.painted(text.to_string(), colours())
    }

    fn painted(self, text: String, colours: bool) -> String {
        if colours { format!("{}{text}{END}", self.start()) } else { text }
    }
}

const END: &str = "\u{1b}[0m";

/// Bytes at the start of a text that begin or end a style; 0 when there are none.
pub(crate) fn style_at(text: &str) -> usize {
    let starts = Style::ALL.map(Style::start);
    starts.into_iter().chain([END]).find(|code| text.starts_with(code)).map_or(0, str::len)
}

/// Whether text on standard output is coloured: on a terminal, unless `NO_COLOR` is set and not empty (no-color.org) or
/// the terminal is `dumb`.
pub(crate) fn colours() -> bool {
    static COLOURS: OnceLock<bool> = OnceLock::new();
    *COLOURS.get_or_init(|| {
        io::stdout().is_terminal() && !refuses_colour() && env::var_os("TERM").is_none_or(|term| term != "dumb")
    })
}

/// `NO_COLOR` is set and not empty.
pub(crate) fn refuses_colour() -> bool {
    env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
}

/// Columns of the terminal that standard output is; `None` when it goes elsewhere.
pub(crate) fn width() -> Option<usize> {
    let said = || env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    io::stdout().is_terminal().then(|| columns().or_else(said).unwrap_or(80))
}

#[cfg(unix)]
fn columns() -> Option<usize> {
    let size = rustix::termios::tcgetwinsize(io::stdout()).ok()?;
    Some(usize::from(size.ws_col)).filter(|columns| *columns > 0)
}

#[cfg(not(unix))]
fn columns() -> Option<usize> {
    None
}

/// A line broken between words at `width` letters.
pub(crate) fn broken(line: &str, width: Option<usize>) -> Vec<String> {
    let Some(width) = width else { return vec![line.to_owned()] };
    let mut lines = vec![String::new()];
    for word in line.split(' ') {
        let last = lines.last().map_or(0, |line| line.chars().count());
        if last > 0 && last + 1 + word.chars().count() > width {
            lines.push(String::new());
        }
        if let Some(last) = lines.last_mut() {
            if !last.is_empty() {
                last.push(' ');
            }
            last.push_str(word);
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn styles_are_known_again() {
        for style in Style::ALL {
            let text = style.painted("x".to_owned(), true);
            let start = style_at(&text);
            assert!(start > 0 && &text[start..=start] == "x" && style_at(&text[start + 1..]) == END.len(), "{text:?}");
            assert_eq!(style.painted("x".to_owned(), false), "x");
        }
        assert_eq!(style_at("\u{1b}[2J"), 0);
    }

    #[test]
    fn lines_are_broken_between_words() {
        assert_eq!(broken("one two three four", Some(9)), ["one two", "three", "four"]);
        assert_eq!(broken("one two", None), ["one two"]);
    }
}
