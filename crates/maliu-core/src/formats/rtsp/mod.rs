//! RTSP: the dialogue of a server and the RTP packets between its lines, as one stream of bytes (RFC 2326 §10.12).
//!
//! ```text
//!   RTSP/1.0 200 OK … SDP          the answer to DESCRIBE says which streams there are
//!   RTSP/1.0 200 OK Transport: …   answers to SETUP give them channels; without them stream n has 2n and 2n + 1
//!   RTSP/1.0 200 OK RTP-Info: …    the answer to PLAY says at which timestamps they begin
//!   { "$" channel(8) length(16) │ RTP or RTCP packet }…
//! ```
//!
//! A capture of what a server sends over TCP reads as it is, and one of both directions, too. Streams over UDP are put
//! into this form by those who receive them.
//! - Transport streams (MP2T) and program streams (MP2P, PS) in RTP are read to their streams where they stand alone.
//! - Packets on channels without a stream, and lines of other methods, are passed over.
//! - Garbage is skipped up to the next packet of a known channel, or the next answer.
//! - Not seekable. Not written.

use alloc::boxed::Box;

mod carried;
mod demuxer;

use crate::{
    error::Result,
    format::{Demuxer, Format, Rules, Score},
    rtp::Losses,
    settings::{Help, Settings},
    stream::Codec,
};

/// The row of this format.
pub const FORMAT: Format = Format {
    name: "rtsp",
    long_name: "RTSP with interleaved RTP",
    mime: &["application/x-rtsp"],
    extensions: &["rtsp"],
    probe,
    demuxer: Some(open),
    muxer: None,
    settings: SETTINGS,
    rules: Rules::STRICT,
    default_codecs: (Some(Codec::Aac), Some(Codec::H264)),
};

const SETTINGS: &[Help] = &[Help {
    name: "losses",
    value: "keep|wait",
    default: "keep",
    what: "Reading: frames with lost packets are marked as corrupt, or video waits for the next keyframe.",
}];

fn open(pairs: &[(&str, &str)]) -> Result<Box<dyn Demuxer>> {
    let mut settings = Settings::new(pairs, SETTINGS);
    let waits = settings.choice("losses", &[("keep", 0), ("wait", 1)])? == Some(1);
    settings.finish()?;
    Ok(Box::new(demuxer::Rtsp::new(if waits { Losses::Wait } else { Losses::Keep })))
}

/// The first words of a dialogue.
const STARTS: [&[u8]; 6] =
    [b"RTSP/1.", b"OPTIONS rtsp", b"DESCRIBE rtsp", b"ANNOUNCE rtsp", b"SETUP rtsp", b"OPTIONS * RTSP"];

fn probe(bytes: &[u8]) -> Score {
    if STARTS.iter().any(|start| bytes.starts_with(start)) {
        return Score::Sure("a line of RTSP");
    }
    match STARTS.iter().any(|start| start.starts_with(bytes)) {
        true => Score::More("the start of a line of RTSP"),
        false => Score::No("no line of RTSP"),
    }
}
