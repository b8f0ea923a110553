//! AIFF and AIFF-C: chunks behind FORM, one of facts and one of samples (Apple, AIFF 1.3 and AIFF-C).
//!
//! ```text
//!   "FORM" size(32) "AIFF"|"AIFC" { id size(32) body [pad to 2] }…
//!   COMM: channels(16) frames(32) bits(16) rate(80) [compression name]      SSND: offset(32) block(32) │ samples …
//! ```
//!
//! Packets hold whole blocks of at most 4096 bytes. NAME, AUTH, "(c) ", ANNO and ID3 chunks become tags; those behind the
//! samples are read where they stand. Compressions other than PCM, G.711 and IMA ADPCM are refused. Written: PCM and G.711, in
//! an output whose front can be written again.

use alloc::{boxed::Box, collections::VecDeque, format, string::String, vec::Vec};
use core::task::Poll;

use bytes::Bytes;

use super::blocks::Blocks;
use crate::{
    error::{Error, Result},
    format::{Demuxer, Event, Format, Muxer, Rules, Score, mark},
    input::Input,
    output::{Mark, Output, Reach},
    packet::Packet,
    settings::Settings,
    stream::{Audio, Codec, Media, Metadata, StreamInfo},
    syntax::id3v2,
    time::{Rounding, Ticks, TimeBase},
    timing::samples::exact_bits,
};

/// The row of this format.
pub const FORMAT: Format = Format {
    name: "aiff",
    long_name: "AIFF and AIFF-C",
    mime: &["audio/aiff", "audio/x-aiff"],
    extensions: &["aiff", "aif", "aifc", "afc"],
    probe,
    demuxer: Some(|pairs| {
        Settings::new(pairs, &[]).finish()?;
        Ok(Box::new(Aiff::default()))
    }),
    muxer: Some(|pairs| {
        Settings::new(pairs, &[]).finish()?;
        Ok(Box::new(Writing::default()))
    }),
    settings: &[],
    rules: Rules { no_timestamps: true, ..Rules::STRICT },
    default_codecs: (Some(Codec::PcmS16Be), None),
};

/// Most bytes of a chunk other than the samples that are read; the rest is passed over.
const MAX_CHUNK: usize = 256 << 10;

/// Most bytes of a packet, unless one block is larger.
const PACKET: usize = 4096;

/// Compression, and its codec.
const COMPRESSIONS: &[(&[u8; 4], Codec)] = &[
    (b"sowt", Codec::PcmS16Le),
    (b"fl32", Codec::PcmF32Be),
    (b"FL32", Codec::PcmF32Be),
    (b"fl64", Codec::PcmF64Be),
    (b"FL64", Codec::PcmF64Be),
    (b"alaw", Codec::PcmALaw),
    (b"ALAW", Codec::PcmALaw),
    (b"ulaw", Codec::PcmMuLaw),
    (b"ULAW", Codec::PcmMuLaw),
    (b"in24", Codec::PcmS24Be),
    (b"in32", Codec::PcmS32Be),
    (b"raw ", Codec::PcmU8),
    (b"ima4", Codec::AdpcmImaQt),
];

fn probe(bytes: &[u8]) -> Score {
    let same = |at: usize, marks: &[u8; 4]| {
        bytes.get(at..).unwrap_or_default().iter().zip(marks).all(|(byte, mark)| byte == mark)
    };
    match bytes.len() {
        _ if !same(0, b"FORM") || !(same(8, b"AIFF") || same(8, b"AIFC")) => Score::No("no FORM and AIFF marks"),
        0..12 => Score::More("the start of a FORM mark"),
        _ => Score::Sure("FORM and AIFF marks"),
    }
}

#[derive(Default)]
struct Aiff {
    begun: bool,
    origin: u64,
    compressed: bool,
    stream: Option<StreamInfo>,
    /// Bytes and samples of a block.
    block: (usize, u32),
    blocks: Option<Blocks>,
    /// The samples are over: only tags may follow.
    over: bool,
    metadata: Metadata,
    told: Metadata,
    pending: VecDeque<Event>,
}

impl Demuxer for Aiff {
    fn poll(&mut self, input: &mut Input) -> Result<Poll<Event>> {
        loop {
            if let Some(event) = self.pending.pop_front() {
                return Ok(Poll::Ready(event));
            }
            if let Some(blocks) = self.blocks.filter(|_| !self.over) {
                match blocks.poll(input) {
                    Poll::Pending => return Ok(Poll::Pending),
                    Poll::Ready(Some(event)) => return Ok(Poll::Ready(event)),
                    Poll::Ready(None) => self.over = true,
                }
                continue;
            }
            match self.chunk(input)? {
                Poll::Pending => return Ok(Poll::Pending),
                Poll::Ready(true) => {}
                Poll::Ready(false) => {
                    self.tell();
                    match self.pending.pop_front() {
                        Some(event) => return Ok(Poll::Ready(event)),
                        None => return Ok(Poll::Ready(Event::End)),
                    }
                }
            }
        }
    }

    fn seek(&mut self, to: Ticks, base: TimeBase, input: &mut Input) -> Result<()> {
        let Some((blocks, stream)) = self.blocks.as_ref().zip(self.stream.as_ref()) else {
            return Err(Error::unsupported("seeking before the samples were reached"));
        };
        blocks.seek(base.rescale(to, stream.time_base, Rounding::Down), input)?;
        self.over = false;
        Ok(())
    }

    fn duration(&self) -> Option<(Ticks, TimeBase)> {
        let stream = self.stream.as_ref()?;
        Some((stream.duration?, stream.time_base))
    }
}

impl Aiff {
    /// Reads the mark or one chunk. `false` behind the last one.
    fn chunk(&mut self, input: &mut Input) -> Result<Poll<bool>> {
        let at = input.offset();
        if !self.begun {
            let Some(head) = input.peek().first_chunk::<12>() else {
                return if input.ended() {
                    Err(Error::malformed("aiff", "no FORM mark", at))
                } else {
                    Ok(Poll::Pending)
                };
            };
            self.compressed = head.ends_with(b"AIFC");
            if !head.starts_with(b"FORM") || !(self.compressed || head.ends_with(b"AIFF")) {
                return Err(Error::malformed("aiff", "no FORM and AIFF marks", at));
            }
            (self.begun, self.origin) = (true, at);
            input.skip(12);
            return Ok(Poll::Ready(true));
        }
        let Some(&[i0, i1, i2, i3, s0, s1, s2, s3]) = input.peek().first_chunk::<8>() else {
            if !input.ended() {
                return Ok(Poll::Pending);
            }
            return if self.blocks.is_some() { Ok(Poll::Ready(false)) } else { Err(self.missing(at)) };
        };
        let (id, size) = ([i0, i1, i2, i3], u32::from_be_bytes([s0, s1, s2, s3]));
        if &id == b"SSND" && self.blocks.is_none() {
            return self.samples(size, input);
        }
        let body = at.saturating_add(8);
        if matches!(&id, b"COMM" | b"NAME" | b"AUTH" | b"(c) " | b"ANNO" | b"ID3 ") {
            let wanted = (size as usize).min(MAX_CHUNK);
            let seen = input.peek().get(8..).unwrap_or_default();
            if seen.len() < wanted && !input.ended() {
                return Ok(Poll::Pending);
            }
            let bytes = Bytes::copy_from_slice(seen.get(..wanted).unwrap_or(seen));
            self.read(id, &bytes, at)?;
        }
        input.goto(body.saturating_add(size.into()).saturating_add(u64::from(size & 1)))?;
        Ok(Poll::Ready(true))
    }

    fn missing(&self, at: u64) -> Error {
        let what = if self.stream.is_none() { "no COMM chunk" } else { "no SSND chunk" };
        Error::malformed("aiff", what, at)
    }

    fn read(&mut self, id: [u8; 4], body: &[u8], at: u64) -> Result<()> {
        let tag = match &id {
            b"COMM" if self.stream.is_none() => {
                let (stream, block) = common(body, self.compressed, at)?;
                (self.stream, self.block) = (Some(stream), block);
                return Ok(());
            }
            b"ID3 " => {
                id3v2::read(body, &mut self.metadata);
                return Ok(());
            }
            b"NAME" => "title",
            b"AUTH" => "author",
            b"(c) " => "copyright",
            b"ANNO" => "comment",
            _ => return Ok(()),
        };
        let text = String::from_utf8_lossy(body);
        self.metadata.set(tag, text.trim_end_matches('\0'));
        Ok(())
    }

    /// At the head of the samples.
    fn samples(&mut self, size: u32, input: &mut Input) -> Result<Poll<bool>> {
        let at = input.offset();
        let Some(stream) = &mut self.stream else { return Err(Error::malformed("aiff", "samples before COMM", at)) };
        let Some(head) = input.peek().first_chunk::<16>() else {
            return if input.ended() {
                Err(Error::malformed("aiff", "a cut SSND chunk", at))
            } else {
                Ok(Poll::Pending)
            };
        };
        let offset =
            head.last_chunk::<8>().and_then(|tail| tail.first_chunk()).map_or(0, |word| u32::from_be_bytes(*word));
        let end = at.saturating_add(8).saturating_add(size.into());
        let start = at.saturating_add(16).saturating_add(offset.into());
        let (block, samples) = self.block;
        // Recorders that were cut off left no size.
        let end = if size <= 8 { u64::MAX } else { end };
        let blocks = Blocks { start, end, block, samples, packet: (PACKET / block).max(1) };
        input.goto(start)?;
        stream.duration = stream.duration.or(blocks.total());
        let stream = stream.clone();
        self.blocks = Some(blocks);
        self.tell();
        self.pending.push_back(Event::Stream(0, Box::new(stream)));
        Ok(Poll::Ready(true))
    }

    fn tell(&mut self) {
        if self.metadata != self.told {
            self.told = self.metadata.clone();
            self.pending.push_back(Event::Metadata(Box::new(self.told.clone())));
        }
    }
}

/// The stream of a COMM chunk, and the bytes and samples of a block.
fn common(body: &[u8], compressed: bool, at: u64) -> Result<(StreamInfo, (usize, u32))> {
    let wrong = |what| Error::malformed("aiff", what, at);
    let Some((&[c0, c1, f0, f1, f2, f3, b0, b1, ref rate @ ..], rest)) = body.split_first_chunk::<18>() else {
        return Err(wrong("a COMM chunk of less than 18 bytes"));
    };
    let channels = u16::from_be_bytes([c0, c1]);
    let (frames, bits) = (u32::from_be_bytes([f0, f1, f2, f3]), u16::from_be_bytes([b0, b1]));
    let rate = extended(rate).filter(|rate| (1..=i32::MAX as u32).contains(rate));
    let rate = rate.ok_or_else(|| wrong("a sample rate that is not from 1 to 2147483647 Hz"))?;
    if !(1..=256).contains(&channels) {
        return Err(wrong("a channel count that is not from 1 to 256"));
    }
    let kind = rest.first_chunk::<4>().filter(|_| compressed).unwrap_or(b"NONE");
    let codec = match COMPRESSIONS.iter().find(|(row, _)| *row == kind) {
        Some((_, codec)) => *codec,
        None if matches!(kind, b"NONE" | b"twos") => match bits {
            1..=8 => Codec::PcmS8,
            9..=16 => Codec::PcmS16Be,
            17..=24 => Codec::PcmS24Be,
            25..=32 => Codec::PcmS32Be,
            _ => return Err(wrong("a sample size that is not from 1 to 32 bits")),
        },
        None => return Err(Error::unsupported(format!("AIFF-C compression {:?}", String::from_utf8_lossy(kind)))),
    };
    let (bytes, samples) = match codec {
        // A block of a channel: two bytes of state, 64 samples of 4 bits.
        Codec::AdpcmImaQt => (34, 64),
        codec => (exact_bits(codec) as usize / 8, 1),
    };
    let block = bytes.max(1) * usize::from(channels);
    let stored = if codec == Codec::AdpcmImaQt { 4 } else { exact_bits(codec) as u16 };
    let audio = Audio { bits_per_sample: stored, block_align: block as u32, ..Audio::new(rate, channels) };
    let mut stream = StreamInfo::new(codec, TimeBase::hz(rate), Media::Audio(audio));
    stream.duration = (frames > 0).then_some(Ticks(i64::from(frames) * i64::from(samples)));
    if samples == 1 {
        stream.bit_rate = Some(block as u64 * 8 * u64::from(rate));
    }
    Ok((stream, (block, samples)))
}

/// A number of 80 bits as a whole one, to the nearest.
fn extended(bytes: &[u8; 10]) -> Option<u32> {
    let [e0, e1, mantissa @ ..] = bytes;
    let exponent = i32::from(u16::from_be_bytes([*e0, *e1])) - 16_383;
    let shift = 63u32.checked_sub(u32::try_from(exponent).ok()?)?;
    let mantissa = u64::from_be_bytes(*mantissa);
    let half = if shift > 0 { 1u64 << (shift - 1) } else { 0 };
    u32::try_from(mantissa.checked_add(half)? >> shift).ok()
}

/// The other way round.
fn to_extended(value: u32) -> [u8; 10] {
    let zeros = u64::from(value).leading_zeros().min(63);
    let exponent = (16_383 + 63 - zeros) as u16;
    let mantissa = u64::from(value) << zeros;
    let mut out = [0; 10];
    let bytes = exponent.to_be_bytes().into_iter().chain(mantissa.to_be_bytes());
    out.iter_mut().zip(bytes).for_each(|(place, byte)| *place = byte);
    out
}

#[derive(Default)]
struct Writing {
    base: TimeBase,
    /// Everything in front of the samples, with sizes of 0.
    head: Vec<u8>,
    /// Offset of the number of frames, and of the size of SSND.
    places: (usize, usize),
    block: u64,
    data: u64,
}

impl Muxer for Writing {
    fn start(&mut self, streams: &mut [StreamInfo], metadata: &Metadata, out: &mut Output) -> Result<()> {
        let [stream] = streams else { return Err(Error::mux("aiff", "takes one stream, of audio")) };
        if out.reach() == Reach::Append {
            return Err(Error::mux("aiff", "needs an output that can be written again at its front; use au for pipes"));
        }
        let row = COMPRESSIONS.iter().find(|(_, codec)| *codec == stream.codec).map(|(row, _)| *row);
        let plain = [Codec::PcmS8, Codec::PcmS16Be, Codec::PcmS24Be, Codec::PcmS32Be].contains(&stream.codec);
        let row = if plain { None } else { row };
        let Some(audio) = stream.as_audio().filter(|_| plain || (row.is_some() && exact_bits(stream.codec) > 0)) else {
            return Err(Error::mux("aiff", format!("{} is not written", stream.codec)));
        };
        let (rate, channels, bits) = (audio.rate(), audio.channel_count(), exact_bits(stream.codec) as u16);
        if rate == 0 || channels == 0 {
            return Err(Error::mux("aiff", "the rate and the number of channels must be known"));
        }
        self.block = u64::from(channels) * u64::from(bits / 8);
        self.base = TimeBase::hz(rate);
        stream.time_base = self.base;
        let head = &mut self.head;
        head.extend_from_slice(b"FORM\0\0\0\0");
        head.extend_from_slice(if plain { b"AIFF" } else { b"AIFC" });
        if !plain {
            chunk(head, b"FVER", &0xa280_5140u32.to_be_bytes());
        }
        for (id, key) in [(b"NAME", "title"), (b"AUTH", "author"), (b"(c) ", "copyright"), (b"ANNO", "comment")] {
            if let Some(text) = metadata.value(key).or(metadata.value("artist").filter(|_| key == "author")) {
                chunk(head, id, text.as_bytes().get(..MAX_CHUNK).unwrap_or(text.as_bytes()));
            }
        }
        let mut facts = channels.to_be_bytes().to_vec();
        facts.extend_from_slice(&[0; 4]);
        facts.extend_from_slice(&bits.to_be_bytes());
        facts.extend_from_slice(&to_extended(rate));
        if let Some(row) = row {
            // No name: a length of 0 and its padding.
            facts.extend_from_slice(row);
            facts.extend_from_slice(&[0, 0]);
        }
        self.places.0 = head.len() + 10;
        chunk(head, b"COMM", &facts);
        self.places.1 = head.len() + 4;
        head.extend_from_slice(b"SSND\0\0\0\0\0\0\0\0\0\0\0\0");
        out.append(Mark::Header, [Bytes::from(head.clone())]);
        Ok(())
    }

    fn packet(&mut self, packet: &Packet, out: &mut Output) -> Result<()> {
        let data = self.data.saturating_add(packet.data.len() as u64);
        if data.saturating_add(self.head.len() as u64) >= u64::from(u32::MAX) {
            return Err(Error::mux("aiff", "more than 4 GiB do not fit"));
        }
        self.data = data;
        out.append(mark(packet, self.base, false, false), [packet.data.clone()]);
        Ok(())
    }

    fn takes_frames(&self) -> bool {
        true
    }

    fn finish(&mut self, out: &mut Output) -> Result<()> {
        if self.data % 2 == 1 {
            out.append(Mark::Trailer, [Bytes::from_static(&[0])]);
        }
        let padded = self.data + self.data % 2;
        let (frames, size) = self.places;
        let form = (self.head.len() as u64 - 8 + padded) as u32;
        for (at, value) in
            [(4, form), (frames, self.data.checked_div(self.block).unwrap_or(0) as u32), (size, (self.data + 8) as u32)]
        {
            out.overwrite(at as u64, Bytes::copy_from_slice(&value.to_be_bytes()));
        }
        Ok(())
    }
}

fn chunk(out: &mut Vec<u8>, id: &[u8; 4], body: &[u8]) {
    out.extend_from_slice(id);
    out.extend_from_slice(&(body.len() as u32).to_be_bytes());
    out.extend_from_slice(body);
    if body.len() % 2 == 1 {
        out.push(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_of_80_bits_read_back_as_written() {
        for rate in [1, 8000, 44_100, 48_000, 192_000, i32::MAX as u32] {
            assert_eq!(extended(&to_extended(rate)), Some(rate));
        }
        assert_eq!(extended(&[0x40, 0x0e, 0xac, 0x44, 0, 0, 0, 0, 0, 0]), Some(44_100));
        assert_eq!(extended(&[0xff; 10]), None);
    }
}
