//! Raw H.265: NAL units behind start codes, nothing else (ISO/IEC 23008-2 Annex B).
//!
//! ```text
//!  00 00 00 01 VPS │ SPS │ PPS │ SEI │ 00 00 01 slice segment │ … │ 00 00 00 │ 00 00 01 slice segment │ …
//!  └────────────────────── one packet: an access unit ───────────────────────┘ └─ the next
//! ```
//!
//! Handled: access units, times from picture order, parameter sets that come late, change or are cut away, starts at a
//! CRA picture, bytes before the first start code, units that the carrier ends.
//! Passed over, with a warning: parameter sets that cannot be read, bytes without any start code.
//! Refused: an access unit beyond [`crate::syntax::annexb::MAX_UNIT`].

use super::{Raw, demuxer, muxer, settings};
use crate::{
    format::{Format, Rules},
    settings::Help,
    stream::Codec,
    syntax::h265::Pictures,
};

mod probe;

/// Raw H.265.
pub const FORMAT: Format = Format {
    name: "h265",
    long_name: "raw H.265 (HEVC) video",
    mime: &["video/h265"],
    extensions: &["h265", "265", "hevc", "hvc"],
    probe: probe::probe,
    demuxer: Some(demuxer::make::<Pictures>),
    muxer: Some(muxer::make::<Pictures>),
    settings: SETTINGS,
    rules: Rules { no_timestamps: true, ..Rules::STRICT },
    default_codecs: (None, Some(Codec::H265)),
};

impl Raw for Pictures {
    const FORMAT: &'static Format = &FORMAT;
    const TAKES: &'static str = "takes one stream, of H.265";

    fn new(strict: bool) -> Self {
        Pictures::new(strict)
    }
}

const SETTINGS: &[Help] = &settings(
    "Reading: pictures per second, whatever the stream says.",
    "Reading: an end of sequence ends an access unit, as the standard says, not as the reference.",
);
