//! The PES packet or section under way on each PID, the same in both readings.

use alloc::vec::Vec;

use super::super::{packet::TsPacket, pids::Pids};
use crate::syntax::{
    pes::{self, Parsed},
    psi::{LongSection, Pmt},
};

/// The PIDs of a stream.
pub(super) struct Units<T> {
    index: Pids,
    pub list: Vec<(u16, T)>,
    /// Never used: every index has an entry.
    spare: T,
}

impl<T: Default> Default for Units<T> {
    fn default() -> Self {
        Self { index: Pids::default(), list: Vec::new(), spare: T::default() }
    }
}

impl<T: Default> Units<T> {
    /// The entry of a PID, made if there is none.
    pub(super) fn of(&mut self, pid: u16) -> &mut T {
        let index = match self.index.slot(pid) {
            Some(index) => index,
            None => {
                self.list.push((pid, T::default()));
                self.index.set(pid, self.list.len() - 1);
                self.list.len() - 1
            }
        };
        match self.list.get_mut(index) {
            Some((_, entry)) => entry,
            None => &mut self.spare,
        }
    }
}

/// The counter of a PID, as it came in.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Counter {
    last: Option<u8>,
    print: [u64; 2],
}

/// A packet in the order of its counter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    Next,
    Twice,
    Gap,
}

impl Counter {
    pub(super) fn follow(&mut self, ts: &TsPacket) -> Order {
        if !ts.has_payload {
            return Order::Next;
        }
        let print = ts.print();
        let last = self.last.replace(ts.counter);
        let known = core::mem::replace(&mut self.print, print);
        match last {
            _ if ts.discontinuity => Order::Next,
            Some(last) if last == ts.counter && known == print => Order::Twice,
            Some(last) if (last + 1) & 15 != ts.counter => Order::Gap,
            _ => Order::Next,
        }
    }
}

/// Bytes of the PES packet that begins with this payload: header and payload; `None` when it does not say.
pub(super) fn declared(payload: &[u8]) -> Option<usize> {
    match pes::parse(payload) {
        Parsed::Header(header) => header.payload.map(|length| header.size + length),
        _ => {
            let length = payload.get(4..).and_then(|rest| rest.first_chunk::<2>()).copied().map(u16::from_be_bytes)?;
            (length > 0).then(|| pes::START + usize::from(length))
        }
    }
}

/// The map in a payload that begins a section, when its first section is one and whole.
pub(super) fn map(payload: &[u8]) -> Option<Pmt> {
    let pointer = usize::from(*payload.first()?);
    let rest = payload.get(1 + pointer..)?;
    let &[Pmt::TABLE, high, low, ..] = rest else { return None };
    let length = 3 + (usize::from(high & 0x0f) << 8 | usize::from(low));
    Pmt::parse(&LongSection::parse(rest.get(..length)?)?)
}
