//! AV1: open bitstream units and the picture size in a sequence header (AV1 specification §5.3, §5.5).

use alloc::vec::Vec;

use crate::bits::Bits;

/// Bytes of the configuration record before its units.
const CONFIG_HEAD: usize = 4;
/// obu_type of a sequence header.
const SEQUENCE_HEADER: u8 = 1;

/// The largest picture of the first sequence header in `data`, width and height, if there is one.
pub fn picture_size(data: &[u8]) -> Option<(u32, u32)> {
    Sequence::parse(sequence_header(data)?).map(|sequence| sequence.size)
}

/// The configuration record (av1C) of the first sequence header in `data`, which it holds, too (AV1 Codec ISO Media File
/// Format Binding §2.3).
pub fn build_config(data: &[u8]) -> Option<Vec<u8>> {
    let payload = sequence_header(data)?;
    let sequence = Sequence::parse(payload)?;
    let color = sequence.color?;
    let (level, tier) = sequence.level;
    let mut config = Vec::from([0x81, (sequence.profile << 5 | level) as u8, (tier << 7) as u8 | color, 0]);
    config.push(SEQUENCE_HEADER << 3 | 2);
    let mut size = payload.len();
    while size > 0x7f {
        config.push(size as u8 | 0x80);
        size >>= 7;
    }
    config.push(size as u8);
    config.extend_from_slice(payload);
    Some(config)
}

/// The payload of the first sequence header.
fn sequence_header(mut data: &[u8]) -> Option<&[u8]> {
    loop {
        let [head, rest @ ..] = data else { return None };
        let rest = if head & 4 != 0 { rest.get(1..)? } else { rest };
        let (size, payload) = if head & 2 != 0 { leb128(rest)? } else { (rest.len(), rest) };
        let (payload, next) = payload.split_at_checked(size)?;
        if head >> 3 & 15 == SEQUENCE_HEADER {
            return Some(payload);
        }
        data = next;
    }
}

/// As [`picture_size`], of the units in a configuration record (av1C).
pub fn config_picture_size(config: &[u8]) -> Option<(u32, u32)> {
    picture_size(config.get(CONFIG_HEAD..)?)
}

/// A number of seven bits a byte, the lowest first, and what follows it.
pub(crate) fn leb128(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let mut value = 0usize;
    for (n, byte) in bytes.iter().take(5).enumerate() {
        value |= usize::from(byte & 0x7f) << (7 * n);
        if byte & 0x80 == 0 {
            return Some((value, bytes.get(n + 1..)?));
        }
    }
    None
}

/// Facts of a sequence header.
struct Sequence {
    profile: u32,
    /// seq_level_idx and seq_tier of the first operating point.
    level: (u32, u32),
    size: (u32, u32),
    /// The flags of color_config as av1C has them; `None` when the header is cut before.
    color: Option<u8>,
}

impl Sequence {
    fn parse(payload: &[u8]) -> Option<Self> {
        let mut bits = Bits::new(payload);
        let profile = bits.read(3)?;
        bits.skip(1)?;
        let reduced_still_picture_header = bits.flag()?;
        let level = if reduced_still_picture_header { (bits.read(5)?, 0) } else { operating_points(&mut bits)? };
        let width_bits = bits.read(4)? + 1;
        let height_bits = bits.read(4)? + 1;
        let size = (bits.read(width_bits)? + 1, bits.read(height_bits)? + 1);
        let color = tools(&mut bits, reduced_still_picture_header).and_then(|()| color_config(&mut bits, profile));
        Some(Self { profile, level, size, color })
    }
}

/// Passes over the coding tools between the picture size and color_config.
fn tools(bits: &mut Bits<'_>, reduced_still_picture_header: bool) -> Option<()> {
    if !reduced_still_picture_header && bits.flag()? {
        bits.skip(4 + 3)?;
    }
    bits.skip(3)?;
    if !reduced_still_picture_header {
        bits.skip(4)?;
        let enable_order_hint = bits.flag()?;
        if enable_order_hint {
            bits.skip(2)?;
        }
        let force_screen_content_tools = bits.flag()? || bits.flag()?;
        if force_screen_content_tools && !bits.flag()? {
            bits.skip(1)?;
        }
        if enable_order_hint {
            bits.skip(3)?;
        }
    }
    bits.skip(3)
}

/// high_bitdepth, twelve_bit, monochrome, subsampling and sample position, as av1C has them.
fn color_config(bits: &mut Bits<'_>, profile: u32) -> Option<u8> {
    let high = bits.flag()?;
    let twelve = profile == 2 && high && bits.flag()?;
    let mono = profile != 1 && bits.flag()?;
    let mut color = [2; 3];
    if bits.flag()? {
        color = [bits.read(8)?, bits.read(8)?, bits.read(8)?];
    }
    let (x, y, position) = match profile {
        _ if mono => (true, true, 0),
        _ if color == [1, 13, 0] => (false, false, 0),
        _ => {
            bits.skip(1)?;
            let (x, y) = match profile {
                0 => (true, true),
                1 => (false, false),
                _ if twelve => {
                    let x = bits.flag()?;
                    (x, x && bits.flag()?)
                }
                _ => (true, false),
            };
            (x, y, if x && y { bits.read(2)? } else { 0 })
        }
    };
    let flags = [high, twelve, mono, x, y].iter().fold(0, |all, flag| all << 1 | u8::from(*flag));
    Some(flags << 2 | position as u8)
}

/// seq_level_idx and seq_tier of the first operating point.
fn operating_points(bits: &mut Bits<'_>) -> Option<(u32, u32)> {
    let (mut delay_length, mut first) = (None, None);
    if bits.flag()? {
        bits.skip(32 + 32)?;
        if bits.flag()? {
            bits.ue()?;
        }
        if bits.flag()? {
            delay_length = Some(bits.read(5)? as usize + 1);
            bits.skip(32 + 5 + 5)?;
        }
    }
    let initial_display_delay_present = bits.flag()?;
    for _ in 0..=bits.read(5)? {
        bits.skip(12)?;
        let level = bits.read(5)?;
        let tier = if level > 7 { bits.read(1)? } else { 0 };
        first.get_or_insert((level, tier));
        if let Some(length) = delay_length
            && bits.flag()?
        {
            bits.skip(2 * length + 1)?;
        }
        if initial_display_delay_present && bits.flag()? {
            bits.skip(4)?;
        }
    }
    first
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_size_stands_in_the_sequence_header() {
        // A temporal delimiter, then a sequence header of 176 × 144 as libaom writes it.
        let unit = [0x12, 0x00, 0x0a, 0x0a, 0x00, 0x00, 0x00, 0x02, 0xaf, 0xbf, 0x8f, 0x5f, 0xff, 0xe8];
        let size = picture_size(&unit);
        assert_eq!(config_picture_size(&[&[0x81, 0, 0x0c, 0][..], &unit].concat()), size);
        assert!(size.is_some());
        let header = [0x0a, 0x0a, 0x00, 0x00, 0x00, 0x02, 0xaf, 0xf7, 0x9b, 0x5f, 0x20, 0x08];
        let expected = [&[0x81, 0, 0x0c, 0][..], &header].concat();
        assert_eq!(build_config(&[&[0x12, 0][..], &header].concat()), Some(expected));
        assert_eq!(picture_size(&[0x12, 0x00]), None);
        assert_eq!(picture_size(&[0x0a, 0xff]), None);
    }
}
