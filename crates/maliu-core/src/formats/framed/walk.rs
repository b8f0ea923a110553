//! A walk over frames that knows their times: what a seek passes over, what the tags say, which events wait.

use alloc::{boxed::Box, collections::VecDeque};

use crate::{
    account::Telling,
    error::{Error, Result},
    format::Event,
    input::Input,
    stream::Metadata,
    syntax::framing::{Found, Frame, Frames, Framing},
    time::{Rounding, Ticks, TimeBase},
    timing::index::SeekIndex,
};

pub(super) struct Walk<F: Frames> {
    pub framing: Framing<F>,
    base: TimeBase,
    /// Events in front of what follows in the input.
    pub pending: VecDeque<Event>,
    telling: Telling,
    /// Bytes of the tags when they changed last.
    tagged: usize,
    /// Time of the next frame.
    pub time: Ticks,
    /// Offset at which the last tag ended.
    pub behind_tag: u64,
    index: SeekIndex,
    /// A seek under way: frames that end at or before this time are passed over.
    pub seek: Option<Ticks>,
    /// Time and offset of the frame that was met last.
    last: Option<(Ticks, u64)>,
}

/// Item that a walk meets.
pub(super) enum Met<H> {
    /// The next event.
    Event(Event),
    /// More bytes are needed.
    Pending,
    /// A whole frame is unread at the front; it is the format's to take.
    Frame(Frame<H>),
    /// All unread bytes are the start of a frame that the end of the input cuts short.
    Cut(H),
    /// Nothing is left.
    End,
}

impl<F: Frames> Walk<F> {
    /// A walk from the start of an input, its times in `base`.
    pub(super) fn new(frames: F, base: TimeBase) -> Self {
        Self {
            framing: Framing::new(frames),
            base,
            pending: VecDeque::new(),
            telling: Telling::default(),
            tagged: 0,
            time: Ticks(0),
            behind_tag: 0,
            index: SeekIndex::default(),
            seek: None,
            last: None,
        }
    }

    /// The next item.
    pub(super) fn poll(&mut self, input: &mut Input) -> Met<F::Header> {
        loop {
            if let Some(event) = self.pending.pop_front() {
                return Met::Event(event);
            }
            match self.framing.poll(input) {
                Found::NeedBytes => return Met::Pending,
                Found::Frame(frame) => return Met::Frame(frame),
                Found::Cut(header) => return Met::Cut(header),
                Found::End => {
                    let tags = self.telling.last(self.framing.metadata());
                    return tags.map_or(Met::End, |tags| Met::Event(Event::Metadata(tags)));
                }
                Found::Tag => {
                    let (at, before) = (input.offset(), self.behind_tag);
                    self.behind_tag = at;
                    if let Some(tags) = self.tags(at.saturating_sub(before)) {
                        return Met::Event(Event::Metadata(tags));
                    }
                }
            }
        }
    }

    /// The tags, if a tag behind `read` further bytes of the input has added some and they are to be returned.
    fn tags(&mut self, read: u64) -> Option<Box<Metadata>> {
        let tags = self.framing.metadata();
        self.telling.earn(usize::try_from(read).unwrap_or(usize::MAX));
        if tags.weight() != self.tagged {
            self.tagged = tags.weight();
            self.telling.change();
        }
        self.telling.due(tags)
    }

    /// Notes the frame of `length` bytes at the front, which lasts `duration`. Whether a seek passes over it: it is
    /// then skipped.
    pub(super) fn passes(&mut self, length: usize, duration: Ticks, input: &mut Input) -> bool {
        let (time, at) = (self.time, input.offset());
        if input.is_seekable() {
            self.index.note(time, at);
        }
        self.last = Some((time, at));
        let passed = self.seek.is_some_and(|to| time + duration <= to);
        if passed {
            self.time += duration;
            input.skip(length);
        }
        passed
    }

    /// Goes to the frame at or before `to` (in `base`). Whether the input was moved for it.
    pub(super) fn seek(&mut self, to: Ticks, base: TimeBase, input: &mut Input) -> Result<bool> {
        let to = base.rescale(to, self.base, Rounding::Down).max(Ticks(0));
        let point = self.index.before(to).filter(|(time, _)| to < self.time || *time > self.time);
        if let Some((time, at)) = point {
            self.stand_at(time, at, input)?;
        } else if to < self.time && !input.is_seekable() {
            return Err(Error::NotSeekable { wanted: 0, oldest: input.offset() });
        }
        self.pending.retain(|event| !matches!(event, Event::Packet(_)));
        self.seek = Some(to);
        Ok(point.is_some())
    }

    /// At the end: goes back to the last frame if a seek wanted what lies behind it. That one it is then.
    pub(super) fn goes_back(&mut self, input: &mut Input) -> bool {
        let last = self.seek.take().and(self.last.take());
        last.is_some_and(|(time, at)| self.stand_at(time, at, input).is_ok())
    }

    fn stand_at(&mut self, time: Ticks, at: u64, input: &mut Input) -> Result<()> {
        input.goto(at)?;
        self.framing.restart();
        self.time = time;
        Ok(())
    }
}
