//! MPEG audio frames → packets.

use alloc::{boxed::Box, string::ToString};
use core::task::Poll;

use super::{
    super::walk::{Met, Walk},
    clock::{Clock, TIME_BASE, samples},
};
use crate::{
    error::Result,
    format::{Demuxer, Event},
    input::Input,
    packet::{Flags, Packet, Trim},
    remark::Remark,
    stream::{Audio, Codec, Media, StreamInfo},
    syntax::{
        framing::Frame,
        mpeg_audio::{self, Header, Info, MpegFrames, frames::same_but_bitrate},
    },
    time::{Rounding, Ticks, TimeBase},
};

/// Frames of layer III that a decoder needs ahead: main data may begin 511 bytes back, in 9 of the shortest frames.
const PREROLL_III: u32 = 10;

pub(super) struct Mp3 {
    walk: Walk<MpegFrames>,
    /// The header that the stream was last described by.
    described: Option<Header>,
    info: Option<Info>,
    trim: Gapless,
    clock: Clock,
    duration: Option<Ticks>,
}

/// Samples that an information frame says are not part of the sound.
#[derive(Clone, Copy, Default)]
struct Gapless {
    start: u32,
    /// From the first to before the last.
    end: Option<(u64, u64)>,
    rate: u32,
}

impl Gapless {
    /// Samples of a packet to drop.
    fn of(&self, time: Ticks, duration: Ticks) -> Trim {
        let to_samples = |time| TIME_BASE.rescale(time, TimeBase::hz(self.rate), Rounding::Near).0.max(0) as u64;
        let (from, length) = (to_samples(time), to_samples(duration));
        let end = match self.end {
            Some((first, last)) if from < last => (from + length).saturating_sub(first).min(length),
            _ => 0,
        };
        Trim { start: if time.0 == 0 { self.start } else { 0 }, end: u32::try_from(end).unwrap_or(u32::MAX) }
    }
}

impl Mp3 {
    pub(super) fn new() -> Self {
        Self {
            walk: Walk::new(MpegFrames::default(), TIME_BASE),
            described: None,
            info: None,
            trim: Gapless::default(),
            clock: Clock::default(),
            duration: None,
        }
    }

    /// Whether the frame at the front is passed over as the reference does: the first one of all, when the next has
    /// another mode. Checksums exempt it, as ISO's own vectors change the mode there. `None` before the next is known.
    fn is_stray(&self, header: &Header, length: usize, input: &Input) -> Option<bool> {
        if self.walk.time > Ticks(0) || self.walk.seek.is_some() || header.crc {
            return Some(false);
        }
        let next = input.peek().get(length..).unwrap_or_default();
        if next.len() < mpeg_audio::HEADER && !input.ended() {
            return None;
        }
        let next = Header::parse(next).filter(|next| next.same_kind(header));
        Some(next.is_some_and(|next| !same_but_bitrate(header, &next)))
    }

    /// Takes the frame at the front and queues what it means.
    fn frame(&mut self, frame: Frame<Header>, input: &mut Input) {
        let (at, Frame { header, length, sure, behind_junk }) = (input.offset(), frame);
        let duration = self.clock.tick(&header, behind_junk);
        let time = self.walk.time;
        if self.walk.passes(length, duration, input) {
            return;
        }
        self.walk.time += duration;
        self.walk.seek = None;
        let Some(data) = input.take(length) else { return };
        let same = |known: Header| known.same_kind(&header) && known.channels() == header.channels();
        let changed = !self.described.is_some_and(same);
        let mut packet = Packet {
            pts: Some(time),
            dts: Some(time),
            duration: Some(duration),
            flags: Flags::KEY,
            position: Some(at),
            data,
            ..Packet::default()
        };
        packet.side.set_trim(self.trim.of(time, duration));
        if changed && !sure {
            packet.flags |= Flags::CORRUPT;
        } else if changed {
            if self.described.is_some() {
                packet.side.set_new_audio(header.sample_rate(), header.channels());
            }
            self.described = Some(header);
            self.describe(&header);
        }
        self.walk.pending.push_back(Event::Packet(packet));
    }

    /// Reads the frame at the front as an information frame. Returns whether it is one.
    fn inform(&mut self, header: &Header, length: usize, input: &mut Input) -> bool {
        let frame = input.peek().get(..length).unwrap_or_default();
        let Some(mut info) = Info::parse(header, frame) else { return false };
        let rest = input.size().map(|size| size.saturating_sub(input.offset()));
        let said = u64::from(info.bytes);
        if let Some(rest) = rest.filter(|_| said > 0) {
            let (low, high) = (rest.min(said), rest.max(said));
            if high - low > low >> 4 {
                if rest > said {
                    info.frames = 0;
                }
                input.warn(alloc::format!("Xing/Info header declares {said} bytes, the file has {rest}"));
            }
        }
        let rate = header.sample_rate();
        self.trim = Gapless { start: info.start_skip(), end: info.end_discard(header), rate };
        if info.frames > 0 {
            self.duration = Some(samples(i64::from(info.frames) * i64::from(header.samples()), rate));
        }
        self.info = Some(info);
        true
    }

    /// Queues a description of the stream as this header has it.
    fn describe(&mut self, header: &Header) {
        let (codec, ahead) = match header.layer {
            1 => (Codec::Mp1, 2),
            2 => (Codec::Mp2, 1),
            _ => (Codec::Mp3, PREROLL_III),
        };
        let audio = Audio {
            frame_size: header.samples(),
            preroll: ahead * header.samples(),
            delay: self.trim.start,
            ..Audio::new(header.sample_rate(), header.channels())
        };
        let mut stream = StreamInfo::new(codec, TIME_BASE, Media::Audio(audio));
        stream.start = Some(samples(i64::from(self.trim.start), header.sample_rate()));
        stream.duration = self.duration;
        if let Some(info) = &self.info {
            let counted = u64::from(info.frames) * u64::from(header.samples());
            if !info.constant && info.bytes > 0 && counted > 0 {
                let bits = u64::from(info.bytes) * 8 * u64::from(header.sample_rate());
                stream.bit_rate = Some((bits + counted / 2) / counted);
            }
            if let Some(lame) = info.lame.as_ref().filter(|lame| lame.intact) {
                stream.metadata.set("encoder", lame.encoder.to_string());
            }
        }
        self.walk.pending.push_back(Event::Stream(0, Box::new(stream)));
    }
}

impl Demuxer for Mp3 {
    fn poll(&mut self, input: &mut Input) -> Result<Poll<Event>> {
        loop {
            match self.walk.poll(input) {
                Met::Event(event) => return Ok(Poll::Ready(event)),
                Met::Pending => return Ok(Poll::Pending),
                Met::Frame(frame) => {
                    let Frame { header, length, .. } = frame;
                    // An information frame stands at the start or behind a tag.
                    let due = self.described.is_none() && input.offset() == self.walk.behind_tag;
                    if due && self.inform(&header, length, input) {
                        self.described = Some(header);
                        self.describe(&header);
                        input.skip(length);
                        // The first frame of sound has to prove itself too.
                        self.walk.framing.restart();
                        continue;
                    }
                    match self.is_stray(&header, length, input) {
                        None => return Ok(Poll::Pending),
                        Some(false) => self.frame(frame, input),
                        Some(true) => {
                            input.remark(
                                Remark::Junk { bytes: None },
                                "first frame passed over: the next one has another mode",
                            );
                            input.skip(length);
                        }
                    }
                }
                Met::Cut(header) => {
                    input.remark(Remark::Cut { missing: None }, "frame cut short by the end of the input");
                    let length = input.peek().len();
                    self.frame(Frame { header, length, sure: false, behind_junk: false }, input);
                    self.walk.pending.iter_mut().for_each(|event| {
                        if let Event::Packet(packet) = event {
                            packet.flags |= Flags::CORRUPT;
                        }
                    });
                }
                Met::End if self.walk.goes_back(input) => {}
                Met::End => {
                    self.duration = Some(self.walk.time);
                    return Ok(Poll::Ready(Event::End));
                }
            }
        }
    }

    fn reads_tags(&self) -> bool {
        true
    }

    fn seek(&mut self, to: Ticks, base: TimeBase, input: &mut Input) -> Result<()> {
        if self.walk.seek(to, base, input)? {
            self.clock = Clock::default();
        }
        Ok(())
    }

    fn duration(&self) -> Option<(Ticks, TimeBase)> {
        self.duration.map(|duration| (duration, TIME_BASE))
    }
}

#[cfg(test)]
mod tests {
    use alloc::{string::String, vec, vec::Vec};

    use super::*;
    use crate::syntax::mpeg_audio::info::Lame;

    /// Layer III, 44.1 kHz, 128 kbit/s, joint stereo.
    const PLAIN: [u8; 4] = [0xff, 0xfb, 0x90, 0x64];

    fn frame(header: [u8; 4]) -> Vec<u8> {
        let mut frame = vec![0x11; Header::parse(&header).unwrap().frame_length().unwrap()];
        frame[..4].copy_from_slice(&header);
        frame
    }

    /// Events that are read, one line per event.
    fn read(bytes: &[u8], size: Option<u64>) -> Vec<String> {
        let (mut input, mut mp3) = (size.map_or_else(Input::new, |size| Input::seekable(Some(size))), Mp3::new());
        input.push(bytes);
        input.end();
        let mut lines = vec![];
        loop {
            let event = mp3.poll(&mut input).unwrap();
            lines.extend(
                input.take_warnings().0.iter().map(|warning| alloc::format!("! {} {}", warning.at, warning.what)),
            );
            match event {
                Poll::Ready(Event::Stream(_, info)) => {
                    let audio = info.as_audio().unwrap();
                    lines.push(alloc::format!("{} {} {}", info.codec, audio.rate(), audio.channel_count()));
                }
                Poll::Ready(Event::Packet(p)) => {
                    let (at, trim) = (p.position.unwrap(), p.side.trim());
                    let damaged = if p.flags.has(Flags::CORRUPT) { " damaged" } else { "" };
                    lines.push(alloc::format!("{at} {} {},{}{damaged}", p.data.len(), trim.start, trim.end));
                }
                Poll::Ready(Event::End) => return lines,
                _ => {}
            }
        }
    }

    #[test]
    fn an_information_frame_trims_both_ends_and_is_left_out() {
        let lame = Lame { encoder: "LAME".into(), delay: 576, padding: 1000, intact: true };
        let header = Header::parse(&PLAIN).unwrap();
        let info = Info { constant: true, frames: 2, bytes: 3 * 417, toc: None, lame: Some(lame) };
        let bytes = [info.build(&header).unwrap(), frame(PLAIN), frame(PLAIN)].concat();
        let expected = ["mp3 44100 2", "417 417 1105,0", "834 417 0,471"];
        assert_eq!(read(&bytes, Some(bytes.len() as u64)), expected);
        assert_eq!(read(&bytes, None), expected);
        let twice = [&bytes[..], &bytes].concat();
        let got = read(&twice, Some(twice.len() as u64));
        assert!(got[0].starts_with("! 0 Xing/Info header declares "), "{}", got[0]);
        assert_eq!(got[2..4], ["417 417 1105,0", "834 417 0,0"]);
    }

    #[test]
    fn the_bit_rate_of_a_variable_one_is_the_nearest_to_its_sums() {
        let header = Header::parse(&PLAIN).unwrap();
        for (bytes, expected) in [(1000, 153_125), (1001, 153_278), (1005, 153_891), (0, 0)] {
            let info = Info { constant: false, frames: 2, bytes, toc: None, lame: None };
            let bytes = [info.build(&header).unwrap(), frame(PLAIN), frame(PLAIN)].concat();
            let (mut input, mut mp3) = (Input::new(), Mp3::new());
            input.push(&bytes);
            let Poll::Ready(Event::Stream(_, stream)) = mp3.poll(&mut input).unwrap() else {
                panic!("no stream in front")
            };
            assert_eq!(stream.bit_rate.unwrap_or(0), expected);
        }
    }

    #[test]
    fn junk_is_passed_over_with_headers_in_it_that_nothing_confirms() {
        let odd = frame([0xff, 0xff, 0x10, 0x04]);
        let bytes = [&frame(PLAIN)[..], &frame(PLAIN), b"junk", &odd, b"more", &frame(PLAIN), &frame(PLAIN)].concat();
        let behind = 834 + 4 + odd.len() + 4;
        let expected = [
            "mp3 44100 2".into(),
            "0 417 0,0".into(),
            "417 417 0,0".into(),
            alloc::format!("! 834 skipped {} bytes that are not a frame", behind - 834),
            alloc::format!("{behind} 417 0,0"),
            alloc::format!("{} 417 0,0", behind + 417),
        ];
        assert_eq!(read(&bytes, None), expected);
        // Two headers that confirm each other are still junk: a third does not follow.
        let loud = frame([0xff, 0xfb, 0xb0, 0x64]);
        let bytes =
            [&frame(PLAIN)[..], &frame(PLAIN), b"junk", &loud, &loud, b"more", &frame(PLAIN), &frame(PLAIN)].concat();
        let behind = 834 + 4 + 2 * loud.len() + 4;
        assert_eq!(read(&bytes, None)[3], alloc::format!("! 834 skipped {} bytes that are not a frame", behind - 834));
    }

    #[test]
    fn a_header_of_another_layer_at_the_end_is_junk() {
        let other = frame([0xff, 0xfd, 0x90, 0x64]);
        for tail in [&other[..], &other[..100]] {
            let got = read(&[&frame(PLAIN)[..], &frame(PLAIN), tail].concat(), None);
            let junk = alloc::format!("! 834 skipped {} bytes that are not a frame", tail.len());
            assert_eq!(got, ["mp3 44100 2", "0 417 0,0", "417 417 0,0", &junk]);
        }
    }

    #[test]
    fn a_change_that_the_next_frame_confirms_describes_the_stream_again() {
        let other = frame([0xff, 0xfb, 0x94, 0xc4]);
        let got = read(&[frame(PLAIN), frame(PLAIN), other.clone(), other].concat(), None);
        let expected = ["mp3 44100 2", "0 417 0,0", "417 417 0,0", "mp3 48000 1", "834 384 0,0", "1218 384 0,0"];
        assert_eq!(got, expected);
    }

    #[test]
    fn a_first_frame_of_another_mode_is_passed_over_unless_checksums_speak_for_it() {
        let stereo = frame([0xff, 0xfb, 0x90, 0x04]);
        let got = read(&[stereo, frame(PLAIN), frame(PLAIN)].concat(), None);
        let expected =
            ["! 0 first frame passed over: the next one has another mode", "mp3 44100 2", "417 417 0,0", "834 417 0,0"];
        assert_eq!(got, expected);
        let [stereo, joint] = [0x04, 0x64].map(|mode| frame([0xff, 0xfa, 0x90, mode]));
        assert_eq!(read(&[stereo, joint].concat(), None), ["mp3 44100 2", "0 417 0,0", "417 417 0,0"]);
    }

    #[test]
    fn a_first_frame_that_nothing_confirms_is_junk() {
        let bytes = [&frame(PLAIN)[..], b"no frame", &frame(PLAIN), &frame(PLAIN)].concat();
        let expected = ["! 0 skipped 425 bytes that are not a frame", "mp3 44100 2", "425 417 0,0", "842 417 0,0"];
        assert_eq!(read(&bytes, None), expected);
        assert_eq!(read(&frame(PLAIN), None), ["mp3 44100 2", "0 417 0,0"]);
    }

    #[test]
    fn free_format_and_a_cut_last_frame_are_read() {
        let mut free = vec![0x11; 700];
        free[..4].copy_from_slice(&[0xff, 0xfb, 0x00, 0x64]);
        let bytes = [&free[..], &free, &free, &free[..300]].concat();
        let expected = [
            "mp3 44100 2",
            "0 700 0,0",
            "700 700 0,0",
            "1400 700 0,0",
            "! 2100 frame cut short by the end of the input",
            "2100 300 0,0 damaged",
        ];
        assert_eq!(read(&bytes, None), expected);
    }
}
