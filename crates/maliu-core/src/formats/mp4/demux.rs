//! The demuxer: boxes to a movie, and its samples to packets in the order of the file (ISO/IEC 14496-12).
//!
//! ```text
//!   Walk ─ moov ─▶ tracks ─ mdat ─▶ Play ─ nothing left before its end ─▶ Walk ─ moof ─▶ runs ─ mdat ─▶ Play …
//! ```

use alloc::{borrow::Cow, boxed::Box, collections::VecDeque, format, vec::Vec};
use core::task::Poll;

use crate::{
    error::{Error, Result},
    format::{Demuxer, Event},
    input::{Input, MAX_WINDOW},
    packet::{Flags, Packet, Trim},
    remark::Remark,
    stream::{Kind, StreamInfo},
    syntax::isobmff::boxes::{self, Role},
    time::{Ticks, TimeBase},
};

use super::{
    crypt::{Keys, Secret},
    movie::{self, Movie},
    play::Play,
    walk::{Found, Step, Walker},
};

mod access;
mod chapters;
mod compressed;
mod fragments;
mod layout;
mod seek;

use chapters::Chapters;
use fragments::{Fragments, PRODUCED};

/// Most bytes of a box that is read whole.
pub(super) const MAX_BOX: usize = 32 << 20;

/// Largest sample.
pub(super) const MAX_SAMPLE: usize = 48 << 20;

/// Where the demuxer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// Between boxes.
    Walk,
    /// Reading samples that stand before this offset.
    Play(u64),
    /// Reading what is left, wherever it stands, because no box follows.
    Rest,
    /// Reading the titles of chapters.
    Chapters,
    /// Looking for the index of fragments: this many bytes at this offset.
    Access(u64, usize),
    End,
}

#[derive(Debug)]
pub(super) struct Mp4 {
    pub state: State,
    pub walker: Walker,
    pub movie: Movie,
    /// The tracks once the movie is known.
    pub plays: Vec<Play>,
    /// Streams to be returned.
    infos: Vec<StreamInfo>,
    /// Number of streams that were told.
    pub streams: usize,
    pub fragments: Fragments,
    pub chapters: Chapters,
    pub queue: VecDeque<Event>,
    /// The movie is complete and was told.
    pub told: bool,
    /// Offset of the `moov` box.
    pub moov: u64,
    /// Media stand in front of it.
    pub media_first: bool,
    /// Remarks already made.
    cut: bool,
    behind: bool,
    /// Added to the offsets of chunks.
    shift: i64,
    keys: Keys,
    /// A seek that has not met a keyframe yet.
    pub landing: Option<seek::Landing>,
}

impl Mp4 {
    /// With `shift` added to the offsets of chunks, and keys to decrypt with.
    pub(super) fn new(shift: i64, keys: Keys) -> Self {
        Self {
            state: State::Walk,
            walker: Walker::default(),
            movie: Movie::default(),
            plays: Vec::new(),
            infos: Vec::new(),
            streams: 0,
            fragments: Fragments::default(),
            chapters: Chapters::default(),
            queue: VecDeque::new(),
            told: false,
            moov: 0,
            media_first: false,
            cut: false,
            behind: false,
            shift,
            keys,
            landing: None,
        }
    }

    /// One step from box to box. Returns whether more bytes are needed.
    fn walk(&mut self, input: &mut Input) -> Result<bool> {
        match self.walker.next(input)? {
            Step::More => return self.wait(input).map(|()| true),
            Step::End => self.no_more(input)?,
            Step::Up(kind) => {
                self.movie.leave(kind);
                if &kind == b"moov" {
                    self.complete(input)?;
                }
            }
            Step::Box(found) => return self.take(&found, input),
        }
        Ok(false)
    }

    /// More must come; media that waits for its tables must not grow without end.
    fn wait(&self, input: &Input) -> Result<()> {
        if input.peek().len() >= MAX_WINDOW {
            let what = "64 MiB of media stand before the moov box, on an input that cannot go back; use a file";
            return Err(Error::malformed("mp4", what, input.offset()));
        }
        Ok(())
    }

    fn take(&mut self, found: &Found, input: &mut Input) -> Result<bool> {
        let kind = found.kind;
        match found.role {
            None => self.walker.pass(found),
            Some(Role::Holds(_)) if &kind == b"moov" && self.told => {
                input.warn_at(found.start, "a second moov box is passed over");
                self.walker.pass(found);
            }
            Some(Role::Holds(_)) if &kind == b"trak" && !self.movie.begin_track() => {
                return Err(Error::Limit { what: "tracks of a file (MAX_TRACKS)", limit: movie::MAX_TRACKS as u64 });
            }
            Some(Role::Holds(front)) => {
                if &kind == b"moov" {
                    self.moov = found.start;
                }
                self.walker.enter(found, front);
            }
            Some(Role::Media) => self.media(found, input),
            Some(role) => {
                let most = if role == Role::Front { super::MAX_FRONT } else { MAX_BOX };
                if role == Role::Read && found.end.saturating_sub(found.body) > MAX_BOX as u64 && found.end < u64::MAX {
                    input.warn_at(found.start, format!("a {} box over the limit is passed over", boxes::text(kind)));
                    self.walker.pass(found);
                    return Ok(false);
                }
                let Some(body) = self.walker.body(found, most, input) else {
                    return self.wait(input).map(|()| true);
                };
                let body = body.to_vec();
                // First, since what is read may lead elsewhere.
                self.walker.pass(found);
                self.read(found, &body, input)?;
            }
        }
        Ok(false)
    }

    fn read(&mut self, found: &Found, body: &[u8], input: &mut Input) -> Result<()> {
        let size = found.end.saturating_sub(found.body);
        match &found.kind {
            b"ftyp" => {
                movie::brands(body, &mut self.movie.metadata);
            }
            b"moof" => return self.fragment(found, body, input),
            b"sidx" => self.fragments.index(body, found.end),
            b"emsg" => {
                self.message(body);
            }
            b"prft" => {
                self.produced(body);
            }
            b"cmov" => return self.compressed(body, found.start, input),
            kind => self.movie.read(*kind, found.parent, body, size, input),
        }
        Ok(())
    }

    /// Media data: samples are read from it, or it is passed over or kept until their tables come.
    fn media(&mut self, found: &Found, input: &Input) {
        if self.told {
            self.walker.pass(found);
            let tables = input.is_seekable() || found.end == u64::MAX;
            self.state = State::Play(if tables { u64::MAX } else { found.end });
            return;
        }
        self.media_first = true;
        if !input.is_seekable() {
            self.walker.hold(found);
        }
        self.walker.pass(found);
    }

    /// The movie was read: its streams are returned.
    fn complete(&mut self, input: &mut Input) -> Result<()> {
        if self.told {
            return Ok(());
        }
        self.told = true;
        let names: Vec<u32> = self.movie.tracks.iter().flat_map(|track| track.chapters.iter().copied()).collect();
        let (mut first_refused, timescale) = (None, self.movie.timescale);
        let gapless = self.movie.metadata.value("iTunSMPB").and_then(crate::syntax::isobmff::tags::itunes_gapless);
        for track in &mut self.movie.tracks {
            if names.contains(&track.id) && matches!(&track.handler, b"text" | b"sbtl") {
                self.chapters.begin(track, timescale, input);
                continue;
            }
            if let Some(file) = track.elsewhere() {
                let what = format!("track {} keeps its samples in another file ({file})", track.id);
                input.warn(what.clone());
                first_refused.get_or_insert(what);
                continue;
            }
            if track.timescale == 0 {
                track.timescale = if timescale > 0 { timescale } else { 1 };
            }
            track.tables.places.shift(self.shift);
            let mut info = track.stream(timescale);
            let mut play = Play::new(self.infos.len(), track, &info, timescale, input.size());
            if let Some((start, _, all)) = gapless.filter(|_| info.media.kind() == Kind::Audio) {
                play.set_gapless(start, all);
            }
            if let Some(protection) =
                track.entries.first().or(play.entries.first()).and_then(|entry| entry.protection.as_ref())
            {
                play.secret = Some(Box::new(Secret::new(protection, &self.keys, track.auxiliary.senc.as_ref())));
                if self.keys.open(protection) {
                    info.encryption = None;
                }
            }
            self.plays.push(play);
            self.infos.push(info);
        }
        match (self.infos.is_empty(), first_refused) {
            (true, Some(what)) => return Err(Error::unsupported(format!("mp4: {what}"))),
            (true, None) => return Err(Error::malformed("mp4", "a moov box without tracks", self.walker.at)),
            _ => {}
        }
        self.note_idle_keys(input);
        if let Some(start) = self.walker.release() {
            // Media that was kept: its samples come now, wherever they stand in it.
            self.state = State::Play(self.walker.at.max(start));
        }
        if self.chapters.is_waiting() && input.is_seekable() {
            let resume = core::mem::replace(&mut self.state, State::Chapters);
            self.chapters.resume(resume);
            return Ok(());
        }
        self.tell();
        Ok(())
    }

    /// Keys for a file in which nothing is encrypted are more likely a mistake than a precaution.
    fn note_idle_keys(&self, input: &mut Input) {
        if !self.keys.is_empty() && self.plays.iter().all(|play| play.secret.is_none()) {
            input.warn("no track is encrypted, so the keys change nothing");
        }
    }

    /// Queues tags and streams. Tables that only they needed are dropped.
    pub(super) fn tell(&mut self) {
        let metadata = core::mem::take(&mut self.movie.metadata);
        self.movie.tracks = Vec::new();
        self.plays.shrink_to_fit();
        if !metadata.is_empty() {
            self.queue.push_back(Event::Metadata(Box::new(metadata)));
        }
        let infos = core::mem::take(&mut self.infos);
        self.streams = infos.len();
        for (index, info) in infos.into_iter().enumerate() {
            self.queue.push_back(Event::Stream(index, Box::new(info)));
        }
    }

    /// The input has no further box.
    fn no_more(&mut self, input: &mut Input) -> Result<()> {
        if !self.told {
            let what: Cow<'static, str> = match self.fragments.met() {
                true => "fragments without a moov box; give the initialization segment with --init".into(),
                false => "no moov box: the recording was cut, or the file is not whole; repair rebuilds it".into(),
            };
            return Err(Error::malformed("mp4", what, self.walker.at));
        }
        if self.settle_seek(input)? {
            return Ok(());
        }
        self.state = State::Rest;
        Ok(())
    }

    /// Reads the next sample that stands before `until`. Returns whether more bytes are needed.
    fn play(&mut self, until: u64, input: &mut Input) -> Result<bool> {
        let Some(index) = self.choose(until, input) else {
            self.state = if self.state == State::Rest { State::End } else { State::Walk };
            return Ok(false);
        };
        let Some(play) = self.plays.get_mut(index) else { return Ok(false) };
        let Some(next) = play.peek().copied() else { return Ok(false) };
        let (at, size) = (next.sample.offset, next.sample.size as usize);
        if input.size().is_some_and(|all| at >= all) && size > 0 {
            self.remark_cut(at, input);
            if let Some(play) = self.plays.get_mut(index) {
                play.skip_missing();
            }
            return Ok(false);
        }
        if size > MAX_SAMPLE {
            input.warn_at(at, format!("a sample of {size} bytes is passed over; the limit is {MAX_SAMPLE}"));
            play.advance();
            return Ok(false);
        }
        if at != input.offset() {
            if at < input.offset() && !input.is_seekable() {
                if !core::mem::replace(&mut self.behind, true) {
                    input.warn("samples stand in front of what was read; an input that cannot go back loses them");
                }
                play.advance();
                return Ok(false);
            }
            input.goto(at)?;
        }
        let there = input.peek().len().min(size);
        if there < size && !input.ended() {
            return Ok(true);
        }
        if there < size {
            self.remark_cut(at, input);
        }
        if there < size && there == 0 {
            if let Some(play) = self.plays.get_mut(index) {
                play.skip_missing();
            }
            return Ok(false);
        }
        let data = input.take(there).unwrap_or_default();
        if let Some(what) = self.packet(index, &next, there < size, data) {
            input.warn_at(at, what);
        }
        Ok(false)
    }

    fn remark_cut(&mut self, at: u64, input: &mut Input) {
        if !core::mem::replace(&mut self.cut, true) {
            let missing = input.size().and_then(|size| at.checked_sub(size)).filter(|missing| *missing > 0);
            input.remark_at(at, Remark::Cut { missing }, "the input ends before the samples that its tables name");
        }
    }

    fn packet(
        &mut self,
        index: usize,
        next: &super::play::Next,
        cut: bool,
        data: bytes::Bytes,
    ) -> Option<&'static str> {
        let play = self.plays.get_mut(index)?;
        let sample = next.sample;
        let mut flags = Flags::key(sample.sync);
        if next.discard {
            flags |= Flags::DISCARD;
        }
        if cut {
            flags |= Flags::CORRUPT;
        }
        if sample.disposable {
            flags |= Flags::DISPOSABLE;
        }
        let mut packet = Packet {
            stream: play.stream,
            pts: Some(Ticks(sample.pts)),
            dts: Some(Ticks(sample.dts)),
            duration: Some(Ticks(sample.duration)).filter(|duration| duration.0 > 0),
            flags,
            position: Some(sample.offset),
            data,
            ..Packet::default()
        };
        if next.trim != (0, 0) {
            packet.side.set_trim(Trim { start: next.trim.0, end: next.trim.1 });
        }
        if sample.entry != play.entry
            && let Some(config) = play.turn_to(sample.entry)
        {
            packet.side.set_new_config(config);
        }
        if let Some(produced) = play.produced.take() {
            // The first entry is within the limit.
            let _ = packet.side.add_opaque(PRODUCED, produced);
        }
        let warned = play.decrypt(&mut packet);
        play.mark_key(&mut packet);
        play.advance();
        self.landed(index, &packet);
        self.queue.push_back(Event::Packet(packet));
        warned
    }

    /// The track whose sample comes next: the one that stands first in the file, unless on an input that can seek
    /// another is more than a second behind it in time.
    fn choose(&mut self, until: u64, input: &Input) -> Option<usize> {
        let mut first: Option<(usize, u64, Ticks, TimeBase)> = None;
        let mut early: Option<(usize, Ticks, TimeBase)> = None;
        let (seekable, several) = (input.is_seekable(), self.plays.len() > 1);
        for (index, play) in self.plays.iter_mut().enumerate() {
            let base = play.base;
            let Some(next) = play.peek() else { continue };
            let (at, time) = (next.sample.offset, Ticks(next.sample.dts));
            if at >= until {
                continue;
            }
            if first.is_none_or(|(_, place, ..)| at < place) {
                first = Some((index, at, time, base));
            }
            if seekable
                && several
                && early.is_none_or(|(_, earliest, its)| TimeBase::compare(time, base, earliest, its).is_lt())
            {
                early = Some((index, time, base));
            }
        }
        let (index, _, time, base) = first?;
        let Some((other, earliest, its)) = early else { return Some(index) };
        // Times a second apart: both sides in ticks of the first.
        let second = Ticks(i64::from(base.den.get()));
        match TimeBase::compare(time - second, base, earliest, its) {
            core::cmp::Ordering::Greater => Some(other),
            _ => Some(index),
        }
    }
}

impl Demuxer for Mp4 {
    fn poll(&mut self, input: &mut Input) -> Result<Poll<Event>> {
        loop {
            if let Some(event) = self.next_event(input)? {
                return Ok(Poll::Ready(event));
            }
            let need = match self.state {
                State::Walk => self.walk(input)?,
                State::Play(until) => self.play(until, input)?,
                State::Rest => self.play(u64::MAX, input)?,
                State::Chapters => self.titles(input)?,
                State::Access(at, size) => self.access(at, size, input)?,
                State::End => {
                    input.skip(input.peek().len());
                    if input.ended() || input.is_seekable() {
                        return Ok(Poll::Ready(Event::End));
                    }
                    true
                }
            };
            if need {
                return Ok(Poll::Pending);
            }
        }
    }

    fn seek(&mut self, to: Ticks, base: TimeBase, input: &mut Input) -> Result<()> {
        self.start_seek(to, base, input)
    }

    fn duration(&self) -> Option<(Ticks, TimeBase)> {
        movie::duration(&self.movie).filter(|_| self.told)
    }

    fn layout(&self) -> alloc::vec::Vec<alloc::string::String> {
        self.lines()
    }
}
