//! Finds a layout for a capture whose protocol is not known.
//!
//! ```text
//!   bytes ─▶ chain: a length that leads from message to message ─▶ extent: where messages, bodies and tails begin
//!         ─▶ fields: constants, counters, clocks ─▶ Guess: a layout, and how sure each part of it is
//! ```
//!
//! A length is believed when the bytes around it, from message to message, are more alike than those of the capture by
//! 64 bits. Bytes that are random, or a raw stream, have no such length.

use alloc::{string::String, vec::Vec};

use super::Layout;

mod body;
mod chain;
mod columns;
mod evidence;
mod extent;
mod fields;
mod sums;
mod times;

use chain::{Chain, Rule};
use evidence::Background;
use extent::Extent;

/// Places around a length whose bytes are compared between messages.
const COLUMNS: core::ops::Range<isize> = -32..24;
/// Largest offset of a length in its message, in bytes.
const MAX_OFFSET: usize = 96;
/// Fewest messages of a guess.
const LEAST_MESSAGES: usize = 5;
/// Fewest bits that prove a length.
const LEAST_BITS: u64 = 64;
/// Tenths of the capture that messages cover at least.
const LEAST_TENTHS: usize = 7;

/// A layout that fits a capture.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Guess {
    /// The layout; sound by [`Layout::check`].
    pub layout: Layout,
    /// Where the length stands.
    pub framing: Framing,
    /// A remark on each field of the header, in its order.
    pub header: Vec<String>,
    /// A remark on each field of the tail.
    pub tail: Vec<String>,
    /// Remarks on the rest: the body, the start, bytes that no message covers.
    pub remarks: Vec<String>,
    /// Number of messages.
    pub messages: usize,
    /// Bytes of the capture that messages cover.
    pub covered: usize,
    /// How sure the length is, in percent; never 100.
    pub confidence: u8,
}

/// Where the length of a message stands and what it counts: `value · unit + plus` bytes from message to message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Framing {
    /// Bytes in front of the first message.
    pub start: usize,
    /// Offset of the length in its message, in bytes.
    pub offset: usize,
    /// Width of the length in bytes.
    pub width: usize,
    /// Least significant byte first.
    pub little: bool,
    /// Bytes that one count stands for.
    pub unit: u32,
    /// Bytes added, to get from the start of a message to the start of the next.
    pub plus: i64,
}

/// The layout that `capture` most likely is in: bytes of one direction of a connection, from any place on. `None` when no
/// length leads from message to message, as in random bytes and in raw streams.
pub fn guess(capture: &[u8]) -> Option<Guess> {
    let background = Background::of(capture);
    let chain = best(chain::all(capture, &background))?;
    let extent = Extent::of(&chain, capture, &background);
    let (layout, header, tail, mut remarks) = fields::layout(&chain, &extent, capture);
    layout.check().ok()?;
    if chain.covered < capture.len() {
        let left = capture.len().saturating_sub(chain.covered).saturating_sub(extent.framing.start);
        if left > 0 {
            remarks.push(alloc::format!("{left} bytes belong to no message"));
        }
    }
    let sure = chain.bits.saturating_mul(100) / chain.bits.saturating_add(40);
    let part = chain.covered as u64 * 100 / (capture.len().saturating_sub(extent.framing.start)).max(1) as u64;
    let confidence = (sure * part.min(100) / 100).min(99) as u8;
    let (messages, covered) = (chain.places.len(), chain.covered);
    Some(Guess { layout, framing: extent.framing, header, tail, remarks, messages, covered, confidence })
}

/// The chain of the outermost messages among those that are proven well.
fn best(chains: Vec<Chain>) -> Option<Chain> {
    let covered = chains.iter().map(|chain| chain.covered).max()?;
    let wide: Vec<Chain> = chains.into_iter().filter(|chain| chain.covered * 100 >= covered * 97).collect();
    let bits = wide.iter().map(|chain| chain.bits).max()?;
    // A chain may stop at other fields on the way: that with the fewest messages does not.
    let proven = wide.into_iter().filter(|chain| chain.bits * 4 >= bits).collect::<Vec<_>>();
    let messages = proven.iter().map(|chain| chain.places.len()).min()?;
    let good = proven.into_iter().filter(|chain| chain.places.len() * 10 <= messages * 11);
    good.min_by_key(|chain| {
        let first = chain.places.first().copied().unwrap_or(0);
        // Of one number read in several widths: where its least significant byte stands, what it explains, no byte more.
        let low = first + if chain.rule.little { 1 } else { chain.rule.width };
        (low, core::cmp::Reverse(chain.covered), chain.rule.width)
    })
}
