//! Which streams fit into the file, and how their tags begin (FLV-2…FLV-8, FLV-61, FLV-63, FLV-64).

use alloc::{format, vec::Vec};
use core::num::NonZeroU32;

use bytes::Bytes;

use crate::{
    error::{Error, Result},
    stream::{Audio, Codec, Kind, StreamInfo},
};

use super::super::{enhanced, settings::Writing};

/// A stream as it is written.
#[derive(Clone, Debug)]
pub(super) struct Track {
    /// Sound, pictures or script data.
    pub kind: Kind,
    /// How it is coded.
    pub codec: Codec,
    /// How its tags begin.
    pub form: Form,
    /// Its configuration as it was given last.
    pub config: Bytes,
    /// Highest time of its tags so far.
    pub last: Option<u32>,
    /// Ordinal among the streams of its kind.
    pub number: u8,
    /// The adjustment byte of VP6.
    pub adjust: u8,
    /// Channel count and mask of enhanced audio.
    pub channels: (u16, u32),
}

/// How the tags of a track begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// With this flags byte; the frame type of video is added to it.
    Legacy(u8),
    /// With a FourCC, and a track number other than 0 if it is not the first.
    Enhanced([u8; 4]),
    /// As AMF.
    Script,
}

impl Track {
    /// The video number for the metadata, or the FourCC as a number.
    pub(super) fn is_enhanced(&self) -> bool {
        matches!(self.form, Form::Enhanced(_))
    }
}

/// The tracks of all streams; the first that does not fit is the result.
///
/// # Errors
/// [`Error::Mux`].
pub(super) fn of(streams: &[StreamInfo], options: &Writing) -> Result<Vec<Track>> {
    let mut tracks: Vec<Track> = Vec::new();
    for (index, stream) in streams.iter().enumerate() {
        let kind = stream.media.kind();
        let number = tracks.iter().filter(|track| track.kind == kind).count();
        let refused = |why: &str| Error::mux("flv", format!("stream {index} ({}): {why}", stream.codec));
        let number = u8::try_from(number).map_err(|_| refused("more than 256 tracks of one kind"))?;
        let form = match kind {
            Kind::Video => video(stream, number, options),
            Kind::Audio => audio(stream, number, options),
            Kind::Data if matches!(stream.codec, Codec::Text | Codec::Data) => Ok(Form::Script),
            Kind::Subtitle if stream.codec == Codec::Text => Ok(Form::Script),
            _ => Err("FLV carries text, or AMF as data, beside sound and pictures"),
        };
        let adjust = stream.config.first().copied().unwrap_or_else(|| adjustment(stream));
        tracks.push(Track {
            kind,
            codec: stream.codec,
            form: form.map_err(refused)?,
            config: stream.config.clone(),
            last: None,
            number,
            adjust,
            channels: stream.as_audio().map_or((0, 0), |audio| (audio.channel_count(), audio.channel_mask)),
        });
    }
    Ok(tracks)
}

type Fits<T> = core::result::Result<T, &'static str>;

fn video(stream: &StreamInfo, number: u8, options: &Writing) -> Fits<Form> {
    if number > 0 && (options.compat || options.index) {
        return Err("a second video stream");
    }
    let legacy = match stream.codec {
        Codec::Flv1 => 2,
        Codec::FlashSv => 3,
        Codec::Vp6 | Codec::Vp6F => 4,
        Codec::Vp6A => 5,
        Codec::FlashSv2 => 6,
        Codec::H264 => 7,
        Codec::H263 => 8,
        Codec::Mpeg4 => 9,
        _ => 0,
    };
    if matches!(stream.codec, Codec::H263 | Codec::Mpeg4) && options.strict > -1 {
        return Err("not in the FLV specification; strict=-1 writes it");
    }
    match (legacy, number) {
        (1.., 0) => Ok(Form::Legacy(legacy)),
        _ => extended(stream.codec, options),
    }
}

/// An Enhanced RTMP track, which FFmpeg 5.1 does not write.
fn extended(codec: Codec, options: &Writing) -> Fits<Form> {
    match enhanced::fourcc(codec).filter(|_| !options.compat) {
        Some(fourcc) => Ok(Form::Enhanced(fourcc)),
        None => Err("a codec without a place in FLV"),
    }
}

fn audio(stream: &StreamInfo, number: u8, options: &Writing) -> Fits<Form> {
    let Some(audio) = stream.as_audio() else { return Err("no audio") };
    if number > 0 {
        return if options.compat { Err("a second audio stream") } else { extended(stream.codec, options) };
    }
    match flags(stream.codec, stream.codec_tag.map_or(0, NonZeroU32::get), audio, options.compat) {
        Err(_) if matches!(stream.codec, Codec::Opus | Codec::Flac | Codec::Ac3 | Codec::Eac3) => {
            extended(stream.codec, options)
        }
        fits => fits.map(Form::Legacy),
    }
}

/// The flags byte of legacy audio: codec(4) rate(2) size(1) stereo(1).
fn flags(codec: Codec, tag: u32, audio: &Audio, compat: bool) -> Fits<u8> {
    let stereo = u8::from(audio.channel_count() > 1);
    match codec {
        Codec::Aac => return Ok(0xaf),
        Codec::Speex if (audio.rate(), audio.channel_count()) == (16_000, 1) => return Ok(0xb6),
        Codec::Speex => return Err("Speex must be 16000 Hz and mono"),
        // The FLV specification has a number of its own for it, which the reference does not know.
        Codec::Mp3 if audio.rate() == 8000 && !compat => return Ok(0xe2 | stereo),
        _ => {}
    }
    let mp3 = codec == Codec::Mp3;
    let rate = match audio.rate() {
        48_000 if mp3 => 3,
        44_100 => 3,
        22_050 => 2,
        11_025 => 1,
        16_000 | 8_000 | 5_512 if !mp3 => 0,
        _ => return Err("a sample rate without a place in FLV"),
    };
    let sixteen = if audio.bits_per_sample == 16 { 2 } else { 0 };
    let (number, size) = match codec {
        Codec::PcmU8 => (0, sixteen),
        Codec::PcmS16Be => (0, 2),
        Codec::AdpcmSwf => (1, 2),
        Codec::Mp3 => (2, 2),
        Codec::PcmS16Le => (3, 2),
        Codec::Nellymoser => (
            match audio.rate() {
                16_000 => 4,
                8_000 => 5,
                _ => 6,
            },
            2,
        ),
        Codec::PcmALaw | Codec::PcmMuLaw => {
            // FFmpeg 5.1 forgets the stereo bit, 7.0 keeps it.
            let number = if codec == Codec::PcmALaw { 0x72 } else { 0x82 };
            return Ok(number | if compat { 0 } else { stereo });
        }
        Codec::UnknownAudio => ((tag & 0x0f) as u8, sixteen),
        _ => return Err("a codec without a place in FLV"),
    };
    Ok(number << 4 | rate << 2 | size | stereo)
}

/// Pixels that VP6 crops of its last macroblocks: columns in the high nibble, rows in the low one.
fn adjustment(stream: &StreamInfo) -> u8 {
    let less = |size: u32| (size.next_multiple_of(16) - size) as u8;
    let (width, height) = stream.as_video().map_or((0, 0), |video| video.size());
    less(width) << 4 | less(height)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn byte(codec: Codec, sample_rate: u32, channels: u16) -> Option<u8> {
        flags(codec, 0, &Audio::new(sample_rate, channels), false).ok()
    }

    #[test]
    fn flags_say_codec_rate_size_and_stereo() {
        assert_eq!(byte(Codec::Mp3, 48_000, 2), Some(0x2f));
        assert_eq!(byte(Codec::Mp3, 16_000, 2), None);
        assert_eq!(byte(Codec::Mp3, 8_000, 1), Some(0xe2));
        assert_eq!(byte(Codec::PcmS16Le, 5_512, 6), Some(0x33));
        assert_eq!(byte(Codec::Nellymoser, 22_050, 1), Some(0x6a));
        assert_eq!(byte(Codec::PcmALaw, 8_000, 2), Some(0x73));
        assert_eq!((byte(Codec::Speex, 16_000, 1), byte(Codec::Speex, 16_000, 2)), (Some(0xb6), None));
    }
}
