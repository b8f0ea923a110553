//! Constant rate: one packet per slot, each stream as early as its decoder's buffers allow (ISO/IEC 13818-1 §2.4.2).
//!
//! ```text
//!   slot: tables, when due ▸ clock reference, when due ▸ the unit that is decoded first and fits ▸ null packet
//!   decoder model: transport buffer of 512 bytes, leaking at a rate; main buffer, emptied unit by unit at their times
//! ```

use alloc::{collections::VecDeque, vec::Vec};

use super::{
    Program,
    packets::{Field, PACKET, Packets, Parts},
    settings::Options,
    unit::{Lane, Unit},
};
use crate::{
    output::{Mark, Output},
    stream::{Codec, Kind, StreamInfo},
    time::{Rounding, Ticks, TimeBase, scale},
};

/// Most bytes that wait; units above that are sent before their time.
const MAX_QUEUED: usize = 16 << 20;

/// Slots by which a clock reference is early.
const MARGIN: i64 = 6;

/// Bytes of a piece of output.
const PIECE: usize = 64 << 10;

/// Longest stretch without packets that is filled, in 27 MHz.
const MAX_GAP: i64 = 300 * super::MAX_GAP;

/// The slots, and what waits for them.
pub(super) struct Pace {
    rate: u64,
    delay: i64,
    /// Time of slot 0 in 27 MHz; `None` before the first packet.
    base: Option<i64>,
    slots: u64,
    queues: Vec<Queue>,
    waiting: usize,
    /// When the last unit was due, in 90 kHz.
    last_due: Option<i64>,
    jump: bool,
}

/// The units of one stream, and its decoder's buffers.
struct Queue {
    units: VecDeque<Unit>,
    /// Bits per second out of the transport buffer; `None` where the whole rate fits.
    leak: Option<u64>,
    /// Bits in the transport buffer, and when, in 27 MHz.
    transport: (u64, i64),
    /// Bytes of the main buffer.
    room: usize,
    /// Units sent, wholly or in part, that are not decoded yet: their time in 90 kHz and their bytes.
    held: VecDeque<(i64, usize)>,
    fill: usize,
}

impl Pace {
    pub(super) fn new(
        rate: u64,
        options: &Options,
        lanes: &[Lane],
        streams: &[StreamInfo],
        indices: &[Option<usize>],
    ) -> Self {
        let queue = |lane: usize| {
            let stream = indices.iter().position(|index| *index == Some(lane)).and_then(|index| streams.get(index));
            let (leak, room) = stream.map_or((None, usize::MAX), |stream| buffers(stream, rate));
            Queue { units: VecDeque::new(), leak, transport: (0, 0), room, held: VecDeque::new(), fill: 0 }
        };
        Self {
            rate,
            delay: options.delay,
            base: None,
            slots: 0,
            queues: (0..lanes.len()).map(queue).collect(),
            waiting: 0,
            last_due: None,
            jump: false,
        }
    }

    /// Whether `due`, in 90 kHz, lies a long gap behind the last unit: what waits is sent first.
    pub(super) fn is_far(&self, due: i64) -> bool {
        self.last_due.is_some_and(|last| due - last > super::MAX_GAP)
    }

    /// A unit is to be sent from `due` on, in 90 kHz. Starts the clock; moves it over a long gap.
    pub(super) fn begin(&mut self, due: i64) {
        self.last_due = Some(due);
        let due = due.saturating_mul(300);
        if self.base.is_none() || (self.waiting == 0 && due.saturating_sub(self.now()) > MAX_GAP) {
            self.jump = self.base.is_some();
            (self.base, self.slots) = (Some(due), 0);
        }
    }

    pub(super) fn push(&mut self, lane: usize, unit: Unit) {
        if let Some(queue) = self.queues.get_mut(lane) {
            self.waiting += unit.len();
            queue.units.push_back(unit);
        }
    }

    /// The time of the next slot in 27 MHz.
    fn now(&self) -> i64 {
        let bits = self.slots.saturating_mul(8 * PACKET as u64);
        let passed = scale(i64::try_from(bits).unwrap_or(i64::MAX), 27_000_000, self.rate, Rounding::Near);
        self.base.unwrap_or(0).saturating_add(passed)
    }

    /// The stream to send of: of those that may, the one that is decoded first.
    fn pick(&mut self, now: i64) -> Option<usize> {
        let (rate, delay) = (self.rate, self.delay);
        let ready = |queue: &mut Queue| queue.is_ready(now, rate, delay);
        let candidates = self.queues.iter_mut().enumerate().filter_map(|(lane, queue)| {
            let dts = queue.units.front()?.dts;
            ready(queue).then_some((dts, lane))
        });
        candidates.min().map(|(_, lane)| lane)
    }
}

impl Queue {
    /// Whether a packet of the first unit may be sent at `now`.
    fn is_ready(&mut self, now: i64, rate: u64, delay: i64) -> bool {
        let clock = now / 300;
        while let Some((_, bytes)) = self.held.front().copied().filter(|(dts, _)| *dts <= clock) {
            self.fill = self.fill.saturating_sub(bytes);
            self.held.pop_front();
        }
        let Some(unit) = self.units.front() else { return false };
        if clock < unit.dts.saturating_sub(delay) {
            return false;
        }
        if let Some(leak) = self.leak {
            let (bits, since) = self.transport;
            let leaked = scale(now.saturating_sub(since), leak, 27_000_000, Rounding::Down);
            let left = bits.saturating_sub(u64::try_from(leaked).unwrap_or(0));
            if left > (512 - PACKET as u64) * 8 {
                return false;
            }
            self.transport = (left, now);
        }
        // The rest of the unit needs this long, in 90 kHz; a unit larger than the buffer goes when it must.
        let left = (unit.len() - unit.sent.min(unit.len())) as u64 * 9 / 8;
        let needed = scale(i64::try_from(left * 8).unwrap_or(i64::MAX), 2 * 90_000, rate, Rounding::Up);
        self.fill.saturating_add(184) <= self.room || clock >= unit.dts.saturating_sub(needed)
    }

    fn sent(&mut self, bytes: usize, dts: i64) {
        self.transport.0 += 8 * PACKET as u64;
        self.fill = self.fill.saturating_add(bytes);
        match self.held.back_mut() {
            Some((last, sum)) if *last == dts => *sum += bytes,
            _ => self.held.push_back((dts, bytes)),
        }
    }
}

impl Program {
    /// Fills slots up to `until` in 90 kHz, or until nothing waits.
    pub(super) fn run(&mut self, until: Option<i64>, packets: &mut Packets, out: &mut Output) {
        let Some(mut pace) = self.pace.take() else { return };
        let until = until.map(|until| until.saturating_mul(300));
        let (mut mark, mut written) = (Mark::Body { time: time(pace.now()) }, 0);
        while pace.waiting > 0 && (pace.waiting > MAX_QUEUED || until.is_none_or(|until| pace.now() < until)) {
            let key = self.slot(&mut pace, packets, out, &mut mark);
            written = if key { 0 } else { written + PACKET };
            if written >= PIECE {
                out.append(mark, [packets.take()]);
                (mark, written) = (Mark::Body { time: time(pace.now()) }, 0);
            }
        }
        out.append(mark, [packets.take()]);
        self.pace = Some(pace);
    }

    /// Fills one slot, or as many as the tables need. Gives whether a piece begins here that can be started at.
    fn slot(&mut self, pace: &mut Pace, packets: &mut Packets, out: &mut Output, mark: &mut Mark) -> bool {
        let now = pace.now();
        let clock = now / 300;
        packets.reserve(0);
        packets.at(now);
        let picked = pace.pick(now);
        let begins =
            picked.and_then(|lane| pace.queues.get(lane)?.units.front()).filter(|unit| unit.sent == 0 && unit.key);
        let key = begins.is_some() && picked.is_some_and(|lane| self.is_video(lane) || !self.has_video);
        let ahead = key && self.has_video && self.clock != Some(clock);
        if self.tables.due(clock) || ahead {
            let before = packets.count;
            if key {
                out.append(*mark, [packets.take()]);
                *mark = Mark::Key { time: time(now) };
            }
            self.tables.write(clock, packets);
            pace.slots += packets.count - before;
            // The keyframe that follows needs no tables of its own.
            self.clock = Some(pace.now() / 300);
            return key;
        }
        let slot = scale(8 * PACKET as i64, 27_000_000, pace.rate, Rounding::Up) / 300 + 1;
        let since = clock - self.last_pcr;
        // Tables may take the slots that follow.
        let due = since < 0 || since + MARGIN * slot >= self.pcr_period;
        pace.slots += 1;
        let picked = picked.filter(|lane| !due || *lane == self.clock_lane);
        let Some(lane) = picked else {
            match due {
                true => self.reference(now, core::mem::take(&mut pace.jump), packets),
                false => packets.put_null(),
            }
            return false;
        };
        let pcr = (lane == self.clock_lane && (due || since >= self.pcr_period / 2)).then_some(now);
        if pcr.is_some() {
            self.last_pcr = clock;
        }
        self.send(pace, lane, pcr, packets, out);
        false
    }

    fn reference(&mut self, now: i64, discontinuity: bool, packets: &mut Packets) {
        self.last_pcr = now / 300;
        if let Some(lane) = self.lanes.get_mut(self.clock_lane) {
            let field = Field { pcr: Some(now), discontinuity, random: false };
            packets.put(&mut lane.counter, false, field, &mut Parts([&[]; 3]));
        }
    }

    /// One packet of the first unit of a stream; of sections all.
    fn send(&mut self, pace: &mut Pace, lane: usize, pcr: Option<i64>, packets: &mut Packets, out: &mut Output) {
        let now = pace.now() / 300;
        let (Some(queue), Some(target)) = (pace.queues.get_mut(lane), self.lanes.get_mut(lane)) else { return };
        let Some(unit) = queue.units.front_mut() else { return };
        let taken = if target.described.sections {
            let before = packets.count;
            packets.put_section(&mut target.counter, &unit.data);
            pace.slots += (packets.count - before).saturating_sub(1);
            unit.len()
        } else {
            let first = unit.sent == 0;
            let random = first && unit.key && (target.kind == Kind::Video || !self.has_video);
            let discontinuity = pcr.is_some() && core::mem::take(&mut pace.jump);
            let mut parts = unit.parts();
            packets.put(&mut target.counter, first, Field { pcr, discontinuity, random }, &mut parts)
        };
        unit.sent += taken;
        let (dts, done) = (unit.dts, unit.sent >= unit.len());
        pace.waiting -= taken.min(pace.waiting);
        queue.sent(taken, dts);
        if done {
            queue.units.pop_front();
            self.remark(dts, now, out);
        }
    }
}

fn time(now: i64) -> Option<Ticks> {
    Some(TimeBase::hz(27_000_000).rescale(Ticks(now), TimeBase::MICROS, Rounding::Near))
}

/// Leak rate and main buffer of a stream's decoder (§2.4.2.3, TS 101 154, ISO/IEC 14496-10 table A-1).
fn buffers(stream: &StreamInfo, rate: u64) -> (Option<u64>, usize) {
    let audio = Some(2_000_000);
    let wide = stream.as_audio().is_some_and(|audio| audio.channel_count() > 2);
    match stream.codec {
        Codec::Aac | Codec::AacLatm if wide => (Some(5_529_600), 8_976),
        Codec::Aac | Codec::AacLatm | Codec::Mp1 | Codec::Mp2 | Codec::Mp3 => (audio, 3_584),
        Codec::Ac3 | Codec::Eac3 => (audio, 5_696),
        Codec::Dts => (audio, 9_088),
        Codec::H264 => (None, coded(stream.as_video().and_then(|video| video.level), rate)),
        Codec::Mpeg1Video | Codec::Mpeg2Video => {
            let large = stream.as_video().is_some_and(|video| video.size().1 > 576);
            (None, if large { 1_222_656 } else { 229_376 })
        }
        _ => (None, usize::try_from(rate / 8).unwrap_or(usize::MAX)),
    }
}

/// The coded picture buffer of a level in bytes; of an unknown one, a second of the rate.
fn coded(level: Option<u8>, rate: u64) -> usize {
    const LEVELS: [(u8, usize); 15] = [
        (10, 175),
        (11, 500),
        (12, 1_000),
        (13, 2_000),
        (20, 2_000),
        (21, 4_000),
        (22, 4_000),
        (30, 10_000),
        (31, 14_000),
        (32, 20_000),
        (40, 25_000),
        (41, 62_500),
        (42, 62_500),
        (50, 135_000),
        (51, 240_000),
    ];
    let row = LEVELS.iter().find(|(row, _)| Some(*row) == level);
    row.map_or(usize::try_from(rate / 8).unwrap_or(usize::MAX), |(_, units)| units * 150)
}
