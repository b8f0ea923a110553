//! MP4 files as `check` and `repair` look at them: boxes at the top level, and video that must be a chain of NAL units.

use std::io;

use maliu_core::{
    packet::Packet,
    stream::{Codec, StreamInfo},
    syntax::{
        annexb::{self, Framing},
        isobmff::boxes::{self, Kind, Parsed},
    },
};

use crate::io::{Source, uninterrupted};

/// Most boxes that are looked at.
const MAX_BOXES: usize = 1 << 20;

/// One box.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Found {
    pub kind: Kind,
    pub start: u64,
    /// Offset of what is in it.
    pub body: u64,
    /// Offset behind it, at most the size of the file.
    pub end: u64,
    /// Whether all of it is there.
    pub whole: bool,
    /// Its size is not stated: it ends with the file.
    pub open: bool,
}

/// All boxes in their order.
#[derive(Debug, Default)]
pub(super) struct TopLevel {
    pub boxes: Vec<Found>,
    /// Offset behind the last one, where something else follows.
    pub size: u64,
}

impl TopLevel {
    /// Reads the heads of the boxes.
    ///
    /// # Errors
    /// Those of the source.
    pub(super) fn of(source: &mut impl Source) -> io::Result<Self> {
        let mut found = Self { boxes: Vec::new(), size: end(source)? };
        let mut at = 0;
        while at < found.size && found.boxes.len() < MAX_BOXES {
            let mut head = [0; 16];
            let there = fill(source, at, &mut head)?;
            let Parsed::Header(header) = boxes::parse(head.get(..there).unwrap_or_default()) else { break };
            if !header.kind.iter().all(|byte| byte.is_ascii_graphic() || matches!(byte, b' ' | 0xa9)) {
                break;
            }
            let stated = header.size.map(|size| at.saturating_add(size));
            let end = stated.unwrap_or(found.size).min(found.size);
            found.boxes.push(Found {
                kind: header.kind,
                start: at,
                body: at.saturating_add(header.header as u64).min(end),
                end,
                whole: stated.is_none_or(|stated| stated <= found.size),
                open: header.size.is_none(),
            });
            at = end;
        }
        Ok(found)
    }

    /// The first whole `moov` box.
    pub(super) fn movie(&self) -> Option<&Found> {
        self.boxes.iter().find(|found| &found.kind == b"moov" && found.whole)
    }

    /// Whether the tables of the movie, or of its fragments, are there.
    pub(super) fn has_movie(&self) -> bool {
        self.movie().is_some()
    }

    /// Where media data stand: in `mdat` boxes, or anywhere if there is none.
    pub(super) fn media(&self) -> Vec<(u64, u64)> {
        let all = self.boxes.iter().filter(|found| &found.kind == b"mdat" && found.end > found.body);
        let mut ranges: Vec<(u64, u64)> = all.map(|found| (found.body, found.end)).collect();
        // Bytes behind the last box that cannot be a box belong to it.
        let behind = self.boxes.last().map_or(0, |last| last.end);
        if behind < self.size {
            match ranges.last_mut().filter(|(_, end)| *end == behind) {
                Some((_, end)) => *end = self.size,
                None => ranges.push((behind, self.size)),
            }
        }
        ranges
    }
}

/// The size of a source that can be sought.
fn end(source: &mut impl Source) -> io::Result<u64> {
    source.size().ok_or_else(|| io::Error::new(io::ErrorKind::Unsupported, "an MP4 file is repaired from a file"))
}

/// Reads what stands at `at`; returns how much of it is there.
pub(super) fn fill(source: &mut impl Source, at: u64, buf: &mut [u8]) -> io::Result<usize> {
    let mut there = 0;
    while let Some(room) = buf.get_mut(there..).filter(|room| !room.is_empty()) {
        match uninterrupted(|| source.read_at(at.saturating_add(there as u64), room))? {
            0 => break,
            got => there += got.min(room.len()),
        }
    }
    Ok(there)
}

/// Bytes of the length in front of each NAL unit of a stream; `None` for streams that are not made of such units.
pub(crate) fn length_size(stream: &StreamInfo) -> Option<u8> {
    let at = match stream.codec {
        _ if stream.config.first() != Some(&1) || stream.encryption.is_some() => return None,
        Codec::H264 => 4,
        Codec::H265 => 21,
        _ => return None,
    };
    stream.config.get(at).map(|byte| (byte & 3) + 1)
}

/// Whether the packet is NAL units behind lengths of `size` bytes, or start codes, and nothing else.
pub(crate) fn is_chain(packet: &Packet, size: u8) -> bool {
    if Framing::guess(&packet.data) == Framing::AnnexB {
        return true;
    }
    let mut units = annexb::lengths(&packet.data, size);
    let forbidden = units.by_ref().any(|unit| unit.first().is_none_or(|head| head & 0x80 != 0));
    !forbidden && units.left() == 0
}
