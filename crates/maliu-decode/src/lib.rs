//! Packets in, PCM out: one source file per decoder, all behind [`Decoder`].
//!
//! ```text
//!   Packet ─▶ Track: trim, silence for damage, times ─▶ AudioFrame ─▶ SampleFormat: bytes of PCM
//!               └─▶ mpeg_audio | aac | pcm | g711 | adpcm | flac | alac | vorbis | opus
//! ```
//!
//! ```
//! use maliu_core::{packet::Packet, stream::{Audio, Codec, Media, StreamInfo}, time::TimeBase};
//!
//! let audio = Audio::new(8000, 1);
//! let info = StreamInfo::new(Codec::PcmMuLaw, TimeBase::hz(8000), Media::Audio(audio));
//! let mut decoder = maliu_decode::decoder_for(&info)?;
//! let packet = Packet::of(0, vec![0xff, 0x80]);
//! let frame = decoder.decode(&packet)?.expect("two samples");
//! assert_eq!((frame.len(), frame.sample_rate), (2, 8000));
//! # Ok::<(), maliu_core::error::Error>(())
//! ```
#![cfg_attr(docsrs, feature(doc_cfg))]

use std::{ops::Range, time::Duration};

use maliu_core::{
    error::{Error, Result},
    packet::Packet,
    stream::{Codec, StreamInfo},
};

pub mod convert;
pub mod frame;
pub mod mix;
pub mod parallel;
pub mod pictures;
pub mod resample;
pub mod sample_format;
pub mod wav;

mod aac;
mod aac_ends;
mod adpcm;
mod alac;
mod flac;
mod g711;
mod g722;
mod g726;
mod gsm;
mod mpeg_audio;
mod opus;
mod outcome;
mod pcm;
mod symphonia;
mod track;
mod vorbis;
mod wall;

pub use aac_ends::AacEnds;
pub use convert::Converter;
pub use frame::{AudioFrame, Samples};
pub use parallel::Parallel;
pub use resample::Resampler;
pub use sample_format::SampleFormat;
pub use wav::WavStream;

/// Turns the packets of one stream into PCM.
pub trait Decoder: Send {
    /// The sound of one packet; `None` when nothing of it is to be heard. A damaged packet gives silence of its length,
    /// into which the sound before it may fade.
    ///
    /// # Errors
    /// [`Error::Unsupported`] when the stream uses a feature the decoder does not have; no later packet can be decoded.
    fn decode(&mut self, packet: &Packet) -> Result<Option<AudioFrame>>;

    /// Samples still to come when the last packet was decoded; call it until it gives `None`.
    ///
    /// # Errors
    /// As [`Decoder::decode`].
    fn finish(&mut self) -> Result<Option<AudioFrame>> {
        Ok(None)
    }

    /// The next packet does not follow the last one: a seek.
    fn reset(&mut self);

    /// Keeps only the samples of this span of the stream's time, exact to the sample where the time base counts
    /// samples: earlier packets are only decoded. Holds until [`Decoder::reset`].
    fn keep(&mut self, span: Range<Duration>);

    /// Whether the end of the span to keep was reached.
    fn is_past(&self) -> bool;

    /// Findings so far.
    fn report(&self) -> Report;

    /// Profile of the audio, as far as the packets so far have shown; `None` where containers declare all there is.
    fn profile(&self) -> Option<Profile> {
        None
    }
}

/// Facts of a stream's audio that containers cannot declare.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Profile {
    /// Its short name, as ffprobe prints it: `LC`, `HE-AAC`, `HE-AACv2`, …
    pub name: &'static str,
    /// Samples per second of the core, which a bandwidth extension may double.
    pub core_rate: u32,
}

/// Findings of a decoder that the listener may want to know.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Report {
    /// Packets that could not be decoded and were replaced by silence.
    pub damaged: u64,
    /// The fault of the first one.
    pub first_damage: Option<String>,
    /// Samples that were beyond [`frame::LOUDEST`] and were brought back to it.
    pub clamped: u64,
    /// Other findings about the stream, each once.
    pub notes: Vec<String>,
}

impl Report {
    /// Adds a note, unless it is there.
    #[cfg(feature = "h264")]
    fn note(&mut self, note: String) {
        if !self.notes.contains(&note) && self.notes.len() < MOST_NOTES {
            self.notes.push(note);
        }
    }
}

/// Most notes of a stream.
#[cfg(feature = "h264")]
const MOST_NOTES: usize = 16;

/// How a decoder is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Options {
    /// Drop the samples that packets mark as encoder delay and padding.
    pub gapless: bool,
    /// Apply the dynamic range control that the stream brings.
    pub drc: bool,
    /// Mono AAC that parametric stereo may still widen has two channels from the start.
    pub widen: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { gapless: true, drc: false, widen: false }
    }
}

/// A decoder of this stream.
///
/// # Errors
/// [`Error::Unsupported`] naming the codec or the feature of it that cannot be decoded.
pub fn decoder_for(info: &StreamInfo) -> Result<Box<dyn Decoder>> {
    decoder_with(info, Options::default())
}

/// As [`decoder_for`], with options.
///
/// # Errors
/// As [`decoder_for`].
pub fn decoder_with(info: &StreamInfo, options: Options) -> Result<Box<dyn Decoder>> {
    Ok(Box::new(track::Track::new(info, options)?))
}

/// Whether there is a decoder of this codec.
pub fn decodes(codec: Codec) -> bool {
    row(codec).is_some()
}

/// Which decoder decodes what. A new one is named twice here: its module and its row.
const DECODERS: &[(&[Codec], Make)] = &[
    (aac::CODECS, aac::make),
    (mpeg_audio::CODECS, mpeg_audio::make),
    (pcm::CODECS, pcm::make),
    (g711::CODECS, g711::make),
    (g722::CODECS, g722::make),
    (g726::CODECS, g726::make),
    (gsm::CODECS, gsm::make),
    (adpcm::CODECS, adpcm::make),
    (flac::CODECS, flac::make),
    (alac::CODECS, alac::make),
    (vorbis::CODECS, vorbis::make),
    (opus::CODECS, opus::make),
];

type Make = fn(&StreamInfo) -> Result<Box<dyn Unit>>;

/// The work of one source file of this crate: the data of one packet to samples.
trait Unit: Send {
    /// The sound of one packet.
    fn decode(&mut self, packet: &Packet) -> std::result::Result<AudioFrame, Fault>;

    /// Samples per channel that the packet would have given, for the silence in its place; `None` when it does not say.
    fn length(&self, _packet: &Packet) -> Option<usize> {
        None
    }

    /// Sound to put in the place of a damaged packet, better than silence.
    fn conceal(&mut self) -> Option<AudioFrame> {
        None
    }

    /// Samples per channel at the start of this packet's sound that its own data says are encoder delay.
    fn delay(&self, _packet: &Packet) -> usize {
        0
    }

    /// Most bytes of a packet that is decoded: its sound is larger by a factor that the codec sets.
    fn most_bytes(&self) -> usize {
        MAX_PACKET
    }

    /// Whether its sound may go beyond full scale by its own mistake.
    fn overshoots(&self) -> bool {
        false
    }

    /// The next packet does not follow the last one.
    fn reset(&mut self) {}

    /// Follows the options that are its business.
    fn set_options(&mut self, _options: Options) {}

    /// Profile of the audio.
    fn profile(&self) -> Option<Profile> {
        None
    }
}

/// Most bytes of a packet that is decoded, of a codec that makes up to twenty bytes of each.
const MAX_PACKET: usize = 4 << 20;

/// Most bytes of a packet of samples as they are, which become at most four bytes each.
const MAX_PLAIN_PACKET: usize = 16 << 20;

/// Why a packet gave no sound.
enum Fault {
    /// It is damaged; the next one may be fine.
    Damaged(String),
    /// It is fine, but cannot be decoded here, and neither can what follows.
    Unsupported(String),
}

fn row(codec: Codec) -> Option<Make> {
    DECODERS.iter().find(|(codecs, _)| codecs.contains(&codec)).map(|(_, make)| *make)
}

fn unit_for(info: &StreamInfo, options: Options) -> Result<Box<dyn Unit>> {
    info.check()?;
    let make = row(info.codec).ok_or_else(|| match (info.codec, info.codec_tag) {
        (Codec::UnknownAudio, Some(tag)) => Error::unsupported(format!("codec unknown (tag {tag:#x})")),
        (codec, _) => Error::unsupported(format!("codec {codec}")),
    })?;
    let mut unit = make(info)?;
    unit.set_options(options);
    Ok(unit)
}
