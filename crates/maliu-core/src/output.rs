//! Bytes waiting to be written: muxers append and patch, the pump applies the edits to a sink in order.

use alloc::{borrow::Cow, collections::VecDeque, vec::Vec};

use bytes::{Bytes, BytesMut};

use crate::{input::Warning, time::Ticks};

/// What a sink can do with bytes that are already written. Known before the header is.
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

/// What a piece of output is to a receiver that joins or drops (WF-60, WF-61). Times are in µs.
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
    /// What follows the last packet.
    Trailer,
}

/// Bytes that belong together: a receiver gets all of them or none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// What it is.
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
}

/// The muxer's half.
impl Output {
    /// Appends the parts as one piece; empty parts are left out.
    pub fn append<const N: usize>(&mut self, mark: Mark, parts: [Bytes; N]) {
        self.append_parts(mark, parts.into_iter().collect());
    }

    /// Appends the parts as one piece; empty parts are left out, a piece without bytes is nothing.
    pub fn append_parts(&mut self, mark: Mark, mut parts: Vec<Bytes>) {
        parts.retain(|part| !part.is_empty());
        let piece = Piece { mark, parts };
        let len = piece.len();
        if len > 0 {
            self.position = self.position.saturating_add(len as u64);
            self.waiting = self.waiting.saturating_add(len);
            self.edits.push_back(Edit::Append(piece));
        }
    }

    /// Replaces bytes that were appended before. Only where [`Output::reach`] is at least `Overwrite`.
    pub fn overwrite(&mut self, at: u64, bytes: Bytes) {
        self.edits.push_back(Edit::Overwrite { at, bytes });
    }

    /// Replaces bytes that wait here, whatever the reach: they are changed before they leave. Returns whether they were
    /// still here, all in one part.
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
        self.position = self.position.saturating_add(bytes.len() as u64);
        self.edits.push_back(Edit::Insert { at, bytes });
    }

    /// What the sink can do with bytes that are already written.
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
            self.warnings.push(Warning { at: self.position, what: what.into() });
        }
    }
}

/// The pump's half.
impl Output {
    /// An output for a sink of this reach.
    pub fn new(reach: Reach) -> Self {
        Self { reach, ..Self::default() }
    }

    /// The oldest edit not yet fetched.
    pub fn next_edit(&mut self) -> Option<Edit> {
        let edit = self.edits.pop_front()?;
        if let Edit::Append(piece) = &edit {
            self.waiting = self.waiting.saturating_sub(piece.len());
        }
        Some(edit)
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
mod tests {
    use super::*;

    #[test]
    fn edits_come_out_in_order_and_positions_count_inserts() {
        let mut out = Output::new(Reach::Insert);
        out.append(Mark::Header, [Bytes::from_static(b"head"), Bytes::new(), Bytes::from_static(b"er")]);
        out.overwrite(0, Bytes::from_static(b"H"));
        out.insert(4, Bytes::from_static(b"--"));
        assert_eq!((out.position(), out.waiting()), (8, 6));
        assert!(matches!(out.next_edit(), Some(Edit::Append(piece)) if piece.parts.len() == 2));
        assert!(matches!(out.next_edit(), Some(Edit::Overwrite { at: 0, .. })));
        assert!(matches!(out.next_edit(), Some(Edit::Insert { at: 4, .. })));
        assert_eq!((out.next_edit(), out.waiting()), (None, 0));
    }

    #[test]
    fn what_still_waits_can_be_amended_and_what_left_cannot() {
        let mut out = Output::new(Reach::Append);
        out.append(Mark::Header, [Bytes::from_static(b"head"), Bytes::from_static(b"er")]);
        out.append(Mark::Trailer, [Bytes::from_static(b"end")]);
        assert!(out.amend(1, b"EA") && out.amend(6, b"E"));
        assert!(!out.amend(3, b"DE"), "in two parts");
        assert!(!out.amend(8, b"DE"), "past the end");
        let Some(Edit::Append(piece)) = out.next_edit() else { panic!() };
        assert_eq!(piece.parts.concat(), b"hEAder");
        assert!(!out.amend(0, b"H"), "it has left");
        assert!(out.amend(7, b"N"));
        let Some(Edit::Append(piece)) = out.next_edit() else { panic!() };
        assert_eq!(piece.parts.concat(), b"ENd");
    }
}
