//! A stretch of blocks, each of the same number of bytes and samples, cut into packets.

use core::task::Poll;

use crate::{
    error::Result,
    format::Event,
    input::Input,
    packet::{Flags, Packet},
    remark::Remark,
    time::Ticks,
};

/// Where the blocks stand, and how they are cut.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Blocks {
    /// Offset of the first block.
    pub start: u64,
    /// Offset behind the last one; `u64::MAX` when only the end of the input ends them.
    pub end: u64,
    /// Bytes of a block, at least 1.
    pub block: usize,
    /// Samples per channel of a block.
    pub samples: u32,
    /// Blocks of a packet.
    pub packet: usize,
}

impl Blocks {
    /// Samples per channel in `bytes` bytes.
    pub(super) fn count(&self, bytes: u64) -> u64 {
        (bytes / self.block.max(1) as u64).saturating_mul(self.samples.into())
    }

    /// Samples per channel of all, when their end is known.
    pub(super) fn total(&self) -> Option<Ticks> {
        let bytes = (self.end < u64::MAX).then(|| self.end.saturating_sub(self.start))?;
        i64::try_from(self.count(bytes)).ok().map(Ticks)
    }

    /// The next packet of stream 0; `None` behind the last one.
    pub(super) fn poll(&self, input: &mut Input) -> Poll<Option<Event>> {
        let at = input.offset();
        let left = usize::try_from(self.end.saturating_sub(at)).unwrap_or(usize::MAX);
        let wanted = self.block.saturating_mul(self.packet).min(left);
        let seen = input.peek().len();
        if seen < wanted && !input.ended() {
            return Poll::Pending;
        }
        let size = wanted.min(seen);
        if seen < wanted && self.end < u64::MAX {
            input.remark(Remark::Cut { missing: None }, "samples cut short by the end of the input");
        }
        let Some(data) = input.take(size).filter(|data| !data.is_empty()) else { return Poll::Ready(None) };
        let ticks = |bytes: u64| Ticks(i64::try_from(self.count(bytes)).unwrap_or(i64::MAX));
        let time = Some(ticks(at.saturating_sub(self.start)));
        let duration = Some(ticks(data.len() as u64));
        let (flags, position) = (Flags::KEY, Some(at));
        let packet = Packet { pts: time, dts: time, duration, flags, position, data, ..Packet::default() };
        Poll::Ready(Some(Event::Packet(packet)))
    }

    /// Goes to the packet that holds sample `to`, or to the last one.
    ///
    /// # Errors
    /// As [`Input::goto`].
    pub(super) fn seek(&self, to: Ticks, input: &mut Input) -> Result<()> {
        let to = u64::try_from(to.0).unwrap_or(0);
        let per_packet = u64::from(self.samples).saturating_mul(self.packet as u64).max(1);
        let bytes = (self.block as u64).saturating_mul(self.packet as u64);
        let known = self.end.min(input.size().unwrap_or(u64::MAX));
        let last = known.saturating_sub(self.start).saturating_sub(1) / bytes.max(1);
        input.goto(self.start.saturating_add((to / per_packet).min(last).saturating_mul(bytes)))
    }
}
