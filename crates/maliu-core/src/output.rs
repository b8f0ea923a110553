//! Bytes waiting to be written: muxers append and patch, the pump applies the edits to a sink in order.
//!
//! ```
//! use maliu_core::output::{Mark, Output};
//!
//! let mut out = Output::default();
//! out.append(Mark::Header, [b"FLV".as_slice().into()]);
//! assert_eq!(out.position(), 3);
//! assert!(out.next_edit().is_some());
//! ```

use alloc::{borrow::Cow, collections::VecDeque, vec::Vec};

use bytes::{Bytes, BytesMut};

use crate::{
    remark::{Remark, Warning},
    time::Ticks,
};

mod join;
mod parts;

use join::Join;
pub use parts::Parts;

/// Abilities of a sink with bytes that are already written. Known before the header is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reach {
    /// Nothing: a pipe, a socket.
    #[default]
    Append,
    /// Replace them: a file.
    Overwrite,
    /// Replace them, and move the tail to make room: a file that can be read back, memory.
    Insert,
}

/// Role of a piece of output for a receiver that joins or drops (WF-60, WF-61). Times are in µs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// Needed by every receiver, before anything else.
    Header,
    /// A place where a receiver can start.
    Key {
        /// Decoding time in µs, when known.
        time: Option<Ticks>,
    },
    /// A place where a stream can be cut, but not started.
    Body {
        /// Decoding time in µs, when known.
        time: Option<Ticks>,
    },
    /// The part behind the last packet.
    Trailer,
}

/// Bytes that belong together: a receiver gets all of them or none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// Its role.
    pub mark: Mark,
    /// Its bytes, for one vectored write.
    pub parts: Vec<Bytes>,
}

impl Piece {
    /// Bytes in all parts.
    pub fn len(&self) -> usize {
        self.parts.iter().map(Bytes::len).sum()
    }

    /// Whether it holds no byte.
    pub fn is_empty(&self) -> bool {
        self.parts.iter().all(Bytes::is_empty)
    }
}

/// One change to what was written. To be applied in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Edit {
    /// Goes behind everything.
    Append(Piece),
    /// Replaces as many bytes at `at`.
    Overwrite {
        /// Offset of the first replaced byte.
        at: u64,
        /// The new bytes.
        bytes: Bytes,
    },
    /// Goes before the byte at `at`; everything from there on moves back.
    Insert {
        /// Offset of the first byte that moves.
        at: u64,
        /// The new bytes.
        bytes: Bytes,
    },
}

/// Edits on their way from a muxer to a sink.
#[derive(Debug, Default)]
pub struct Output {
    edits: VecDeque<Edit>,
    position: u64,
    waiting: usize,
    reach: Reach,
    warnings: Vec<Warning>,
    join: Join,
    /// Room that heads and tails are cut from where nothing is joined.
    scratch: BytesMut,
}

/// Bytes of [`Output`]'s scratch buffer.
const SCRATCH: usize = 16 << 10;

/// The muxer's half.
impl Output {
    /// Appends the parts as one piece; empty parts are left out, a piece without bytes is nothing.
    pub fn append<const N: usize>(&mut self, mark: Mark, parts: [Bytes; N]) {
        if self.join.is_on() {
            let len = parts.iter().map(Bytes::len).sum();
            self.joined(mark, len, |join| parts.iter().for_each(|part| join.push(part)));
        } else {
            self.append_parts(mark, parts.into());
        }
    }

    /// As [`Output::append`], of a number of parts that is known at run time only.
    pub fn append_parts(&mut self, mark: Mark, mut parts: Vec<Bytes>) {
        parts.retain(|part| !part.is_empty());
        let len = parts.iter().map(Bytes::len).sum();
        if self.join.is_on() {
            self.joined(mark, len, |join| parts.iter().for_each(|part| join.push(part)));
        } else if len > 0 {
            self.count(len);
            self.edits.push_back(Edit::Append(Piece { mark, parts }));
        }
    }

    /// Appends one piece: `payload`, shared if it is large, between a copy of `head` and one of `tail`.
    pub fn append_between(&mut self, mark: Mark, head: &[u8], payload: &Bytes, tail: &[u8]) {
        if self.join.is_on() {
            return self.joined(mark, head.len() + payload.len() + tail.len(), |join| {
                join.copy(head);
                join.push(payload);
                join.copy(tail);
            });
        }
        if self.scratch.capacity() < head.len() + tail.len() {
            self.scratch.reserve(SCRATCH.max(head.len() + tail.len()));
        }
        self.scratch.extend_from_slice(head);
        let head = self.scratch.split().freeze();
        self.scratch.extend_from_slice(tail);
        let tail = self.scratch.split().freeze();
        self.append(mark, [head, payload.clone(), tail]);
    }

    /// Replaces bytes that were appended before. Only where [`Output::reach`] is at least `Overwrite`.
    pub fn overwrite(&mut self, at: u64, bytes: Bytes) {
        self.close();
        self.edits.push_back(Edit::Overwrite { at, bytes });
    }

    /// Replaces bytes that wait here, whatever the reach: they are changed before they leave. Returns whether they were
    /// still here, all in one part; what is joined counts as left.
    pub fn amend(&mut self, at: u64, bytes: &[u8]) -> bool {
        let mut start = self.position.saturating_sub(self.waiting as u64);
        for edit in &mut self.edits {
            let Edit::Append(piece) = edit else { return false };
            for part in &mut piece.parts {
                let inside = at.checked_sub(start).and_then(|inside| usize::try_from(inside).ok());
                if let Some(inside) = inside.filter(|inside| inside.saturating_add(bytes.len()) <= part.len()) {
                    let mut changed = BytesMut::from(&**part);
                    if let Some(place) = changed.get_mut(inside..inside.saturating_add(bytes.len())) {
                        place.copy_from_slice(bytes);
                    }
                    *part = changed.freeze();
                    return true;
                }
                start = start.saturating_add(part.len() as u64);
            }
        }
        false
    }

    /// Inserts bytes before the byte at `at`. Only where [`Output::reach`] is `Insert`.
    pub fn insert(&mut self, at: u64, bytes: Bytes) {
        self.close();
        self.position = self.position.saturating_add(bytes.len() as u64);
        self.edits.push_back(Edit::Insert { at, bytes });
    }

    /// Abilities of the sink with bytes that are already written.
    pub fn reach(&self) -> Reach {
        self.reach
    }

    /// Bytes written so far, in the file as it will be.
    pub fn position(&self) -> u64 {
        self.position
    }

    /// Notes a remark about the byte at the current position.
    pub fn warn(&mut self, what: impl Into<Cow<'static, str>>) {
        if self.warnings.len() < crate::input::MAX_WARNINGS {
            let (at, kind) = (self.position, Remark::Other);
            self.warnings.push(Warning { at, stream: None, kind, what: what.into() });
        }
    }

    fn joined(&mut self, mark: Mark, len: usize, push: impl FnOnce(&mut Join)) {
        if len == 0 {
            return;
        }
        self.count(len);
        self.join.begin(mark);
        push(&mut self.join);
        if self.join.is_full() {
            self.close();
        }
    }

    fn count(&mut self, len: usize) {
        self.position = self.position.saturating_add(len as u64);
        self.waiting = self.waiting.saturating_add(len);
    }
}

/// The pump's half.
impl Output {
    /// An output for a sink of this reach.
    pub fn new(reach: Reach) -> Self {
        Self { reach, ..Self::default() }
    }

    /// Joins pieces up to `bytes` bytes, for a sink that does not tell them apart; each joined piece has the mark of
    /// its first one. A joined piece is fetched when it is enough, or after [`Output::close`].
    pub fn joining(self, bytes: usize) -> Self {
        Self { join: Join::new(bytes), ..self }
    }

    /// Makes what is joined so far an edit, however little it is.
    pub fn close(&mut self) {
        self.edits.extend(self.join.close().map(Edit::Append));
    }

    /// The oldest edit not yet fetched.
    pub fn next_edit(&mut self) -> Option<Edit> {
        let edit = self.edits.pop_front()?;
        if let Edit::Append(piece) = &edit {
            self.waiting = self.waiting.saturating_sub(piece.len());
        }
        Some(edit)
    }

    /// Whether there is neither an edit nor a remark to be fetched.
    #[inline]
    pub fn is_quiet(&self) -> bool {
        self.edits.is_empty() && self.warnings.is_empty()
    }

    /// Appended bytes not yet fetched.
    pub fn waiting(&self) -> usize {
        self.waiting
    }

    /// Fetches the warnings noted so far.
    pub fn take_warnings(&mut self) -> Vec<Warning> {
        core::mem::take(&mut self.warnings)
    }
}

#[cfg(test)]
mod tests;
