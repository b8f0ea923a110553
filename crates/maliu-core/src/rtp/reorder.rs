//! A window that puts packets back into the order in which they were sent (RFC 3550 §A.1).
//!
//! ```text
//!   push(sequence, item) ─▶ in order: out at once │ early: waits for those before it │ late or twice: dropped
//!   poll() ─▶ Step { lost, item }        lost: packets in front of it that the window no longer waits for
//! ```

use alloc::collections::VecDeque;

/// Most packets that wait for one that is missing.
pub const MAX_WAITING: usize = 64;

/// Most bytes that wait.
pub const MAX_WAITING_BYTES: usize = 4 << 20;

/// Gaps in sequence numbers above which the source has begun anew (RFC 3550 §A.1, MAX_DROPOUT).
const MAX_GAP: u16 = 3000;

/// An item in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step<T> {
    /// Packets that are missing in front of it.
    pub lost: u64,
    /// Its sequence number.
    pub sequence: u16,
    /// The item.
    pub item: T,
}

/// Items on their way into order, of one source.
#[derive(Debug)]
pub struct Window<T> {
    /// The sequence number that is due.
    next: Option<u16>,
    /// Early items by rising distance from `next`: sequence number, bytes, item.
    waiting: VecDeque<(u16, usize, T)>,
    bytes: usize,
    /// Numbers that lie far away count once the next one follows.
    far: Option<u16>,
    late: u64,
    /// Nothing is waited for any longer: those that wait come out with what is missing.
    flushing: bool,
}

impl<T> Default for Window<T> {
    fn default() -> Self {
        Self { next: None, waiting: VecDeque::new(), bytes: 0, far: None, late: 0, flushing: false }
    }
}

impl<T> Window<T> {
    /// Takes an item of `bytes` bytes. Late and double ones are dropped and counted; so is the first one of a source that
    /// goes on far away, until another follows it.
    pub fn push(&mut self, sequence: u16, bytes: usize, item: T) {
        let next = *self.next.get_or_insert(sequence);
        let ahead = sequence.wrapping_sub(next);
        let behind = next.wrapping_sub(sequence);
        if ahead < MAX_GAP {
            self.far = None;
            return self.place(ahead, (sequence, bytes, item));
        }
        if behind <= MAX_GAP && self.far != Some(sequence) {
            self.late = self.late.saturating_add(1);
            self.far = Some(sequence.wrapping_add(1));
            return;
        }
        if self.far == Some(sequence) && self.waiting.is_empty() {
            (self.next, self.far) = (Some(sequence), None);
            return self.place(0, (sequence, bytes, item));
        }
        self.late = self.late.saturating_add(1);
        self.far = Some(sequence.wrapping_add(1));
        self.flushing |= !self.waiting.is_empty();
    }

    fn place(&mut self, ahead: u16, entry: (u16, usize, T)) {
        let next = self.next.unwrap_or(entry.0);
        let at = self.waiting.partition_point(|(sequence, ..)| sequence.wrapping_sub(next) < ahead);
        if self.waiting.get(at).is_some_and(|(sequence, ..)| *sequence == entry.0) {
            self.late = self.late.saturating_add(1);
            return;
        }
        self.bytes = self.bytes.saturating_add(entry.1);
        self.waiting.insert(at, entry);
    }

    /// The next item in order; `None` while one before it may still come.
    pub fn poll(&mut self) -> Option<Step<T>> {
        let (next, (first, ..)) = (self.next?, self.waiting.front()?);
        let lost = first.wrapping_sub(next);
        let full = self.waiting.len() > MAX_WAITING || self.bytes > MAX_WAITING_BYTES;
        if lost > 0 && !full && !self.flushing {
            return None;
        }
        let (sequence, bytes, item) = self.waiting.pop_front()?;
        self.bytes = self.bytes.saturating_sub(bytes);
        self.next = Some(sequence.wrapping_add(1));
        self.flushing &= !self.waiting.is_empty();
        Some(Step { lost: u64::from(lost), sequence, item })
    }

    /// Whether an item with this number comes out at once.
    pub fn is_due(&self, sequence: u16) -> bool {
        self.next.is_none_or(|next| next == sequence)
    }

    /// The first and the last item that wait.
    pub fn ends(&self) -> Option<(&T, &T)> {
        Some((&self.waiting.front()?.2, &self.waiting.back()?.2))
    }

    /// Nothing is waited for: [`Window::poll`] gives all that wait.
    pub fn flush(&mut self) {
        self.flushing = !self.waiting.is_empty();
    }

    /// Items that came too late, or twice.
    pub fn late(&self) -> u64 {
        self.late
    }
}

#[cfg(test)]
mod tests {
    use alloc::{vec, vec::Vec};

    use super::*;

    /// (lost, sequence) of all that comes out of numbers that come in this order.
    fn run(numbers: &[u16]) -> Vec<(u64, u16)> {
        let (mut window, mut out) = (Window::default(), vec![]);
        for number in numbers {
            window.push(*number, 1, *number);
            out.extend(core::iter::from_fn(|| window.poll()).map(|step| (step.lost, step.item)));
        }
        window.flush();
        out.extend(core::iter::from_fn(|| window.poll()).map(|step| (step.lost, step.item)));
        out
    }

    #[test]
    fn packets_come_out_in_order() {
        assert_eq!(run(&[1, 2, 3]), [(0, 1), (0, 2), (0, 3)]);
        assert_eq!(run(&[65_534, 0, 65_535, 1]), [(0, 65_534), (0, 65_535), (0, 0), (0, 1)]);
        assert_eq!(run(&[5, 8, 7, 7, 6, 5]), [(0, 5), (0, 6), (0, 7), (0, 8)], "double and late ones are dropped");
        assert_eq!(run(&[5, 8, 9]), [(0, 5), (2, 8), (0, 9)], "losses are counted");
    }

    #[test]
    fn a_window_that_is_full_waits_no_longer() {
        let numbers: Vec<u16> = (1..200).filter(|number| *number != 2).collect();
        let out = run(&numbers);
        assert_eq!((out[1], out.len()), ((1, 3), 198));
        let (mut window, mut most) = (Window::default(), 0);
        window.push(0, 1, ());
        for number in 2..1000 {
            window.push(number, 1, ());
            while window.poll().is_some() {}
            most = most.max(window.waiting.len());
        }
        assert!(most <= MAX_WAITING, "{most}");
    }

    #[test]
    fn a_source_that_begins_anew_is_followed_from_its_second_packet_on() {
        assert_eq!(run(&[1, 2, 30_000, 30_001, 30_002]), [(0, 1), (0, 2), (0, 30_001), (0, 30_002)]);
        assert_eq!(run(&[1, 2, 30_000, 3]), [(0, 1), (0, 2), (0, 3)], "a single stray is dropped");
        assert_eq!(run(&[900, 901, 100, 101, 102]), [(0, 900), (0, 901), (0, 101), (0, 102)]);
    }
}
