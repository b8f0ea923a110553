//! Limits of a description, wherever it comes from: a file, a peer, a layout.
//!
//! Each limit is far beyond what is recorded, and keeps what is computed from two numbers of an input within memory.

use super::{Media, StreamInfo};
use crate::error::{Error, Result};

/// Most channels of an audio stream, as in the reference.
pub const MAX_CHANNELS: u16 = 512;

/// Most samples per second and channel.
pub const MAX_SAMPLE_RATE: u32 = 1 << 28;

/// Most samples per channel in a packet, of encoder delay and of preroll.
pub const MAX_FRAME_SIZE: u32 = 1 << 22;

/// Most bytes of a block.
pub const MAX_BLOCK_ALIGN: u32 = 1 << 24;

/// Most pixels of a picture in one direction.
pub const MAX_SIDE: u32 = 1 << 17;

/// Most pixels of a picture.
pub const MAX_PIXELS: u64 = 1 << 28;

/// Most bytes of memory that all tags of an input, or of a stream, take.
pub const MAX_TAG_BYTES: usize = 2 << 20;

/// Most bytes of memory that the descriptions of all streams of an input take together.
pub const MAX_DESCRIPTIONS: usize = 16 << 20;

impl StreamInfo {
    /// Checks what it says against the limits of this module.
    ///
    /// # Errors
    /// [`Error::Limit`].
    pub fn check(&self) -> Result<()> {
        match &self.media {
            Media::Audio(audio) => {
                check_audio(audio.rate(), audio.channel_count())?;
                let frames = audio.frame_size.max(audio.preroll).max(audio.delay);
                within("samples of a packet (MAX_FRAME_SIZE)", frames.into(), MAX_FRAME_SIZE.into())?;
                within("bytes of a block (MAX_BLOCK_ALIGN)", audio.block_align.into(), MAX_BLOCK_ALIGN.into())
            }
            Media::Video(video) => {
                let (width, height) = video.size();
                let (width, height) = (u64::from(width), u64::from(height));
                within("width or height of a picture (MAX_SIDE)", width.max(height), MAX_SIDE.into())?;
                within("pixels of a picture (MAX_PIXELS)", width.saturating_mul(height), MAX_PIXELS)
            }
            Media::Subtitle | Media::Data | Media::Attachment => Ok(()),
        }
    }
}

/// Checks a sample rate and a number of channels that come on the way.
///
/// # Errors
/// [`Error::Limit`].
pub fn check_audio(sample_rate: u32, channels: u16) -> Result<()> {
    within("channels (MAX_CHANNELS)", channels.into(), MAX_CHANNELS.into())?;
    within("samples per second (MAX_SAMPLE_RATE)", sample_rate.into(), MAX_SAMPLE_RATE.into())
}

fn within(what: &'static str, value: u64, limit: u64) -> Result<()> {
    if value > limit { Err(Error::Limit { what, limit }) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::{
        super::{Audio, Codec, Video},
        *,
    };
    use crate::time::TimeBase;

    #[test]
    fn each_number_has_a_limit() {
        let audio = |audio| Media::Audio(audio);
        let video = |width, height| Media::Video(Video::new(width, height));
        for (media, fits) in [
            (audio(Audio::new(1 << 28, 512)), true),
            (audio(Audio::new(0, 513)), false),
            (audio(Audio::new((1 << 28) + 1, 0)), false),
            (audio(Audio { frame_size: u32::MAX, ..Audio::default() }), false),
            (audio(Audio { preroll: u32::MAX, ..Audio::default() }), false),
            (audio(Audio { block_align: u32::MAX, ..Audio::default() }), false),
            (video(16_384, 16_384), true),
            (video(1 << 17, 1 << 12), false),
            (video((1 << 17) + 1, 1), false),
        ] {
            let check = StreamInfo::new(Codec::Mp3, TimeBase::MILLIS, media).check();
            assert_eq!(check.is_ok(), fits, "{check:?}");
        }
    }
}
