//! Bytes as a program for a packet writer: hostile settings, streams, packets and orders of calls for every muxer.

use std::num::NonZeroU32;

use bytes::Bytes;
use maliu_core::{
    format::Format,
    formats,
    output::{Edit, Output, Reach},
    packet::{Flags, Frame, Packet, Trim},
    stream::{Audio, Codec, Kind, Media, Metadata, StreamInfo, Video},
    time::{Ticks, TimeBase},
    writer::{Plan, SETTINGS},
};

/// Values that settings are given, good and bad.
const VALUES: [&str; 12] =
    ["1", "0", "-1", "2", "5.1", "md5", "+bitexact-autobsf", "", "99999999999", "1.5", "make_zero", "x"];

/// Starts of payloads that muxers look at.
const STARTS: [&[u8]; 8] = [
    b"",
    b"\xff\xf1\x50\x80\x02\x1f\xfc",
    b"\xff\xf9\x50\x80\x01\xbf\xfc",
    b"\0\0\0\x01\x67\x42\xc0\x0a",
    b"\0\0\x01\x65\x88",
    b"\0\0\0\x02\x41\x9a",
    b"\xff\xfb\x90\x64",
    b"\x02\0\x0aonMetaData\x08",
];

/// Bytes by which an output can grow beside its payload: a header or tags for each call, and the frame around it.
const MAX_EXTRA: usize = 64 << 10;

/// Runs `data` as a program.
pub fn run(data: &[u8]) {
    let mut program = Program(data);
    let muxers: Vec<&Format> = formats::ALL.iter().copied().filter(|format| format.muxer.is_some()).collect();
    let format = muxers[usize::from(program.byte()) % muxers.len()];
    let reach = [Reach::Append, Reach::Overwrite, Reach::Insert][usize::from(program.byte()) % 3];
    let settings: Vec<(&str, &str)> = (0..program.byte() % 4).map(|_| program.setting(format)).collect();
    let streams: Vec<StreamInfo> = (0..program.byte() % 4).map(|_| program.stream(format)).collect();
    let mut metadata = Metadata::default();
    metadata.set("title", String::from_utf8_lossy(program.take(9)));
    let (mut out, mut file) = (Output::new(reach), Vec::new());
    let started = Plan::new(format, &settings, &metadata).start(&streams, &mut out);
    let Ok(mut writer) = started else { return };
    writer.explain(program.byte() % 2 == 0);
    apply(&mut out, &mut file);
    let (mut given, mut calls) = (data.len(), 1);
    while !program.0.is_empty() {
        let (call, packet) = (program.byte(), program.packet());
        given += packet.data.len() + packet.side.new_config().map_or(0, Bytes::len);
        calls += 1;
        let _ = match call % 16 {
            0 => writer.flush(&mut out),
            1 => writer.drain(&mut out),
            2 => {
                let Packet { stream, time_base, pts, duration, data, .. } = packet;
                let frame = Frame::of(stream, u32::from(call), data).at(pts).with_duration(duration);
                writer.write_frame(frame.with_time_base(time_base), &mut out)
            }
            3 => {
                metadata.set(format!("k{call}"), "v");
                writer.update_metadata(&metadata);
                Ok(())
            }
            4..=9 => writer.write_interleaved(packet, &mut out),
            _ => writer.write(packet, &mut out),
        };
        apply(&mut out, &mut file);
        while writer.next_explanation().is_some() {}
        assert!(writer.waiting().1 <= given, "{}: more waits than was given", format.name);
    }
    let finished = writer.finish(&mut out);
    apply(&mut out, &mut file);
    assert_eq!(file.len() as u64, out.position(), "{}", format.name);
    assert!(file.len() <= 8 * given + calls * MAX_EXTRA, "{}: {} bytes of {given}", format.name, file.len());
    if format.demuxer.is_some() {
        let (_, failure) = super::events(Some(format), &file, usize::MAX);
        assert!(format.name != "flv" || finished.is_err() || failure.is_none(), "{failure:?}");
    }
    if format.name == "flv" && finished.is_ok() {
        tags_follow_each_other(&file);
    }
}

/// Every tag of an FLV file says its size before and behind its body.
fn tags_follow_each_other(file: &[u8]) {
    let mut rest = &file[13..];
    while let Some([_, s2, s1, s0]) = rest.first_chunk() {
        let length = u32::from_be_bytes([0, *s2, *s1, *s0]) as usize + 11;
        assert_eq!(rest[length..length + 4], (length as u32).to_be_bytes());
        rest = &rest[length + 4..];
    }
    assert!(rest.is_empty());
}

fn apply(out: &mut Output, file: &mut Vec<u8>) {
    while let Some(edit) = out.next_edit() {
        match edit {
            Edit::Append(piece) => piece.parts.iter().for_each(|part| file.extend_from_slice(part)),
            Edit::Overwrite { at, bytes } => {
                assert!(out.reach() >= Reach::Overwrite);
                file[at as usize..][..bytes.len()].copy_from_slice(&bytes);
            }
            Edit::Insert { at, bytes } => {
                assert!(out.reach() == Reach::Insert);
                drop(file.splice(at as usize..at as usize, bytes));
            }
        }
    }
    assert!(out.take_warnings().len() <= maliu_core::input::MAX_WARNINGS);
}

/// Bytes, of which each question takes some; zeros behind the end.
struct Program<'a>(&'a [u8]);

impl<'a> Program<'a> {
    fn take(&mut self, n: usize) -> &'a [u8] {
        let (now, later) = self.0.split_at(n.min(self.0.len()));
        self.0 = later;
        now
    }

    fn byte(&mut self) -> u8 {
        self.take(1).first().copied().unwrap_or(0)
    }

    fn number(&mut self) -> u64 {
        self.take(8).iter().fold(0, |number, byte| number << 8 | u64::from(*byte))
    }

    fn setting(&mut self, format: &'static Format) -> (&'static str, &'static str) {
        let all = [format.settings, SETTINGS].concat();
        let name = all[usize::from(self.byte()) % all.len()].name;
        (name, VALUES[usize::from(self.byte()) % VALUES.len()])
    }

    fn stream(&mut self, format: &Format) -> StreamInfo {
        let way = self.byte();
        let usual = if way & 1 == 0 { format.default_codecs.0 } else { format.default_codecs.1 };
        let codec = Codec::ALL[usize::from(self.byte()) % Codec::ALL.len()];
        let codec = usual.filter(|_| way & 6 != 0).unwrap_or(codec);
        let rate = [44_100, 48_000, 8000, 22_050, 0, u32::MAX, 1, 96_000][usize::from(self.byte() % 8)];
        let small = u32::from(self.byte());
        let media = match codec.kind() {
            Kind::Audio => {
                let mut audio = Audio::new(rate, small as u16 % 9);
                audio.bits_per_sample = [0, 4, 8, 16, 24, 64][small as usize % 6];
                (audio.frame_size, audio.block_align) = (small * 8, small);
                Media::Audio(audio)
            }
            Kind::Video => {
                let mut video = Video::new(small, rate % 4096);
                (video.reorder, video.frame_rate) = (way, Some((small, rate)));
                Media::Video(video)
            }
            Kind::Subtitle => Media::Subtitle,
            Kind::Data => Media::Data,
            Kind::Attachment => Media::Attachment,
        };
        let base = TimeBase::new(1 + small, rate.max(1)).filter(|_| way & 8 == 0).unwrap_or(TimeBase::MILLIS);
        let mut stream = StreamInfo::new(codec, base, media);
        let size = usize::from(self.byte() % 48);
        stream.config = Bytes::copy_from_slice(self.take(size));
        stream.codec_tag = NonZeroU32::new(small).filter(|_| way & 0x30 == 0x30);
        stream.attachment = way & 0xc0 == 0xc0;
        stream.bit_rate = (way & 0x40 != 0).then_some(u64::MAX / 3);
        stream
    }

    fn time(&mut self) -> Option<Ticks> {
        match self.byte() {
            0..=15 => None,
            16..=31 => Some(Ticks(self.number() as i64)),
            step => Some(Ticks(i64::from(step) * 8 - 300)),
        }
    }

    fn packet(&mut self) -> Packet {
        let way = self.byte();
        let start = STARTS[usize::from(way % 8)];
        let size = usize::from(self.byte()) * if way == 255 { 70_000 } else { 1 };
        let mut data = [start, self.take(size.min(64))].concat();
        data.resize(data.len().max(size), way);
        let (pts, dts) = (self.time(), self.time());
        let duration = Ticks(i64::from(self.byte()) - 8);
        let mut packet = Packet::of(usize::from(way >> 3 & 3), data)
            .with_pts(pts)
            .with_dts(dts)
            .with_duration(duration)
            .with_flags(Flags::from_bits(way >> 4));
        if way & 0xe0 == 0x20 {
            packet.side.set_new_config(Bytes::copy_from_slice(self.take(20)));
        }
        if way & 0xe0 == 0x40 {
            packet.side.set_trim(Trim { start: u32::from(way) << 20, end: u32::from(way) });
        }
        packet
    }
}
