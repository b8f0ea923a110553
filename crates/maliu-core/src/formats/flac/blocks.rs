//! The blocks of metadata in front of the frames.

use alloc::{string::String, vec::Vec};
use core::task::Poll;

use bytes::Bytes;

use super::MARK;
use crate::{
    error::{Error, Result},
    input::Input,
    remark::Remark,
    stream::{Chapter, Metadata, limits::MAX_TAG_BYTES},
    syntax::{
        flac::{STREAMINFO, StreamInfoBlock},
        vorbis_comment,
    },
    time::{Ticks, TimeBase},
};

/// Bytes of a block's header.
const HEADER: usize = 4;

/// Most bytes of comments that are read.
const MAX_COMMENTS: usize = 4 << 20;

/// Most bytes of a cue sheet that are read.
const MAX_CUE_SHEET: usize = 64 << 10;

/// Bytes of a picture that are read: its type and size stand at its start.
const PICTURE: usize = MAX_TAG_BYTES + (4 << 10);

/// Most points of a seek table.
const MAX_POINTS: usize = 4096;

/// Bytes of a point of a seek table.
const POINT: usize = 18;

#[derive(Default)]
pub(super) struct Blocks {
    begun: bool,
    /// The body of STREAMINFO, and its facts.
    pub(super) info: Option<(Bytes, StreamInfoBlock)>,
    pub(super) metadata: Metadata,
    /// First samples and offsets behind the first frame.
    pub(super) points: Vec<(u64, u64)>,
}

impl Blocks {
    /// Reads blocks; ready behind the last one.
    pub(super) fn poll(&mut self, input: &mut Input) -> Result<Poll<()>> {
        if !self.begun {
            match input.peek() {
                bytes if bytes.starts_with(MARK) => input.skip(MARK.len()),
                bytes if bytes.len() < MARK.len() && !input.ended() => return Ok(Poll::Pending),
                _ => return Err(Error::malformed("flac", "no fLaC at the start", input.offset())),
            };
            self.begun = true;
        }
        loop {
            let Some(&[kind, a, b, c]) = input.peek().first_chunk::<HEADER>() else { return short(input) };
            let (last, kind, size) = (kind & 0x80 != 0, kind & 0x7f, u32::from_be_bytes([0, a, b, c]) as usize);
            let kept = match kind {
                0 => STREAMINFO,
                3 => MAX_POINTS * POINT,
                4 => MAX_COMMENTS,
                5 => MAX_CUE_SHEET,
                6 => PICTURE,
                _ => 0,
            };
            let Some(body) = input.peek().get(HEADER..HEADER + size.min(kept)) else { return short(input) };
            let whole = body.len() == size;
            let known = self.block(kind, body);
            if !known || kind == 4 && !whole {
                input.remark(Remark::Other, "metadata block that cannot be read passed over");
            }
            let behind = input.offset().saturating_add((HEADER + size) as u64);
            input.goto(behind)?;
            if last {
                return self.done(input);
            }
        }
    }

    fn done(&mut self, input: &Input) -> Result<Poll<()>> {
        if self.info.is_none() {
            return Err(Error::malformed("flac", "no STREAMINFO block that can be read", input.offset()));
        }
        Ok(Poll::Ready(()))
    }

    /// Takes a block. Whether it could be read.
    fn block(&mut self, kind: u8, body: &[u8]) -> bool {
        match kind {
            0 if self.info.is_none() => {
                let facts = StreamInfoBlock::parse(body).filter(|facts| facts.block.1 >= 16);
                self.info = facts.map(|facts| (Bytes::copy_from_slice(body), facts));
                self.info.is_some()
            }
            3 => {
                let points = body.as_chunks::<POINT>().0.iter().filter_map(point);
                self.points = points.take(MAX_POINTS).collect();
                self.points.shrink_to_fit();
                self.points.is_sorted()
            }
            4 => vorbis_comment::read(body, &mut self.metadata),
            5 => self.cue_sheet(body).is_some(),
            6 => {
                let picture = vorbis_comment::picture(body);
                let found = picture.is_some();
                picture.into_iter().for_each(|picture| self.metadata.add_picture(picture));
                found
            }
            _ => true,
        }
    }

    /// Tracks of a cue sheet become chapters (RFC 9639 §8.7).
    fn cue_sheet(&mut self, body: &[u8]) -> Option<()> {
        let (_, facts) = self.info.as_ref()?;
        let base = TimeBase::hz(facts.rate);
        let (count, mut rest) = body.get(395..)?.split_first()?;
        for _ in 0..*count {
            let (track, behind) = rest.split_first_chunk::<36>()?;
            let (offset, more) = track.split_first_chunk()?;
            let (number, indexes) = (more.first()?, usize::from(*track.last()?));
            rest = behind.get(indexes * 12..)?;
            // The last one is the lead-out.
            if !matches!(number, 170 | 255) {
                let start = Ticks(i64::try_from(u64::from_be_bytes(*offset)).ok()?);
                self.metadata.add_chapter(Chapter { start, end: None, base, title: String::new() });
            }
        }
        Some(())
    }
}

/// A point of a seek table; `None` for one that keeps room.
fn point(bytes: &[u8; POINT]) -> Option<(u64, u64)> {
    let (sample, rest) = bytes.split_first_chunk()?;
    let (sample, offset) = (u64::from_be_bytes(*sample), u64::from_be_bytes(*rest.first_chunk()?));
    (sample != u64::MAX).then_some((sample, offset))
}

fn short(input: &Input) -> Result<Poll<()>> {
    if input.ended() {
        return Err(Error::malformed("flac", "a metadata block is cut short", input.offset()));
    }
    Ok(Poll::Pending)
}
