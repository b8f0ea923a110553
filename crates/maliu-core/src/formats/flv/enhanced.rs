//! Enhanced RTMP v2: tags whose codec is a FourCC, with extensions in front and several tracks inside (FLD-40,
//! FLV-61…64).
//!
//! ```text
//!  video: 1|frame type(3)|packet type(4)    audio: 9(4)|packet type(4)
//!  [ModEx: size, data, modex type|packet type]…  [multitrack: mode|packet type]  FourCC  [track id [size u24]]  payload …
//! ```

use core::ops::Range;

use crate::stream::{Codec, Kind};

/// Packet type of a ModEx prefix, in audio and video.
const MOD_EX: u8 = 7;
/// ModEx type of the sub-millisecond part of the time.
const NANOS: u8 = 0;

/// Kind of a payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// Codec configuration.
    Config,
    /// Coded frames; with a composition time in front if the codec reorders.
    Frames,
    /// Coded frames whose composition time is 0.
    FramesX,
    /// The end of the sequence.
    End,
    /// AMF metadata such as colour information.
    Metadata,
    /// Channel order, count and mask.
    Channels,
    /// Anything else.
    Other(u8),
}

impl Part {
    fn of(kind: Kind, packet_type: u8) -> Self {
        match (kind, packet_type) {
            (_, 0) => Self::Config,
            (_, 1) => Self::Frames,
            (_, 2) => Self::End,
            (Kind::Video, 3) => Self::FramesX,
            (Kind::Video, 4) => Self::Metadata,
            (Kind::Audio, 4) => Self::Channels,
            (_, other) => Self::Other(other),
        }
    }
}

/// The payload of one track.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Track {
    /// The FourCC, big-endian.
    pub fourcc: u32,
    /// Track number; 0 outside multitrack tags.
    pub id: u8,
    /// Kind of the payload.
    pub part: Part,
    /// Where it stands in the tag's body.
    pub payload: Range<usize>,
    /// Whether its size is said, and all of it is there.
    pub whole: bool,
}

/// An enhanced tag's body, read up to its first payload; then an iterator over its tracks.
#[derive(Clone, Debug)]
pub(crate) struct Tag<'a> {
    body: &'a [u8],
    at: usize,
    kind: Kind,
    /// Nanoseconds to add to the tag's time.
    pub nanos: Option<u32>,
    packet_type: u8,
    mode: Mode,
    fourcc: Option<u32>,
    done: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    Plain,
    OneTrack,
    ManyTracks,
    ManyCodecs,
}

impl<'a> Tag<'a> {
    /// Reads the head of a body; `None` when it ends early.
    pub(crate) fn parse(kind: Kind, body: &'a [u8]) -> Option<Self> {
        let mut at = 1;
        let mut packet_type = body.first()? & 0x0f;
        let mut nanos = None;
        while packet_type == MOD_EX {
            let (data, next) = mod_ex(body, at)?;
            let after = *body.get(next)?;
            packet_type = after & 0x0f;
            if let (NANOS, [n2, n1, n0, ..]) = (after >> 4, body.get(data)?) {
                nanos = Some(u32::from_be_bytes([0, *n2, *n1, *n0]));
            }
            at = next + 1;
        }
        let multitrack = packet_type == if kind == Kind::Video { 6 } else { 5 };
        let mut mode = Mode::Plain;
        if multitrack {
            let byte = *body.get(at)?;
            mode = match byte >> 4 {
                0 => Mode::OneTrack,
                1 => Mode::ManyTracks,
                2 => Mode::ManyCodecs,
                _ => return None,
            };
            packet_type = byte & 0x0f;
            at += 1;
        }
        let mut tag = Self { body, at, kind, nanos, packet_type, mode, fourcc: None, done: false };
        if mode != Mode::ManyCodecs {
            tag.fourcc = Some(tag.u32()?);
        }
        Some(tag)
    }

    fn u32(&mut self) -> Option<u32> {
        let bytes = self.body.get(self.at..)?.first_chunk()?;
        self.at += 4;
        Some(u32::from_be_bytes(*bytes))
    }

    fn track(&mut self) -> Option<Track> {
        let fourcc = match self.fourcc {
            Some(fourcc) => fourcc,
            None => self.u32()?,
        };
        let mut id = 0;
        let (mut end, mut whole) = (self.body.len(), false);
        if self.mode != Mode::Plain {
            id = *self.body.get(self.at)?;
            self.at += 1;
        }
        if matches!(self.mode, Mode::ManyTracks | Mode::ManyCodecs) {
            let [s2, s1, s0] = *self.body.get(self.at..)?.first_chunk()?;
            self.at += 3;
            let said = self.at + u32::from_be_bytes([0, s2, s1, s0]) as usize;
            (end, whole) = (end.min(said), said <= end);
        }
        let payload = self.at..end;
        self.at = end;
        self.done = end >= self.body.len();
        Some(Track { fourcc, id, part: Part::of(self.kind, self.packet_type), payload, whole })
    }
}

impl Iterator for Tag<'_> {
    type Item = Track;

    fn next(&mut self) -> Option<Track> {
        if self.done {
            return None;
        }
        let track = self.track();
        self.done |= track.is_none();
        track
    }
}

/// Where the data of the ModEx at `at` stands, and where what follows it does.
fn mod_ex(body: &[u8], at: usize) -> Option<(Range<usize>, usize)> {
    let short = usize::from(*body.get(at)?) + 1;
    let (size, start) = if short == 256 {
        let [s1, s0] = *body.get(at + 1..)?.first_chunk()?;
        (usize::from(u16::from_be_bytes([s1, s0])) + 1, at + 3)
    } else {
        (short, at + 1)
    };
    Some((start..start + size, start + size))
}

/// FourCC and codec, both ways.
pub(super) const FOURCCS: &[(&[u8; 4], Codec)] = &[
    (b"avc1", Codec::H264),
    (b"hvc1", Codec::H265),
    (b"vvc1", Codec::H266),
    (b"av01", Codec::Av1),
    (b"vp08", Codec::Vp8),
    (b"vp09", Codec::Vp9),
    (b"mp4a", Codec::Aac),
    (b".mp3", Codec::Mp3),
    (b"Opus", Codec::Opus),
    (b"fLaC", Codec::Flac),
    (b"ac-3", Codec::Ac3),
    (b"ec-3", Codec::Eac3),
];

/// The codec of a FourCC in a tag of `kind`; an unknown one of that kind otherwise.
pub(super) fn codec(fourcc: u32, kind: Kind) -> Codec {
    let known = FOURCCS.iter().find(|(name, codec)| u32::from_be_bytes(**name) == fourcc && codec.kind() == kind);
    known.map_or(if kind == Kind::Video { Codec::UnknownVideo } else { Codec::UnknownAudio }, |(_, codec)| *codec)
}

/// The FourCC of a codec.
pub(super) fn fourcc(codec: Codec) -> Option<[u8; 4]> {
    FOURCCS.iter().find(|(_, known)| *known == codec).map(|(name, _)| **name)
}

/// Whether coded frames carry a composition time (FLV-61).
pub(super) fn has_composition_time(codec: Codec) -> bool {
    matches!(codec, Codec::H264 | Codec::H265 | Codec::H266)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    fn tracks(kind: Kind, body: &[u8]) -> Vec<(u8, u32, Part, Vec<u8>)> {
        let tag = Tag::parse(kind, body).unwrap();
        tag.map(|t| (t.id, t.fourcc, t.part, body[t.payload].to_vec())).collect()
    }

    const HVC1: u32 = u32::from_be_bytes(*b"hvc1");
    const AV01: u32 = u32::from_be_bytes(*b"av01");

    #[test]
    fn every_multitrack_mode_gives_its_tracks() {
        assert_eq!(tracks(Kind::Video, b"\x91hvc1abc"), [(0, HVC1, Part::Frames, b"abc".to_vec())]);
        assert_eq!(tracks(Kind::Video, b"\x96\x00hvc1\x05abc"), [(5, HVC1, Part::Config, b"abc".to_vec())]);
        let many = b"\x96\x13hvc1\x01\0\0\x02ab\x02\0\0\x01c";
        let expected = [(1, HVC1, Part::FramesX, b"ab".to_vec()), (2, HVC1, Part::FramesX, b"c".to_vec())];
        assert_eq!(tracks(Kind::Video, many), expected);
        let codecs = b"\x96\x21hvc1\x00\0\0\x01aav01\x01\0\0\x01b";
        let expected = [(0, HVC1, Part::Frames, b"a".to_vec()), (1, AV01, Part::Frames, b"b".to_vec())];
        assert_eq!(tracks(Kind::Video, codecs), expected);
    }

    #[test]
    fn mod_ex_prefixes_are_passed_and_nanoseconds_kept() {
        let body = b"\x97\x02\x01\xe2\x40\x01hvc1x";
        let tag = Tag::parse(Kind::Video, body).unwrap();
        assert_eq!(tag.nanos, Some(123_456));
        assert_eq!(tracks(Kind::Video, body), [(0, HVC1, Part::Frames, b"x".to_vec())]);
        let long = [&b"\x97\xff\x01\x00"[..], &[0; 257], b"\x11hvc1x"].concat();
        assert_eq!(tracks(Kind::Video, &long).len(), 1);
    }

    #[test]
    fn cut_bodies_give_what_is_there() {
        assert!(Tag::parse(Kind::Audio, b"\x97\x02\x01").is_none());
        assert!(Tag::parse(Kind::Audio, b"\x91Opu").is_none());
        assert_eq!(tracks(Kind::Video, b"\x96\x11hvc1\x01\0\0\x09ab").len(), 1);
        assert_eq!(tracks(Kind::Video, b"\x96\x11hvc1").len(), 0);
    }
}
