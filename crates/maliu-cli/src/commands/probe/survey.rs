//! What reading an input has shown of each stream beyond what its container declares.

use maliu::{
    packet::Packet,
    stream::{Metadata, StreamInfo},
    time::Ticks,
};

/// Everything that was seen.
#[derive(Default)]
pub struct Survey {
    /// By stream.
    pub streams: Vec<Seen>,
    /// Tags of the whole input.
    pub metadata: Option<Box<Metadata>>,
    /// Whether the input was read to its end.
    pub whole: bool,
}

/// What was seen of one stream, in its time base.
#[derive(Clone, Default)]
pub struct Seen {
    /// Number of packets.
    pub packets: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Lowest presentation time.
    pub start: Option<Ticks>,
    /// Highest end of a packet.
    pub end: Option<Ticks>,
}

impl Survey {
    /// Counts a packet.
    pub fn note(&mut self, packet: &Packet) {
        if self.streams.len() <= packet.stream {
            self.streams.resize(packet.stream + 1, Seen::default());
        }
        let seen = &mut self.streams[packet.stream];
        seen.packets += 1;
        seen.bytes += packet.data.len() as u64;
        if let Some(time) = packet.pts.or(packet.dts) {
            seen.start = Some(seen.start.map_or(time, |start| start.min(time)));
            let end = time + packet.duration;
            seen.end = Some(seen.end.map_or(end, |latest| latest.max(end)));
        }
    }

    /// What was seen of stream `index`.
    pub fn of(&self, index: usize) -> Seen {
        self.streams.get(index).cloned().unwrap_or_default()
    }

    /// Whether every stream that takes packets has had one.
    pub fn covers(&self, streams: &[StreamInfo]) -> bool {
        streams.iter().enumerate().all(|(index, info)| info.attachment || self.of(index).packets > 0)
    }
}

impl Seen {
    /// From the first packet to the end of the last one.
    pub fn duration(&self) -> Option<Ticks> {
        Some(self.end? - self.start?)
    }
}
