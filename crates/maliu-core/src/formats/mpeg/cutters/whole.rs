//! PES packets as they are: subtitles, data, and codecs whose frames are not told apart.

use alloc::boxed::Box;

use bytes::Bytes;

use super::{Cut, Cutter, Facts, Unit};
use crate::{
    error::Result,
    input::Input,
    stream::{Audio, Codec, Media},
};

/// Most bytes of one packet; what is longer comes in parts.
const MAX_PES: usize = 4 << 20;

pub(in super::super) struct Whole {
    codec: Codec,
    complete: bool,
    described: Option<Facts>,
}

impl Whole {
    pub(crate) fn of(codec: Codec) -> Self {
        Self { codec, complete: false, described: None }
    }
}

impl Cutter for Whole {
    fn poll(&mut self, input: &mut Input) -> Result<Cut> {
        let length = input.peek().len();
        if !(self.complete || input.ended() || length > MAX_PES) {
            return Ok(Cut::NeedBytes);
        }
        self.complete = false;
        if length == 0 {
            return Ok(if input.ended() { Cut::End } else { Cut::NeedBytes });
        }
        let at = input.offset();
        let data = input.take(length).unwrap_or_default();
        let end = at.saturating_add(length as u64);
        let (facts, samples) = self.describe(&data);
        let key = self.codec.kind() != crate::stream::Kind::Video;
        Ok(Cut::Unit(Unit { at, end, data, key, samples, facts, ..Unit::default() }))
    }

    fn pes_ends(&mut self, _: &mut Input, _: bool) {
        self.complete = true;
    }

    fn spans_packets(&self) -> bool {
        false
    }

    fn restart(&mut self) {
        self.complete = false;
    }
}

impl Whole {
    /// Facts in the head of uncompressed audio.
    fn describe(&mut self, data: &[u8]) -> (Option<Box<Facts>>, (u32, u32)) {
        let head = match self.codec {
            Codec::PcmBluray => bluray(data),
            Codec::S302m => s302m(data),
            Codec::PcmDvd => dvd(data),
            Codec::PcmALaw | Codec::PcmMuLaw => Some((8000, 1, 8, u32::try_from(data.len()).unwrap_or(0))),
            _ => None,
        };
        let Some((sample_rate, channels, bits, samples)) = head else { return (None, (0, 0)) };
        let audio = Audio { bits_per_sample: bits, ..Audio::new(sample_rate, channels) };
        let facts = Facts { codec: self.codec, media: Media::Audio(audio), config: Bytes::new(), profile: None };
        let news = self.described.as_ref() != Some(&facts);
        self.described = Some(facts.clone());
        (news.then(|| Box::new(facts)), (samples, sample_rate))
    }
}

type Pcm = (u32, u16, u16, u32);

/// LPCM of Blu-ray discs: a head of 4 bytes, samples padded to an even number of channels.
fn bluray(data: &[u8]) -> Option<Pcm> {
    let (&[_, _, layout, depth], samples) = data.split_first_chunk()?;
    let rate = match layout & 15 {
        1 => 48_000,
        4 => 96_000,
        5 => 192_000,
        _ => return None,
    };
    let channels: u16 = *[0, 1, 0, 2, 3, 3, 4, 4, 5, 6, 7, 8].get(usize::from(layout >> 4))?;
    let bits = *[0, 16, 20, 24].get(usize::from(depth >> 6))?;
    let frame = usize::from(channels.next_multiple_of(2)) * if bits == 16 { 2 } else { 3 };
    let count = samples.len().checked_div(frame)?;
    (channels > 0 && bits > 0).then_some((rate, channels, bits, count as u32))
}

/// SMPTE 302M: a head of 4 bytes, pairs of AES3 samples.
fn s302m(data: &[u8]) -> Option<Pcm> {
    let (&[_, _, a, b], samples) = data.split_first_chunk()?;
    let channels = u16::from(a >> 6) * 2 + 2;
    let bits = match b >> 4 & 3 {
        0 => 16,
        1 => 20,
        2 => 24,
        _ => return None,
    };
    let frame = usize::from(channels) * usize::from(bits + 4) / 8;
    Some((48_000, channels, bits, samples.len().checked_div(frame)? as u32))
}

/// LPCM of DVDs: three bytes of head stand in front of the samples, which come in pairs.
fn dvd(data: &[u8]) -> Option<Pcm> {
    let (&[_, format, _], samples) = data.split_first_chunk()?;
    let rate = *[48_000, 96_000, 44_100, 32_000].get(usize::from(format >> 4 & 3))?;
    let channels = u16::from(format & 7) + 1;
    let bits = *[16, 20, 24].get(usize::from(format >> 6))?;
    let pairs = samples.len().checked_div(usize::from(channels * bits) / 4)?;
    Some((rate, channels, bits, 2 * pairs as u32))
}
