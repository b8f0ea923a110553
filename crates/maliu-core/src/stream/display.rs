//! A stream in one line: codec, rate and channels, or size.

use core::fmt;

use super::{Media, StreamInfo};

/// The codec and what a user wants to know first: `aac, 44100 Hz, stereo`, `h264, 1920×1080, 25 fps`.
impl fmt::Display for StreamInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.codec)?;
        match &self.media {
            Media::Audio(audio) => {
                if let Some(rate) = audio.sample_rate {
                    write!(f, ", {rate} Hz")?;
                }
                if audio.channels.is_some() {
                    write!(f, ", {}", audio.layout_name())?;
                }
            }
            Media::Video(video) => {
                if let (Some(width), Some(height)) = (video.width, video.height) {
                    write!(f, ", {width}×{height}")?;
                }
                if let Some((num, den)) = video.frame_rate.filter(|(_, den)| *den > 0) {
                    write!(f, ", {} fps", f64::from(num) / f64::from(den))?;
                }
            }
            Media::Subtitle | Media::Data | Media::Attachment => {}
        }
        if !self.language.is_empty() {
            write!(f, " ({})", self.language)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::super::Codec;
    use super::*;

    #[test]
    fn what_is_unknown_is_left_out() {
        let mut film = StreamInfo::video(Codec::H264, 1920, 1080);
        assert_eq!(film.to_string(), "h264, 1920×1080");
        if let Media::Video(video) = &mut film.media {
            video.frame_rate = Some((30_000, 1001));
        }
        film.language = "deu".into();
        assert_eq!(film.to_string(), "h264, 1920×1080, 29.97002997002997 fps (deu)");
        assert_eq!(StreamInfo::audio(Codec::Mp3, 0, 0).to_string(), "mp3");
    }
}
