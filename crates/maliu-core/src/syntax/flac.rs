//! FLAC: STREAMINFO and frame headers (RFC 9639 §8.2, §9.1).
//!
//! ```text
//!   frame: sync(14) 0 variable(1) │ block size(4) rate(4) │ channels(4) depth(3) 0 │ number(8–56) [size] [rate] crc(8) │ … crc(16)
//! ```

use alloc::vec::Vec;

use crate::bits::Bits;

/// Bytes of STREAMINFO.
pub const STREAMINFO: usize = 34;

/// Most bytes of a frame header.
pub const MAX_HEADER: usize = 16;

/// Facts of STREAMINFO.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StreamInfoBlock {
    /// Least and most samples per channel of a frame.
    pub block: (u16, u16),
    /// Least and most bytes of a frame; 0 when not stated.
    pub frame: (u32, u32),
    /// Samples per second and channel.
    pub rate: u32,
    /// Number of channels, 1 to 8.
    pub channels: u16,
    /// Bits per sample, 4 to 32.
    pub bits: u16,
    /// Samples per channel of all of it; 0 when not stated.
    pub samples: u64,
    /// MD5 of all samples; zeros when not stated.
    pub md5: [u8; 16],
}

impl StreamInfoBlock {
    /// Reads the body of a STREAMINFO block; `None` when it is short or states no rate.
    pub fn parse(body: &[u8]) -> Option<Self> {
        let mut bits = Bits::new(body.get(..STREAMINFO)?);
        let block = (bits.read(16)? as u16, bits.read(16)? as u16);
        let frame = (bits.read(24)?, bits.read(24)?);
        let (rate, channels, depth) = (bits.read(20)?, bits.read(3)? as u16 + 1, bits.read(5)? as u16 + 1);
        let samples = bits.read_u64(36)?;
        let md5 = *body.get(18..)?.first_chunk()?;
        (rate > 0 && depth >= 4).then_some(Self { block, frame, rate, channels, bits: depth, samples, md5 })
    }
}

/// The STREAMINFO body in a configuration: alone, behind the header of its block, or behind `fLaC` as well.
pub fn stream_info(config: &[u8]) -> Option<&[u8]> {
    let blocks = config.strip_prefix(b"fLaC").unwrap_or(config);
    let body = match blocks {
        [0 | 0x80, 0, 0, 34, body @ ..] => body,
        _ => blocks,
    };
    body.get(..STREAMINFO)
}

/// Facts of a frame header. `None` where STREAMINFO says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Bytes of the header with its checksum.
    pub size: usize,
    /// Whether blocks may differ in size: then `number` counts samples, else frames.
    pub variable: bool,
    /// Number of the frame or of its first sample.
    pub number: u64,
    /// Samples per channel.
    pub samples: u32,
    /// Samples per second and channel.
    pub rate: Option<u32>,
    /// Number of channels.
    pub channels: u8,
    /// Bits per sample.
    pub bits: Option<u8>,
}

/// The front of some bytes as a frame header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Front {
    /// A header with a right checksum.
    Header(Header),
    /// So far it is one.
    More,
    /// It is not a header.
    None,
}

const RATES: [u32; 11] = [88_200, 176_400, 192_000, 8000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000, 96_000];

/// Reads the front of `bytes` as a frame header.
pub fn front(bytes: &[u8]) -> Front {
    match bytes {
        [] | [0xff] => Front::More,
        [0xff, 0xf8 | 0xf9, ..] => match parse(bytes) {
            None if bytes.len() < MAX_HEADER => Front::More,
            Some(Some(header)) => Front::Header(header),
            _ => Front::None,
        },
        _ => Front::None,
    }
}

/// `None` when bytes are missing, `Some(None)` when it is no header.
fn parse(bytes: &[u8]) -> Option<Option<Header>> {
    let [_, first, sizes, kinds, rest @ ..] = bytes else { return None };
    let (size, rate) = (sizes >> 4, sizes & 15);
    let (assignment, depth) = (kinds >> 4, kinds >> 1 & 7);
    if size == 0 || rate == 15 || assignment > 10 || depth == 3 || kinds & 1 == 1 {
        return Some(None);
    }
    let lead = *rest.first()?;
    let more = match lead.leading_ones() {
        0 => 0,
        n @ 2..=7 => n as usize - 1,
        _ => return Some(None),
    };
    let tail = rest.get(1..1 + more)?;
    if tail.iter().any(|byte| byte & 0xc0 != 0x80) {
        return Some(None);
    }
    let own = if more == 0 { lead } else { lead & (0x7f >> (more + 1)) };
    let number = tail.iter().fold(u64::from(own), |number, byte| number << 6 | u64::from(byte & 0x3f));
    let mut at = 5 + more;
    let mut read = |count: usize| -> Option<u32> {
        let field = bytes.get(at..at + count)?;
        at += count;
        Some(field.iter().fold(0, |value, byte| value << 8 | u32::from(*byte)))
    };
    let samples = match size {
        1 => 192,
        2..=5 => 576 << (size - 2),
        6 => read(1)? + 1,
        7 => read(2)? + 1,
        _ => 256 << (size - 8),
    };
    let rate = match rate {
        0 => None,
        12 => Some(read(1)? * 1000),
        13 => Some(read(2)?),
        14 => Some(read(2)? * 10),
        _ => RATES.get(usize::from(rate) - 1).copied(),
    };
    let check = *bytes.get(at)?;
    if crc8(bytes.get(..at)?) != check || rate == Some(0) {
        return Some(None);
    }
    Some(Some(Header {
        size: at + 1,
        variable: first & 1 == 1,
        number,
        samples,
        rate,
        channels: if assignment < 8 { assignment + 1 } else { 2 },
        bits: [0, 8, 12, 0, 16, 20, 24, 32].get(usize::from(depth)).copied().filter(|bits| *bits > 0),
    }))
}

/// A frame with another number, whose header it has been given as and whose checksums are made anew. `None` where its
/// own CRC-16 is wrong, or the number has more than 36 bits: the frame then stays as it is.
pub fn renumbered(frame: &[u8], header: &Header, number: u64) -> Option<Vec<u8>> {
    let body = frame.get(header.size..frame.len().checked_sub(2)?)?;
    if crc16(0, frame) != 0 {
        return None;
    }
    let old = match frame.get(4)?.leading_ones() {
        0 => 1,
        count => count as usize,
    };
    let sizes = frame.get(4 + old..header.size.checked_sub(1)?)?;
    let mut new = Vec::with_capacity(frame.len() + 6);
    new.extend_from_slice(frame.get(..4)?);
    put_number(number, &mut new)?;
    new.extend_from_slice(sizes);
    new.push(crc8(&new));
    new.extend_from_slice(body);
    new.extend_from_slice(&crc16(0, &new).to_be_bytes());
    Some(new)
}

/// Writes a number of up to 36 bits as UTF-8 goes on beyond four bytes.
fn put_number(number: u64, out: &mut Vec<u8>) -> Option<()> {
    if number < 0x80 {
        out.push(number as u8);
        return Some(());
    }
    let bits = u64::BITS - number.leading_zeros();
    // A lead byte of n bytes has 7 - n bits, each byte behind it 6.
    let more = (1..=6).find(|more| bits <= 6 * more + (6 - more))?;
    let marker = !(0xff_u16 >> (more + 1)) as u8;
    out.push(marker | (number >> (6 * more)) as u8);
    out.extend((0..more).rev().map(|at| 0x80 | (number >> (6 * at)) as u8 & 0x3f));
    Some(())
}

/// CRC-8 of a frame header, of the polynomial 07.
fn crc8(bytes: &[u8]) -> u8 {
    bytes.iter().fold(0, |crc, byte| {
        (0..8).fold(crc ^ byte, |crc: u8, _| if crc & 0x80 != 0 { crc << 1 ^ 7 } else { crc << 1 })
    })
}

/// CRC-16 of a frame, of the polynomial 8005, carried on from `crc`.
pub fn crc16(crc: u16, bytes: &[u8]) -> u16 {
    bytes.iter().fold(crc, |crc, byte| {
        let index = (crc >> 8) as u8 ^ byte;
        crc << 8 ^ TABLE.get(usize::from(index)).copied().unwrap_or(0)
    })
}

static TABLE: [u16; 256] = table();

#[allow(clippy::indexing_slicing, reason = "evaluated at compile time, n is below 256")]
const fn table() -> [u16; 256] {
    let mut table = [0; 256];
    let mut n = 0;
    while n < 256 {
        let (mut value, mut bit) = ((n as u16) << 8, 0);
        while bit < 8 {
            value = if value & 0x8000 != 0 { value << 1 ^ 0x8005 } else { value << 1 };
            bit += 1;
        }
        table[n] = value;
        n += 1;
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_the_standard_is_read() {
        // RFC 9639 Appendix D.1: a file of one frame with one sample of two channels.
        let file = [
            0x10, 0x00, 0x10, 0x00, 0x00, 0x00, 0x0f, 0x00, 0x00, 0x0f, 0x0a, 0xc4, 0x42, 0xf0, 0x00, 0x00, 0x00, 0x01,
            0x3e, 0x84, 0xb4, 0x18, 0x07, 0xdc, 0x69, 0x03, 0x07, 0x58, 0x6a, 0x3d, 0xad, 0x1a, 0x2e, 0x0f,
        ];
        let info = StreamInfoBlock::parse(&file).unwrap();
        assert_eq!((info.rate, info.channels, info.bits, info.samples), (44_100, 2, 16, 1));
        assert_eq!((info.block, info.frame), ((4096, 4096), (15, 15)));
        let behind = |front: &[u8]| [front, &file].concat();
        for config in [behind(b""), behind(b"\x80\0\0\x22"), behind(b"fLaC\0\0\0\x22")] {
            assert_eq!(stream_info(&config), Some(&file[..]));
        }
        assert_eq!(stream_info(&file[..33]), None);
        let frame = [0xff, 0xf8, 0x69, 0x18, 0x00, 0x00, 0xbf, 0x03, 0x58, 0xfd, 0x03, 0x12, 0x8b, 0xaa, 0x9a];
        let Front::Header(header) = front(&frame) else { panic!("{:?}", front(&frame)) };
        let expected =
            Header { size: 7, variable: false, number: 0, samples: 1, rate: Some(44_100), channels: 2, bits: Some(16) };
        assert_eq!(header, expected);
        assert_eq!(crc16(0, &frame), 0);
        assert!((0..7).all(|cut| front(&frame[..cut]) == Front::More));
        let mut damaged = frame;
        damaged[5] = 1;
        assert_eq!(front(&damaged), Front::None);
        for number in [0, 0x7f, 0x80, 0x7ff, 0x800, 0xffff, 0x1_0000, 0x1f_ffff, 0x3ff_ffff, 0x7fff_ffff, 0xf_ffff_ffff]
        {
            let frame = renumbered(&frame, &header, number).unwrap();
            let Front::Header(found) = front(&frame) else { panic!("{number:#x}") };
            assert_eq!((found.number, found.samples, crc16(0, &frame)), (number, 1, 0));
            let back = renumbered(&frame, &found, 0).unwrap();
            assert_eq!(front(&back), Front::Header(header));
        }
        assert_eq!(renumbered(&frame, &header, 1 << 36), None);
        damaged = frame;
        damaged[10] ^= 1;
        assert_eq!(renumbered(&damaged, &header, 5), None);
    }
}
