//! Audio sample descriptions: three QuickTime versions, and the boxes inside (ISO/IEC 14496-12 §12.2).

use alloc::vec::Vec;

use bytes::Bytes;

use super::{
    super::{
        boxes::{Boxes, Kind},
        codecs, descriptor,
        fields::Fields,
        samples::Uniform,
    },
    Entry, MAX_CONFIG, audio_mut, original, shared,
};
use crate::{
    bits::Bits,
    stream::{Audio, Codec, Media},
    syntax::aac::AudioSpecificConfig,
};

/// Facts in the fixed part of a description.
#[derive(Clone, Copy, Debug, Default)]
struct Stated {
    bits: u32,
    /// Frames of a packet, bytes of a frame of all channels; QuickTime version 1 and 2.
    packet: Option<(u32, u32)>,
    /// formatSpecificFlags of version 2.
    flags: Option<u32>,
}

/// The description of this name, behind its data reference index.
pub(super) fn parse(kind: Kind, body: &[u8], stsd_version: u8) -> Entry {
    let mut fields = Fields::new(body);
    let (audio, stated) = fixed(&mut fields, stsd_version).unwrap_or_default();
    let boxes = fields.rest();
    let kind = original(kind, boxes);
    let codec = codecs::of_name(kind).filter(|codec| codec.kind() == crate::stream::Kind::Audio);
    let mut entry = Entry::new(kind, codec.unwrap_or(Codec::UnknownAudio), Media::Audio(audio));
    pcm(&mut entry, &stated, boxes);
    configure(&mut entry, boxes, 0);
    shared(&mut entry, boxes);
    entry.uniform = uniform(&entry, &stated);
    entry
}

fn fixed(fields: &mut Fields, stsd_version: u8) -> Option<(Audio, Stated)> {
    let version = fields.u16()?;
    fields.skip(6)?;
    let (channels, bits) = (fields.u16()?, fields.u16()?);
    fields.skip(4)?;
    let mut audio = Audio::new(fields.u32()? >> 16, channels);
    audio.bits_per_sample = bits;
    let mut stated = Stated { bits: bits.into(), ..Stated::default() };
    match version {
        1 if stsd_version == 0 => {
            let (frames, _, bytes, _) = (fields.u32()?, fields.u32()?, fields.u32()?, fields.u32()?);
            stated.packet = Some((frames, bytes));
        }
        2 => {
            fields.u32()?;
            let rate = fields.f64()?;
            audio.set_sample_rate(if rate >= 1.0 && rate < f64::from(i32::MAX) { rate as u32 } else { 0 });
            audio.set_channels(fields.u32()?.min(u32::from(u16::MAX)) as u16);
            fields.u32()?;
            stated.bits = fields.u32()?;
            stated.flags = Some(fields.u32()?);
            let (bytes, frames) = (fields.u32()?, fields.u32()?);
            stated.packet = Some((frames, bytes));
            audio.bits_per_sample = stated.bits.min(u32::from(u16::MAX)) as u16;
        }
        _ => {}
    }
    Some((audio, stated))
}

/// formatSpecificFlags of linear PCM.
const FLOAT: u32 = 1;
const BIG_ENDIAN: u32 = 2;
const SIGNED: u32 = 4;

/// Which PCM it is, from its bits, its flags, and the byte order that `enda` or `pcmC` states.
fn pcm(entry: &mut Entry, stated: &Stated, boxes: &[u8]) {
    let wave = Boxes::new(boxes).body_of(b"wave").unwrap_or_default();
    let enda = Boxes::new(wave).body_of(b"enda").or_else(|| Boxes::new(boxes).body_of(b"enda"));
    let little = enda.and_then(|body| Fields::new(body).u16()).is_some_and(|order| order & 0xff == 1);
    let iso = Boxes::new(boxes).body_of(b"pcmC").and_then(|body| {
        let mut fields = Fields::new(body);
        fields.version()?;
        Some((fields.u8()? & 1 == 1, fields.u8()?))
    });
    let bits = stated.bits;
    entry.codec = match (&entry.kind, entry.codec) {
        (b"lpcm", _) => {
            let flags = stated.flags.unwrap_or(SIGNED | BIG_ENDIAN);
            linear(flags & FLOAT != 0, flags & BIG_ENDIAN == 0, flags & SIGNED != 0, bits)
        }
        (b"ipcm", _) => iso.map_or(Codec::UnknownAudio, |(little, bits)| linear(false, little, true, bits.into())),
        (b"fpcm", _) => iso.map_or(Codec::UnknownAudio, |(little, bits)| linear(true, little, true, bits.into())),
        (b"raw " | b"NONE" | b"twos", Codec::PcmU8 | Codec::PcmS16Be) if bits == 16 => Codec::PcmS16Be,
        (b"twos" | b"sowt", _) if bits == 8 => Codec::PcmS8,
        (b"twos", _) if bits == 24 || bits == 32 => linear(false, false, true, bits),
        (b"sowt", _) if bits == 24 || bits == 32 => linear(false, true, true, bits),
        (_, Codec::PcmS24Be) if little => Codec::PcmS24Le,
        (_, Codec::PcmS32Be) if little => Codec::PcmS32Le,
        (_, Codec::PcmF32Be) if little => Codec::PcmF32Le,
        (_, Codec::PcmF64Be) if little => Codec::PcmF64Le,
        (_, codec) => codec,
    };
    let stored = codecs::pcm_bits(entry.codec);
    if let Some(audio) = audio_mut(entry).filter(|_| stored > 0) {
        audio.bits_per_sample = stored as u16;
    }
}

fn linear(float: bool, little: bool, signed: bool, bits: u32) -> Codec {
    match (float, bits, little) {
        (true, 32, true) => Codec::PcmF32Le,
        (true, 32, false) => Codec::PcmF32Be,
        (true, 64, true) => Codec::PcmF64Le,
        (true, 64, false) => Codec::PcmF64Be,
        (false, 1..=8, _) => {
            if signed {
                Codec::PcmS8
            } else {
                Codec::PcmU8
            }
        }
        (false, 9..=16, true) => Codec::PcmS16Le,
        (false, 9..=16, false) => Codec::PcmS16Be,
        (false, 17..=24, true) => Codec::PcmS24Le,
        (false, 17..=24, false) => Codec::PcmS24Be,
        (false, 25..=32, true) => Codec::PcmS32Le,
        (false, 25..=32, false) => Codec::PcmS32Be,
        _ => Codec::UnknownAudio,
    }
}

/// The unit of samples that are counted in audio frames.
fn uniform(entry: &Entry, stated: &Stated) -> Option<Uniform> {
    let Media::Audio(audio) = &entry.media else { return None };
    let channels = u32::from(audio.channel_count());
    let bits = codecs::pcm_bits(entry.codec);
    let (frames, bytes) = match entry.codec {
        Codec::AdpcmImaQt => (64, 34 * channels),
        Codec::Mace3 => (6, 2 * channels),
        Codec::Mace6 => (6, channels),
        Codec::Gsm => (160, 33),
        _ if bits > 0 => (1, bits / 8 * channels),
        _ => stated.packet?,
    };
    (frames > 0 && bytes > 0).then_some(Uniform { frames, bytes })
}

/// Codec configuration from the boxes behind the fixed part, and those inside `wave`.
fn configure(entry: &mut Entry, boxes: &[u8], depth: u8) {
    for (kind, body) in Boxes::new(boxes) {
        let kept = body.get(..MAX_CONFIG).unwrap_or(body);
        match &kind {
            b"wave" if depth == 0 => configure(entry, body, 1),
            b"esds" => esds(entry, body),
            b"alac" if entry.codec == Codec::Alac => alac(entry, kept),
            b"dfLa" => {
                flac(entry, kept);
            }
            b"dOps" => {
                opus(entry, kept);
            }
            b"dac3" | b"dec3" => {
                ac3(entry, &kind, kept);
            }
            b"ddts" => {
                dts(entry, kept);
            }
            b"dac4" | b"mhaC" | b"damr" | b"dmlp" => entry.config = Bytes::copy_from_slice(kept),
            b"chan" => {
                layout(entry, body);
            }
            b"srat" => {
                let rate = Fields::new(body.get(4..).unwrap_or_default()).u32();
                if let (Some(audio), Some(rate)) = (audio_mut(entry), rate) {
                    audio.set_sample_rate(rate);
                }
            }
            _ => {}
        }
    }
    // Fixed facts, whatever the description states.
    let codec = entry.codec;
    if let Some(audio) = audio_mut(entry) {
        match codec {
            Codec::Opus => audio.set_sample_rate(48_000),
            Codec::AmrNb => (*audio, audio.frame_size) = (Audio::new(8_000, 1), 160),
            Codec::AmrWb => (*audio, audio.frame_size) = (Audio::new(16_000, 1), 320),
            _ => {}
        }
    }
}

fn esds(entry: &mut Entry, body: &[u8]) {
    let Some(found) = descriptor::parse(body) else { return };
    if let Some(codec) = codecs::of_object_type(found.object_type).filter(|_| &entry.kind == b"mp4a") {
        entry.codec = codec;
    }
    entry.bit_rate = [found.average, found.most].into_iter().find(|rate| *rate > 0).map(u64::from);
    entry.config = Bytes::copy_from_slice(found.config.get(..MAX_CONFIG).unwrap_or(found.config));
    if entry.codec == Codec::Aac {
        aac(entry);
    }
}

/// Rate, channels and frame size of an AudioSpecificConfig. MPEG-1 audio under the MPEG-4 object type names itself
/// here.
fn aac(entry: &mut Entry) {
    let Some(config) = AudioSpecificConfig::parse(&entry.config) else { return };
    match config.object_type {
        32 => entry.codec = Codec::Mp1,
        33 => entry.codec = Codec::Mp2,
        34 => entry.codec = Codec::Mp3,
        36 => return,
        _ => {}
    }
    let lossless = config.object_type >= 32;
    entry.profile = config.object_type.checked_sub(1);
    let Some(audio) = audio_mut(entry) else { return };
    audio.set_sample_rate(config.sample_rate);
    if config.channels() > 0 {
        audio.set_channels(config.channels());
    }
    if lossless {
        return;
    }
    audio.frame_size = config.frame_size();
    if let Some(extension) = config.extension.filter(|extension| extension.sbr) {
        audio.set_sample_rate(extension.sample_rate);
        audio.frame_size = audio.frame_size.saturating_mul(2);
    }
}

/// The whole box with its header, as the reference keeps it.
fn alac(entry: &mut Entry, body: &[u8]) {
    let size = (body.len() as u32).saturating_add(8);
    entry.config = [&size.to_be_bytes()[..], b"alac", body].concat().into();
    let mut fields = Fields::new(body);
    let read = |fields: &mut Fields| {
        fields.version()?;
        let frame = fields.u32()?;
        fields.u8()?;
        let bits = fields.u8()?;
        fields.skip(3)?;
        let channels = fields.u8()?;
        fields.skip(10)?;
        Some((frame, bits, channels, fields.u32()?))
    };
    if let (Some((frame, bits, channels, rate)), Some(audio)) = (read(&mut fields), audio_mut(entry)) {
        (audio.frame_size, audio.bits_per_sample) = (frame, bits.into());
        if rate > 0 && channels > 0 {
            audio.set_sample_rate(rate);
            audio.set_channels(channels.into());
        }
    }
}

/// STREAMINFO alone, as the reference keeps it.
fn flac(entry: &mut Entry, body: &[u8]) -> Option<()> {
    let mut fields = Fields::new(body);
    fields.version()?;
    let first = fields.u8()?;
    let length = fields.u24()?;
    if first & 0x7f != 0 || length < 34 {
        return None;
    }
    let info = fields.bytes(34)?;
    entry.config = Bytes::copy_from_slice(info);
    let mut bits = Bits::new(info);
    bits.skip(2 * 16 + 2 * 24)?;
    let (rate, channels, depth) = (bits.read(20)?, bits.read(3)? as u16 + 1, bits.read(5)? as u16 + 1);
    let audio = audio_mut(entry)?;
    audio.set_sample_rate(rate);
    audio.set_channels(channels);
    audio.bits_per_sample = depth;
    Some(())
}

/// `dOps` as an OpusHead, whose numbers are little-endian.
fn opus(entry: &mut Entry, body: &[u8]) -> Option<()> {
    let mut fields = Fields::new(body);
    fields.u8()?;
    let (channels, skip, rate, gain) = (fields.u8()?, fields.u16()?, fields.u32()?, fields.u16()?);
    let mut head = Vec::from(*b"OpusHead\x01");
    head.push(channels);
    head.extend_from_slice(&skip.to_le_bytes());
    head.extend_from_slice(&rate.to_le_bytes());
    head.extend_from_slice(&gain.to_le_bytes());
    head.extend_from_slice(fields.rest().get(..2 + 255).unwrap_or(fields.rest()));
    entry.config = head.into();
    let audio = audio_mut(entry)?;
    audio.set_channels(channels.into());
    audio.delay = skip.into();
    Some(())
}

/// Channels by acmod, without the low-frequency one (ATSC A/52 table 5.8).
const AC3_CHANNELS: [u16; 8] = [2, 1, 2, 3, 3, 4, 4, 5];

/// AC3SpecificBox and EC3SpecificBox (ETSI TS 102 366 annex F).
fn ac3(entry: &mut Entry, kind: &Kind, body: &[u8]) -> Option<()> {
    entry.config = Bytes::copy_from_slice(body);
    let mut bits = Bits::new(body);
    let enhanced = kind == b"dec3";
    if enhanced {
        bits.skip(13 + 3)?;
    }
    let rate = [48_000, 44_100, 32_000].get(bits.read(2)? as usize).copied();
    bits.skip(if enhanced { 5 + 1 + 1 + 3 } else { 5 + 3 })?;
    let (acmod, lfe) = (bits.read(3)?, bits.flag()?);
    let audio = audio_mut(entry)?;
    audio.set_channels(AC3_CHANNELS.get(acmod as usize)? + u16::from(lfe));
    if let Some(rate) = rate {
        audio.set_sample_rate(rate);
    }
    audio.frame_size = 1536;
    Some(())
}

/// DTSSpecificBox (ETSI TS 102 114 annex E).
fn dts(entry: &mut Entry, body: &[u8]) -> Option<()> {
    entry.config = Bytes::copy_from_slice(body);
    let rate = Fields::new(body).u32()?;
    let audio = audio_mut(entry)?;
    if (1..=384_000).contains(&rate) {
        audio.set_sample_rate(rate);
    }
    Some(())
}

/// The WAVE mask of a QuickTime channel layout, where it is one that is usual.
fn layout(entry: &mut Entry, body: &[u8]) -> Option<()> {
    let mut fields = Fields::new(body);
    fields.version()?;
    let (tag, bitmap) = (fields.u32()?, fields.u32()?);
    let audio = audio_mut(entry)?;
    let mask = if tag == 1 << 16 { bitmap } else { LAYOUTS.iter().find(|(known, _)| *known == tag)?.1 };
    if mask.count_ones() == u32::from(audio.channel_count()) {
        audio.channel_mask = mask;
    }
    Some(())
}

/// AudioChannelLayoutTag and WAVE mask.
const LAYOUTS: &[(u32, u32)] = &[
    (100 << 16 | 1, 0x4),
    (101 << 16 | 2, 0x3),
    (113 << 16 | 3, 0x7),
    (108 << 16 | 4, 0x33),
    (115 << 16 | 4, 0x107),
    (117 << 16 | 5, 0x37),
    (121 << 16 | 6, 0x3f),
    (126 << 16 | 8, 0xff),
    (128 << 16 | 8, 0x63f),
];
