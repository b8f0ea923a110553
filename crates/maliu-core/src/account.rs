//! Data that waits in a queue, in bytes of memory: the one account that every queue keeps, and the weight of an item.
//!
//! ```text
//!   push ─▶ add(item) ─▶ bytes(), exceeds()       weight = body + side data + configuration + a fixed cost
//!   pop  ─▶ remove(item) ─▶ turn(): those that have waited long let go of the buffers they were read into
//! ```
//!
//! A packet's data is a slice of a buffer that it may share with others. Alone it would keep all of that buffer in
//! memory. [`Sieve`] and [`Account::turn`] see to it that slices are copied before that adds up to much more than their
//! weight; what is copied never shows in what is read or written.

mod telling;
pub use telling::Telling;

use crate::{packet::Packet, stream::StreamInfo};

/// Bytes of memory that an item counts for while it waits.
pub trait Weigh {
    /// Body, side data, configuration and a fixed cost, in bytes.
    fn weight(&self) -> usize;
}

/// Bytes that every item counts for besides what it holds: its places in a queue that has grown to twice its length,
/// and the books of an allocator.
pub const ITEM: usize = 384;

impl Weigh for Packet {
    #[inline]
    fn weight(&self) -> usize {
        let own = ITEM.saturating_add(self.data.len());
        if self.side.is_empty() { own } else { own.saturating_add(self.side.weight()) }
    }
}

impl Weigh for StreamInfo {
    fn weight(&self) -> usize {
        let own = ITEM + size_of::<Self>() + self.config.len() + self.language.len();
        own.saturating_add(self.metadata.weight())
    }
}

/// Items that wait in one queue.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Account {
    bytes: usize,
    items: usize,
    /// Bytes that have left since the last turn.
    passed: usize,
    turn: u32,
}

/// Bytes that must leave a queue, at least, before a turn.
const MIN_TURN: usize = 64 << 10;

impl Account {
    /// An item is put into the queue.
    #[inline]
    pub fn add(&mut self, item: &impl Weigh) {
        self.bytes = self.bytes.saturating_add(item.weight());
        self.items = self.items.saturating_add(1);
    }

    /// An item that was added, unchanged, leaves the queue.
    #[inline]
    pub fn remove(&mut self, item: &impl Weigh) {
        let weight = item.weight();
        self.bytes = self.bytes.saturating_sub(weight);
        self.items = self.items.saturating_sub(1);
        self.passed = self.passed.saturating_add(weight);
    }

    /// Everything leaves the queue.
    pub fn clear(&mut self) {
        (self.bytes, self.items) = (0, 0);
    }

    /// Bytes of memory that wait.
    #[inline]
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Items that wait.
    #[inline]
    pub fn items(&self) -> usize {
        self.items
    }

    /// Bytes that went by the queue and may share buffers with what waits in it.
    pub fn pass(&mut self, bytes: usize) {
        self.passed = self.passed.saturating_add(bytes);
    }

    /// The number of the turn: an item keeps the one at which it came.
    #[inline]
    pub fn now(&self) -> u32 {
        self.turn
    }

    /// Begins a new turn once more has left the queue than waits in it. Then items that came before the turn before it
    /// are to let go of their buffers, which those that left have filled: see [`Account::is_stale`] and
    /// [`Packet::detach`].
    #[inline]
    pub fn turn(&mut self) -> bool {
        // A little more than what waits: of a queue that is emptied in order nothing waits for all of a turn.
        let waits = self.bytes.max(MIN_TURN);
        let due = self.passed - self.passed / 4 >= waits;
        if due {
            // So much at once is as much as two turns.
            let turns = if self.passed / 3 >= waits { 2 } else { 1 };
            self.passed = 0;
            self.turn = self.turn.saturating_add(turns);
        }
        due
    }

    /// Whether an item that came at a turn has waited for all of the one before this.
    #[inline]
    pub fn is_stale(&self, came: u32) -> bool {
        came.saturating_add(1) < self.turn
    }
}

/// Copies packets that would keep much more in memory than they weigh, because most of what was read with them was
/// passed over. One for each place where something is.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sieve {
    passed: usize,
}

/// How many times its weight a packet may keep in memory.
const MOST_HELD: usize = 2;

impl Sieve {
    /// Bytes are passed over, or belong to what is.
    #[inline]
    pub fn pass(&mut self, bytes: usize) {
        self.passed = self.passed.saturating_add(bytes);
    }

    /// A packet goes on.
    #[inline]
    pub fn keep(&mut self, packet: &mut Packet) {
        if self.passed > MOST_HELD * ITEM && self.passed > packet.weight().saturating_mul(MOST_HELD) {
            packet.detach();
        }
        self.passed = 0;
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn packet(bytes: usize) -> Packet {
        Packet { data: alloc::vec![7; bytes].into(), ..Packet::default() }
    }

    #[test]
    fn a_packet_weighs_its_body_its_side_data_and_a_fixed_cost() {
        let mut packet = packet(1000);
        assert_eq!(packet.weight(), ITEM + 1000);
        packet.side.set_new_config(alloc::vec![1; 5000].into());
        packet.side.add_opaque(1, alloc::vec![1; 7000].into()).unwrap();
        assert!((13_000 + ITEM..14_000 + ITEM).contains(&packet.weight()), "{}", packet.weight());
    }

    #[test]
    fn what_is_removed_was_added() {
        let mut account = Account::default();
        let (small, large) = (packet(1), packet(100_000));
        account.add(&small);
        account.add(&large);
        account.remove(&large);
        assert_eq!((account.bytes(), account.items()), (ITEM + 1, 1));
        account.remove(&small);
        assert_eq!((account.bytes(), account.items()), (0, 0));
    }

    #[test]
    fn what_waits_for_a_whole_turn_is_stale_and_what_only_waits_its_turn_is_not() {
        let mut account = Account::default();
        let item = packet(10_000);
        let (first, mut came) = (account.now(), alloc::collections::VecDeque::new());
        for n in 0..1000 {
            account.add(&item);
            came.push_back(account.now());
            if n >= 50 {
                account.remove(&item);
                came.pop_front();
                if account.turn() {
                    assert!(!account.is_stale(came[0]), "{n}: of a queue that is emptied in order nothing is copied");
                }
            }
        }
        assert!(account.is_stale(first));
    }

    #[test]
    fn only_a_packet_behind_much_that_was_passed_over_is_copied() {
        let buffer = Bytes::from(alloc::vec![1; 100_000]);
        for (passed, bytes, copied) in [(90_000, 100, true), (90_000, 90_000, false), (0, 100, false)] {
            let mut sieve = Sieve::default();
            let mut packet = Packet { data: buffer.slice(..bytes), ..Packet::default() };
            sieve.pass(passed);
            sieve.keep(&mut packet);
            assert_eq!(packet.data.as_ptr() != buffer.as_ptr(), copied, "{passed} {bytes}");
            assert_eq!(packet.data, buffer.slice(..bytes));
        }
    }
}
