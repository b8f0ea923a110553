//! The packets in an input one by one, with what stands in front of them.

use super::super::{
    packet::{SIZE, SYNC},
    sync::{self, REACH, STEPS},
};
use crate::input::Input;

/// Finds packets.
#[derive(Debug, Default)]
pub(super) struct Rows {
    /// Bytes from packet to packet; 0 while packets are looked for.
    step: usize,
    /// The last step that was found.
    pub last_step: usize,
    /// Bytes in front of the packet that is due were taken.
    led: bool,
    /// The arrival clock of the packet that is due.
    lead: Option<[u8; 4]>,
    /// That of the last packet, for one behind junk that has none.
    last_lead: Option<[u8; 4]>,
}

/// The next item.
pub(super) enum Row {
    Packet {
        bytes: [u8; SIZE],
        at: u64,
        /// The arrival clock in front, in packets of 192 bytes.
        lead: Option<[u8; 4]>,
    },
    /// Bytes that are not packets were passed over.
    Junk(u64),
    /// More bytes are needed.
    More,
    End,
}

/// Bytes of the arrival clock.
const LEAD: usize = 4;

impl Rows {
    pub(super) fn next(&mut self, input: &mut Input) -> Row {
        if self.step == 0 {
            return self.search(input);
        }
        let ended = input.ended();
        if self.step == STEPS[1] && !self.led {
            let Some(lead) = input.peek().first_chunk::<LEAD>().copied() else {
                return if ended { self.rest(input) } else { Row::More };
            };
            input.skip(LEAD);
            (self.lead, self.led) = (Some(lead), true);
        }
        let window = input.peek();
        let Some(bytes) = window.first_chunk::<SIZE>().copied() else {
            return if ended { self.rest(input) } else { Row::More };
        };
        // Parity comes with its packet.
        let whole = if self.step == STEPS[2] { STEPS[2] } else { SIZE };
        if window.len() < whole && !ended {
            return Row::More;
        }
        if bytes.first() != Some(&SYNC) {
            self.step = 0;
            return self.search(input);
        }
        let at = input.offset();
        input.skip(whole);
        self.led = false;
        let lead = self.lead.take();
        self.last_lead = lead.or(self.last_lead);
        Row::Packet { bytes, at, lead }
    }

    /// Looks for a row of packets.
    fn search(&mut self, input: &mut Input) -> Row {
        let (window, ended) = (input.peek(), input.ended());
        // The prefix to look at grows by fixed steps, so that every split of the input finds the same.
        let mut length = REACH;
        loop {
            let whole = ended && length >= window.len();
            let Some(head) = window.get(..if whole { window.len() } else { length }) else { return Row::More };
            if let Some(row) = sync::find(head, whole) {
                return self.found(row, input);
            }
            if whole {
                return self.rest(input);
            }
            if length >= 64 * REACH {
                return Row::Junk(input.skip(length - REACH) as u64);
            }
            length *= 2;
        }
    }

    fn found(&mut self, row: sync::Row, input: &mut Input) -> Row {
        (self.step, self.last_step) = (row.step, row.step);
        // Fewer bytes than an arrival clock are not one.
        let front = if row.step == STEPS[1] && row.start >= LEAD { LEAD } else { 0 };
        self.led = row.step == STEPS[1] && front == 0;
        self.lead = self.last_lead.filter(|_| self.led);
        match input.skip(row.start - front) as u64 {
            0 => self.next(input),
            junk => Row::Junk(junk),
        }
    }

    fn rest(&mut self, input: &mut Input) -> Row {
        match input.skip(usize::MAX) as u64 {
            0 => Row::End,
            junk => Row::Junk(junk),
        }
    }
}
