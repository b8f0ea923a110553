//! Packets → program stream, as cameras of GB/T 28181 write it: a pack for each access unit, system header and stream map in
//! front of keyframes (ISO/IEC 13818-1 §2.5).
//!
//! ```text
//!   keyframe: pack │ system header │ stream map │ PES PES …       else: pack │ PES PES …       end: 00 00 01 b9
//! ```

use alloc::{borrow::Cow, boxed::Box, format, vec::Vec};

use bytes::Bytes;

use super::super::{
    kinds::BASE,
    payload::{Payload, packaging},
    types,
};
use crate::{
    bits::BitWriter,
    error::{Error, Result},
    format::{Muxer, Packaging, mark},
    output::{Mark, Output},
    packet::Packet,
    settings::{Help, Settings},
    stream::{Codec, Kind, Metadata, StreamInfo},
    syntax::{pes, psi},
    time::Ticks,
};

/// The settings of writing.
pub(super) const SETTINGS: &[Help] = &[
    Help {
        name: "delay",
        value: "TIME",
        default: "0.5",
        what: "Writing: how far the clock runs before decoding times.",
    },
    Help {
        name: "rate",
        value: "BITS",
        default: "50000000",
        what: "Writing: the rate that packs declare, bits per second.",
    },
    Help {
        name: "mpeg1",
        value: "0|1",
        default: "0",
        what: "Writing: packs of MPEG-1 (ISO/IEC 11172-1), for MPEG-1 video and MPEG audio.",
    },
];

/// Most bytes of payload in a PES packet: its length of 16 bits counts the header too.
const MAX_PAYLOAD: usize = 65_000;

/// Codecs that are written as substreams of private stream 1.
const WRITTEN: &[Codec] = &[Codec::Ac3, Codec::Eac3, Codec::Dts];

/// Times beyond this, in 90 kHz, are none of a stream.
const FARTHEST: i64 = i64::MAX / 1200;

/// Longest time in 90 kHz between two maps where no video has keyframes.
const MAP_PERIOD: i64 = 90_000;

/// Makes the muxer.
///
/// # Errors
/// [`Error::Setting`].
pub(super) fn make(pairs: &[(&str, &str)]) -> Result<Box<dyn Muxer>> {
    let mut settings = Settings::new(pairs, SETTINGS);
    let Ticks(delay) = settings.duration("delay")?.unwrap_or(Ticks(500_000));
    if !(0..=10_000_000).contains(&delay) {
        return Err(Error::Setting { name: "delay".into(), why: "must lie between 0 and 10 s".into() });
    }
    let rate = settings.number("rate", 10_000, 1_600_000_000)?.unwrap_or(50_000_000);
    let mpeg1 = settings.flag("mpeg1")?.unwrap_or(false);
    settings.finish()?;
    let rate = u32::try_from(rate / 400).unwrap_or(125_000);
    Ok(Box::new(Program { delay: delay * 9 / 100, rate, mpeg1, ..Program::default() }))
}

#[derive(Default)]
struct Program {
    delay: i64,
    /// In units of 50 bytes per second.
    rate: u32,
    /// Packs and packets of ISO/IEC 11172-1.
    mpeg1: bool,
    lanes: Vec<Option<Lane>>,
    has_video: bool,
    /// System header and stream map.
    head: Vec<u8>,
    shift: Option<i64>,
    clock: Option<i64>,
    last_map: Option<i64>,
    late: bool,
}

struct Lane {
    stream_id: u8,
    /// Of private stream 1: the substream.
    substream: Option<u8>,
    payload: Payload,
    is_video: bool,
}

impl Muxer for Program {
    fn start(&mut self, streams: &mut [StreamInfo], _: &Metadata, _: &mut Output) -> Result<()> {
        let mut map = Vec::new();
        for stream in streams.iter() {
            if stream.takes_no_packets() {
                self.lanes.push(None);
                continue;
            }
            let (lane, stream_type) = self.lane(stream)?;
            if let Some(stream_type) = stream_type {
                map.extend_from_slice(&[stream_type, lane.stream_id, 0, 0]);
            }
            self.has_video |= lane.is_video;
            self.lanes.push(Some(lane));
        }
        if self.lanes.iter().flatten().next().is_none() {
            return Err(refused("no stream to write"));
        }
        streams.iter_mut().for_each(|stream| stream.time_base = BASE);
        self.head = self.system_header();
        if !self.mpeg1 {
            self.head.extend_from_slice(&stream_map(&map));
        }
        Ok(())
    }

    fn packet(&mut self, packet: &Packet, out: &mut Output) -> Result<()> {
        let Some(Some(lane)) = self.lanes.get_mut(packet.stream) else { return Ok(()) };
        let last = self.clock.zip(self.shift).map(|(clock, shift)| clock + self.delay - shift);
        let Some(dts) = packet.dts.or(packet.pts).map(|time| time.0).or(last) else {
            return Err(refused("the first packet has no time"));
        };
        let pts = packet.pts.map_or(dts, |pts| pts.0);
        if !(-FARTHEST..FARTHEST).contains(&dts) || !(-FARTHEST..FARTHEST).contains(&pts) {
            return Err(refused(format!("the time {dts} is out of range")));
        }
        if let Some(config) = packet.side.new_config() {
            lane.payload.configure(config, false).map_err(refused)?;
        }
        let mut front = Vec::new();
        if let Some(substream) = lane.substream {
            // One frame begins in the packet, right behind this head.
            front.extend_from_slice(&[substream, 1, 0, 1]);
        }
        let shaped = lane.payload.shape(packet, &mut front).map_err(refused)?;
        let (stream_id, is_video) = (lane.stream_id, lane.is_video);
        let shift = *self.shift.get_or_insert((self.delay - dts).max(0));
        let (pts, dts) = (pts + shift, dts + shift);
        let clock = self.clock.map_or(dts - self.delay, |clock| clock.max(dts - self.delay));
        self.clock = Some(clock);
        if dts < clock && !self.late {
            self.late = true;
            out.warn(format!("mpegps: a packet is {} ms behind the clock; raise delay", (clock - dts) / 90));
        }
        let mapped = self.maps(packet, is_video, clock);
        let mut first = pack(clock, self.rate, self.mpeg1);
        if mapped {
            first.extend_from_slice(&self.head);
        }
        let place = match mark(packet, BASE, is_video, self.has_video) {
            Mark::Key { time } if !mapped => Mark::Body { time },
            place => place,
        };
        out.append_parts(place, packets(first, stream_id, self.header(pts, dts), &front, &shaped.data));
        Ok(())
    }

    fn finish(&mut self, out: &mut Output) -> Result<()> {
        if self.clock.is_none() {
            let parts = [Bytes::from(pack(0, self.rate, self.mpeg1)), Bytes::from(core::mem::take(&mut self.head))];
            out.append(Mark::Header, parts);
        }
        out.append(Mark::Trailer, [Bytes::from_static(&[0, 0, 1, 0xb9])]);
        Ok(())
    }

    fn packaging(&self, stream: &StreamInfo) -> Packaging {
        packaging(stream)
    }
}

impl Program {
    /// A stream's place, and its stream_type where the map names it.
    fn lane(&self, stream: &StreamInfo) -> Result<(Lane, Option<u8>)> {
        if stream.encryption.is_some() {
            return Err(refused("encrypted streams are not carried"));
        }
        if self.mpeg1 && !matches!(stream.codec, Codec::Mpeg1Video | Codec::Mp1 | Codec::Mp2 | Codec::Mp3) {
            return Err(refused(format!("{} is not carried by packs of MPEG-1", stream.codec)));
        }
        let rate = stream.as_audio().map_or(0, |audio| audio.rate());
        let disc = || types::SUBSTREAMS.iter().find(|(.., codec, _)| *codec == stream.codec && WRITTEN.contains(codec));
        let (kind, substream) = match (types::in_program_stream(stream.codec), disc()) {
            (Some(_), _) if matches!(stream.codec, Codec::Mp1 | Codec::Mp2 | Codec::Mp3) => {
                (Some(types::mpeg_audio(rate)), None)
            }
            (Some(row), _) => (Some(row.stream_type), None),
            (None, Some((first, ..))) => (None, Some(*first)),
            (None, None) => return Err(refused(format!("{} is not carried by program streams", stream.codec))),
        };
        let is_video = stream.media.kind() == Kind::Video;
        let (first, most) = match substream {
            Some(first) => (first, 8),
            None if is_video => (0xe0, 16),
            None => (0xc0, 32),
        };
        let own = |lane: &&Lane| match lane.substream {
            Some(id) => substream.is_some() && id & 0xf8 == first,
            None => substream.is_none() && lane.is_video == is_video,
        };
        let count = self.lanes.iter().flatten().filter(own).count();
        if count >= most {
            return Err(refused(format!("more than {most} streams of {}", stream.codec)));
        }
        let id = first + count as u8;
        let payload = Payload::new(stream, BASE, false).map_err(refused)?;
        let stream_id = if substream.is_some() { pes::PRIVATE_1 } else { id };
        Ok((Lane { stream_id, substream: substream.map(|_| id), payload, is_video }, kind))
    }

    /// The headers of the PES packets of a unit (§2.4.3.6, ISO/IEC 11172-1 §2.4.3.3).
    fn header(&self, pts: i64, dts: i64) -> PesHeads {
        let wrapped = |time: i64| time.rem_euclid(1 << 33) as u64;
        let times = match pts == dts {
            true => pes::time_field(2, wrapped(pts)).to_vec(),
            false => [pes::time_field(3, wrapped(pts)), pes::time_field(1, wrapped(dts))].concat(),
        };
        if self.mpeg1 {
            return PesHeads { first: times, others: &[0x0f] };
        }
        let flags = if pts == dts { 0x80 } else { 0xc0 };
        let first = [&[0x84, flags, times.len() as u8][..], &times].concat();
        PesHeads { first, others: &[0x80, 0, 0] }
    }

    /// Whether the map stands in front of this packet.
    fn maps(&mut self, packet: &Packet, is_video: bool, clock: i64) -> bool {
        let key = packet.is_key() && is_video;
        let aged = self.last_map.is_none_or(|last| clock - last >= MAP_PERIOD);
        let now = self.last_map.is_none() || key || (aged && !self.has_video);
        if now {
            self.last_map = Some(clock);
        }
        now
    }

    /// §2.5.3.5.
    fn system_header(&self) -> Vec<u8> {
        let mut ids: Vec<(u8, bool)> =
            self.lanes.iter().flatten().map(|lane| (lane.stream_id, lane.is_video)).collect();
        ids.dedup();
        let count =
            |video: bool| ids.iter().filter(|(id, is_video)| *is_video == video && *id != pes::PRIVATE_1).count();
        let mut bits = BitWriter::new();
        bits.write(24, 1);
        bits.write(8, 0xbb);
        bits.write(16, 6 + 3 * ids.len() as u32);
        bits.write(1, 1);
        bits.write(22, self.rate);
        bits.write(1, 1);
        bits.write(6, count(false) as u32);
        // Neither fixed nor constrained; audio and video are locked to the clock.
        bits.write(4, 0b0011);
        bits.write(1, 1);
        bits.write(5, count(true) as u32);
        bits.write(8, if self.mpeg1 { 0xff } else { 0x7f });
        for (id, is_video) in &ids {
            bits.write(8, (*id).into());
            // Buffers in units of 1024 bytes: 2 MiB of video; of 128 bytes: 8 KiB of audio.
            bits.write(2, 0b11);
            bits.write(14, if *is_video { 1 << 13 | 2048 } else { 64 });
        }
        bits.finish()
    }
}

/// The pack header with the clock in 90 kHz (§2.5.3.3, ISO/IEC 11172-1 §2.4.3.2).
fn pack(clock: i64, rate: u32, mpeg1: bool) -> Vec<u8> {
    let clock = clock.rem_euclid(1 << 33) as u64;
    let mut bits = BitWriter::new();
    bits.write(24, 1);
    bits.write(8, 0xba);
    bits.write(if mpeg1 { 4 } else { 2 }, if mpeg1 { 2 } else { 1 });
    for (shift, width) in [(30, 3), (15, 15), (0, 15)] {
        bits.write(width, (clock >> shift) as u32 & ((1 << width) - 1));
        bits.write(1, 1);
    }
    if mpeg1 {
        bits.write(1, 1);
        bits.write(22, rate);
        bits.write(1, 1);
        return bits.finish();
    }
    bits.write(9, 0);
    bits.write(1, 1);
    bits.write(22, rate);
    bits.write(2, 0b11);
    // No stuffing.
    bits.write(8, 0xf8);
    bits.finish()
}

/// The stream map of these rows (§2.5.4).
fn stream_map(rows: &[u8]) -> Vec<u8> {
    let length = rows.len() as u16;
    let mut out = alloc::vec![0, 0, 1, pes::PROGRAM_STREAM_MAP];
    out.extend_from_slice(&(length + 10).to_be_bytes());
    // Current, version 0; no descriptors of the program.
    out.extend_from_slice(&[0xe0, 0xff, 0, 0]);
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(rows);
    let checksum = psi::crc32(&out);
    out.extend_from_slice(&checksum.to_be_bytes());
    out
}

/// The headers of the PES packets of a unit: behind the length of the first one, which has the times, and of the others.
struct PesHeads {
    first: Vec<u8>,
    others: &'static [u8],
}

/// The PES packets of a unit behind what stands in front of them.
fn packets(mut head: Vec<u8>, stream_id: u8, heads: PesHeads, front: &[u8], data: &Bytes) -> Vec<Bytes> {
    let mut parts = Vec::new();
    let mut rest = data.clone();
    let mut front = Some(front);
    while front.is_some() || !rest.is_empty() {
        let lead = front.take();
        let room = MAX_PAYLOAD.saturating_sub(lead.map_or(0, <[u8]>::len));
        let now = rest.split_to(room.min(rest.len()));
        let fields = if lead.is_some() { &heads.first[..] } else { heads.others };
        let payload = lead.map_or(0, <[u8]>::len) + now.len();
        let length = u16::try_from(fields.len() + payload).unwrap_or(u16::MAX);
        head.extend_from_slice(&[0, 0, 1, stream_id]);
        head.extend_from_slice(&length.to_be_bytes());
        head.extend_from_slice(fields);
        head.extend_from_slice(lead.unwrap_or_default());
        parts.push(Bytes::from(core::mem::take(&mut head)));
        parts.push(now);
    }
    parts
}

fn refused(why: impl Into<Cow<'static, str>>) -> Error {
    Error::mux("mpegps", why)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_units_are_spread_over_packets_that_say_their_length() {
        let data = Bytes::from(alloc::vec![7; 150_000]);
        let heads = Program::default().header(3600, 0);
        let file = packets(pack(90_000, 125_000, false), 0xe0, heads, &[1, 2], &data).concat();
        let (mut at, mut sizes) = (14, Vec::new());
        while let Some(rest) = file.get(at..).filter(|rest| !rest.is_empty()) {
            let pes::Parsed::Header(header) = pes::parse(rest) else { panic!("at {at}") };
            sizes.push((header.payload.unwrap(), header.pts, header.dts));
            at += header.size + header.payload.unwrap();
        }
        assert_eq!(sizes, [(65_000, Some(3600), Some(0)), (65_000, None, None), (20_002, None, None)]);
    }

    #[test]
    fn packs_of_mpeg_1_read_back_as_written() {
        let packets = |mpeg1| {
            let muxer = Program { mpeg1, ..Program::default() };
            packets(pack(90_000, 1234, mpeg1), 0xc0, muxer.header(7200, 3600), &[], &Bytes::from_static(&[9; 5]))
                .concat()
        };
        let file = packets(true);
        assert_eq!(super::super::demuxer::pack_length(&file), Some(12));
        let pes::Parsed::Header(header) = pes::parse(&file[12..]) else { panic!() };
        assert_eq!((header.size, header.payload), (16, Some(5)));
        assert_eq!((header.pts, header.dts), (Some(7200), Some(3600)));
        assert_eq!(packets(false).len(), file.len() + 2 + 3);
        let mut muxer = Program { mpeg1: true, ..Program::default() };
        let refused =
            muxer.start(&mut [StreamInfo::audio(Codec::Aac, 48_000, 2)], &Metadata::default(), &mut Output::default());
        assert!(refused.is_err());
    }

    #[test]
    fn maps_read_back_as_written() {
        let map = stream_map(&[0x1b, 0xe0, 0, 0, 0x90, 0xc0, 0, 0]);
        assert_eq!(psi::crc32(&map), 0);
        let map = super::super::map::StreamMap::parse(&map).unwrap();
        assert_eq!([0xe0, 0xc0].map(|id| map.codec(id)), [Some(Codec::H264), Some(Codec::PcmALaw)]);
    }
}
