//! One tag of a live stream, and its role for a viewer.

use crate::{
    account::{ITEM, Weigh},
    formats::flv::{enhanced, enhanced::Part, tag},
    stream::Kind as Media,
    syntax::amf::{Cursor, amf0},
    wire::rtmp::Tag,
};

/// The role of an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Needed by every viewer before media: a sequence header, metadata.
    Config,
    /// Video that a viewer can start with.
    Key,
    /// Video that needs what stands before it.
    Inter,
    /// Audio.
    Sound,
    /// Anything else: texts, ends of sequences.
    Data,
}

/// A tag with its place in a stream, and room for the forms in which viewers get it.
#[derive(Clone, Debug)]
pub struct Item<F = ()> {
    /// Its number in the stream, from 0, without gaps.
    pub seq: u64,
    /// Its role.
    pub kind: Kind,
    /// Milliseconds; they do not wrap.
    pub time: i64,
    /// The tag. Its time is the lower 32 bits of `time`.
    pub tag: Tag,
    /// Players in browsers stumble over it: colour information and channel layouts of Enhanced RTMP.
    pub extra: bool,
    /// Whatever the caller makes of the tag, once for all viewers; it begins as the default.
    pub forms: F,
    pub(super) slot: Option<Slot>,
}

impl<F> Weigh for Item<F> {
    fn weight(&self) -> usize {
        ITEM.saturating_add(self.tag.body.len())
    }
}

/// The place of a configuration: a newer one of the same slot replaces it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Slot {
    media: u8,
    track: u8,
    /// 0 for sequence headers, 1 for what else is kept.
    part: u8,
}

impl Slot {
    /// Whether it holds metadata of the whole stream.
    pub(super) fn is_metadata(self) -> bool {
        self.media == SCRIPT
    }
}

/// The role of a tag.
pub(super) struct Class {
    pub(super) kind: Kind,
    pub(super) extra: bool,
    pub(super) slot: Option<Slot>,
}

impl Class {
    fn plain(kind: Kind) -> Self {
        Self { kind, extra: false, slot: None }
    }

    fn config(media: u8, track: u8, part: u8) -> Self {
        Self { kind: Kind::Config, extra: part != 0, slot: Some(Slot { media, track, part }) }
    }

    /// The role of `tag`; `None` when it is empty and means nothing.
    pub(super) fn of(tag: &Tag) -> Option<Self> {
        let body = &tag.body[..];
        let &first = body.first()?;
        Some(match tag.kind {
            tag::Kind::Audio if first >> 4 == ENHANCED_AUDIO => enhanced(Media::Audio, body),
            tag::Kind::Audio if first >> 4 == AAC && body.get(1) == Some(&0) => match body.len() {
                // A header without content would take the place of the real one.
                ..=2 => Self::plain(Kind::Data),
                _ => Self::config(AUDIO, 0, 0),
            },
            tag::Kind::Audio => Self::plain(Kind::Sound),
            tag::Kind::Video if first & ENHANCED_VIDEO != 0 => enhanced(Media::Video, body),
            tag::Kind::Video if first >> 4 == COMMAND => Self::plain(Kind::Data),
            tag::Kind::Video if HAS_PACKET_TYPE.contains(&(first & 0x0f)) => match body.get(1) {
                Some(0) if body.len() > 5 => Self::config(VIDEO, 0, 0),
                Some(1) => Self::plain(video(first >> 4)),
                _ => Self::plain(Kind::Data),
            },
            tag::Kind::Video => Self::plain(video(first >> 4)),
            tag::Kind::Script if amf0::read_text(&mut Cursor::new(body)) == Some(b"onMetaData") => {
                Self { extra: false, ..Self::config(SCRIPT, 0, 1) }
            }
            _ => Self::plain(Kind::Data),
        })
    }
}

/// An enhanced tag: its first track decides.
fn enhanced(media: Media, body: &[u8]) -> Class {
    let frame = body.first().unwrap_or(&0) >> 4 & 7;
    let Some(track) = enhanced::Tag::parse(media, body).and_then(|mut tracks| tracks.next()) else {
        return Class::plain(Kind::Data);
    };
    let number = if media == Media::Video { VIDEO } else { AUDIO };
    match track.part {
        Part::Config => Class::config(number, track.id, 0),
        Part::Metadata | Part::Channels => Class::config(number, track.id, 1),
        Part::Frames | Part::FramesX if media == Media::Audio => Class::plain(Kind::Sound),
        // Viewers start with the first track; another one may have its keyframes elsewhere.
        Part::Frames | Part::FramesX if track.id != 0 => Class::plain(Kind::Inter),
        Part::Frames | Part::FramesX => Class::plain(video(frame)),
        Part::End | Part::Other(_) => Class::plain(Kind::Data),
    }
}

fn video(frame_type: u8) -> Kind {
    if frame_type == KEY { Kind::Key } else { Kind::Inter }
}

const AUDIO: u8 = 8;
const VIDEO: u8 = 9;
const SCRIPT: u8 = 18;

/// Frame types.
const KEY: u8 = 1;
const COMMAND: u8 = 5;
/// Sound formats.
const AAC: u8 = 10;
const ENHANCED_AUDIO: u8 = 9;
/// Top bit of an enhanced video tag's first byte.
const ENHANCED_VIDEO: u8 = 0x80;
/// H.264, MPEG-4 part 2, and H.265 as servers numbered it before Enhanced RTMP.
const HAS_PACKET_TYPE: [u8; 3] = [7, 9, 12];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_are_those_of_the_specification() {
        let kind = |kind, body: &'static [u8]| {
            let class = Class::of(&Tag { kind, time: 0, body: body.into() });
            class.map(|class| (class.kind, class.extra))
        };
        for (body, expected) in [
            (&b"\x17\0\0\0\0avcC"[..], Some((Kind::Config, false))),
            (b"\x17\0\0\0\0", Some((Kind::Data, false))),
            (b"\x17\x01\0\0\0x", Some((Kind::Key, false))),
            (b"\x27\x01\0\0\0x", Some((Kind::Inter, false))),
            (b"\x27\x02\0\0\0", Some((Kind::Data, false))),
            (b"\x57\0", Some((Kind::Data, false))),
            (b"\x12x", Some((Kind::Key, false))),
            (b"\x90hvc1hvcC", Some((Kind::Config, false))),
            (b"\x93hvc1x", Some((Kind::Key, false))),
            (b"\xa1hvc1\0\0\0x", Some((Kind::Inter, false))),
            (b"\x94hvc1x", Some((Kind::Config, true))),
            (b"\x96\x01avc1\x01x", Some((Kind::Inter, false))),
            (b"\x96\x01avc1\0x", Some((Kind::Key, false))),
            (b"", None),
        ] {
            assert_eq!(kind(tag::Kind::Video, body), expected, "{body:x?}");
        }
        for (body, expected) in [
            (&b"\xaf\0\x12\x10"[..], Some((Kind::Config, false))),
            (b"\xaf\x01x", Some((Kind::Sound, false))),
            (b"\x2fx", Some((Kind::Sound, false))),
            (b"\x90OpusOpusHead", Some((Kind::Config, false))),
            (b"\x91Opusx", Some((Kind::Sound, false))),
            (b"\x94Opusx", Some((Kind::Config, true))),
            (b"\x95\x00mp4a\x01x", Some((Kind::Config, false))),
        ] {
            assert_eq!(kind(tag::Kind::Audio, body), expected, "{body:x?}");
        }
        assert_eq!(kind(tag::Kind::Script, b"\x02\0\x0aonMetaData\x05"), Some((Kind::Config, false)));
        assert_eq!(kind(tag::Kind::Script, b"\x02\0\x0aonTextData\x05"), Some((Kind::Data, false)));
    }
}
