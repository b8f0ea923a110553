//! Cutters: elementary stream in, frames and access units out.

mod aac;
mod ac3;
mod dts;
mod latm;
mod mpeg_audio;
mod nal;
mod opus;
mod video;
mod whole;

use alloc::boxed::Box;

use bytes::Bytes;

use crate::{
    error::Result,
    input::Input,
    stream::{Codec, Media},
    syntax::{
        h264, h265,
        mpeg_video::{PictureEnds, VopEnds},
    },
};

pub(super) use whole::Whole;

/// A frame or access unit.
#[derive(Debug, Default)]
pub(super) struct Unit {
    /// Offset in the elementary stream at which it begins, for its time.
    pub at: u64,
    /// Offset behind its last byte.
    pub end: u64,
    pub data: Bytes,
    /// Decoding can start here.
    pub key: bool,
    /// Video that is shown when it is decoded: nothing that is decoded later is shown before it.
    pub immediate: bool,
    /// Video of known display order.
    pub order: Option<Order>,
    /// Samples per channel that it decodes to, and how many of them make a second; 0 for what is not audio.
    pub samples: (u32, u32),
    /// Samples to drop at the start and at the end.
    pub trim: (u32, u32),
    /// Description of the stream from this unit on, when that is news.
    pub facts: Option<Box<Facts>>,
    /// The facts replace others.
    pub replaces: bool,
}

/// When a picture is shown, counted in pictures of its group.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Order {
    pub number: u16,
    /// A group begins: its numbers count from the end of the one before.
    pub restarts: bool,
}

/// Facts that the elementary stream declares of itself.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Facts {
    pub codec: Codec,
    pub media: Media,
    pub config: Bytes,
    pub profile: Option<u8>,
}

/// Answer of a cutter.
#[derive(Debug)]
pub(super) enum Cut {
    Unit(Unit),
    /// More bytes decide.
    NeedBytes,
    /// The input has ended.
    End,
}

/// Cuts one elementary stream into units.
pub(super) trait Cutter: Send {
    /// The next unit.
    ///
    /// # Errors
    /// [`crate::error::Error::Limit`] for a unit that is too long.
    fn poll(&mut self, input: &mut Input) -> Result<Cut>;

    /// A PES packet is complete. `sure`: units of this stream end where PES packets end.
    fn pes_ends(&mut self, _input: &mut Input, _sure: bool) {}

    /// Bytes were lost, or the input was moved: what was seen before says nothing of what follows.
    fn restart(&mut self) {}

    /// Whether units may go on behind the end of a PES packet whose end is known.
    fn spans_packets(&self) -> bool {
        true
    }
}

/// The cutter of a codec.
pub(super) fn of(codec: Codec, config: &[u8]) -> Box<dyn Cutter> {
    match codec {
        Codec::H264 => Box::new(nal::Units::<h264::Pictures>::default()),
        Codec::H265 => Box::new(nal::Units::<h265::Pictures>::default()),
        Codec::Mpeg1Video | Codec::Mpeg2Video => Box::new(video::Pictures::<PictureEnds>::default()),
        Codec::Mpeg4 => Box::new(video::Pictures::<VopEnds>::default()),
        Codec::Aac => Box::new(aac::Frames::default()),
        Codec::AacLatm => Box::new(latm::Elements::default()),
        Codec::Mp1 | Codec::Mp2 | Codec::Mp3 => Box::new(mpeg_audio::Frames::default()),
        Codec::Ac3 | Codec::Eac3 => Box::new(ac3::Frames::default()),
        Codec::Dts => Box::new(dts::Frames::default()),
        Codec::Opus => Box::new(opus::Packets::new(config)),
        _ => Box::new(Whole::of(codec)),
    }
}
