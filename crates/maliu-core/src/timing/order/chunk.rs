//! Where chunks of one stream begin, for players that read in bursts (WF-44).

use crate::{
    packet::Packet,
    stream::Kind,
    time::{Rounding, Ticks, TimeBase, scale},
};

/// The counters of one stream.
#[derive(Debug)]
pub(crate) struct Chunks {
    max_size: i64,
    max: i64,
    size: i64,
    duration: i64,
    on: bool,
}

impl Chunks {
    /// Of a stream that is never cut into chunks.
    pub(crate) const NONE: Self = Self { max_size: 0, max: 0, size: 0, duration: 0, on: false };

    /// Chunks of at most `max_size` bytes and `max_duration` µs; 0 for no limit of that kind.
    pub(crate) fn new(max_size: i64, max_duration: i64, base: TimeBase) -> Self {
        let max = TimeBase::MICROS.rescale(Ticks(max_duration.max(0)), base, Rounding::Up).0;
        Self { max_size, max, on: max_size > 0 || max_duration > 0, ..Self::NONE }
    }

    /// Whether a chunk starts with this packet.
    pub(crate) fn starts(&mut self, packet: &Packet, kind: Kind) -> bool {
        if !self.on {
            return false;
        }
        self.size = self.size.saturating_add(packet.data.len() as i64);
        self.duration = self.duration.saturating_add(packet.duration.unwrap_or_default().0);
        // A count that fell below zero has passed the limit too: the reference compares without sign.
        let long = self.max > 0 && (self.duration > self.max || self.duration < 0);
        let large = self.max_size > 0 && self.size > self.max_size;
        if !long && !large {
            return false;
        }
        self.size = 0;
        self.duration = if long { self.duration.saturating_add(self.drift(packet, kind)) } else { 0 };
        true
    }

    /// Step that brings the next chunk back to a multiple of the chunk length: an eighth of the distance at a time.
    fn drift(&self, packet: &Packet, kind: Kind) -> i64 {
        let offset = if kind == Kind::Video { self.max / 2 } else { 0 };
        let dts = packet.dts.map_or(i64::MIN, |dts| dts.0);
        let chunks = scale(dts.saturating_add(offset), 1, self.max.unsigned_abs(), Rounding::Near);
        let sync = chunks.saturating_mul(self.max).saturating_sub(offset);
        (dts.saturating_sub(sync) / 8).saturating_sub(self.max)
    }
}
