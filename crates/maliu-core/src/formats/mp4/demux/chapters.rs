//! Chapters of QuickTime: samples of a text track, read before the first packet where the input can seek.

use alloc::{string::String, vec::Vec};

use crate::{
    error::Result,
    input::Input,
    stream::{Chapter, MAX_CHAPTERS},
    syntax::isobmff::samples::{Cursor, Sample, Tables},
    time::{Ticks, TimeBase},
};

use super::{super::movie::Track, Mp4, State};

/// Most bytes of one title.
const MAX_TITLE: u32 = 64 << 10;

/// A chapter track being read.
#[derive(Debug, Default)]
pub(in super::super) struct Chapters {
    tables: Option<Tables>,
    cursor: Cursor,
    base: Option<TimeBase>,
    /// Ticks of the movie's timeline before the first one.
    shift: i64,
    read: Vec<Chapter>,
    /// Where playing goes on.
    resume: Option<State>,
}

impl Chapters {
    /// Takes the tables of the first chapter track.
    pub(super) fn begin(&mut self, track: &mut Track, movie: u32, input: &Input) {
        if self.tables.is_none() && track.timescale > 0 && input.is_seekable() {
            self.base = Some(track.time_base());
            self.shift = track.stretches(movie).first().map_or(0, |stretch| stretch.shift);
            let tables = core::mem::take(&mut track.tables);
            self.cursor = tables.start();
            self.tables = Some(tables);
        }
    }

    /// Whether titles are to be read.
    pub(super) fn is_waiting(&self) -> bool {
        self.tables.is_some()
    }

    /// Notes where playing goes on afterwards.
    pub(super) fn resume(&mut self, state: State) {
        self.resume = Some(state);
    }
}

impl Mp4 {
    /// Reads one title. Returns whether more bytes are needed.
    pub(super) fn titles(&mut self, input: &mut Input) -> Result<bool> {
        let chapters = &mut self.chapters;
        let next = chapters.tables.as_ref().and_then(|tables| tables.sample(&mut chapters.cursor));
        let there = |sample: &Sample| input.size().is_none_or(|size| sample.offset < size);
        let next = next.filter(|sample| sample.size <= MAX_TITLE && there(sample));
        let (Some(sample), Some(base)) = (next.filter(|_| chapters.read.len() < MAX_CHAPTERS), chapters.base) else {
            self.titles_done();
            return Ok(false);
        };
        if input.offset() != sample.offset {
            input.goto(sample.offset)?;
        }
        let body = input.peek().get(..sample.size as usize);
        if body.is_none() && !input.ended() {
            return Ok(true);
        }
        let start = sample.pts.saturating_add(chapters.shift);
        let end = Some(Ticks(start.saturating_add(sample.duration)));
        let title = body.map(title).unwrap_or_default();
        chapters.read.push(Chapter { start: Ticks(start), end, base, title });
        if let Some(tables) = &chapters.tables {
            tables.advance(&mut chapters.cursor);
        }
        Ok(false)
    }

    fn titles_done(&mut self) {
        self.chapters.tables = None;
        if self.movie.metadata.chapters().is_empty() {
            for chapter in core::mem::take(&mut self.chapters.read) {
                self.movie.metadata.add_chapter(chapter);
            }
        }
        self.state = self.chapters.resume.take().unwrap_or(State::Walk);
        self.tell();
    }
}

/// A sample of text: its length, and UTF-8 or UTF-16.
fn title(body: &[u8]) -> String {
    let Some((length, rest)) = body.split_first_chunk() else { return String::new() };
    let text = rest.get(..usize::from(u16::from_be_bytes(*length))).unwrap_or(rest);
    match text {
        [0xfe, 0xff, units @ ..] => {
            let units: Vec<u16> =
                units.chunks_exact(2).filter_map(|unit| Some(u16::from_be_bytes(unit.try_into().ok()?))).collect();
            String::from_utf16_lossy(&units)
        }
        text => String::from_utf8_lossy(text).into_owned(),
    }
}
