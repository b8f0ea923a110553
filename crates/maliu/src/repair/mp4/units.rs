//! Where units of audio end, for codecs whose samples say so themselves.

use maliu_core::{
    stream::{Codec, StreamInfo},
    syntax::{ac3, isobmff::codecs, mpeg_audio},
};

/// Finds the ends of units of one stream.
pub trait Split: Send {
    /// Bytes of the unit with which `bytes` begins; `None` when it is no unit.
    fn length(&mut self, bytes: &[u8]) -> Option<usize>;
}

/// Makes a [`Split`] for a stream of a codec that needs a decoder's parser, such as AAC.
pub type MakeSplit = fn(&StreamInfo) -> Option<Box<dyn Split>>;

/// The way in which an audio stream is cut into samples.
pub(super) enum Audio {
    /// Units of which each shows its length.
    Units(Box<dyn Split>),
    /// Frames of this size in bytes, up to the next unit of video.
    Frames(u32),
}

impl Audio {
    /// For this stream; `None` when its samples do not show where they end.
    pub(super) fn of(info: &StreamInfo, make: Option<MakeSplit>) -> Option<Self> {
        let channels = info.as_audio().map_or(1, |audio| u32::from(audio.channel_count().max(1)));
        let split: Box<dyn Split> = match info.codec {
            Codec::Mp3 | Codec::Mp2 | Codec::Mp1 => Box::new(MpegFrames),
            Codec::Ac3 | Codec::Eac3 => Box::new(SyncFrames),
            codec if codecs::pcm_bits(codec) > 0 => return Some(Self::Frames(codecs::pcm_bits(codec) / 8 * channels)),
            _ => make?(info)?,
        };
        Some(Self::Units(split))
    }
}

struct MpegFrames;

impl Split for MpegFrames {
    fn length(&mut self, bytes: &[u8]) -> Option<usize> {
        mpeg_audio::Header::parse(bytes)?.frame_length()
    }
}

struct SyncFrames;

impl Split for SyncFrames {
    fn length(&mut self, bytes: &[u8]) -> Option<usize> {
        Some(ac3::Header::parse(bytes)?.length)
    }
}
