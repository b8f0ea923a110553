//! The walk through media data without tables: NAL units by their lengths, audio by its syntax, the rest is passed over.
//!
//! ```text
//!   at ─▶ a unit of video? ─▶ a unit of audio? ─▶ the next place where either begins
//! ```

use std::io;

use bytes::Bytes;
use maliu_core::{
    stream::{Codec, StreamInfo},
    syntax::{h264, h265},
};

use super::units::Audio;
use crate::{io::Source, mp4::fill};

/// Most units of one stream.
pub(super) const MAX_UNITS: usize = 1 << 24;

/// Largest NAL unit that is believed.
const MAX_NAL: u64 = 16 << 20;

/// Largest NAL unit that is no slice, unless another one follows it.
const MAX_OTHER: u64 = 64 << 10;

/// Bytes that are looked at for one decision about audio.
const LOOK: usize = 64 << 10;

/// Bytes of a NAL unit that decide.
const HEAD: usize = 72;

/// Bytes read at a time.
const WINDOW: usize = 1 << 20;

/// A unit: where its bytes stand and how many there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Unit {
    pub at: u64,
    pub len: u32,
}

/// Samples that were found.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// NAL units without their lengths.
    pub video: Vec<Unit>,
    /// Units of audio; of uncompressed audio whole runs.
    pub audio: Vec<Unit>,
    /// Bytes that belong to no stream.
    pub lost: u64,
    /// Whether the last unit of video is cut.
    pub cut: bool,
}

/// Parameter sets by which slices are recognised.
pub(super) enum Video {
    H264(Box<h264::ParameterSets>),
    H265(Box<h265::ParameterSets>),
}

impl Video {
    /// For this stream; `None` when it is not made of NAL units behind 4 bytes of length.
    pub(super) fn of(info: &StreamInfo) -> Option<Self> {
        match info.codec {
            Codec::H264 => {
                let (mut sets, config) = (h264::ParameterSets::default(), h264::Config::parse(&info.config)?);
                config.sps.iter().chain(&config.pps).for_each(|nal| {
                    let _ = sets.note(nal);
                });
                (config.length_size == 4).then(|| Self::H264(sets.into()))
            }
            Codec::H265 => {
                let (mut sets, config) = (h265::ParameterSets::default(), h265::Config::parse(&info.config)?);
                config.nals.iter().for_each(|nal| {
                    let _ = sets.note(nal);
                });
                (config.length_size == 4).then(|| Self::H265(sets.into()))
            }
            _ => None,
        }
    }

    /// How sure it is that `head` begins a NAL unit: `None` it does not, `true` it is a slice of a known set.
    fn judge(&mut self, head: &[u8]) -> Option<bool> {
        match self {
            Self::H264(sets) => match head.first()? {
                first if first & 0x80 != 0 => None,
                first => match first & 0x1f {
                    1 | 2 | 5 => h264::SliceHeader::parse(head, sets).map(|_| true),
                    3 | 4 | 6..=20 => Some(false),
                    _ => None,
                },
            },
            Self::H265(sets) => {
                let header = h265::Header::of(head)?;
                match header.nal_unit_type {
                    _ if header.is_slice() => h265::SliceHeader::parse(head, sets).map(|_| true),
                    32..=40 if header.nuh_layer_id < 8 => Some(false),
                    _ => None,
                }
            }
        }
    }

    /// Keeps the unit if it is a parameter set.
    fn note(&mut self, nal: &[u8]) {
        match self {
            Self::H264(sets) => {
                let _ = sets.note(nal);
            }
            Self::H265(sets) => {
                let _ = sets.note(nal);
            }
        }
    }
}

/// A window on the source.
struct Window<'s, S> {
    source: &'s mut S,
    at: u64,
    bytes: Bytes,
}

impl<S: Source> Window<'_, S> {
    /// Up to `most` bytes at `at`, at least as many as the file has.
    fn look(&mut self, at: u64, most: usize) -> io::Result<Bytes> {
        let inside = at.checked_sub(self.at).and_then(|ahead| usize::try_from(ahead).ok());
        let ahead = inside.filter(|ahead| ahead.saturating_add(most) <= self.bytes.len());
        let ahead = match ahead {
            Some(ahead) => ahead,
            None => {
                let mut bytes = vec![0; WINDOW.max(most)];
                let there = fill(self.source, at, &mut bytes)?;
                bytes.truncate(there);
                (self.at, self.bytes) = (at, bytes.into());
                0
            }
        };
        Ok(self.bytes.slice(ahead..self.bytes.len().min(ahead.saturating_add(most))))
    }
}

/// The walk.
pub(super) struct Walk<'s, S> {
    window: Window<'s, S>,
    video: Option<Video>,
    audio: Option<Audio>,
    pub found: Found,
}

impl<'s, S: Source> Walk<'s, S> {
    pub(super) fn new(source: &'s mut S, video: Option<Video>, audio: Option<Audio>) -> Self {
        let window = Window { source, at: 0, bytes: Bytes::new() };
        Self { window, video, audio, found: Found::default() }
    }

    /// Walks from `at` to `end`.
    ///
    /// # Errors
    /// Those of the source.
    pub(super) fn range(&mut self, mut at: u64, end: u64) -> io::Result<()> {
        while at < end && self.found.video.len() < MAX_UNITS && self.found.audio.len() < MAX_UNITS {
            at = match self.step(at, end)? {
                Some(next) => next,
                None => self.search(at, end)?,
            };
        }
        self.found.lost += end.saturating_sub(at);
        Ok(())
    }

    /// Takes the unit at `at`; returns where the next one is.
    fn step(&mut self, at: u64, end: u64) -> io::Result<Option<u64>> {
        if let Some(unit) = self.nal(at, end, true)? {
            let behind = unit.at + u64::from(unit.len);
            if u64::from(unit.len) <= MAX_OTHER
                && let Some(video) = &mut self.video
            {
                video.note(&self.window.look(unit.at, unit.len as usize)?);
            }
            self.found.video.push(unit);
            return Ok(Some(behind));
        }
        let Some(Audio::Units(split)) = &mut self.audio else { return Ok(None) };
        let room = usize::try_from(end - at).unwrap_or(usize::MAX).min(LOOK);
        let bytes = self.window.look(at, room)?;
        let Some(len) = split.length(&bytes).filter(|len| (1..=bytes.len()).contains(len)) else { return Ok(None) };
        self.found.audio.push(Unit { at, len: len as u32 });
        Ok(Some(at + len as u64))
    }

    /// The NAL unit whose length stands at `at`. One that is no slice counts if what follows it looks like one as well.
    fn nal(&mut self, at: u64, end: u64, deep: bool) -> io::Result<Option<Unit>> {
        let Some(video) = &mut self.video else { return Ok(None) };
        let bytes = self.window.look(at, 4 + HEAD)?;
        let Some((size, head)) = bytes.split_first_chunk() else { return Ok(None) };
        let size = u64::from(u32::from_be_bytes(*size));
        if size == 0 || size > MAX_NAL {
            return Ok(None);
        }
        let head = head.get(..usize::try_from(size).unwrap_or(usize::MAX).min(head.len())).unwrap_or_default();
        let Some(slice) = video.judge(head) else { return Ok(None) };
        let (body, behind) = (at + 4, at.saturating_add(4).saturating_add(size));
        if behind > end {
            self.found.cut |= slice && deep;
            return Ok(None);
        }
        if !slice && (size > MAX_OTHER || (deep && self.nal(behind, end, false)?.is_none() && behind < end)) {
            return Ok(None);
        }
        Ok(Some(Unit { at: body, len: size as u32 }))
    }

    /// Goes on to the next place where a unit begins, which is where uncompressed audio ends.
    fn search(&mut self, from: u64, end: u64) -> io::Result<u64> {
        let step = match self.audio {
            Some(Audio::Frames(bytes)) => u64::from(bytes.max(1)),
            _ => 1,
        };
        let (mut at, frames) = (from, matches!(self.audio, Some(Audio::Frames(_))));
        if self.video.is_none() && frames {
            at = from + (end - from) / step * step;
        } else {
            loop {
                at = at.saturating_add(step);
                if at >= end {
                    at = at.min(if frames { from + (end - from) / step * step } else { end });
                    break;
                }
                if self.begins(at, end)? {
                    break;
                }
            }
        }
        match frames && at > from {
            true => {
                let (mut start, most) = (from, u64::from(u32::MAX) / step * step);
                while start < at {
                    let len = (at - start).min(most);
                    self.found.audio.push(Unit { at: start, len: len as u32 });
                    start += len;
                }
                if at + step > end {
                    self.found.lost += end - at;
                    Ok(end)
                } else {
                    Ok(at)
                }
            }
            false => {
                self.found.lost += at - from;
                Ok(at)
            }
        }
    }

    /// Whether two units in a row begin at `at`, or one that ends the data.
    fn begins(&mut self, at: u64, end: u64) -> io::Result<bool> {
        if let Some(unit) = self.nal(at, end, true)? {
            let behind = unit.at + u64::from(unit.len);
            return Ok(behind >= end || self.nal(behind, end, true)?.is_some() || self.audio.is_some());
        }
        let Some(Audio::Units(split)) = &mut self.audio else { return Ok(false) };
        let bytes = self.window.look(at, usize::try_from(end - at).unwrap_or(usize::MAX).min(LOOK))?;
        let mut rest: &[u8] = &bytes;
        for _ in 0..AGREE {
            match split.length(rest).and_then(|len| rest.get(len..)) {
                Some(next) if next.len() < rest.len() => rest = next,
                _ => return Ok(false),
            }
            if rest.is_empty() {
                break;
            }
        }
        Ok(true)
    }
}

/// Units of audio in a row that are believed to be some.
const AGREE: usize = 3;
