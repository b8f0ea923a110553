//! Raw H.264: NAL units behind start codes, nothing else (ISO/IEC 14496-10 Annex B).
//!
//! ```text
//!  00 00 00 01 SPS │ 00 00 00 01 PPS │ 00 00 01 SEI │ 00 00 01 slice │ 00 00 00 01 slice │ …
//!  └──────────────────── one packet: an access unit ───────────────┘ └─ the next
//! ```
//!
//! Handled: access units by the full rule, times from picture order, parameter sets that come late, change or are cut
//! away, bytes before the first start code, units that the carrier ends.
//! Passed over, with a warning: parameter sets that cannot be read, bytes without any start code.
//! Refused: an access unit beyond [`crate::syntax::annexb::MAX_UNIT`].

use super::{Raw, demuxer, muxer, settings};
use crate::{
    format::{Format, Rules},
    settings::Help,
    stream::Codec,
    syntax::h264::Pictures,
};

mod probe;

/// Raw H.264.
pub const FORMAT: Format = Format {
    name: "h264",
    long_name: "raw H.264 video",
    mime: &["video/h264"],
    extensions: &["h264", "264", "avc", "h26l", "jsv", "jvt"],
    probe: probe::probe,
    demuxer: Some(demuxer::make::<Pictures>),
    muxer: Some(muxer::make::<Pictures>),
    settings: SETTINGS,
    rules: Rules { no_timestamps: true, ..Rules::STRICT },
    default_codecs: (None, Some(Codec::H264)),
};

impl Raw for Pictures {
    const FORMAT: &'static Format = &FORMAT;
    const TAKES: &'static str = "takes one stream, of H.264";

    fn new(strict: bool) -> Self {
        Pictures::new(strict)
    }
}

const SETTINGS: &[Help] = &settings(
    "Reading: frames per second, whatever the stream says.",
    "Reading: NAL unit types 14 to 18 begin an access unit, as the standard says, not as the reference.",
);
