//! Video as NAL units behind start codes: one reader and one writer for every codec that is kept so.
//!
//! ```text
//!  Input ─▶ RawStream<Pictures> ─▶ Packet = access unit, start codes and all ─▶ Output, as it is
//! ```
//!
//! A codec brings its row, its probe and [`Raw`].

use crate::{format::Format, settings::Help, syntax::annexb::RawCoding};

mod demuxer;
pub mod h264;
pub mod h265;
mod muxer;

/// Zeros that may stand before the first start code of a stream that was cut at a unit; silence of other codecs has more.
const MAX_LEADING_ZEROS: usize = 16;

/// Whether a start code stands at the very start.
fn starts_with_unit(bytes: &[u8]) -> bool {
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    (2..=MAX_LEADING_ZEROS).contains(&zeros) && bytes.get(zeros) == Some(&1)
}

/// Facts of a codec for reading and writing.
trait Raw: RawCoding + Send + 'static {
    /// Its row.
    const FORMAT: &'static Format;

    /// Why other streams are not written.
    const TAKES: &'static str;

    /// Follows a stream; `strict` where the standard and the reference part.
    fn new(strict: bool) -> Self;
}

/// The settings of a codec: what they do, in its words.
const fn settings(framerate: &'static str, strict: &'static str) -> [Help; 2] {
    [
        Help { name: "framerate", value: "N/D", default: "as the stream says, else 25", what: framerate },
        Help { name: "strict", value: "0|1", default: "0", what: strict },
    ]
}
