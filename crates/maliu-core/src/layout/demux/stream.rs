//! One stream of a layout: its times, its packets in parts, and what is known of it.

use alloc::boxed::Box;

use bytes::{Bytes, BytesMut};

use super::{LAST_MISSING, untimed::Untimed};
use crate::{
    input::Input,
    layout::{
        Fragment,
        facts::from_config,
        message::{Facts, Stamp},
        payload::Payload,
    },
    packet::Packet,
    stream::{Media, StreamInfo},
    time::{Rounding, Ticks, TimeBase},
};

pub(super) struct Stream {
    pub(super) value: u64,
    pub(super) info: StreamInfo,
    pub(super) pts: Unroll,
    pub(super) dts: Unroll,
    pub(super) parts: Option<(BytesMut, Packet)>,
    /// Parts are missing, up to the next last one.
    pub(super) awaits_mark: bool,
    /// Number of the part that comes next, where parts have numbers.
    pub(super) next_part: Option<u64>,
    pub(super) new_config: Option<Bytes>,
    /// Source of times where the layout has none.
    pub(super) untimed: Option<Box<Untimed>>,
}

impl Stream {
    /// Gives the `n`th packet of a message its times.
    pub(super) fn time(&mut self, facts: &Facts, n: usize, packet: &mut Packet) {
        let base = self.info.time_base;
        let at = |unroll: &mut Unroll, stamp: Stamp| stamp.clock.base.rescale(unroll.next(stamp), base, Rounding::Near);
        packet.dts = facts.dts.map(|stamp| at(&mut self.dts, stamp));
        packet.pts = facts.pts.map(|stamp| at(&mut self.pts, stamp));
        if let (Some((cts, clock)), Some(dts), None) = (facts.cts, packet.dts, packet.pts) {
            packet.pts = Some(dts + clock.base.rescale(Ticks(cts), base, Rounding::Near));
        }
        if packet.pts.is_none() {
            packet.pts = packet.dts;
        }
        let frame = self.info.as_audio().and_then(|audio| Some((audio.frame_size, TimeBase::new(1, audio.rate())?)));
        if let Some((size, samples)) = frame.filter(|_| n > 0) {
            let behind = samples.rescale(Ticks(i64::from(size).saturating_mul(n as i64)), base, Rounding::Near);
            packet.dts = packet.dts.map(|dts| dts + behind);
            packet.pts = packet.pts.map(|pts| pts + behind);
        }
    }

    /// Whether a part begins a packet, where only last parts are marked. One of another time does, too.
    pub(super) fn begins(&mut self, part: &Packet, at: u64, input: &mut Input) -> bool {
        let goes_on = self.parts.as_ref().is_some_and(|(_, packet)| packet.pts == part.pts);
        if !goes_on && self.parts.take().is_some() {
            input.warn_at(at, LAST_MISSING);
        }
        !goes_on
    }

    /// Adds a later part to the waiting packet; the whole packet when it was the last part.
    pub(super) fn join(
        &mut self,
        part: Fragment,
        number: Option<u64>,
        data: &[u8],
        limit: usize,
    ) -> core::result::Result<Option<(Bytes, Packet)>, &'static str> {
        let (mut bytes, packet) = self.parts.take().ok_or("a part of a packet without its first one")?;
        if let Some(number) = number {
            if self.next_part != Some(number) {
                return Err("a part is missing, and the packet is dropped");
            }
            self.next_part = number.checked_add(1);
        }
        if bytes.len().saturating_add(data.len()) > limit {
            return Err("a packet in parts is longer than the limit and is dropped");
        }
        bytes.extend_from_slice(data);
        if part == Fragment::Last {
            return Ok(Some((bytes.freeze(), packet)));
        }
        self.parts = Some((bytes, packet));
        Ok(None)
    }
}

/// Facts of the stream at the front of a body, when they are news.
pub(super) fn refine(stream: &mut Stream, unpacked: &Payload) -> Option<StreamInfo> {
    let config = unpacked.config.as_ref().filter(|config| stream.info.config != **config)?;
    let first = stream.info.config.is_empty();
    stream.info.config = config.clone();
    from_config(&mut stream.info, config);
    if let (Media::Audio(audio), Some((rate, channels))) = (&mut stream.info.media, unpacked.audio) {
        audio.set_sample_rate(rate);
        audio.set_channels(channels);
    }
    stream.new_config = (!first).then(|| config.clone());
    Some(stream.info.clone())
}

/// Counters of fewer bits are unrolled.
const UNROLLED: u32 = 56;

/// Unrolls a counter of limited width: the value nearest to the last one.
#[derive(Default)]
pub(super) struct Unroll {
    last: Option<i64>,
}

impl Unroll {
    fn next(&mut self, stamp: Stamp) -> Ticks {
        let bits = u32::from(stamp.bits.clamp(1, 64));
        let value = match self.last {
            // Wider ones never come round; what garbage claims must not turn those behind it.
            Some(last) if bits < UNROLLED => {
                let unused = 64 - bits;
                let step = (stamp.value.wrapping_sub(last.cast_unsigned()) << unused).cast_signed() >> unused;
                last.saturating_add(step)
            }
            _ => stamp.value.cast_signed(),
        };
        self.last = Some(value);
        Ticks(value)
    }
}
