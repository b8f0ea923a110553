//! Layouts as people write them: TOML text → [`Layout`], with line, column and a hint for every fault; and the presets.
//!
//! ```
//! let layout = maliu::layout::parse(r#"
//!     name = "mine"
//!     header = [
//!       { name = "magic",  type = "u16", value = 0xCAFE },
//!       { name = "length", type = "u32", role = "length" },
//!       { name = "time",   type = "u32", role = "pts", clock = 90000 },
//!     ]
//!     body = { kind = "annexb", codec = "h264" }
//! "#).unwrap();
//! assert_eq!(layout.header.len(), 3);
//!
//! let fault = maliu::layout::parse("name = \"x\"\nheader = [ { name = \"n\", type = \"u99\" } ]").unwrap_err();
//! assert_eq!((fault.line, fault.column), (2, 33));
//! ```

use std::fmt;

pub use maliu_core::layout::*;
use maliu_core::{
    format::{Format, Rules, Score},
    reader::PacketReader,
};

mod condition;
mod presets;
mod render;
mod schema;
mod sums;
mod text;

pub use presets::{PRESETS, Preset, named};
pub use render::{text, text_of_guess};
pub use text::parse;

/// The most bytes of text a layout may have.
pub const MAX_TEXT: usize = 256 << 10;

/// A fault of a layout's text.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TextFault {
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// The fault.
    pub what: String,
    /// A remedy; may be empty.
    pub hint: String,
}

impl fmt::Display for TextFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}: {}", self.line, self.column, self.what)?;
        if self.hint.is_empty() { Ok(()) } else { write!(f, " ({})", self.hint) }
    }
}

impl std::error::Error for TextFault {}

/// The row under which readers and writers of layouts present themselves. It is not in the list of formats: a layout is
/// never guessed.
pub static FORMAT: Format = Format {
    name: "layout",
    long_name: "a |header|data| protocol described by a layout",
    mime: &[],
    extensions: &[],
    probe: |_| Score::No("a layout is declared, not detected"),
    demuxer: None,
    muxer: None,
    settings: &[],
    rules: Rules { equal_dts: true, negative: true, no_dimensions: true, ..Rules::STRICT },
    default_codecs: (None, None),
};

/// A reader of connections and captures in this layout.
///
/// # Errors
/// The layout's first [`Fault`].
pub fn reader(layout: Layout) -> Result<PacketReader, Fault> {
    Ok(PacketReader::with(&FORMAT, Box::new(Reader::new(layout)?)))
}
