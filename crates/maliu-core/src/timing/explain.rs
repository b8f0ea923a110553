//! Which rule did what to which packet: notes for people who ask why a time changed or a packet was refused.

use alloc::{collections::VecDeque, string::String};
use core::fmt;

/// A rule that changed or refused a packet.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Fired {
    /// The rule's id, e.g. `WF-34`.
    pub rule: &'static str,
    /// The packet's stream.
    pub stream: usize,
    /// Which packet of its stream it is, counted from 0 as they were given to the writer.
    pub packet: u64,
    /// The change or refusal, and its reason, in one sentence.
    pub what: String,
}

impl fmt::Display for Fired {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} stream {} packet {}: {}", self.rule, self.stream, self.packet, self.what)
    }
}

/// Most notes that are kept until they are fetched; later ones are counted only.
pub const MAX_NOTES: usize = 4096;

/// Notes being taken. Off, a note costs one comparison.
#[derive(Debug, Default)]
pub struct Notes {
    on: bool,
    fired: VecDeque<Fired>,
    dropped: u64,
}

impl Notes {
    /// Switches note taking.
    pub fn switch(&mut self, on: bool) {
        self.on = on;
    }

    /// Notes that `rule` acted on the packet; the sentence is only made when notes are taken.
    pub fn fire(&mut self, rule: &'static str, at: At, what: impl FnOnce() -> String) {
        if !self.on {
            return;
        }
        if self.fired.len() < MAX_NOTES {
            self.fired.push_back(Fired { rule, stream: at.stream, packet: at.packet, what: what() });
        } else {
            self.dropped = self.dropped.saturating_add(1);
        }
    }

    /// The oldest note not yet fetched.
    pub fn take(&mut self) -> Option<Fired> {
        self.fired.pop_front()
    }

    /// Notes that were dropped because the ones before were not fetched ([`MAX_NOTES`]).
    pub fn dropped(&self) -> u64 {
        self.dropped
    }
}

/// Which packet a note is about.
#[derive(Clone, Copy, Debug)]
pub struct At {
    /// Its stream.
    pub stream: usize,
    /// Its number in the stream.
    pub packet: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_are_taken_only_when_asked_for_and_bounded() {
        let (mut notes, at) = (Notes::default(), At { stream: 1, packet: 7 });
        notes.fire("WF-32", at, || String::from("unheard"));
        assert_eq!(notes.take(), None);
        notes.switch(true);
        for _ in 0..MAX_NOTES + 2 {
            notes.fire("WF-32", at, || String::from("pts := dts 5"));
        }
        assert_eq!(alloc::format!("{}", notes.take().unwrap()), "WF-32 stream 1 packet 7: pts := dts 5");
        assert_eq!(notes.dropped(), 2);
    }
}
