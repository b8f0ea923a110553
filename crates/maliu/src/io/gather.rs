//! Appended pieces on their way to a stream: small parts are joined, large ones shared, written with few system calls.

use std::io::{self, IoSlice, Write};

use maliu_core::output::{Parts, Piece};

use super::{BLOCK_SIZE, accepted, sticky::Sticky, uninterrupted};

/// Slices in one vectored write.
pub(crate) const SLICES: usize = 64;

/// Bytes waiting to be written, and the error after which none will be.
#[derive(Debug)]
pub(crate) struct Gather {
    parts: Parts,
    /// How many bytes wait before they are written.
    pub(crate) block_size: usize,
    sticky: Sticky,
}

impl Default for Gather {
    fn default() -> Self {
        Self { parts: Parts::default(), block_size: BLOCK_SIZE, sticky: Sticky::default() }
    }
}

impl Gather {
    /// Takes a piece; says whether enough waits to be written.
    pub(crate) fn push(&mut self, piece: Piece) -> bool {
        for part in piece.parts {
            if part.len() <= Parts::SMALL && self.parts.room() < part.len() {
                // One buffer per write.
                self.parts.reserve(self.block_size.min(BLOCK_SIZE) + Parts::SMALL);
            }
            self.parts.push(&part);
        }
        self.parts.len() >= self.block_size.max(1)
    }

    /// Writes everything that waits. Short writes go on where they stopped; so does the next call after `WouldBlock`.
    pub(crate) fn write(&mut self, to: &mut (impl Write + ?Sized)) -> io::Result<()> {
        self.check()?;
        self.parts.close();
        while !self.parts.is_empty() {
            let result = uninterrupted(|| write_some(&self.parts, to));
            let wrote = self.keep(result)?;
            self.parts.advance(wrote);
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
}

fn write_some(parts: &Parts, to: &mut (impl Write + ?Sized)) -> io::Result<usize> {
    let (slices, used, given) = slices(parts);
    accepted(to.write_vectored(&slices[..used])?, given)
}

/// The first closed parts as slices for one call: the slices, how many are used, and their bytes.
pub(crate) fn slices(parts: &Parts) -> ([IoSlice<'_>; SLICES], usize, usize) {
    let mut slices = [IoSlice::new(&[]); SLICES];
    let (mut used, mut given) = (0, 0);
    for (slice, part) in slices.iter_mut().zip(parts.iter()) {
        *slice = IoSlice::new(part);
        (used, given) = (used + 1, given + part.len());
    }
    (slices, used, given)
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
