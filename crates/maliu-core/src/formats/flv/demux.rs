//! The demuxer: from tag to tag, and back on track after bytes that are none (FLD-3, FLD-5…FLD-9, FLD-24…FLD-27).
//!
//! ```text
//!   Header ─▶ FirstSize ─▶ Tags ◀──pair found── Lost
//!                           │ └──── no tag ──────▲
//!                           └─ size passes the end ─▶ Stopped
//! ```

use alloc::{boxed::Box, collections::VecDeque, format};
use core::task::Poll;

use bytes::{Buf, Bytes};

use crate::{
    account::Telling,
    error::Result,
    format::{Declared, Demuxer, Event},
    input::Input,
    packet::Packet,
    remark::Remark,
    stream::{Kind as StreamKind, Metadata},
    time::{Ticks, TimeBase},
};

use super::{
    clock::Clock,
    header::{self, Header},
    index::Index,
    resync::{Found, Search},
    settings::Reading,
    streams::Streams,
    tag::{HEAD, Head, Kind, TAIL, u32_at},
};

mod lost;
mod seek;

use lost::zero_tail;
use seek::{Seek, Tail};

/// The demuxer of one FLV file or connection.
#[derive(Debug)]
pub(super) struct Flv {
    pub(super) options: Reading,
    pub(super) state: State,
    pub(super) streams: Streams,
    pub(super) clock: Clock,
    /// Events to return before the next tag is read.
    pub(super) queue: VecDeque<Event>,
    pub(super) tags: Metadata,
    pub(super) telling: Telling,
    /// In µs.
    pub(super) duration: Option<Ticks>,
    /// PreviousTagSize is known to be wrong and not looked at.
    pub(super) bad_sizes: bool,
    /// Rate and channels of the last audio tag of a codec without configuration (FLD-19).
    pub(super) last_audio: (u32, u16),
    /// Sum of the lengths of all tags, which some writers put in PreviousTagSize (FLD-24).
    total: u32,
    /// Where decoding can start.
    pub(super) index: Index,
    /// Offset of the first tag.
    pub(super) first_tag: Option<u64>,
    /// The end of the file was looked at for its duration, or need not be.
    pub(super) tail_seen: bool,
    /// Whether any tag was met.
    pub(super) met: bool,
    /// Offset at which the end of a cut file was last remarked upon.
    remarked: Option<u64>,
    /// Facts that the first onMetaData declares, for an audit.
    pub(super) declared: Option<Box<Declared>>,
    /// Whether an onMetaData has come.
    pub(super) declares: bool,
}

/// Where in the file the demuxer is.
#[derive(Debug)]
pub(super) enum State {
    /// Before the file header.
    Header,
    /// Before the first PreviousTagSize.
    FirstSize,
    /// Before a tag.
    Tags,
    /// Among bytes that are no tags, since an offset.
    Lost {
        search: Search,
        since: u64,
        /// Where the zeros begin that stand last in what was let go of.
        zeros: u64,
    },
    /// On the way to a time, at the middle of what is left of the file.
    Bisect(Seek, Search, u64),
    /// On the way to a time, from head to head.
    Walk(Seek),
    /// At the end of the file, for its duration.
    Tail(Tail),
    /// Behind the last tag that is of interest.
    Stopped,
}

/// Result of one step.
pub(super) enum Step {
    Packet(Packet),
    Again,
    Need,
    End,
}

/// A tag about to be read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tag {
    pub head: Head,
    /// Offset of its first byte.
    pub at: u64,
    /// Whether its body ends before its size says.
    pub cut: bool,
}

/// Judgement of a tag by the bytes behind its body.
enum Verdict {
    Follow,
    /// The size behind the tag is wrong, the next tag stands where DataSize says.
    FollowAnyway(u32),
    NoTag,
    Need,
}

impl Flv {
    /// A demuxer at the start of its input.
    pub(super) fn new(options: Reading) -> Self {
        Self {
            options,
            state: State::Header,
            streams: Streams::default(),
            clock: Clock::default(),
            queue: VecDeque::new(),
            tags: Metadata::default(),
            telling: Telling::default(),
            duration: None,
            bad_sizes: false,
            last_audio: (0, 0),
            total: 0,
            index: Index::default(),
            first_tag: None,
            tail_seen: false,
            met: false,
            remarked: None,
            declared: options.audit.then(Box::default),
            declares: false,
        }
    }

    fn step(&mut self, input: &mut Input) -> Result<Step> {
        match self.state {
            State::Tags => self.next_tag(input),
            State::Header => self.header(input),
            State::FirstSize => self.first_size(input),
            State::Lost { search, since, zeros } => self.look(input, search, since, zeros),
            State::Bisect(seek, search, middle) => self.halve(seek, search, middle, input),
            State::Walk(seek) => self.walk(seek, input),
            State::Tail(tail) => self.tail(tail, input),
            State::Stopped => {
                input.skip(input.peek().len());
                Ok(if input.ended() { Step::End } else { Step::Need })
            }
        }
    }

    fn header(&mut self, input: &mut Input) -> Result<Step> {
        let seen = input.peek();
        if seen.len() < header::SIZE && !input.ended() {
            return Ok(Step::Need);
        }
        match Header::parse(seen) {
            _ if seen.is_empty() => return Ok(Step::End),
            Some(found) if header::begins(seen) => {
                let size = u64::from(found.size).max(header::SIZE as u64);
                if found.size < header::SIZE as u32 {
                    input.warn("the header says it has less than 9 bytes");
                }
                input.goto(input.offset().saturating_add(size))?;
                self.state = State::FirstSize;
            }
            _ if input.offset() == 0 && seen.len() >= header::SIZE && header::begins_kux(seen) => {
                input.goto(header::KUX_FRONT)?;
            }
            _ => {
                input.remark(Remark::Junk { bytes: None }, "no FLV signature");
                self.lose(input.offset(), input.offset());
            }
        }
        Ok(Step::Again)
    }

    /// FLD-3: the size before the first tag should be 0, and some writers leave it out.
    fn first_size(&mut self, input: &mut Input) -> Result<Step> {
        let seen = input.peek();
        if seen.len() < TAIL + HEAD && !input.ended() {
            return Ok(Step::Need);
        }
        let likely = |at| seen.get(at..).and_then(Head::parse).is_some_and(|head| head.is_likely());
        self.state = State::Tags;
        match u32_at(seen, 0) {
            Some(0) | None => {}
            Some(_) if likely(0) && !likely(TAIL) => {
                input.remark(Remark::NoSize, "no PreviousTagSize before the first tag");
                return Ok(Step::Again);
            }
            Some(size) => {
                let kind = Remark::TrailingSize { found: size.into(), expected: 0 };
                input.remark(kind, format!("PreviousTagSize before the first tag is {size}, not 0"));
            }
        }
        input.skip(TAIL);
        Ok(Step::Again)
    }

    fn next_tag(&mut self, input: &mut Input) -> Result<Step> {
        let (seen, at, ended) = (input.peek(), input.offset(), input.ended());
        let Some(head) = Head::parse(seen) else {
            return Ok(if ended { self.end_inside(input, seen.len()) } else { Step::Need });
        };
        if let Kind::Other(_) = head.kind {
            return Ok(self.strange(head, input));
        }
        if let Some(state) = self.wants_tail(&head, input) {
            self.state = state;
            return Ok(Step::Again);
        }
        let seen = input.peek();
        if seen.len() < head.length() {
            return if ended { self.cut(head, input) } else { Ok(Step::Need) };
        }
        match self.judge(&head, seen, ended) {
            Verdict::Need => return Ok(Step::Need),
            Verdict::NoTag => {
                let kind = Remark::Junk { bytes: None };
                input.remark(kind, format!("no tag: nothing fits behind its size of {}", head.size));
                self.lose(at, at.saturating_add(1));
                return Ok(Step::Again);
            }
            Verdict::FollowAnyway(found) => {
                let kind = Remark::TrailingSize { found: found.into(), expected: head.length() as u64 };
                input.remark(kind, format!("PreviousTagSize {found} after a tag of {}", head.length()));
            }
            Verdict::Follow => {}
        }
        self.follow(Tag { head, at, cut: false }, input)
    }

    /// FLD-24, but that a wrong size alone condemns no tag.
    fn judge(&self, head: &Head, seen: &[u8], ended: bool) -> Verdict {
        let length = head.length();
        let Some(found) = u32_at(seen, length) else {
            return if ended { Verdict::Follow } else { Verdict::Need };
        };
        let size = found as usize;
        let total = self.total.wrapping_add(length as u32);
        let odd = size == length - 1 || (size == head.size && size != 0) || found == total;
        if size == length || odd || self.bad_sizes || self.options.ignore_sizes {
            return Verdict::Follow;
        }
        let next = seen.get(length + TAIL..).unwrap_or_default();
        match Head::parse(next) {
            Some(next) if next.is_likely() => Verdict::FollowAnyway(found),
            Some(_) => Verdict::NoTag,
            None if !ended => Verdict::Need,
            None if next.is_empty() => Verdict::FollowAnyway(found),
            None => Verdict::NoTag,
        }
    }

    /// Takes the tag and reads it.
    #[inline(always)]
    fn follow(&mut self, tag: Tag, input: &mut Input) -> Result<Step> {
        let length = tag.head.length().min(input.peek().len());
        self.total = self.total.wrapping_add(tag.head.length() as u32);
        self.met = true;
        self.telling.earn(length);
        self.first_tag.get_or_insert(tag.at);
        self.index.check(i64::from(tag.head.time), tag.at);
        let mut body = input.take(length).unwrap_or_default();
        body.advance(HEAD.min(body.len()));
        input.skip(TAIL);
        if tag.head.filtered && is_encrypted(&tag, &body) {
            input.warn_at(tag.at, "an encrypted tag is passed over");
            return Ok(Step::Again);
        }
        let packet = match tag.head.kind {
            Kind::Audio => self.audio(tag, body, input)?,
            Kind::Video => self.video(tag, body, input)?,
            Kind::Script | Kind::Script3 => self.script(tag, body, input)?,
            Kind::Other(_) => None,
        };
        let Some(packet) = packet else { return Ok(Step::Again) };
        if input.is_seekable() && packet.is_key() && self.is_start(&tag) {
            self.index.note(packet.dts.map_or(0, |dts| dts.0), tag.at);
        }
        Ok(Step::Packet(packet))
    }

    /// Whether key frames of this kind are where decoding starts: video, or audio where there is no video.
    fn is_start(&self, tag: &Tag) -> bool {
        match tag.head.kind {
            Kind::Video => true,
            Kind::Audio => self.streams.first(StreamKind::Video).is_none(),
            _ => false,
        }
    }

    /// A tag of a type without meaning: passed over if the size behind it is right, else it is not a tag. A recovering
    /// reader does not wait for its end: two good tags in a row before it decide against it.
    fn strange(&mut self, head: Head, input: &mut Input) -> Step {
        let (seen, at, ended) = (input.peek(), input.offset(), input.ended());
        let header = Header::parse(seen).is_some_and(|header| header.size > 8);
        if self.options.recover && header && header::begins(seen) {
            self.clock.next_file();
            self.state = State::Header;
            return Step::Again;
        }
        let whole = head.length() + TAIL;
        if self.options.recover && self.tags_behind(seen.get(..whole - 1).unwrap_or(seen), at) {
            self.lose(at, at.saturating_add(1));
            return Step::Again;
        }
        if seen.len() < head.length() {
            if !ended {
                return Step::Need;
            }
            if self.options.recover || !self.met {
                self.lose(at, at.saturating_add(1));
            } else {
                let what =
                    format!("junk: its size of {} passes the end; recover=1 looks for tags behind it", head.size);
                input.remark(Remark::Junk { bytes: None }, what);
                self.state = State::Stopped;
            }
            return Step::Again;
        }
        match self.judge(&head, seen, ended) {
            Verdict::Need => return Step::Need,
            Verdict::NoTag => self.lose(at, at.saturating_add(1)),
            Verdict::Follow | Verdict::FollowAnyway(_) => {
                if ended && seen.iter().all(|byte| *byte == 0) {
                    zero_tail(input, at, seen.len() as u64);
                    self.state = State::Stopped;
                    return Step::Again;
                }
                let number = seen.first().unwrap_or(&0) & 0x1f;
                let kind = Remark::UnknownType { number: number.into() };
                input.remark(kind, format!("a tag of the unknown type {number} is passed over"));
                self.total = self.total.wrapping_add(head.length() as u32);
                input.skip(whole);
            }
        }
        Step::Again
    }

    /// The input ends inside a body: the rest is a packet marked corrupt, unless tags are to be found in it.
    fn cut(&mut self, head: Head, input: &mut Input) -> Result<Step> {
        let at = input.offset();
        if self.options.recover && self.tags_behind(input.peek(), at) {
            input.remark(Remark::Junk { bytes: None }, format!("no tag: its size of {} passes the end", head.size));
            self.lose(at, at.saturating_add(1));
            return Ok(Step::Again);
        }
        let missing = head.length() - input.peek().len();
        let kind = Remark::Cut { missing: Some(missing as u64) };
        input.remark(kind, format!("the input ends {missing} bytes before its last tag does"));
        self.follow(Tag { head, at, cut: true }, input)
    }

    /// Whether two tags in a row, or a file header, begin behind the first byte of `seen`.
    fn tags_behind(&self, seen: &[u8], at: u64) -> bool {
        Search::new(at.saturating_add(1), true).look(seen, at) != Found::Nothing
    }

    fn end_inside(&mut self, input: &mut Input, left: usize) -> Step {
        if left > 0 && self.remarked != Some(input.offset()) {
            self.remarked = Some(input.offset());
            if input.peek().iter().all(|byte| *byte == 0) {
                zero_tail(input, input.offset(), left as u64);
            } else {
                let kind = Remark::Cut { missing: None };
                input.remark(kind, format!("the input ends with {left} bytes of a tag's head"));
            }
        }
        Step::End
    }
}

impl Demuxer for Flv {
    fn poll(&mut self, input: &mut Input) -> Result<Poll<Event>> {
        loop {
            if let Some(event) = self.queue.pop_front() {
                return Ok(Poll::Ready(event));
            }
            let step = self.step(input);
            if let Some(tags) = self.telling.due(&self.tags) {
                self.queue.push_back(Event::Metadata(tags));
            }
            self.streams.announce(&mut self.queue);
            match step? {
                Step::Packet(packet) if self.queue.is_empty() => return Ok(Poll::Ready(Event::Packet(packet))),
                Step::Packet(packet) => self.queue.push_back(Event::Packet(packet)),
                Step::Again => {}
                Step::Need if self.queue.is_empty() => return Ok(Poll::Pending),
                Step::End if self.queue.is_empty() => {
                    let tags = self.telling.last(&self.tags);
                    return Ok(Poll::Ready(tags.map_or(Event::End, Event::Metadata)));
                }
                Step::Need | Step::End => {}
            }
        }
    }

    fn seek(&mut self, to: Ticks, base: TimeBase, input: &mut Input) -> Result<()> {
        self.start_seek(to, base, input)
    }

    fn declared(&self) -> Option<&Declared> {
        self.declared.as_deref()
    }

    fn duration(&self) -> Option<(Ticks, TimeBase)> {
        self.duration.map(|duration| (duration, TimeBase::MICROS))
    }
}

/// Whether the body of a tag with the filter bit begins, behind its codec byte, with an encryption header (FLV
/// specification, annex F): one filter, named "Encryption" or "SE".
fn is_encrypted(tag: &Tag, body: &Bytes) -> bool {
    let behind = match tag.head.kind {
        Kind::Video if body.first().is_some_and(|flags| flags & 0x0f == 7) => 5,
        Kind::Audio if body.first().is_some_and(|flags| flags >> 4 == 10) => 2,
        Kind::Video | Kind::Audio => 1,
        _ => 0,
    };
    let rest = body.get(behind..).unwrap_or_default();
    rest.starts_with(b"\x01Encryption\0") || rest.starts_with(b"\x01SE\0")
}

/// Makes a demuxer from settings.
pub(super) fn make(settings: &[(&str, &str)]) -> Result<Box<dyn Demuxer>> {
    Ok(Box::new(Flv::new(Reading::parse(settings)?)))
}
