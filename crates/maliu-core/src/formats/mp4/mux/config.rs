//! Codec configurations in the form of their boxes, made from packets where the stream has none.

use alloc::{borrow::Cow, vec::Vec};

use bytes::Bytes;

use crate::{
    bits::{BitWriter, Bits},
    stream::{Codec, StreamInfo},
};

/// av1C as it is, or of the sequence header in the first packet.
pub(super) fn av1<'a>(config: &'a Bytes, data: &Bytes) -> Option<Cow<'a, [u8]>> {
    match config.first() {
        Some(0x81) if config.len() >= 4 => Some(Cow::Borrowed(config)),
        _ => crate::syntax::av1::build_config(data).map(Cow::Owned),
    }
}

/// The fields of vpcC: as they are, or of the first key frame and the picture size.
pub(super) fn vp9(codec: Codec, config: &Bytes, data: &Bytes, stream: &StreamInfo) -> Option<Vec<u8>> {
    // profile, level, depth and subsampling, colours, and a length of 0.
    if config.len() >= 8 && config.get(6..8) == Some(&[0, 0]) && config.first().is_some_and(|profile| *profile < 4) {
        return Some(config.to_vec());
    }
    let video = stream.as_video()?;
    let (profile, depth, subsampling) = if codec == Codec::Vp8 { (0, 8, 1) } else { vp9_facts(data)? };
    let pixels = u64::from(video.size().0) * u64::from(video.size().1);
    let level = LEVELS.iter().find(|(most, _)| pixels <= *most).map_or(62, |(_, level)| *level);
    let full = video.color.and_then(|color| color.full_range).unwrap_or(false);
    let color = video.color.map_or([2; 3], |color| [color.primaries, color.transfer, color.matrix]);
    Some([&[profile, level, depth << 4 | subsampling << 1 | u8::from(full)][..], &color, &[0, 0]].concat())
}

/// Pixels of a picture, and the lowest level that takes it.
const LEVELS: &[(u64, u8)] = &[
    (36_864, 10),
    (73_728, 11),
    (122_880, 20),
    (245_760, 21),
    (552_960, 30),
    (983_040, 31),
    (2_228_224, 40),
    (8_912_896, 50),
    (35_651_584, 60),
];

/// Profile, bit depth and chroma subsampling of a key frame (VP9 specification §6.2, §7.2.2).
fn vp9_facts(data: &[u8]) -> Option<(u8, u8, u8)> {
    let mut bits = Bits::new(data);
    if bits.read(2)? != 2 {
        return None;
    }
    let profile = bits.read(1)? | bits.read(1)? << 1;
    bits.skip(if profile == 3 { 1 } else { 0 })?;
    let (existing, inter) = (bits.flag()?, bits.flag()?);
    bits.skip(2)?;
    if existing || inter || bits.read(24)? != 0x49_83_42 {
        return None;
    }
    let depth = if profile < 2 {
        8
    } else if bits.flag()? {
        12
    } else {
        10
    };
    let rgb = bits.read(3)? == 7;
    let subsampling = match (profile & 1, rgb) {
        (0, _) => 1,
        (_, true) => 3,
        (_, false) => {
            bits.skip(1)?;
            match (bits.flag()?, bits.flag()?) {
                (true, true) => 1,
                (true, false) => 2,
                _ => 3,
            }
        }
    };
    Some((profile as u8, depth, subsampling))
}

/// dac3: as it is, or of a syncframe (ETSI TS 102 366 §F.4).
pub(super) fn ac3<'a>(config: &'a Bytes, data: &Bytes) -> Option<Cow<'a, [u8]>> {
    if config.len() == 3 {
        return Some(Cow::Borrowed(config));
    }
    let frame = Syncframe::parse(data).filter(|frame| frame.bsid <= 10)?;
    let mut out = BitWriter::default();
    out.write(2, frame.fscod);
    out.write(5, frame.bsid);
    out.write(3, frame.bsmod);
    out.write(3, frame.acmod);
    out.write(1, frame.lfe.into());
    out.write(5, frame.rate_code);
    out.write(5, 0);
    Some(Cow::Owned(out.finish()))
}

/// dec3: as it is, or of the syncframes of a packet (ETSI TS 102 366 §F.6).
pub(super) fn eac3<'a>(config: &'a Bytes, data: &Bytes, stream: &StreamInfo) -> Option<Cow<'a, [u8]>> {
    if config.len() >= 5 {
        return Some(Cow::Borrowed(config));
    }
    let (mut at, mut first, mut dependent, mut rest) = (0, None, 0, data.as_ref());
    while let Some(frame) = Syncframe::parse(rest) {
        match frame.kind {
            1 => dependent += 1,
            _ if first.is_none() => first = Some(frame),
            _ => {}
        }
        at += frame.size.max(2);
        rest = data.get(at..).unwrap_or_default();
    }
    let frame: Syncframe = first?;
    let rate = stream.bit_rate.map_or(0, |rate| rate / 1000).min(8191) as u32;
    let mut out = BitWriter::default();
    out.write(13, rate);
    out.write(3, 0);
    out.write(2, frame.fscod);
    out.write(5, frame.bsid);
    out.write(1, 0);
    out.write(1, 0);
    out.write(3, frame.bsmod);
    out.write(3, frame.acmod);
    out.write(1, frame.lfe.into());
    out.write(3, 0);
    out.write(4, dependent);
    // chan_loc: the dependent substreams of a bed of 7.1 add the rear surrounds.
    if dependent > 0 {
        out.write(9, 1 << 1)
    } else {
        out.write(1, 0)
    }
    Some(Cow::Owned(out.finish()))
}

/// Facts that a syncframe of AC-3 or E-AC-3 states (ATSC A/52 §5.3, annex E §2.2).
#[derive(Clone, Copy, Debug)]
struct Syncframe {
    fscod: u32,
    bsid: u32,
    bsmod: u32,
    acmod: u32,
    lfe: bool,
    /// bit_rate_code of AC-3.
    rate_code: u32,
    /// strmtyp of E-AC-3.
    kind: u32,
    /// Bytes; 0 for AC-3, whose packets hold one.
    size: usize,
}

impl Syncframe {
    fn parse(data: &[u8]) -> Option<Self> {
        let mut bits = Bits::new(data);
        if bits.read(16)? != 0x0b77 {
            return None;
        }
        let bsid = u32::from(data.get(5)? >> 3);
        if bsid > 10 {
            let (kind, _, size) = (bits.read(2)?, bits.read(3)?, bits.read(11)?);
            let fscod = bits.read(2)?;
            bits.skip(2)?;
            let (acmod, lfe) = (bits.read(3)?, bits.flag()?);
            let size = (size as usize + 1) * 2;
            return Some(Self { fscod, bsid, bsmod: 0, acmod, lfe, rate_code: 0, kind, size });
        }
        bits.skip(16)?;
        let (fscod, frmsizecod) = (bits.read(2)?, bits.read(6)?);
        let (bsid, bsmod, acmod) = (bits.read(5)?, bits.read(3)?, bits.read(3)?);
        let levels = [acmod & 1 != 0 && acmod != 1, acmod & 4 != 0, acmod == 2];
        bits.skip(levels.iter().filter(|there| **there).count() * 2)?;
        let lfe = bits.flag()?;
        Some(Self { fscod, bsid, bsmod, acmod, lfe, rate_code: frmsizecod >> 1, kind: 0, size: data.len() })
    }
}

/// dOps of an OpusHead, or of the number of channels.
pub(super) fn opus(config: &[u8], stream: &StreamInfo) -> Option<Vec<u8>> {
    let Some(head) = config.strip_prefix(b"OpusHead") else {
        let channels = stream.as_audio()?.channel_count();
        let count = u8::try_from(channels).ok().filter(|count| (1..=2).contains(count))?;
        return Some([&[0, count][..], &312_u16.to_be_bytes(), &48_000_u32.to_be_bytes(), &[0, 0, 0]].concat());
    };
    let &[_, channels, s0, s1, r0, r1, r2, r3, g0, g1, family, ref map @ ..] = head else { return None };
    let mut body = alloc::vec![0, channels, s1, s0, r3, r2, r1, r0, g1, g0, family];
    if family > 0 {
        body.extend_from_slice(map.get(..2 + usize::from(channels))?);
    }
    Some(body)
}

/// STREAMINFO, with or without the marker and block head in front.
pub(super) fn flac(config: &[u8]) -> Option<&[u8]> {
    let info = config.strip_prefix(b"fLaC").and_then(|blocks| blocks.get(4..)).unwrap_or(config);
    info.get(..34)
}

/// The `alac` box: as it is, or around the bare configuration.
pub(super) fn alac(config: &[u8]) -> Option<Vec<u8>> {
    match config.len() {
        36.. if config.get(4..8) == Some(b"alac") => Some(config.get(..36)?.to_vec()),
        24.. => Some([&36_u32.to_be_bytes()[..], b"alac\0\0\0\0", config.get(..24)?].concat()),
        _ => None,
    }
}
