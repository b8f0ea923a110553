//! Payload formats: payloads in order → access units, frames and blocks.

use alloc::{borrow::Cow, boxed::Box, collections::VecDeque};

use bytes::Bytes;

use self::until_marker::{Content, UntilMarker};
use super::{facts, sdp::Media as Section};
use crate::stream::{Codec, StreamInfo};

mod aac;
mod ac3;
mod av1;
mod jpeg;
mod latm;
mod mpeg_audio;
mod nal;
mod plain;
mod until_marker;
mod vpx;
mod whole;

/// Largest unit that is put together, in bytes; a larger one is left out.
pub const MAX_UNIT: usize = 8 << 20;

/// A payload in order.
#[derive(Debug)]
pub(super) struct Part<'a> {
    /// Its timestamp without wraps.
    pub time: i64,
    pub marker: bool,
    pub payload: &'a Bytes,
}

/// A unit that is whole.
#[derive(Debug, Default)]
pub(super) struct Unit {
    /// In ticks of the RTP clock, without wraps.
    pub time: i64,
    /// In ticks of the RTP clock, where the content says.
    pub duration: Option<i64>,
    pub key: bool,
    /// Packets of it are missing.
    pub damaged: bool,
    pub data: Bytes,
    /// A configuration that came with it.
    pub config: Option<Bytes>,
}

/// Units and remarks on their way out.
#[derive(Debug, Default)]
pub(super) struct Out {
    pub units: VecDeque<Unit>,
    pub remarks: VecDeque<Cow<'static, str>>,
}

impl Out {
    fn remark(&mut self, what: impl Into<Cow<'static, str>>) {
        if self.remarks.len() < MAX_REMARKS {
            self.remarks.push_back(what.into());
        }
    }
}

/// Most remarks on one payload.
const MAX_REMARKS: usize = 8;

/// A payload format. It holds less than [`MAX_UNIT`].
pub(super) trait Unpack: Send {
    /// Takes the next payload.
    fn push(&mut self, part: &Part, out: &mut Out);

    /// Packets are missing in front of the next payload.
    fn lost(&mut self) {}

    /// Nothing follows: what is held comes out.
    fn finish(&mut self, _out: &mut Out) {}
}

/// The payload format of a media description whose stream is `info`.
///
/// # Errors
/// The reason why its content cannot be read.
pub(super) fn of(section: &Section, info: &StreamInfo) -> Result<Box<dyn Unpack>, &'static str> {
    let clock = i64::from(section.clock.max(1));
    Ok(match info.codec {
        Codec::H264 if section.number("packetization-mode") == Some(2) => {
            return Err("interleaved H.264 (packetization-mode=2) is not read");
        }
        Codec::H264 => Box::new(nal::Nals::h264()),
        Codec::H265 => {
            let ordered = section.number("sprop-max-don-diff").unwrap_or(0) > 0;
            Box::new(nal::Nals::h265(ordered))
        }
        Codec::Aac if section.is("MP4A-LATM") => Box::new(latm::Elements::of(section, clock)),
        Codec::Aac => Box::new(aac::Generic::of(section, info, clock)?),
        Codec::Opus => Box::new(plain::Plain::opus(clock)),
        Codec::G726 => {
            let bits = facts::g726_bits(section);
            let low_first = !section.encoding.to_ascii_uppercase().starts_with("AAL2");
            Box::new(plain::Plain::g726(bits, low_first))
        }
        codec if matches!(codec.name(), "pcm_mulaw" | "pcm_alaw" | "pcm_u8" | "adpcm_g722") => {
            Box::new(plain::Plain::samples(u32::from(section.channels.max(1))))
        }
        Codec::PcmS16Be => Box::new(plain::Plain::samples(2 * u32::from(section.channels.max(1)))),
        Codec::PcmS24Be => Box::new(plain::Plain::samples(3 * u32::from(section.channels.max(1)))),
        Codec::Mp3 => Box::new(mpeg_audio::Frames::new(clock)),
        Codec::Ac3 | Codec::Eac3 => Box::new(ac3::Frames::new(clock)),
        Codec::Vp8 => until_marker(vpx::Frames::vp8()),
        Codec::Vp9 => until_marker(vpx::Frames::vp9()),
        Codec::Av1 => until_marker(av1::Units::default()),
        Codec::Mjpeg => until_marker(jpeg::Images::default()),
        Codec::Mpeg2Video => until_marker(whole::Whole::mpeg_video()),
        Codec::Mpeg4 => until_marker(whole::Whole::mpeg4()),
        Codec::Klv => until_marker(whole::Whole::data()),
        _ if section.kind == "audio" => Box::new(plain::Plain::any()),
        _ => until_marker(whole::Whole::data()),
    })
}

fn until_marker(content: impl Content + 'static) -> Box<dyn Unpack> {
    Box::new(UntilMarker::new(content))
}
