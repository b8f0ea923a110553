//! Decoding times of the first pictures behind a seek, which are held until enough of them have come.
//!
//! Pictures that follow a keyframe may be shown before it (open groups of pictures): decoding times that are guessed from the
//! keyframe alone would lie behind theirs.

use alloc::vec::Vec;

use crate::{packet::Packet, time::Ticks};

/// Packets since a seek.
#[derive(Debug)]
pub(super) struct Restart {
    stream: usize,
    /// Pictures that are decoded before one that is shown earlier.
    depth: usize,
    packets: Vec<Packet>,
}

/// Most packets that are held.
const MAX_HELD: usize = 512;

impl Restart {
    /// At a keyframe of this stream.
    pub(super) fn new(stream: usize, depth: u8) -> Self {
        Self { stream, depth: depth.into(), packets: Vec::new() }
    }

    /// Holds a packet. Returns whether they can go.
    pub(super) fn hold(&mut self, packet: Packet) -> bool {
        self.packets.push(packet);
        self.packets.len() >= MAX_HELD || self.pictures().count() > self.depth
    }

    fn pictures(&self) -> impl Iterator<Item = &Packet> {
        self.packets.iter().filter(|packet| packet.stream == self.stream)
    }

    /// The packets, with the decoding times that are missing: before the lowest presentation time.
    pub(super) fn release(mut self) -> Vec<Packet> {
        let lowest = self.pictures().filter_map(|packet| packet.pts).min();
        let Some(lowest) = lowest else { return self.packets };
        let step = self.pictures().find_map(|packet| packet.duration).map_or(1, |duration| duration.0.max(1));
        let mut left = self.depth as i64;
        for packet in self.packets.iter_mut().filter(|packet| packet.stream == self.stream && packet.dts.is_none()) {
            packet.dts = Some(lowest - Ticks(step.saturating_mul(left)));
            left = (left - 1).max(0);
        }
        self.packets
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::TimeBase;

    #[test]
    fn pictures_in_front_of_the_keyframe_keep_their_order() {
        let mut restart = Restart::new(0, 2);
        let packet = |pts, dts: Option<i64>| {
            let packet = Packet::new(0, Ticks(pts), TimeBase::MILLIS, alloc::vec![0]).with_dts(dts.map(Ticks));
            packet.with_duration(Ticks(40))
        };
        assert!(
            !restart.hold(packet(501, None))
                && !restart.hold(packet(421, None))
                && restart.hold(packet(381, Some(381)))
        );
        let times: Vec<_> = restart.release().iter().map(|packet| packet.dts.unwrap().0).collect();
        assert_eq!(times, [301, 341, 381]);
    }
}
