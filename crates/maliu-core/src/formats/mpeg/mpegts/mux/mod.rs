//! Packets → transport stream of one program.
//!
//! ```text
//!   Packet ─▶ Lane: PES packet or section ─┬▶ at once ───────────────▶ Packets ─▶ Output     variable rate
//!                                          └▶ Pace: one slot at a time ───┘                  constant rate
//!   between them: PAT, PMT, SDT before keyframes and every so often; clock references at most 40 ms apart
//! ```
//!
//! Times are moved up so that the clock, which runs `delay` before the decoding times, begins at 0.

use alloc::{boxed::Box, format, vec::Vec};

use super::super::{
    kinds::BASE,
    payload::{Payload, packaging},
};
use crate::{
    error::Result,
    format::{Muxer, Packaging},
    output::{Mark, Output},
    packet::Packet,
    stream::{Kind, Metadata, StreamInfo},
    time::{Rounding, Ticks, TimeBase},
};

pub(super) mod describe;
mod pace;
mod packets;
mod parity;
pub(super) mod settings;
mod tables;
mod unit;

use describe::{Manner, describe};
use pace::Pace;
use packets::{Counter, Field, Packets, Parts};
use settings::{FREE_PIDS, Options, Pids};
use tables::{Tables, is_blu_ray};
use unit::{Lane, Times, Unit, refused};

/// Longest time without packets that is filled with clock references and tables, in 90 kHz: beyond it the clock jumps.
const MAX_GAP: i64 = 5 * 90_000;

/// Times beyond this, in 90 kHz, are none of a stream: half of what `i64` holds in 27 MHz.
const FARTHEST: i64 = i64::MAX / 1200;

/// Makes the muxer.
///
/// # Errors
/// [`crate::error::Error::Setting`].
pub(super) fn make(pairs: &[(&str, &str)]) -> Result<Box<dyn Muxer>> {
    let options = Options::parse(pairs)?;
    let packets = Packets::new(options.packet);
    Ok(Box::new(Mux { options, packets, out: None, indices: Vec::new(), spare: Vec::new(), shift: None }))
}

struct Mux {
    options: Options,
    packets: Packets,
    /// Set by [`Muxer::start`].
    out: Option<Program>,
    /// The lane of each stream; `None` for attachments.
    indices: Vec<Option<usize>>,
    /// Room for the head of a unit.
    spare: Vec<u8>,
    /// Offset of every time, in 90 kHz; known with the first packet.
    shift: Option<i64>,
}

/// The program being written.
struct Program {
    lanes: Vec<Lane>,
    tables: Tables,
    /// The lane that carries the clock.
    clock_lane: usize,
    has_video: bool,
    /// The clock in 90 kHz; `None` before the first packet.
    clock: Option<i64>,
    last_pcr: i64,
    pcr_period: i64,
    pace: Option<Pace>,
    late: bool,
}

impl Muxer for Mux {
    fn start(&mut self, streams: &mut [StreamInfo], metadata: &Metadata, _: &mut Output) -> Result<()> {
        let carried = || streams.iter().filter(|stream| !stream.takes_no_packets());
        let blu_ray = is_blu_ray(&self.options, carried().map(|stream| stream.codec));
        let manner = Manner { blu_ray, dvb: self.options.dvb, latm: self.options.latm };
        let mut lanes: Vec<Lane> = Vec::new();
        let mut indices = Vec::new();
        for stream in streams.iter() {
            if stream.takes_no_packets() {
                indices.push(None);
                continue;
            }
            let described = describe(stream, manner).map_err(refused)?;
            let pid = choose(&self.options, stream, &lanes, blu_ray)?;
            let latm = described.stream_type == 0x11;
            let payload = Payload::new(stream, BASE, latm).map_err(refused)?;
            indices.push(Some(lanes.len()));
            let counter = Counter::new(pid, self.options.discontinuity);
            lanes.push(Lane { counter, kind: stream.media.kind(), described, payload });
        }
        if lanes.is_empty() {
            return Err(refused("no stream to write".into()));
        }
        streams.iter_mut().for_each(|stream| stream.time_base = BASE);
        let first = |kind| lanes.iter().position(|lane| lane.kind == kind);
        let clock_lane = first(Kind::Video).or(first(Kind::Audio)).unwrap_or(0);
        let tables = Tables::new(&self.options, &lanes, clock_lane, metadata, blu_ray)?;
        let pace = self.options.rate.map(|rate| Pace::new(rate, &self.options, &lanes, streams, &indices));
        let has_video = first(Kind::Video).is_some();
        let pcr_period = self.options.pcr_period;
        let program = Program {
            lanes,
            tables,
            clock_lane,
            has_video,
            clock: None,
            last_pcr: i64::MIN / 4,
            pcr_period,
            pace,
            late: false,
        };
        (self.out, self.indices) = (Some(program), indices);
        Ok(())
    }

    fn packet(&mut self, packet: &Packet, out: &mut Output) -> Result<()> {
        let Some(program) = &mut self.out else { return Ok(()) };
        let Some(lane) = self.indices.get(packet.stream).copied().flatten() else { return Ok(()) };
        let before = program.clock.map(|clock| clock + self.options.delay - self.shift.unwrap_or(0));
        let Some(dts) = packet.dts.or(packet.pts).map(|time| time.0).or(before) else {
            return Err(refused("the first packet has no time".into()));
        };
        let pts = packet.pts.map_or(dts, |pts| pts.0);
        if !(-FARTHEST..FARTHEST).contains(&dts) || !(-FARTHEST..FARTHEST).contains(&pts) {
            return Err(refused(format!("the time {dts} is out of range").into()));
        }
        let shift = match self.shift {
            Some(shift) => shift,
            None if self.options.copy_times => 0,
            None => (self.options.delay - dts).max(0),
        };
        let times = Times { pts: pts + shift, dts: dts + shift };
        let Some(target) = program.lanes.get_mut(lane) else { return Ok(()) };
        let unit = target.unit(packet, times, core::mem::take(&mut self.spare))?;
        self.shift = Some(shift);
        match &mut program.pace {
            Some(_) => program.queue(lane, unit, self.options.delay, &mut self.packets, out),
            None => self.spare = program.write(lane, unit, self.options.delay, &mut self.packets, out),
        }
        Ok(())
    }

    fn flush(&mut self, out: &mut Output) -> Result<()> {
        if let Some(program) = &mut self.out {
            program.drain(&mut self.packets, out);
        }
        Ok(())
    }

    fn finish(&mut self, out: &mut Output) -> Result<()> {
        let Some(program) = &mut self.out else { return Ok(()) };
        program.drain(&mut self.packets, out);
        if self.packets.count == 0 {
            program.tables.write(0, &mut self.packets);
            out.append(Mark::Trailer, [self.packets.take()]);
        }
        Ok(())
    }

    fn packaging(&self, stream: &StreamInfo) -> Packaging {
        packaging(stream)
    }
}

impl Program {
    /// Writes a unit at once. Gives back its head, for the next one.
    fn write(&mut self, lane: usize, mut unit: Unit, delay: i64, packets: &mut Packets, out: &mut Output) -> Vec<u8> {
        let due = unit.dts - delay;
        let clock = self.clock.map_or(due, |clock| clock.max(due));
        self.remark(unit.dts, clock, out);
        self.advance(clock, packets);
        let video_key = unit.key && self.is_video(lane);
        if self.tables.due(clock) || (video_key && !self.tables.written_at(clock)) {
            self.tables.write(clock, packets);
        }
        let fresh = self.tables.written_at(clock);
        let Some(target) = self.lanes.get_mut(lane) else { return unit.head };
        packets.reserve(unit.len());
        packets.at(clock.saturating_mul(300));
        if target.described.sections {
            packets.put_section(&mut target.counter, &unit.data);
        } else {
            let since = clock - self.last_pcr;
            let refers = lane == self.clock_lane && since >= self.pcr_period / 2;
            let pcr = refers.then(|| clock.saturating_mul(300));
            self.last_pcr = if refers { clock } else { self.last_pcr };
            let random = unit.key && (target.kind == Kind::Video || !self.has_video);
            let mut parts = unit.parts();
            packets.put(&mut target.counter, true, Field { pcr, random, discontinuity: false }, &mut parts);
            while parts.left() > 0 {
                packets.put_full(&mut target.counter, &mut parts);
                if parts.left() > 0 {
                    packets.put(&mut target.counter, false, Field::default(), &mut parts);
                }
            }
        }
        let time = Some(BASE.rescale(Ticks(unit.dts), TimeBase::MICROS, Rounding::Near));
        let key = video_key || (!self.has_video && unit.key && fresh);
        out.append(if key { Mark::Key { time } } else { Mark::Body { time } }, [packets.take()]);
        unit.head.clear();
        unit.head
    }

    fn is_video(&self, lane: usize) -> bool {
        self.lanes.get(lane).is_some_and(|lane| lane.kind == Kind::Video)
    }

    /// Moves the clock; where no packet came for long, references and tables go in between.
    fn advance(&mut self, clock: i64, packets: &mut Packets) {
        let Some(before) = self.clock.replace(clock) else {
            self.tables.write(clock, packets);
            self.refer(clock, false, packets);
            return;
        };
        if clock - before > MAX_GAP {
            self.tables.write(clock, packets);
            self.refer(clock, true, packets);
            return;
        }
        while clock - self.last_pcr > self.pcr_period {
            let at = self.last_pcr + self.pcr_period;
            if self.tables.due(at) {
                self.tables.write(at, packets);
            }
            self.refer(at, false, packets);
        }
    }

    /// A packet with a clock reference alone.
    fn refer(&mut self, clock: i64, discontinuity: bool, packets: &mut Packets) {
        self.last_pcr = clock;
        let Some(lane) = self.lanes.get_mut(self.clock_lane) else { return };
        let pcr = clock.saturating_mul(300);
        packets.reserve(0);
        packets.at(pcr);
        let field = Field { pcr: Some(pcr), discontinuity, random: false };
        packets.put(&mut lane.counter, false, field, &mut Parts([&[]; 3]));
    }

    /// Once: data that come after their time.
    fn remark(&mut self, dts: i64, clock: i64, out: &mut Output) {
        if dts < clock && !self.late {
            self.late = true;
            out.warn(format!("mpegts: a packet is {} ms behind the clock; raise delay or rate", (clock - dts) / 90));
        }
    }

    fn queue(&mut self, lane: usize, unit: Unit, delay: i64, packets: &mut Packets, out: &mut Output) {
        let due = unit.dts - delay;
        if self.pace.as_ref().is_some_and(|pace| pace.is_far(due)) {
            self.drain(packets, out);
        }
        if let Some(pace) = &mut self.pace {
            pace.begin(due);
            pace.push(lane, unit);
        }
        self.run(Some(due), packets, out);
    }

    fn drain(&mut self, packets: &mut Packets, out: &mut Output) {
        self.run(None, packets, out);
    }
}

/// The PID of the next stream.
fn choose(options: &Options, stream: &StreamInfo, lanes: &[Lane], blu_ray: bool) -> Result<u16> {
    let taken = |pid: u16| pid == options.map_pid || lanes.iter().any(|lane| lane.counter.pid == pid);
    let own = stream.id.and_then(|id| u16::try_from(id).ok()).filter(|pid| FREE_PIDS.contains(pid) && !taken(*pid));
    let first = match stream.media.kind() {
        _ if !blu_ray || options.packet != 192 => 0x100,
        Kind::Video => 0x1011,
        Kind::Audio => 0x1100,
        _ => 0x1200,
    };
    let counted = || (first..=*FREE_PIDS.end()).find(|pid| !taken(*pid));
    let chosen = match &options.pids {
        Pids::Counted => counted(),
        Pids::Kept => own.or_else(counted),
        Pids::Listed(list) => match list.get(lanes.len()) {
            Some(pid) if taken(*pid) => return Err(refused(format!("PID {pid} is taken").into())),
            Some(pid) => Some(*pid),
            None => return Err(refused(format!("pids lists {} PIDs for more streams", list.len()).into())),
        },
    };
    chosen.ok_or_else(|| refused("more streams than PIDs".into()))
}

#[cfg(test)]
mod tests;
