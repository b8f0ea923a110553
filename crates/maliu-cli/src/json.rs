//! JSON written as it comes, so that a file of any number of packets needs no memory.

use std::{
    fmt::Display,
    io::{self, Write},
};

use crate::escape;

/// A line of JSON about a command under way: on standard output, or on standard error when media goes there. A reader
/// that does not read the lines does not stop the command.
pub(crate) fn line(out: &str, value: &serde_json::Value) {
    let line = escape::line(value);
    let _ = if out == "-" { writeln!(io::stderr(), "{line}") } else { writeln!(io::stdout(), "{line}") };
}

/// An open object or array; [`Open::close`] ends it.
pub(crate) struct Open<'a> {
    out: &'a mut dyn Write,
    close: u8,
    empty: bool,
}

/// Starts the outermost object.
pub(crate) fn object(out: &mut dyn Write) -> io::Result<Open<'_>> {
    Open::new(out, b'{')
}

impl<'a> Open<'a> {
    fn new(out: &'a mut dyn Write, open: u8) -> io::Result<Self> {
        out.write_all(&[open])?;
        Ok(Self { out, close: open + 2, empty: true })
    }

    /// A member whose value is printed bare: a number or a truth value.
    pub(crate) fn bare(&mut self, name: &str, value: impl Display) -> io::Result<()> {
        self.name(name)?;
        write!(self.out, "{value}")
    }

    /// A member whose value is a string without anything to escape, such as a time.
    pub(crate) fn plain(&mut self, name: &str, value: impl Display) -> io::Result<()> {
        self.name(name)?;
        write!(self.out, "\"{value}\"")
    }

    /// A member whose value is any string.
    pub(crate) fn string(&mut self, name: &str, value: &str) -> io::Result<()> {
        self.name(name)?;
        quoted(self.out, value)
    }

    /// A member that is an object.
    pub(crate) fn object(&mut self, name: &str) -> io::Result<Open<'_>> {
        self.name(name)?;
        Open::new(self.out, b'{')
    }

    /// A member that is an array.
    pub(crate) fn array(&mut self, name: &str) -> io::Result<Open<'_>> {
        self.name(name)?;
        Open::new(self.out, b'[')
    }

    /// An object as the next item of an array, on a line of its own.
    pub(crate) fn item(&mut self) -> io::Result<Open<'_>> {
        self.comma()?;
        self.out.write_all(b"\n  ")?;
        Open::new(self.out, b'{')
    }

    /// Hands written text to its reader.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }

    /// Ends the object or array.
    pub(crate) fn close(self) -> io::Result<()> {
        self.out.write_all(&[self.close])
    }

    fn name(&mut self, name: &str) -> io::Result<()> {
        self.comma()?;
        quoted(self.out, name)?;
        self.out.write_all(b":")
    }

    fn comma(&mut self) -> io::Result<()> {
        if !std::mem::take(&mut self.empty) {
            self.out.write_all(b",")?;
        }
        Ok(())
    }
}

fn quoted(out: &mut dyn Write, text: &str) -> io::Result<()> {
    serde_json::to_writer(out, text).map_err(io::Error::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_valid_json() {
        let mut text = Vec::new();
        let mut root = object(&mut text).unwrap();
        let mut list = root.array("list").unwrap();
        for n in 0..2 {
            let mut item = list.item().unwrap();
            item.bare("n", n).unwrap();
            item.plain("time", 1.5).unwrap();
            item.close().unwrap();
        }
        list.close().unwrap();
        root.string("odd \"name\"", "line\nend\u{1}").unwrap();
        root.object("none").unwrap().close().unwrap();
        root.close().unwrap();
        let value: serde_json::Value = serde_json::from_slice(&text).unwrap();
        assert_eq!(value["list"][1]["n"], 1);
        assert_eq!(value["odd \"name\""], "line\nend\u{1}");
    }
}
