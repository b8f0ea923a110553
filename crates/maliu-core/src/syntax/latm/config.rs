//! StreamMuxConfig: how the payloads of an AudioMuxElement are laid out (ISO/IEC 14496-3 §1.7.3.2.3).

use alloc::vec::Vec;

use bytes::Bytes;

use crate::{
    bits::{BitWriter, Bits},
    stream::Audio,
    syntax::aac::AudioSpecificConfig,
};

/// How payloads are laid out, until another configuration comes.
#[derive(Clone, Debug, PartialEq)]
pub struct StreamMuxConfig {
    /// audioMuxVersion.
    pub version: bool,
    /// allStreamsSameTimeFraming: every subframe has a payload of every layer.
    pub same_framing: bool,
    /// Subframes of an element, 1 to 64.
    pub subframes: u32,
    /// The layers of all programs in order; at most 128.
    pub layers: Vec<Layer>,
    /// Bits of other data behind the payloads.
    pub other_bits: u64,
}

/// One layer of one program.
#[derive(Clone, Debug, PartialEq)]
pub struct Layer {
    /// The AudioSpecificConfig, its bits moved to the front of the first byte.
    pub config: Bytes,
    /// Its content.
    pub audio: AudioSpecificConfig,
    /// How the length of a payload is found.
    pub length: LengthType,
}

/// frameLengthType.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LengthType {
    /// 0: in bytes in front of the payloads.
    Bytes,
    /// 1: always this many bits.
    Fixed(u32),
}

impl Layer {
    /// The facts of a stream of this layer.
    pub fn facts(&self) -> Audio {
        let (config, frame) = (&self.audio, self.audio.frame_size());
        let extended = config.extension.filter(|extension| extension.sbr && extension.hierarchical);
        let rate = extended.map_or(config.sample_rate, |extension| extension.sample_rate);
        Audio { frame_size: frame, preroll: frame, ..Audio::new(rate, config.channels()) }
    }
}

impl StreamMuxConfig {
    /// Reads a configuration; `None` when it is cut or uses what AAC does not need (CELP, HVXC, audioMuxVersionA).
    pub fn read(bits: &mut Bits, source: &[u8]) -> Option<Self> {
        let version = bits.flag()?;
        if version && bits.flag()? {
            return None;
        }
        if version {
            value(bits)?;
        }
        let same_framing = bits.flag()?;
        let subframes = bits.read(6)? + 1;
        let mut layers: Vec<Layer> = Vec::new();
        for _ in 0..=bits.read(4)? {
            for _ in 0..=bits.read(3)? {
                let same = !layers.is_empty() && bits.flag()?;
                let (config, audio) = match layers.last() {
                    Some(last) if same => (last.config.clone(), last.audio.clone()),
                    _ => configuration(bits, source, version)?,
                };
                let length = length_type(bits)?;
                layers.push(Layer { config, audio, length });
            }
        }
        let other_bits = if bits.flag()? { other_length(bits, version)? } else { 0 };
        if bits.flag()? {
            bits.skip(8)?;
        }
        Some(Self { version, same_framing, subframes, layers, other_bits })
    }

    /// Writes a configuration of one layer whose payloads say their length, one subframe to an element.
    pub fn write(out: &mut BitWriter, config: &[u8], bit_count: usize) {
        out.write(1, 0);
        out.write(1, 1);
        out.write(6, 0);
        out.write(4, 0);
        out.write(3, 0);
        copy_bits(out, config, bit_count);
        out.write(3, 0);
        out.write(8, 0xff);
        out.write(1, 0);
        out.write(1, 0);
    }
}

fn configuration(bits: &mut Bits, source: &[u8], version: bool) -> Option<(Bytes, AudioSpecificConfig)> {
    let declared = if version { Some(usize::try_from(value(bits)?).ok()?) } else { None };
    let from = bits.position();
    let (audio, length) = match declared {
        Some(length) => {
            let config = bits_of(source, from, length)?;
            (AudioSpecificConfig::parse(&config)?, length)
        }
        None => {
            let mut ahead = bits.clone();
            let audio = AudioSpecificConfig::read(&mut ahead)?;
            (audio, ahead.position() - from)
        }
    };
    bits.skip(length)?;
    Some((bits_of(source, from, length)?.into(), audio))
}

fn length_type(bits: &mut Bits) -> Option<LengthType> {
    match bits.read(3)? {
        0 => {
            bits.skip(8)?;
            Some(LengthType::Bytes)
        }
        1 => Some(LengthType::Fixed((bits.read(9)? + 20) * 8)),
        _ => None,
    }
}

fn other_length(bits: &mut Bits, version: bool) -> Option<u64> {
    if version {
        return value(bits);
    }
    let mut length = 0u64;
    loop {
        let more = bits.flag()?;
        length = length.checked_mul(256)?.checked_add(bits.read(8)?.into())?;
        if !more {
            return Some(length);
        }
    }
}

/// LatmGetValue.
fn value(bits: &mut Bits) -> Option<u64> {
    let bytes = bits.read(2)? + 1;
    bits.read_u64(bytes * 8)
}

/// `count` bits of `source` from bit `from` on, moved to the front of the first byte.
pub(super) fn bits_of(source: &[u8], from: usize, count: usize) -> Option<Vec<u8>> {
    let mut bits = Bits::new(source);
    bits.skip(from)?;
    if bits.left() < count {
        return None;
    }
    let mut out = Vec::with_capacity(count.div_ceil(8));
    let mut left = count;
    while left > 0 {
        let part = left.min(8) as u32;
        out.push((bits.read(part)? << (8 - part)) as u8);
        left -= part as usize;
    }
    Some(out)
}

/// Appends the first `count` bits of `source`.
pub(super) fn copy_bits(out: &mut BitWriter, source: &[u8], count: usize) {
    let mut left = count;
    for byte in source {
        let part = left.min(8) as u32;
        out.write(part, u32::from(*byte) >> (8 - part));
        left -= part as usize;
    }
}
