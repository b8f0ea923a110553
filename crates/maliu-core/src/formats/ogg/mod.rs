//! Ogg: Opus, Vorbis, FLAC, Speex, Theora and VP8 on pages (RFC 3533, RFC 5334, RFC 7845, RFC 9639 §10.1).
//!
//! ```text
//!   first page of each stream │ further headers │ pages of data, by time │ first page of the next link …
//! ```
//!
//! - Times are counted from the positions of pages, which are those behind their last packets, as the reference counts.
//! - A link of a chain describes its streams again, and its times go on behind the link before it (setting `links`).
//! - Pages with wrong checksums, gaps and junk are passed over with a remark; the next packet is flagged corrupt.
//! - The end of a seekable input is read first, for durations. Seeking bisects; a chain is walked from its start.
//! - Logical streams of other content (skeletons, Kate, Dirac, …) are left out with a remark.

use alloc::boxed::Box;

mod demuxer;
mod logical;
mod mapping;
mod muxer;
mod pages;
mod tail;

use crate::{
    error::Result,
    format::{Demuxer, Format, Rules, Score},
    settings::{Help, Settings},
    stream::Codec,
};

/// The row of this format.
pub const FORMAT: Format = Format {
    name: "ogg",
    long_name: "Ogg",
    mime: &["audio/ogg", "video/ogg", "application/ogg"],
    extensions: &["ogg", "oga", "ogv", "opus", "spx", "ogx"],
    probe,
    demuxer: Some(open),
    muxer: Some(muxer::make),
    settings: SETTINGS,
    rules: Rules { equal_dts: true, negative: true, flush: true, other_codecs: true, ..Rules::STRICT },
    default_codecs: (Some(Codec::Opus), Some(Codec::Theora)),
};

const SETTINGS: &[Help] = &[
    Help {
        name: "links",
        value: "go_on|restart",
        default: "go_on",
        what: "Reading: whether the times of a further link go on behind the one before, or restart as written.",
    },
    Help {
        name: "page_duration",
        value: "TIME",
        default: "1",
        what: "Writing: longest time of a page, at most 60 s; 0 for a page of each packet.",
    },
    Help {
        name: "serial_offset",
        value: "N",
        default: "1",
        what: "Writing: number of the first logical stream; files that are to be chained differ in it.",
    },
];

fn open(pairs: &[(&str, &str)]) -> Result<Box<dyn Demuxer>> {
    let mut settings = Settings::new(pairs, SETTINGS);
    let links = settings.choice("links", &[("go_on", 0), ("restart", 1)])?;
    settings.finish()?;
    Ok(Box::new(demuxer::Ogg::new(links != Some(1))))
}

fn probe(bytes: &[u8]) -> Score {
    match bytes.iter().zip(b"OggS\0").all(|(byte, mark)| byte == mark) {
        false => Score::No("no Ogg page at the start"),
        true if bytes.len() < 5 => Score::More("the start of an Ogg page"),
        true => Score::Sure("an Ogg page"),
    }
}
