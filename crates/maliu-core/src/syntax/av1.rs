//! AV1: open bitstream units and the picture size in a sequence header (AV1 specification §5.3, §5.5).

use crate::bits::Bits;

/// Bytes of the configuration record before its units.
const CONFIG_HEAD: usize = 4;
/// obu_type of a sequence header.
const SEQUENCE_HEADER: u8 = 1;

/// The largest picture of the first sequence header in `data`, width and height, if there is one.
pub fn picture_size(mut data: &[u8]) -> Option<(u32, u32)> {
    loop {
        let [head, rest @ ..] = data else { return None };
        let rest = if head & 4 != 0 { rest.get(1..)? } else { rest };
        let (size, payload) = if head & 2 != 0 { leb128(rest)? } else { (rest.len(), rest) };
        let (payload, next) = payload.split_at_checked(size)?;
        if head >> 3 & 15 == SEQUENCE_HEADER {
            return sequence_header(payload);
        }
        data = next;
    }
}

/// As [`picture_size`], of the units in a configuration record (av1C).
pub fn config_picture_size(config: &[u8]) -> Option<(u32, u32)> {
    picture_size(config.get(CONFIG_HEAD..)?)
}

/// A number of seven bits a byte, the lowest first, and what follows it.
fn leb128(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let mut value = 0usize;
    for (n, byte) in bytes.iter().take(5).enumerate() {
        value |= usize::from(byte & 0x7f) << (7 * n);
        if byte & 0x80 == 0 {
            return Some((value, bytes.get(n + 1..)?));
        }
    }
    None
}

fn sequence_header(payload: &[u8]) -> Option<(u32, u32)> {
    let mut bits = Bits::new(payload);
    bits.skip(3 + 1)?;
    let reduced_still_picture_header = bits.flag()?;
    if reduced_still_picture_header {
        bits.skip(5)?;
    } else {
        operating_points(&mut bits)?;
    }
    let width_bits = bits.read(4)? + 1;
    let height_bits = bits.read(4)? + 1;
    Some((bits.read(width_bits)? + 1, bits.read(height_bits)? + 1))
}

fn operating_points(bits: &mut Bits<'_>) -> Option<()> {
    let mut delay_length = None;
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
        if bits.read(5)? > 7 {
            bits.skip(1)?;
        }
        if let Some(length) = delay_length
            && bits.flag()?
        {
            bits.skip(2 * length + 1)?;
        }
        if initial_display_delay_present && bits.flag()? {
            bits.skip(4)?;
        }
    }
    Some(())
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
        assert_eq!(picture_size(&[0x12, 0x00]), None);
        assert_eq!(picture_size(&[0x0a, 0xff]), None);
    }
}
