//! The settings of writing, and the kinds of files.

use crate::{
    error::{Error, Result},
    settings::{Help, Settings},
    time::Ticks,
};

/// Which file it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Brand {
    Mp4,
    Mov,
    M4a,
    /// Fragments, for any receiver.
    Fragmented,
    /// Fragments as CMAF wants them.
    Cmaf,
}

impl Brand {
    /// The format's name in messages.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Mp4 => "mp4",
            Self::Mov => "mov",
            Self::M4a => "m4a",
            Self::Fragmented => "fmp4",
            Self::Cmaf => "cmaf",
        }
    }

    /// Whether the file is made of fragments alone.
    pub(crate) fn is_fragmented(self) -> bool {
        matches!(self, Self::Fragmented | Self::Cmaf)
    }
}

/// The settings of whole files.
pub(in super::super) const WHOLE: &[Help] = &[
    help("faststart", "0|1", "0", "Writing: move the index in front of the media when the file is finished."),
    help(
        "reserve",
        "BYTES",
        "0",
        "Writing: keep this much room in front for the index; one that is larger goes behind.",
    ),
    help("hybrid", "0|1", "1", "Writing to a file: keep it playable at any time, as fragments, until it is finished."),
    IN_BAND,
    help("chunk_shift", "BYTES", "0", "Reading: add this to the offsets of chunks, where an edit has made them wrong."),
    help("key", "KID:KEY,…", "", "Reading: keys to decrypt with, and their identifiers, in hexadecimal digits."),
];

/// The settings of files of fragments.
pub(in super::super) const FRAGMENTS: &[Help] = &[
    help(
        "fragment",
        "key|frame|time",
        "key",
        "Writing: a fragment at each keyframe, each packet, or keyframe after a time.",
    ),
    help("sidx", "0|1", "0", "Writing: a segment index in front of each fragment."),
    help("mfra", "0|1", "0", "Writing: an index of the fragments at the end."),
    IN_BAND,
];

const IN_BAND: Help = help(
    "in_band",
    "0|1",
    "0",
    "Writing: leave parameter sets in the packets (avc3, hev1), and none in the index alone.",
);

const fn help(name: &'static str, value: &'static str, default: &'static str, what: &'static str) -> Help {
    Help { name, value, default, what }
}

/// Most bytes of room for an index in front.
const MAX_RESERVE: i64 = 256 << 20;

/// When a fragment ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cut {
    /// Before each keyframe.
    Key,
    /// Behind each packet.
    Frame,
    /// Before the first keyframe at least this many µs behind its start.
    After(Ticks),
}

/// The settings, typed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Options {
    pub brand: Brand,
    pub faststart: bool,
    /// Bytes of room for the index in front.
    pub reserve: u32,
    pub hybrid: bool,
    pub in_band: bool,
    pub cut: Cut,
    pub sidx: bool,
    pub mfra: bool,
}

impl Options {
    pub(super) fn parse(brand: Brand, pairs: &[(&str, &str)]) -> Result<Self> {
        let mut settings = Settings::new(pairs, if brand.is_fragmented() { FRAGMENTS } else { WHOLE });
        let mut flag = |name, default| settings.flag(name).map(|flag| flag.unwrap_or(default));
        let mut options = Self {
            brand,
            faststart: flag("faststart", false)?,
            reserve: 0,
            hybrid: flag("hybrid", true)?,
            in_band: flag("in_band", false)?,
            cut: Cut::Key,
            sidx: flag("sidx", false)?,
            mfra: flag("mfra", false)?,
        };
        if !brand.is_fragmented() {
            options.reserve = settings.number("reserve", 0, MAX_RESERVE)?.unwrap_or(0) as u32;
        }
        options.cut = match settings.text("fragment") {
            None | Some("key") => Cut::Key,
            Some("frame") => Cut::Frame,
            Some(time) => {
                let pairs = [("fragment", time)];
                let span = Settings::new(&pairs, FRAGMENTS).duration("fragment")?.unwrap_or_default();
                if span.0 <= 0 {
                    let why = alloc::format!("{time:?} is neither key, frame nor a time above 0");
                    return Err(Error::Setting { name: "fragment".into(), why });
                }
                Cut::After(span)
            }
        };
        settings.finish()?;
        Ok(options)
    }
}
