//! Sun AU: a header of six words, an annotation, samples (au(5) of SunOS).
//!
//! ```text
//!   ".snd" offset(32) size(32) encoding(32) rate(32) channels(32) │ annotation │ samples …
//! ```
//!
//! A size of all ones lasts to the end of the input. Packets hold 40 ms, at most 1 MiB. Bytes behind the samples are passed over. ADPCM of G.721 to G.723 is refused.

use alloc::{boxed::Box, format};
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
    time::{Rounding, Ticks, TimeBase},
    timing::samples::exact_bits,
};

/// The row of this format.
pub const FORMAT: Format = Format {
    name: "au",
    long_name: "Sun AU",
    mime: &["audio/basic"],
    extensions: &["au", "snd"],
    probe,
    demuxer: Some(|pairs| {
        Settings::new(pairs, &[]).finish()?;
        Ok(Box::new(Au::default()))
    }),
    muxer: Some(|pairs| {
        Settings::new(pairs, &[]).finish()?;
        Ok(Box::new(Writing { base: TimeBase::SECONDS, data: 0, patched: false }))
    }),
    settings: &[],
    rules: Rules { no_timestamps: true, ..Rules::STRICT },
    default_codecs: (Some(Codec::PcmS16Be), None),
};

/// Bytes of the header without annotation.
const HEADER: usize = 24;

/// Most bytes in front of the samples.
const MAX_OFFSET: u32 = 1 << 20;

/// Packets per second, as the reference cuts them.
const PACKETS: usize = 25;

/// Most bytes of a packet.
const MAX_PACKET: usize = 1 << 20;

const ENCODINGS: &[(u32, Codec)] = &[
    (1, Codec::PcmMuLaw),
    (2, Codec::PcmS8),
    (3, Codec::PcmS16Be),
    (4, Codec::PcmS24Be),
    (5, Codec::PcmS32Be),
    (6, Codec::PcmF32Be),
    (7, Codec::PcmF64Be),
    (27, Codec::PcmALaw),
];

fn probe(bytes: &[u8]) -> Score {
    let same = bytes.iter().zip(b".snd").all(|(byte, mark)| byte == mark);
    match bytes.first_chunk::<16>() {
        _ if !same => Score::No("no AU mark"),
        None => Score::More("the start of an AU mark"),
        Some([.., a, b, c, _]) if [*a, *b, *c] == [0; 3] => Score::Sure("an AU mark and an encoding"),
        Some(_) => Score::No("an AU mark without an encoding"),
    }
}

#[derive(Default)]
struct Au {
    blocks: Option<(Blocks, TimeBase)>,
}

impl Demuxer for Au {
    fn poll(&mut self, input: &mut Input) -> Result<Poll<Event>> {
        if let Some((blocks, _)) = &self.blocks {
            let event = blocks.poll(input);
            if event != Poll::Ready(None) {
                return Ok(event.map(|event| event.unwrap_or(Event::End)));
            }
            // Bytes behind the samples are nothing of the format's.
            input.skip(usize::MAX);
            return Ok(if input.ended() { Poll::Ready(Event::End) } else { Poll::Pending });
        }
        let Some(&[a, b, c, d, e, f]) = input.peek().as_chunks::<4>().0.first_chunk::<6>() else {
            let cut = || Error::malformed("au", "a header of less than 24 bytes", input.offset());
            return if input.ended() { Err(cut()) } else { Ok(Poll::Pending) };
        };
        let at = input.offset();
        let [offset, size, encoding, rate, channels] = [b, c, d, e, f].map(u32::from_be_bytes);
        let wrong = |what| Error::malformed("au", what, at);
        if a != *b".snd" || !(HEADER as u32..=MAX_OFFSET).contains(&offset) {
            return Err(wrong("no AU mark, or samples at an impossible offset"));
        }
        let Some((_, codec)) = ENCODINGS.iter().find(|(row, _)| *row == encoding) else {
            return Err(Error::unsupported(format!("AU encoding {encoding}")));
        };
        let channels = u16::try_from(channels).ok().filter(|channels| (1..=256).contains(channels));
        let channels = channels.ok_or_else(|| wrong("a channel count that is not from 1 to 256"))?;
        if rate == 0 || rate > i32::MAX as u32 {
            return Err(wrong("a sample rate of 0 or above 2147483647 Hz"));
        }
        let bits = exact_bits(*codec) as u16;
        let block = usize::from(channels) * usize::from(bits / 8);
        let start = at.saturating_add(offset.into());
        let end = if size == u32::MAX { u64::MAX } else { start.saturating_add(size.into()) };
        input.goto(start)?;
        let packet = (rate as usize / PACKETS).clamp(1, (MAX_PACKET / block).max(1));
        let blocks = Blocks { start, end, block, samples: 1, packet };
        let base = TimeBase::hz(rate);
        let audio = Audio { bits_per_sample: bits, block_align: block as u32, ..Audio::new(rate, channels) };
        let mut stream = StreamInfo::new(*codec, base, Media::Audio(audio));
        stream.duration = blocks.total();
        stream.bit_rate = Some(block as u64 * 8 * u64::from(rate));
        self.blocks = Some((blocks, base));
        Ok(Poll::Ready(Event::Stream(0, Box::new(stream))))
    }

    fn seek(&mut self, to: Ticks, base: TimeBase, input: &mut Input) -> Result<()> {
        let Some((blocks, own)) = &self.blocks else { return Err(Error::unsupported("seeking before the header")) };
        blocks.seek(base.rescale(to, *own, Rounding::Down), input)
    }

    fn duration(&self) -> Option<(Ticks, TimeBase)> {
        self.blocks.and_then(|(blocks, base)| Some((blocks.total()?, base)))
    }
}

struct Writing {
    base: TimeBase,
    data: u64,
    /// Whether the size can be written at the end.
    patched: bool,
}

impl Muxer for Writing {
    fn start(&mut self, streams: &mut [StreamInfo], _: &Metadata, out: &mut Output) -> Result<()> {
        let [stream] = streams else { return Err(Error::mux("au", "takes one stream, of audio")) };
        let row = ENCODINGS.iter().find(|(_, codec)| *codec == stream.codec);
        let Some(((encoding, _), audio)) = row.zip(stream.as_audio()) else {
            return Err(Error::mux("au", format!("{} is not carried", stream.codec)));
        };
        let (rate, channels) = (audio.rate(), audio.channel_count());
        if rate == 0 || channels == 0 {
            return Err(Error::mux("au", "the rate and the number of channels must be known"));
        }
        self.base = TimeBase::hz(rate);
        self.patched = out.reach() != Reach::Append;
        let words = [HEADER as u32, u32::MAX, *encoding, rate, channels.into()];
        let mut head = b".snd".to_vec();
        words.iter().for_each(|word| head.extend_from_slice(&word.to_be_bytes()));
        stream.time_base = self.base;
        out.append(Mark::Header, [Bytes::from(head)]);
        Ok(())
    }

    fn packet(&mut self, packet: &Packet, out: &mut Output) -> Result<()> {
        self.data = self.data.saturating_add(packet.data.len() as u64);
        out.append(mark(packet, self.base, false, false), [packet.data.clone()]);
        Ok(())
    }

    fn takes_frames(&self) -> bool {
        true
    }

    fn finish(&mut self, out: &mut Output) -> Result<()> {
        // A size that does not fit stays "to the end".
        if let (true, Ok(size)) = (self.patched, u32::try_from(self.data)) {
            out.overwrite(8, Bytes::copy_from_slice(&size.to_be_bytes()));
        }
        Ok(())
    }
}
