//! Fields of a tag's body before the payload: flags, packet type, composition time, FourCC, track number
//! (FLV-31, FLV-37…FLV-39, FLV-61…FLV-64).

use alloc::vec::Vec;

use crate::{
    packet::Packet,
    stream::{Codec, Kind},
    syntax::amf::amf0::Writer,
};

use super::{
    super::{enhanced, tag},
    track::{Form, Track},
};

/// Room for a tag's head and what its body has before the payload, at most 15 bytes: flags, ModEx, multitrack, FourCC,
/// track, composition time.
const ROOM: usize = 32;

/// Video frame types, in the bits above the codec.
const KEY: u8 = 0x10;
const INTER: u8 = 0x20;
const COMMAND: u8 = 0x50;

/// Content of an enhanced tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// Codec configuration.
    Config,
    /// Colour information.
    Metadata,
    /// Channel count and mask.
    Channels,
}

/// Bytes before a payload, without an allocation: room for the tag's head, then the start of its body.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Head {
    bytes: [u8; ROOM],
    /// Bytes of the body.
    len: usize,
}

impl Head {
    fn put(&mut self, bytes: &[u8]) {
        let at = tag::HEAD + self.len;
        if let Some(room) = self.bytes.get_mut(at..at + bytes.len()) {
            room.copy_from_slice(bytes);
            self.len += bytes.len();
        }
    }

    /// Bytes of the body that it holds.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// The bytes, behind the tag's head.
    pub(super) fn framed(&mut self, head: [u8; tag::HEAD]) -> &[u8] {
        if let Some(front) = self.bytes.first_chunk_mut() {
            *front = head;
        }
        self.bytes.get(..tag::HEAD + self.len).unwrap_or_default()
    }

    /// The end of sequence of a legacy video track of this number: the whole body.
    pub(super) fn end(number: u8) -> Self {
        let mut head = Self::default();
        head.put(&[KEY | number, 2, 0, 0, 0]);
        head
    }

    /// Before the data of a packet.
    pub(super) fn of_packet(track: &Track, packet: &Packet) -> Self {
        let mut head = Self::default();
        let composition = match (packet.pts, packet.dts) {
            (Some(pts), Some(dts)) => pts.0.wrapping_sub(dts.0),
            _ => 0,
        };
        let time = (composition as u32).to_be_bytes();
        let time = time.get(1..).unwrap_or_default();
        let frame = if packet.is_key() { KEY } else { INTER };
        match (track.form, track.kind) {
            (Form::Enhanced(fourcc), _) => {
                let timed = enhanced::has_composition_time(track.codec);
                let nanos = nanos(packet);
                let kind = if timed && composition == 0 { 3 } else { 1 };
                head.enhanced(track, fourcc, frame, kind, nanos);
                if timed && composition != 0 {
                    head.put(time);
                }
            }
            (Form::Legacy(flags), Kind::Video) => {
                head.put(&[flags | frame]);
                match track.codec {
                    Codec::Vp6 => head.put(&[0]),
                    Codec::Vp6F | Codec::Vp6A => head.put(&[track.adjust]),
                    Codec::H264 | Codec::Mpeg4 => {
                        head.put(&[1]);
                        head.put(time);
                    }
                    _ => {}
                }
            }
            (Form::Legacy(flags), _) => {
                head.put(&[flags]);
                if track.codec == Codec::Aac {
                    head.put(&[1]);
                }
            }
            (Form::Script, _) => {}
        }
        head
    }

    /// Before a part of a track that is no coded frame.
    pub(super) fn of_part(track: &Track, part: Part) -> Self {
        let mut head = Self::default();
        match (track.form, track.kind) {
            (Form::Enhanced(fourcc), _) => {
                let frame = if part == Part::Metadata { COMMAND } else { KEY };
                let kind = if part == Part::Config { 0 } else { 4 };
                head.enhanced(track, fourcc, frame, kind, None);
            }
            (Form::Legacy(flags), Kind::Video) => head.put(&[flags | KEY, 0, 0, 0, 0]),
            (Form::Legacy(flags), _) => head.put(&[flags, 0]),
            (Form::Script, _) => {}
        }
        head
    }

    /// Flags, ModEx with the nanoseconds, multitrack for all but the first track, FourCC and track number.
    fn enhanced(&mut self, track: &Track, fourcc: [u8; 4], frame: u8, packet_type: u8, nanos: Option<[u8; 3]>) {
        let (flags, multitrack) = if track.kind == Kind::Video { (0x80 | frame, 6) } else { (0x90, 5) };
        let outer = if track.number > 0 { multitrack } else { packet_type };
        match nanos {
            Some([n2, n1, n0]) => self.put(&[flags | 7, 2, n2, n1, n0, outer]),
            None => self.put(&[flags | outer]),
        }
        if track.number > 0 {
            self.put(&[packet_type]);
        }
        self.put(&fourcc);
        if track.number > 0 {
            self.put(&[track.number]);
        }
    }
}

/// The sub-millisecond part of a packet's time.
fn nanos(packet: &Packet) -> Option<[u8; 3]> {
    let (_, bytes) = packet.side.opaque().iter().find(|(kind, _)| *kind == super::super::SIDE_NANOS)?;
    match **bytes {
        [0, n2, n1, n0] => Some([n2, n1, n0]),
        _ => None,
    }
}

/// The body of a text tag: up to the first NUL (FLV-39).
pub(super) fn text(data: &[u8]) -> Vec<u8> {
    let text = data.split(|byte| *byte == 0).next().unwrap_or_default();
    let mut out = Writer::default();
    out.text(b"onTextData");
    out.mixed_array(2);
    out.key(b"type");
    out.text(b"Text");
    out.key(b"text");
    out.text(text);
    out.end();
    out.bytes
}
