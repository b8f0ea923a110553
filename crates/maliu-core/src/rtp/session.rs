//! The streams of one description on one time line: what RTP and RTCP packets bring, as events.
//!
//! ```text
//!   rtp(), rtcp() ─▶ Receiver of each stream ─▶ gathered until their clocks are related ─▶ poll()
//! ```
//!
//! Streams begin at the time that RTP-Info states, else by their first sender reports; packets wait for these as long as
//! [`MAX_GATHERED`] and a second of media allow. Without either, every stream begins at 0.

use alloc::{boxed::Box, collections::VecDeque, vec::Vec};

use bytes::Bytes;

use super::{
    receiver::Receiver,
    rtcp::{self, Message},
    sdp::Description,
};
use crate::{account::Weigh, format::Event, packet::Packet, remark::Warning, time::Ticks};

/// Most packets that wait until the clocks of the streams are related.
pub const MAX_GATHERED: usize = 512;

/// Most bytes of memory that wait.
pub const MAX_GATHERED_BYTES: usize = 8 << 20;

/// Media that waits at most, in seconds.
const MAX_GATHERED_SECONDS: i64 = 1;

/// Seconds by which clocks of streams may differ: more is not believed.
const MAX_APART: i64 = 30;

/// A session that is received.
pub struct Session {
    receivers: Vec<Receiver>,
    ready: VecDeque<Event>,
    /// Packets that wait for clocks, while they do.
    gathered: Option<(VecDeque<Event>, usize)>,
    /// Events of one datagram.
    made: VecDeque<Event>,
    warnings: Vec<Warning>,
    /// By stream: ticks that are added to its times.
    offsets: Vec<i64>,
    keyframes: Option<Vec<bool>>,
}

/// Treatment of units of which packets are missing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Losses {
    /// They are given with [`crate::packet::Flags::CORRUPT`].
    #[default]
    Keep,
    /// Video is left out from a loss up to the next keyframe, and in front of the first one.
    Wait,
}

impl Session {
    /// For a description. Streams have the order of its media; all of them are announced first.
    pub fn new(description: &Description, losses: Losses) -> Self {
        let (mut warnings, mut receivers) = (Vec::new(), Vec::new());
        for (index, section) in description.media.iter().enumerate() {
            let (receiver, why) = Receiver::new(index, section);
            if let Some(why) = why {
                warnings.push(Warning { stream: Some(index), ..Warning::new(0, why) });
            }
            receivers.push(receiver);
        }
        let announce = |(index, receiver): (usize, &Receiver)| Event::Stream(index, Box::new(receiver.info.clone()));
        let ready = receivers.iter().enumerate().map(announce).collect();
        let count = receivers.len();
        Self {
            ready,
            gathered: (count > 1).then(Default::default),
            made: VecDeque::new(),
            warnings,
            offsets: alloc::vec![0; count],
            keyframes: (losses == Losses::Wait).then(|| alloc::vec![true; count]),
            receivers,
        }
    }

    /// Takes an RTP packet of a stream; `at` is its offset in the input, in bytes. RTCP on the same port is told apart.
    pub fn rtp(&mut self, stream: usize, packet: &Bytes, at: u64) {
        if super::is_rtcp(packet) {
            return self.rtcp(stream, packet);
        }
        let Some(receiver) = self.receivers.get_mut(stream) else { return };
        receiver.push(packet, at, &mut self.warnings, &mut self.made);
        self.pass(false);
    }

    /// Takes a compound RTCP packet of a stream.
    pub fn rtcp(&mut self, stream: usize, packet: &[u8]) {
        let Some(receiver) = self.receivers.get_mut(stream) else { return };
        for message in rtcp::parse(packet) {
            match message {
                Message::SenderReport(report) => receiver.report(&report),
                Message::Bye { .. } => receiver.ended = true,
            }
        }
        self.pass(false);
    }

    /// The server has said the timestamp at which a stream begins (RTP-Info, RFC 2326 §12.33).
    pub fn begins(&mut self, stream: usize, timestamp: u32) {
        if let Some(receiver) = self.receivers.get_mut(stream) {
            receiver.begins = Some(timestamp);
        }
    }

    /// Nothing follows: everything that is held comes out.
    pub fn finish(&mut self) {
        for receiver in &mut self.receivers {
            receiver.finish(&mut self.warnings, &mut self.made);
        }
        self.pass(true);
    }

    /// The next stream or packet; `None` until more is taken.
    pub fn poll(&mut self) -> Option<Event> {
        self.ready.pop_front()
    }

    /// Remarks since the last call, at offsets of the packets that they are about.
    pub fn take_warnings(&mut self) -> Vec<Warning> {
        core::mem::take(&mut self.warnings)
    }

    /// Whether every stream that began has said farewell (RTCP BYE).
    pub fn has_ended(&self) -> bool {
        let mut begun = self.receivers.iter().filter(|receiver| receiver.has_begun()).peekable();
        begun.peek().is_some() && begun.all(|receiver| receiver.ended)
    }

    /// Packets that are missing so far, of all streams.
    pub fn lost(&self) -> u64 {
        self.receivers.iter().map(|receiver| receiver.lost).sum()
    }

    /// The time of a packet with this pts on the clock of the sender, in NTP format (RFC 3550 §4): seconds since 1900 and
    /// their 2^32nd parts; `None` before a sender report.
    pub fn wall_clock(&self, stream: usize, pts: Ticks) -> Option<u64> {
        let (receiver, offset) = (self.receivers.get(stream)?, self.offsets.get(stream)?);
        let ticks = i128::from(pts.0.saturating_sub(*offset));
        u64::try_from(receiver.wall()? + (ticks << 32) / i128::from(receiver.clock())).ok()
    }

    /// Events that were made go out, or wait.
    fn pass(&mut self, last: bool) {
        while let Some(mut event) = self.made.pop_front() {
            match &mut self.gathered {
                Some((waiting, bytes)) => {
                    if let Event::Packet(packet) = &mut event {
                        packet.detach();
                    }
                    *bytes = bytes.saturating_add(event.weight());
                    waiting.push_back(event);
                }
                None => self.give(event),
            }
        }
        let Some((waiting, bytes)) = &self.gathered else { return };
        let full = waiting.len() >= MAX_GATHERED || *bytes >= MAX_GATHERED_BYTES || last;
        let long = waiting.back().is_some_and(|event| match event {
            Event::Packet(packet) => self.receivers.get(packet.stream).is_some_and(|receiver| {
                packet.pts.is_some_and(|pts| pts.0 >= MAX_GATHERED_SECONDS.saturating_mul(receiver.clock()))
            }),
            _ => false,
        });
        let related = self.receivers.iter().all(|receiver| receiver.behind_start(MAX_APART).is_some())
            || self.receivers.iter().all(|receiver| receiver.wall().is_some());
        if full || long || related {
            self.relate();
        }
    }

    /// The clocks are related; what has waited comes out.
    fn relate(&mut self) {
        let by_info: Vec<_> = self.receivers.iter().map(|receiver| receiver.behind_start(MAX_APART)).collect();
        let walls: Vec<_> = self.receivers.iter().map(Receiver::wall).collect();
        let earliest = walls.iter().flatten().min().copied();
        let informed = self.receivers.iter().zip(&by_info).all(|(r, behind)| !r.has_begun() || behind.is_some());
        for (n, receiver) in self.receivers.iter().enumerate() {
            let apart = walls.get(n).copied().flatten().zip(earliest).map(|(wall, earliest)| {
                let ticks = ((wall - earliest) * i128::from(receiver.clock()) + (1 << 31)) >> 32;
                i64::try_from(ticks).unwrap_or(i64::MAX)
            });
            let within = |ticks: &i64| *ticks <= MAX_APART.saturating_mul(receiver.clock());
            let offset = match by_info.get(n).copied().flatten() {
                Some(behind) if informed => behind,
                _ => apart.filter(within).unwrap_or(0),
            };
            if let Some(known) = self.offsets.get_mut(n) {
                *known = offset;
            }
        }
        for event in self.gathered.take().map(|(waiting, _)| waiting).into_iter().flatten() {
            self.give(event);
        }
    }

    fn give(&mut self, mut event: Event) {
        if let Event::Packet(packet) = &mut event {
            let offset = self.offsets.get(packet.stream).copied().unwrap_or(0);
            packet.pts = packet.pts.map(|pts| Ticks(pts.0.saturating_add(offset)));
            packet.dts = packet.dts.map(|dts| Ticks(dts.0.saturating_add(offset)));
            if self.is_left_out(packet) {
                return;
            }
        }
        self.ready.push_back(event);
    }

    /// Whether a packet cannot be shown before a keyframe comes.
    fn is_left_out(&mut self, packet: &Packet) -> bool {
        let is_video = self.receivers.get(packet.stream).is_some_and(|receiver| receiver.info.as_video().is_some());
        let waits = self.keyframes.as_mut().and_then(|streams| streams.get_mut(packet.stream)).filter(|_| is_video);
        let Some(waits) = waits else { return false };
        *waits |= packet.flags.has(crate::packet::Flags::CORRUPT);
        *waits &= !packet.is_key() || packet.flags.has(crate::packet::Flags::CORRUPT);
        *waits
    }
}
