//! Appended pieces on their way to a stream: small parts are joined, large ones shared, written with few system calls.

use std::{
    collections::VecDeque,
    io::{self, IoSlice, Write},
};

use bytes::{Buf, Bytes, BytesMut};
use maliu_core::output::Piece;

use super::{BLOCK_SIZE, accepted, sticky::Sticky, uninterrupted};

/// Parts up to this many bytes are copied together rather than written as slices of their own.
const SMALL: usize = 4 << 10;

/// Slices in one vectored write.
const SLICES: usize = 64;

/// Bytes waiting to be written, and the error after which none will be.
#[derive(Debug)]
pub(crate) struct Gather {
    parts: VecDeque<Bytes>,
    /// Joined small parts, behind all of `parts`.
    small: BytesMut,
    waiting: usize,
    /// How many bytes wait before they are written.
    pub(crate) block_size: usize,
    sticky: Sticky,
}

impl Default for Gather {
    fn default() -> Self {
        let (parts, small) = (VecDeque::new(), BytesMut::new());
        Self { parts, small, waiting: 0, block_size: BLOCK_SIZE, sticky: Sticky::default() }
    }
}

impl Gather {
    /// Takes a piece; says whether enough waits to be written.
    pub(crate) fn push(&mut self, piece: Piece) -> bool {
        for part in piece.parts {
            self.waiting += part.len();
            if part.len() <= SMALL {
                if self.small.capacity() - self.small.len() < part.len() {
                    // One buffer a write, and the same again once it is written.
                    self.small.reserve(self.block_size.min(BLOCK_SIZE) + SMALL);
                }
                self.small.extend_from_slice(&part);
            } else {
                self.close_small();
                self.parts.push_back(part);
            }
        }
        self.waiting >= self.block_size.max(1)
    }

    /// Writes everything that waits. Short writes go on where they stopped; so does the next call after `WouldBlock`.
    pub(crate) fn write(&mut self, to: &mut (impl Write + ?Sized)) -> io::Result<()> {
        self.check()?;
        self.close_small();
        while self.waiting > 0 {
            let result = uninterrupted(|| write_some(&self.parts, to));
            let wrote = self.keep(result)?;
            self.advance(wrote);
        }
        Ok(())
    }

    /// Fails if anything failed before.
    pub(crate) fn check(&self) -> io::Result<()> {
        self.sticky.check()
    }

    /// Passes `result` on and keeps its error, if it is a final one.
    pub(crate) fn keep<T>(&mut self, result: io::Result<T>) -> io::Result<T> {
        self.sticky.keep(result)
    }

    fn close_small(&mut self) {
        if !self.small.is_empty() {
            self.parts.push_back(self.small.split().freeze());
        }
    }

    fn advance(&mut self, mut wrote: usize) {
        self.waiting -= wrote;
        while let Some(front) = self.parts.front_mut() {
            if wrote < front.len() {
                front.advance(wrote);
                return;
            }
            wrote -= front.len();
            self.parts.pop_front();
        }
    }
}

fn write_some(parts: &VecDeque<Bytes>, to: &mut (impl Write + ?Sized)) -> io::Result<usize> {
    let mut slices = [IoSlice::new(&[]); SLICES];
    let mut given = 0;
    for (slice, part) in slices.iter_mut().zip(parts) {
        *slice = IoSlice::new(part);
        given += part.len();
    }
    let used = parts.len().min(SLICES);
    accepted(to.write_vectored(&slices[..used])?, given)
}

#[cfg(test)]
mod tests {
    use super::*;
    use maliu_core::output::Mark;

    /// Takes `step` bytes a call, of the first slice only; says `WouldBlock` before each call if `shy`.
    struct Drip {
        got: Vec<u8>,
        step: usize,
        shy: bool,
        turn: bool,
    }

    impl Write for Drip {
        fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
            self.turn = !self.turn;
            if self.shy && self.turn {
                return Err(io::ErrorKind::WouldBlock.into());
            }
            let n = buf.len().min(self.step);
            self.got.extend_from_slice(&buf[..n]);
            Ok(n)
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn piece(parts: &[usize]) -> Piece {
        let parts = parts.iter().map(|n| (0..*n).map(|i| i as u8).collect::<Vec<_>>().into()).collect();
        Piece { mark: Mark::Header, parts }
    }

    #[test]
    fn short_writes_lose_nothing() {
        let mut gather = Gather::default();
        let whole = piece(&[3, 5000, 1, 2, 9000, 7]);
        let expected: Vec<u8> = whole.parts.iter().flatten().copied().collect();
        gather.push(whole);
        let mut drip = Drip { got: Vec::new(), step: 777, shy: false, turn: false };
        gather.write(&mut drip).unwrap();
        assert_eq!(drip.got, expected);
    }

    #[test]
    fn not_yet_is_resumed_where_it_stopped() {
        let mut gather = Gather::default();
        gather.push(piece(&[10]));
        let mut drip = Drip { got: Vec::new(), step: 4, shy: true, turn: false };
        let calls = (0..).take_while(|_| gather.write(&mut drip).is_err()).count();
        assert_eq!((drip.got.len(), calls), (10, 3));
    }

    #[test]
    fn a_final_error_is_repeated() {
        let mut gather = Gather::default();
        gather.push(piece(&[10]));
        let mut nowhere: &mut [u8] = &mut [0; 4];
        assert_eq!(gather.write(&mut nowhere).unwrap_err().kind(), io::ErrorKind::WriteZero);
        assert_eq!(gather.write(&mut Vec::new()).unwrap_err().kind(), io::ErrorKind::WriteZero);
    }
}
