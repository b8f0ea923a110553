//! Faster ways to the bytes of a source than one read after the other: sealed, so that no wrapper passes on half of them.

use std::io;

use bytes::Bytes;
use maliu_core::input::Block;

use super::Source;

/// Proof that a call, or an answer, is of this crate: nothing else can name it.
#[derive(Clone, Copy, Debug)]
pub struct Seal;

/// The ways, none of which has a default: a wrapper decides about each. A source without any has no tuning.
pub trait Tuning {
    /// All bytes from offset `at` on, shared and not copied, of a source that has them in memory; empty at the end.
    fn share(&mut self, at: u64) -> Option<Bytes>;

    /// Whether it is to be read with [`Tuning::read_block`], and not with [`Source::read_at`], from here on.
    fn reads_blocks(&mut self) -> bool;

    /// As [`Source::read_at`], into a block; what is given back may be another block that was filled before.
    ///
    /// # Errors
    /// As [`Source::read_at`].
    fn read_block(&mut self, at: u64, block: &mut Block) -> io::Result<usize>;

    /// Another source of the same bytes, if they can be read from two threads at the same time.
    fn twin(&mut self) -> Option<Box<dyn Source + Send>>;

    /// The caller reads on a thread of its own from here on: another one below it is not worth much any more.
    fn settle(&mut self);
}
