//! Finds frames that begin with a sync word among tags and junk, the same way however the bytes come in.
//!
//! ```text
//!   [tag] frame frame frame [junk] frame frame [tag] frame [cut frame] [tag]
//!         └ trusted where one is due ┘      └ after junk: if frames, a tag or the end follow it
//! ```

use alloc::format;

use super::tags::{self, Step, Tags};
use crate::{input::Input, remark::Remark, stream::Metadata};

/// The frames of a format: each begins with [`Frames::FIRST`].
pub trait Frames {
    /// Facts in a frame's header.
    type Header: Copy + core::fmt::Debug;
    /// First byte of every frame.
    const FIRST: u8 = 0xff;
    /// Bytes that tell whether a header stands somewhere; at least 3.
    const HEADER: usize;
    /// Bytes that are passed over unseen where a frame was due and none stands.
    const BLIND: u64 = 0;
    /// Whether a frame that the end of the input cuts short is handed out as [`Found::Cut`], not left out.
    const CUT: bool = false;
    /// Frames that must follow the header of another kind of stream, behind the first frame of all, before it counts.
    const CONFIRMED_BY: usize = 1;
    /// Whether a header's length may be wrong: frames that stand inside the bytes it names are then frames.
    const LENGTH_MAY_LIE: bool = false;

    /// The header at the start of `bytes`.
    fn header(&self, bytes: &[u8]) -> Option<Self::Header>;

    /// Bytes of the frame at the start of `bytes`, its header included.
    fn length(&self, header: &Self::Header, bytes: &[u8], ended: bool) -> Length;

    /// Whether one stream may have both headers.
    fn agree(&self, a: &Self::Header, b: &Self::Header) -> bool;

    /// Whether `b` confirms that `a`, behind bytes that are no frame, begins the first frame of all.
    fn begins(&self, a: &Self::Header, b: &Self::Header) -> bool {
        self.agree(a, b)
    }

    /// Whether a frame in a row of frames is more than the same few bytes again and again. Asked by [`chain`].
    fn plausible(&self, _header: &Self::Header, _frame: &[u8]) -> bool {
        true
    }

    /// Whether this first frame of all counts even if no other frame, tag or end stands behind it.
    fn alone(&self, _header: &Self::Header, _frame: &[u8]) -> bool {
        true
    }

    /// The frame of this header and length is one.
    fn accept(&mut self, _header: &Self::Header, _length: usize) {}
}

/// How long a frame is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Length {
    /// This many bytes.
    Known(usize),
    /// More bytes will tell.
    More,
    /// It is no frame.
    None,
}

/// A frame at the front of an input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame<H> {
    /// Its header.
    pub header: H,
    /// Its bytes, the header included.
    pub length: usize,
    /// It stands where a frame was due, or what follows confirms it.
    pub sure: bool,
    /// Bytes that are no frame stood before it.
    pub behind_junk: bool,
}

/// The next item in an input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found<H> {
    /// A whole frame is unread at the front.
    Frame(Frame<H>),
    /// All unread bytes are the start of a frame that the end of the input cuts short.
    Cut(H),
    /// A tag was read; see [`Framing::metadata`].
    Tag,
    /// More bytes are needed.
    NeedBytes,
    /// Nothing is left.
    End,
}

/// Walks over an input frame by frame.
#[derive(Debug)]
pub struct Framing<F: Frames> {
    /// Kind of a frame.
    pub frames: F,
    tags: Tags,
    last: Option<F::Header>,
    junk: Option<Junk>,
}

/// Bytes that are passed over.
#[derive(Clone, Copy, Debug)]
struct Junk {
    from: u64,
    /// Nothing before this offset is looked at.
    until: u64,
    /// They begin with a frame that the end of the input cuts short.
    cut: bool,
}

enum Judgement<H> {
    Frame(H, usize, bool),
    More,
    /// By the end of the input; the header if there is a whole one.
    Cut(Option<H>),
    No,
}

impl<F: Frames> Framing<F> {
    /// A walk from the start of an input.
    pub fn new(frames: F) -> Self {
        Self { frames, tags: Tags::default(), last: None, junk: None }
    }

    /// Tags collected so far.
    pub fn metadata(&self) -> &Metadata {
        self.tags.metadata()
    }

    /// The input was moved to where a frame is known to begin.
    pub fn restart(&mut self) {
        (self.last, self.junk) = (None, None);
    }

    /// The next item. A frame is the caller's to take.
    pub fn poll(&mut self, input: &mut Input) -> Found<F::Header> {
        loop {
            if let Some(junk) = self.junk {
                input.skip(usize::try_from(junk.until.saturating_sub(input.offset())).unwrap_or(usize::MAX));
                if input.peek().is_empty() && !input.ended() {
                    return Found::NeedBytes;
                }
                let next = self.next_start(input.peek(), input.ended());
                input.skip(next);
            }
            let cut = match self.judge(input.peek(), input.ended()) {
                Judgement::Frame(header, length, sure) => {
                    let behind_junk = self.junk.is_some();
                    self.end_junk(input);
                    if sure {
                        self.frames.accept(&header, length);
                        self.last = Some(header);
                    }
                    return Found::Frame(Frame { header, length, sure, behind_junk });
                }
                Judgement::More => return Found::NeedBytes,
                Judgement::Cut(Some(header)) if F::CUT => {
                    self.end_junk(input);
                    return Found::Cut(header);
                }
                Judgement::Cut(_) => true,
                Judgement::No => false,
            };
            if input.peek().is_empty() {
                if !input.ended() {
                    return Found::NeedBytes;
                }
                self.end_junk(input);
                return Found::End;
            }
            let before = input.offset();
            match if cut { Step::None } else { self.tags.poll(input) } {
                Step::NeedBytes => return Found::NeedBytes,
                Step::Taken => {
                    self.end_junk_at(before, input);
                    return Found::Tag;
                }
                Step::None => {}
            }
            let blind = if self.last.is_some() && !cut { F::BLIND.max(1) } else { 1 };
            let until = before.saturating_add(blind);
            self.junk.get_or_insert(Junk { from: before, until, cut });
            input.skip(1);
        }
    }

    /// Where the next header or tag may stand: only that is looked at, whatever slices the bytes came in.
    fn next_start(&self, bytes: &[u8], ended: bool) -> usize {
        let mut starts = memchr::memchr3_iter(F::FIRST, b'I', b'T', bytes);
        let found = starts.find(|at| {
            let rest = bytes.get(*at..).unwrap_or_default();
            let cut = rest.len() < F::HEADER && !ended;
            cut || if rest.first() == Some(&F::FIRST) { self.frames.header(rest).is_some() } else { tags::begins(rest) }
        });
        found.unwrap_or(bytes.len())
    }

    fn judge(&self, bytes: &[u8], ended: bool) -> Judgement<F::Header> {
        let Some(header) = self.frames.header(bytes) else {
            let cut = bytes.first() == Some(&F::FIRST) && bytes.len() < F::HEADER;
            return match (cut, ended) {
                (true, false) => Judgement::More,
                (true, true) if self.junk.is_none() => Judgement::Cut(None),
                _ => Judgement::No,
            };
        };
        let due = self.junk.is_none() && self.last.is_none_or(|last| self.frames.agree(&last, &header));
        let length = match self.frames.length(&header, bytes, ended) {
            Length::Known(length) => length,
            Length::More if ended => return if due { Judgement::Cut(Some(header)) } else { Judgement::No },
            Length::More => return Judgement::More,
            Length::None => return Judgement::No,
        };
        let whole = bytes.get(..length);
        if F::LENGTH_MAY_LIE
            && whole.or(Some(bytes).filter(|_| ended)).is_some_and(|frame| self.holds_frames(&header, frame))
        {
            return Judgement::No;
        }
        let first = due && self.last.is_none() && !self.frames.alone(&header, whole.unwrap_or_default());
        match bytes.get(length..) {
            Some(next) if first && !ended && next.len() < F::HEADER => Judgement::More,
            Some(next) if first && next.len() >= F::HEADER && !self.stands_before(&header, next) => Judgement::No,
            Some(_) if due => Judgement::Frame(header, length, true),
            None if !ended => Judgement::More,
            None if due => Judgement::Cut(Some(header)),
            None => Judgement::No,
            Some(_) => match self.is_confirmed(&header, length, bytes, ended) {
                Some(true) => Judgement::Frame(header, length, true),
                Some(false) => Judgement::No,
                None => Judgement::More,
            },
        }
    }

    /// Whether two headers in a row of the same stream stand inside what `header` names its frame.
    fn holds_frames(&self, header: &F::Header, frame: &[u8]) -> bool {
        let inside = frame.get(F::HEADER..).unwrap_or_default();
        memchr::memchr_iter(0xff, inside).any(|at| {
            let row =
                |at: usize| self.frames.header(inside.get(at..)?).filter(|other| self.frames.agree(header, other));
            row(at).is_some_and(|other| match self.frames.length(&other, inside.get(at..).unwrap_or_default(), true) {
                Length::Known(length) => row(at + length).is_some(),
                _ => false,
            })
        })
    }

    /// Whether `next` is a frame or tag that may stand behind the first frame.
    fn stands_before(&self, header: &F::Header, next: &[u8]) -> bool {
        self.frames.header(next).is_some_and(|other| self.frames.agree(header, &other)) || tags::begins(next)
    }

    /// Whether what stands behind the frame of `length` bytes at the start of `bytes` confirms it: frames of its
    /// stream, or the end or a tag where it continues what was there before. `None`: more bytes decide.
    fn is_confirmed(&self, header: &F::Header, length: usize, bytes: &[u8], ended: bool) -> Option<bool> {
        let continues = self.last.is_none_or(|last| self.frames.agree(&last, header));
        let (mut at, mut seen) = (length, 0);
        while seen < F::CONFIRMED_BY {
            let next = bytes.get(at..).unwrap_or_default();
            if next.len() < F::HEADER && !ended {
                return None;
            }
            if next.is_empty() || tags::begins(next) {
                return Some(continues || seen > 0);
            }
            let agrees = |other: &F::Header| match self.last {
                Some(_) => self.frames.agree(header, other),
                None => self.frames.begins(header, other),
            };
            let Some(other) = self.frames.header(next).filter(agrees) else { return Some(false) };
            seen += 1;
            match self.frames.length(&other, next, ended) {
                Length::Known(length) => at = at.saturating_add(length),
                Length::More if !ended => return None,
                Length::More | Length::None => return Some(seen >= F::CONFIRMED_BY || ended),
            }
        }
        Some(true)
    }

    fn end_junk(&mut self, input: &mut Input) {
        self.end_junk_at(input.offset(), input);
    }

    fn end_junk_at(&mut self, at: u64, input: &mut Input) {
        let Some(Junk { from, cut, .. }) = self.junk.take() else { return };
        let count = at.saturating_sub(from);
        if cut {
            let what = format!("frame cut short by the end of the input: {count} bytes left out");
            input.remark_at(from, Remark::Cut { missing: None }, what);
        } else {
            let kind = Remark::Junk { bytes: Some(count) };
            input.remark_at(from, kind, format!("skipped {count} bytes that are not a frame"));
        }
    }
}

/// A row of frames at the start of some bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Chain {
    /// Whole frames in a row.
    pub frames: usize,
    /// Bytes of them.
    pub bytes: usize,
    /// Behind them stands the header of another frame, or a tag.
    pub goes_on: bool,
    /// The bytes run out, or a tag stands there, before the row is broken.
    pub open: bool,
}

impl Chain {
    /// Headers in a row: one a frame, and the one behind them.
    pub fn headers(&self) -> usize {
        self.frames + usize::from(self.goes_on)
    }
}

/// The row of agreeing frames at the start of `bytes`, counted up to `most`.
pub fn chain<F: Frames + Clone>(frames: &F, bytes: &[u8], most: usize) -> Chain {
    let (mut frames, mut chain) = (frames.clone(), Chain::default());
    let mut first = None;
    loop {
        let rest = bytes.get(chain.bytes..).unwrap_or_default();
        let Some(header) = frames.header(rest).filter(|h| first.is_none_or(|f| frames.agree(&f, h))) else {
            chain.goes_on = chain.frames > 0 && tags::begins(rest);
            chain.open = chain.goes_on || rest.len() < F::HEADER && rest.first().is_none_or(|b| *b == F::FIRST);
            return chain;
        };
        (chain.goes_on, chain.open) = (true, true);
        if chain.frames == most {
            return chain;
        }
        match frames.length(&header, rest, false) {
            Length::Known(length) if rest.get(..length).is_some_and(|frame| frames.plausible(&header, frame)) => {
                frames.accept(&header, length);
                chain.bytes += length;
            }
            Length::Known(length) if length > rest.len() => return chain,
            Length::Known(_) | Length::None => {
                (chain.goes_on, chain.open) = (false, false);
                return chain;
            }
            Length::More => return chain,
        }
        first = first.or(Some(header));
        chain.frames += 1;
    }
}
