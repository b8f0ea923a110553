//! The flags byte of video tags, the codecs it names, and picture sizes that old codecs put in front of their data
//! (FLD-20).

use crate::{bits::Bits, stream::Codec};

/// Frame type 1: a key frame.
pub(super) const KEY: u8 = 1;
/// Frame type 5: an info or command tag, no picture.
pub(super) const COMMAND: u8 = 5;

/// The codec of a CodecID.
pub(super) fn codec(number: u8) -> Codec {
    match number {
        2 => Codec::Flv1,
        3 => Codec::FlashSv,
        4 => Codec::Vp6F,
        5 => Codec::Vp6A,
        6 => Codec::FlashSv2,
        7 => Codec::H264,
        8 => Codec::H263,
        9 => Codec::Mpeg4,
        // Not in any specification; used by Chinese CDNs before Enhanced RTMP.
        12 => Codec::H265,
        _ => Codec::UnknownVideo,
    }
}

/// Whether a packet type and a composition time follow the flags byte (FLD-21).
pub(super) fn has_packet_type(codec: Codec) -> bool {
    matches!(codec, Codec::H264 | Codec::H265 | Codec::Mpeg4)
}

/// The size of the picture that a key frame of a codec without configuration starts with.
pub(super) fn picture_size(codec: Codec, config: &[u8], data: &[u8]) -> Option<(u32, u32)> {
    match codec {
        Codec::FlashSv | Codec::FlashSv2 => screen_size(data),
        Codec::Flv1 => spark_size(data),
        Codec::Vp6F => vp6_size(config, data),
        // Three bytes tell where the alpha picture begins.
        Codec::Vp6A => vp6_size(config, data.get(3..)?),
        _ => None,
    }
}

/// Four bits of block size before each of width and height.
fn screen_size(data: &[u8]) -> Option<(u32, u32)> {
    let [w1, w0, h1, h0] = *data.first_chunk()?;
    let twelve = |high, low| u32::from(u16::from_be_bytes([high, low]) & 0xfff);
    Some((twelve(w1, w0), twelve(h1, h0)))
}

/// Sorenson Spark: start code, version, temporal reference, then the picture size.
fn spark_size(data: &[u8]) -> Option<(u32, u32)> {
    let mut bits = Bits::new(data);
    if bits.read(17)? != 1 {
        return None;
    }
    bits.skip(5 + 8)?;
    Some(match bits.read(3)? {
        0 => (bits.read(8)?, bits.read(8)?),
        1 => (bits.read(16)?, bits.read(16)?),
        2 => (352, 288),
        3 => (176, 144),
        4 => (128, 96),
        5 => (320, 240),
        6 => (160, 120),
        _ => return None,
    })
}

/// VP6 intra frame header: sizes in macroblocks, less what the container's adjustment byte crops.
fn vp6_size(config: &[u8], data: &[u8]) -> Option<(u32, u32)> {
    let [marker, version, ..] = *data else { return None };
    if marker & 0x80 != 0 {
        return None;
    }
    // Separated coefficients, or the simple profile, put an offset of two bytes in front.
    let skip = if marker & 1 != 0 || version & 6 == 0 { 2 } else { 0 };
    let [rows, columns] = *data.get(2 + skip..)?.first_chunk()?;
    let adjust = config.first().copied().unwrap_or(0);
    let less = |blocks: u8, by: u8| (u32::from(blocks) * 16).saturating_sub(u32::from(by));
    Some((less(columns, adjust >> 4), less(rows, adjust & 0x0f)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_come_from_the_first_bytes() {
        assert_eq!(picture_size(Codec::FlashSv, &[], &[0x30, 0x80, 0x30, 0x60]), Some((128, 96)));
        // 17 bits start code, version 0, reference 0, size code 0, 8 × 8.
        assert_eq!(picture_size(Codec::Flv1, &[], &[0, 0, 0x80, 0, 0x04, 0x04, 0]), Some((8, 8)));
        assert_eq!(picture_size(Codec::Vp6F, &[0x06], &[0x78, 0x46, 0x0a, 0x0c, 0x0a, 0x0c]), Some((192, 154)));
        assert_eq!(picture_size(Codec::Vp6F, &[], &[0x80]), None);
    }
}
