//! The parts of a format: a row of data, a probe, a demuxer and a muxer.
//!
//! ```
//! use maliu_core::{format::Score, formats};
//!
//! let flv = formats::named("flv").expect("it is listed");
//! assert!(flv.demuxer.is_some() && flv.muxer.is_some());
//! assert!(matches!((flv.probe)(b"RIFF1234WAVE"), Score::No(_)));
//! ```

use alloc::{boxed::Box, string::String, vec::Vec};
use core::task::Poll;

use crate::{
    account::{ITEM, Weigh},
    error::{Error, Result},
    input::Input,
    output::{Mark, Output},
    packet::Packet,
    settings::Help,
    stream::{Codec, Metadata, StreamInfo},
    syntax::psi::Multiplex,
    time::{Rounding, Ticks, TimeBase},
};

pub use crate::timing::Rules;

/// A format as one row of data.
#[derive(Debug)]
pub struct Format {
    /// Short name, as on the command line.
    pub name: &'static str,
    /// Full name.
    pub long_name: &'static str,
    /// MIME types, the preferred one first.
    pub mime: &'static [&'static str],
    /// File name extensions without the dot, the preferred one first.
    pub extensions: &'static [&'static str],
    /// Looks at the first bytes of an input (behind any ID3v2 tag) and takes nothing. Called with growing prefixes of
    /// the same input, so [`Score::No`] must stay `No` whatever follows.
    pub probe: fn(&[u8]) -> Score,
    /// Makes a demuxer from settings.
    pub demuxer: Option<MakeDemuxer>,
    /// Makes a muxer from settings.
    pub muxer: Option<MakeMuxer>,
    /// The settings of both.
    pub settings: &'static [Help],
    /// How timestamps are treated on the way to the muxer.
    pub rules: Rules,
    /// Codecs it is written with unless set otherwise: audio, video.
    pub default_codecs: (Option<Codec>, Option<Codec>),
}

/// Makes a demuxer from `name=value` settings; refuses unknown ones.
pub type MakeDemuxer = fn(&[(&str, &str)]) -> Result<Box<dyn Demuxer>>;

/// Makes a muxer from `name=value` settings; refuses unknown ones.
pub type MakeMuxer = fn(&[(&str, &str)]) -> Result<Box<dyn Muxer>>;

/// How sure a probe is, and why. Ordered: `No < More < Maybe < Sure`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Score {
    /// It is not this format, whatever follows.
    No(&'static str),
    /// Too early to say.
    More(&'static str),
    /// It is this format if nothing else fits better.
    Maybe(&'static str),
    /// It is this format.
    Sure(&'static str),
}

impl Score {
    /// 0 no, 1 more, 2 maybe, 3 sure.
    pub fn level(self) -> u8 {
        match self {
            Self::No(_) => 0,
            Self::More(_) => 1,
            Self::Maybe(_) => 2,
            Self::Sure(_) => 3,
        }
    }

    /// The evidence that was seen.
    pub fn why(self) -> &'static str {
        match self {
            Self::No(why) | Self::More(why) | Self::Maybe(why) | Self::Sure(why) => why,
        }
    }

    /// `no`, `more`, `maybe` or `sure`.
    pub fn name(self) -> &'static str {
        match self {
            Self::No(_) => "no",
            Self::More(_) => "more",
            Self::Maybe(_) => "maybe",
            Self::Sure(_) => "sure",
        }
    }
}

/// The answer of a demuxer to a poll.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// A stream is there, or what is known of it has changed.
    Stream(usize, Box<StreamInfo>),
    /// Tags of the whole input, complete as far as they are known; replaces an earlier set.
    Metadata(Box<Metadata>),
    /// The next packet.
    Packet(Packet),
    /// There is nothing more. Not an error.
    End,
}

impl Weigh for Event {
    fn weight(&self) -> usize {
        match self {
            Self::Stream(_, info) => info.weight(),
            Self::Metadata(metadata) => ITEM.saturating_add(metadata.weight()),
            Self::Packet(packet) => packet.weight(),
            Self::End => ITEM,
        }
    }
}

/// Facts that the header of an input declares of the whole of it.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Declared {
    /// Its length in seconds, as written.
    pub duration: Option<f64>,
    /// Its size in bytes.
    pub size: Option<u64>,
    /// The index of keyframes: their offsets, and their times in seconds. Broken ones differ in length.
    pub index: Option<(Vec<u64>, Vec<f64>)>,
    /// The offsets of the index are those of groups of packets, each of which holds its keyframe anywhere.
    pub index_of_groups: bool,
}

/// Bytes in, events out. Short of bytes it takes nothing and returns [`Poll::Pending`].
pub trait Demuxer: Send {
    /// Returns the next event; [`Poll::Pending`] when more bytes must be fed first, which is never returned once the
    /// input has ended.
    ///
    /// # Errors
    /// [`Error::Malformed`] where the input cannot be read on; everything good before it was given.
    fn poll(&mut self, input: &mut Input) -> Result<Poll<Event>>;

    /// Goes to the last packet at which decoding can start at or before `to` (in `base`); the next polls continue
    /// there.
    ///
    /// # Errors
    /// [`Error::NotSeekable`], [`Error::Unsupported`].
    fn seek(&mut self, to: Ticks, base: TimeBase, input: &mut Input) -> Result<()> {
        let _ = (to, base);
        Err(Error::NotSeekable { wanted: 0, oldest: input.offset() })
    }

    /// The carrier knows that what was fed so far ends a unit: what waits only for its end is out at the next poll.
    fn finish_unit(&mut self) {}

    /// Whether it reads tags in front of its content itself. ID3v2 tags are otherwise taken off before it sees the
    /// input.
    fn reads_tags(&self) -> bool {
        false
    }

    /// Facts that the header has declared so far, to be compared with the content; `None` where the format declares
    /// nothing, or the demuxer was made without the setting `audit`.
    fn declared(&self) -> Option<&Declared> {
        None
    }

    /// Facts of a transport stream as a whole, as far as it was read; `None` for other formats, or when the demuxer was made
    /// without the setting `audit`.
    fn multiplex(&self) -> Option<Multiplex> {
        None
    }

    /// Length of the whole input, when it is known.
    fn duration(&self) -> Option<(Ticks, TimeBase)> {
        None
    }

    /// Lines for people on how the input is laid out, beyond what streams and tags show: indexes, tracks, edit lists.
    fn layout(&self) -> Vec<String> {
        Vec::new()
    }
}

/// Packets in, bytes out. Sees packets whose times are already complete and ordered.
pub trait Muxer: Send {
    /// Checks the streams and writes what stands before the first packet. May change their time bases.
    ///
    /// # Errors
    /// [`Error::Mux`] when it cannot carry a stream.
    fn start(&mut self, streams: &mut [StreamInfo], metadata: &Metadata, out: &mut Output) -> Result<()>;

    /// Writes one packet, whole or not at all.
    ///
    /// # Errors
    /// [`Error::Mux`] when it cannot carry it.
    fn packet(&mut self, packet: &Packet, out: &mut Output) -> Result<()>;

    /// Writes what it holds back.
    ///
    /// # Errors
    /// As [`Muxer::packet`].
    fn flush(&mut self, _out: &mut Output) -> Result<()> {
        Ok(())
    }

    /// Writes what stands behind the last packet, and patches what could not be known before.
    ///
    /// # Errors
    /// As [`Muxer::packet`].
    fn finish(&mut self, out: &mut Output) -> Result<()>;

    /// How packets of this stream must be packaged for this muxer.
    fn packaging(&self, _stream: &StreamInfo) -> Packaging {
        Packaging::AsIs
    }

    /// Writes `samples` uncoded samples per channel (or one picture, then 0), as the stream's codec stores them
    /// (WF-23): as a packet of them.
    ///
    /// # Errors
    /// [`Error::Unsupported`] unless [`Muxer::takes_frames`], and as [`Muxer::packet`].
    fn frame(&mut self, packet: &Packet, _samples: u32, out: &mut Output) -> Result<()> {
        if !self.takes_frames() {
            return Err(Error::unsupported("writing uncoded frames to this format"));
        }
        self.packet(packet, out)
    }

    /// Whether [`Muxer::frame`] works.
    fn takes_frames(&self) -> bool {
        false
    }

    /// The tags of the file have changed; they are written again before the next packet where the format can.
    fn metadata(&mut self, _metadata: &Metadata) {}
}

/// The mark of the piece that carries `packet` (WF-61): a receiver can start at a key packet of video, or of anything
/// where there is no video.
pub fn mark(packet: &Packet, base: TimeBase, is_video: bool, has_video: bool) -> Mark {
    let time = packet.dts.map(|dts| base.rescale(dts, TimeBase::MICROS, Rounding::Near));
    if packet.is_key() && (is_video || !has_video) { Mark::Key { time } } else { Mark::Body { time } }
}

/// How a muxer wants the data of packets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Packaging {
    /// As they come.
    #[default]
    AsIs,
    /// AAC without ADTS headers, AudioSpecificConfig in the stream's config.
    RawAac,
    /// H.264/H.265 NAL units behind their length in 4 bytes, avcC/hvcC in the stream's config.
    LengthPrefixed,
    /// H.264/H.265 NAL units behind start codes, parameter sets in the data.
    AnnexB,
}
