//! Pictures of MPEG-1, MPEG-2 and MPEG-4 part 2 video.

use alloc::boxed::Box;

use bytes::Bytes;

use super::{Cut, Cutter, Facts, Order, Unit};
use crate::{
    error::{Error, Result},
    input::Input,
    stream::{Codec, Media},
    syntax::{
        annexb::{MAX_UNIT, StartCodes},
        mpeg_video::{End, Ends, GROUP, PICTURE, PictureEnds, Sequence, VideoObjectLayer, VopEnds, vop_coding_type},
    },
};

/// Facts of a unit, of one of the standards.
pub(super) trait Headers: Ends {
    /// The unit's picture, and where in it the picture begins.
    fn picture(unit: &[u8]) -> (Kind, usize);
    /// Its display order, if that is said.
    fn order(_unit: &[u8]) -> Option<Order> {
        None
    }
    /// Facts in its sequence headers; `None` without them.
    fn facts(unit: &[u8]) -> Option<Facts>;
}

#[derive(Default)]
pub(super) struct Pictures<E> {
    ends: E,
    codes: StartCodes,
    /// Bytes of the window that were looked at.
    searched: usize,
    described: Option<Facts>,
    finish: bool,
}

impl<E: Headers> Cutter for Pictures<E> {
    fn poll(&mut self, input: &mut Input) -> Result<Cut> {
        loop {
            let (window, whole) = (input.peek(), input.ended() || self.finish);
            let Some(code) = self.codes.find(window, self.searched) else {
                // The last two bytes may begin a code.
                self.searched = self.searched.max(window.len().saturating_sub(2));
                if !whole {
                    return need(window.len());
                }
                return Ok(self.rest(input));
            };
            let bytes = window.get(code..).unwrap_or_default();
            let Some(end) = self.ends.code(bytes, whole) else {
                self.searched = code;
                return need(window.len());
            };
            let length = match end {
                End::No => {
                    self.searched = code + 3;
                    continue;
                }
                End::Before => code,
                End::Behind => code + 4,
            };
            if length > 0 {
                return Ok(self.cut(length.min(window.len()), input));
            }
        }
    }

    fn pes_ends(&mut self, input: &mut Input, sure: bool) {
        self.finish = sure && !input.peek().is_empty();
    }

    fn restart(&mut self) {
        (self.ends, self.searched, self.finish) = (E::default(), 0, false);
    }
}

impl<E: Headers> Pictures<E> {
    fn rest(&mut self, input: &mut Input) -> Cut {
        self.finish = false;
        match input.peek().len() {
            0 if input.ended() => Cut::End,
            0 => Cut::NeedBytes,
            length => {
                self.ends = E::default();
                self.cut(length, input)
            }
        }
    }

    fn cut(&mut self, length: usize, input: &mut Input) -> Cut {
        let at = input.offset();
        let data: Bytes = input.take(length).unwrap_or_default();
        self.searched = 0;
        let (kind, picture) = E::picture(&data);
        let order = E::order(&data);
        let (key, immediate) = (kind == Kind::Intra, kind == Kind::Between);
        let facts = E::facts(&data).filter(|facts| self.described.as_ref() != Some(facts));
        let replaces = facts.is_some() && self.described.is_some();
        if let Some(facts) = &facts {
            self.described = Some(facts.clone());
        }
        let end = at.saturating_add(data.len() as u64);
        let at = at.saturating_add(picture as u64);
        Cut::Unit(Unit {
            at,
            end,
            data,
            key,
            immediate,
            order,
            facts: facts.map(Box::new),
            replaces,
            ..Unit::default()
        })
    }
}

fn need(length: usize) -> Result<Cut> {
    match length {
        0..=MAX_UNIT => Ok(Cut::NeedBytes),
        _ => Err(Error::Limit { what: "bytes of an access unit (MAX_UNIT)", limit: MAX_UNIT as u64 }),
    }
}

/// How a picture is predicted.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Kind {
    /// From no other: decoding can start with it.
    Intra,
    /// From pictures shown before it.
    Forward,
    /// From pictures shown before and behind it, which are decoded before it.
    Between,
}

impl Headers for PictureEnds {
    fn picture(unit: &[u8]) -> (Kind, usize) {
        let codes = StartCodes::default();
        let mut from = 0;
        while let Some(at) = codes.find(unit, from) {
            if unit.get(at + 3) == Some(&PICTURE) {
                // picture_coding_type.
                let kind = match unit.get(at + 5).map(|byte| byte >> 3 & 7) {
                    Some(1) => Kind::Intra,
                    Some(3) => Kind::Between,
                    _ => Kind::Forward,
                };
                return (kind, at);
            }
            from = at + 3;
        }
        (Kind::Forward, 0)
    }

    fn order(unit: &[u8]) -> Option<Order> {
        let codes = StartCodes::default();
        let (mut from, mut restarts) = (0, false);
        while let Some(at) = codes.find(unit, from) {
            match unit.get(at + 3..)? {
                [PICTURE, a, b, ..] => {
                    // temporal_reference.
                    let number = u16::from(*a) << 2 | u16::from(b >> 6);
                    return Some(Order { number, restarts });
                }
                [GROUP, ..] => restarts = true,
                _ => {}
            }
            from = at + 3;
        }
        None
    }

    fn facts(unit: &[u8]) -> Option<Facts> {
        let sequence = Sequence::find(unit)?;
        let codec = if sequence.mpeg2 { Codec::Mpeg2Video } else { Codec::Mpeg1Video };
        let profile = sequence.mpeg2.then_some(sequence.profile_and_level >> 4 & 7);
        Some(Facts { codec, media: Media::Video(sequence.video()), config: Bytes::new(), profile })
    }
}

impl Headers for VopEnds {
    fn picture(unit: &[u8]) -> (Kind, usize) {
        let kind = match vop_coding_type(unit) {
            Some(0) => Kind::Intra,
            Some(2) => Kind::Between,
            _ => Kind::Forward,
        };
        (kind, 0)
    }

    fn facts(unit: &[u8]) -> Option<Facts> {
        let layer = VideoObjectLayer::find(unit)?;
        let codes = StartCodes::default();
        let mut from = 0;
        // The configuration is what stands before the first group or plane.
        let end = loop {
            let at = codes.find(unit, from)?;
            if matches!(unit.get(at + 3), Some(0xb3 | 0xb6)) {
                break at;
            }
            from = at + 3;
        };
        let config = Bytes::copy_from_slice(unit.get(..end).filter(|config| config.len() <= MAX_CONFIG)?);
        Some(Facts { codec: Codec::Mpeg4, media: Media::Video(layer.video()), config, profile: None })
    }
}

/// Largest configuration that is kept, in bytes.
const MAX_CONFIG: usize = 4096;
