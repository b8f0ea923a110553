//! Motion JPEG (RFC 2435): scans over packets, their headers written from a few numbers → JPEG images.
//!
//! ```text
//!   specific(8) offset(24) type(8) Q(8) width/8 height/8 │ [restart interval(16) F L count] │ [0 precision length(16) tables] │ scan
//! ```

use alloc::vec::Vec;

use super::until_marker::{Content, Gathered};

/// Images of scans.
#[derive(Debug, Default)]
pub(super) struct Images {
    /// Bytes of the headers in front of the scan.
    head: usize,
    /// Tables of values of Q from 128 to 254, which need not be sent again.
    tables: Vec<(u8, [u8; 128])>,
}

/// A payload header.
struct Header {
    offset: usize,
    kind: u8,
    q: u8,
    size: (u16, u16),
    restart: u16,
}

impl Images {
    /// The quantization tables of a payload, and the bytes that they take of it; `None` when there are none.
    fn quantization(&mut self, q: u8, rest: &[u8]) -> Option<([u8; 128], usize)> {
        if q < 128 {
            return Some((scaled(q), 0));
        }
        let &[_, precision, high, low] = rest.first_chunk::<4>()?;
        let length = usize::from(u16::from_be_bytes([high, low]));
        let known = self.tables.iter().position(|(known, _)| *known == q);
        if length == 0 {
            return self.tables.get(known?).map(|(_, tables)| (*tables, 4));
        }
        let given = rest.get(4..4 + length).filter(|given| precision == 0 && given.len() >= 64)?;
        let mut tables = [0; 128];
        for (to, from) in tables.iter_mut().zip(given.iter().chain(given.iter())) {
            *to = *from;
        }
        match known.and_then(|at| self.tables.get_mut(at)) {
            Some(known) => known.1 = tables,
            None => self.tables.push((q, tables)),
        }
        Some((tables, 4 + length))
    }

    fn begin(&mut self, header: &Header, tables: &[u8; 128], image: &mut Vec<u8>) {
        image.extend_from_slice(&[0xff, 0xd8]);
        for (n, table) in tables.chunks(64).enumerate() {
            image.extend_from_slice(&[0xff, 0xdb, 0, 67, n as u8]);
            image.extend_from_slice(table);
        }
        let ([w0, w1], [h0, h1]) = (header.size.0.to_be_bytes(), header.size.1.to_be_bytes());
        let sampling = if header.kind & 1 == 0 { 0x21 } else { 0x22 };
        image.extend_from_slice(&[0xff, 0xc0, 0, 17, 8, h0, h1, w0, w1, 3]);
        image.extend_from_slice(&[1, sampling, 0, 2, 0x11, 1, 3, 0x11, 1]);
        for (class, lengths, symbols) in HUFFMAN {
            image.extend_from_slice(&[0xff, 0xc4, 0, (19 + symbols.len()) as u8, *class]);
            image.extend_from_slice(*lengths);
            image.extend_from_slice(symbols);
        }
        if header.restart > 0 {
            image.extend_from_slice(&[0xff, 0xdd, 0, 4]);
            image.extend_from_slice(&header.restart.to_be_bytes());
        }
        image.extend_from_slice(&[0xff, 0xda, 0, 12, 3, 1, 0, 2, 0x11, 3, 0x11, 0, 63, 0]);
        self.head = image.len();
    }

    fn payload(&mut self, payload: &[u8], unit: &mut Gathered) -> Option<()> {
        let (&[_, o0, o1, o2, kind, q, width, height], mut rest) = payload.split_first_chunk::<8>()?;
        let offset = u32::from_be_bytes([0, o0, o1, o2]) as usize;
        let size = (u16::from(width) * 8, u16::from(height) * 8);
        let mut header = Header { offset, kind: kind & 63, q, size, restart: 0 };
        if kind >= 128 || header.kind > 1 {
            return None;
        }
        if kind & 64 != 0 {
            let (&[r0, r1, _, _], after) = rest.split_first_chunk::<4>()?;
            header.restart = u16::from_be_bytes([r0, r1]);
            rest = after;
        }
        if header.offset == 0 {
            let (tables, taken) = self.quantization(header.q, rest)?;
            rest = rest.get(taken..).unwrap_or_default();
            unit.bytes.clear();
            self.begin(&header, &tables, &mut unit.bytes);
        }
        // Of an image whose start is lost, nothing can be shown.
        if !unit.bytes.is_empty() {
            unit.damaged |= unit.bytes.len().saturating_sub(self.head) != header.offset;
            unit.extend(rest);
        }
        Some(())
    }
}

impl Content for Images {
    fn append(&mut self, payload: &[u8], _: bool, unit: &mut Gathered) -> Result<(), &'static str> {
        self.payload(payload, unit).ok_or("a JPEG payload of a kind that cannot be read left out")
    }

    fn complete(&mut self, unit: &mut Gathered) -> Option<bool> {
        if !unit.bytes.ends_with(&END) {
            unit.bytes.extend_from_slice(&END);
        }
        Some(true)
    }
}

/// The marker behind an image.
const END: [u8; 2] = [0xff, 0xd9];

/// The tables of a quality from 1 to 99, luminance and chrominance in zigzag order (RFC 2435 §4.2, appendix A).
fn scaled(q: u8) -> [u8; 128] {
    let q = u32::from(q).clamp(1, 99);
    let factor = if q < 50 { 5000 / q } else { 200 - 2 * q };
    let mut tables = [99; 128];
    for (to, from) in tables.iter_mut().zip(LUMINANCE.iter().chain(CHROMINANCE)) {
        *to = *from;
    }
    tables.map(|value| ((u32::from(value) * factor + 50) / 100).clamp(1, 255) as u8)
}

/// Quantization in zigzag order (ISO/IEC 10918-1 table K.1).
const LUMINANCE: &[u8; 64] = &[
    16, 11, 12, 14, 12, 10, 16, 14, 13, 14, 18, 17, 16, 19, 24, 40, 26, 24, 22, 22, 24, 49, 35, 37, 29, 40, 58, 51, 61,
    60, 57, 51, 56, 55, 64, 72, 92, 78, 64, 68, 87, 69, 55, 56, 80, 109, 81, 87, 95, 98, 103, 104, 103, 62, 77, 113,
    121, 112, 100, 120, 92, 101, 103, 99,
];

/// As [`LUMINANCE`], of table K.2; all that follow are 99.
const CHROMINANCE: &[u8] = &[17, 18, 18, 24, 21, 24, 47, 26, 26, 47, 99, 66, 56, 66];

/// Class and number of a table, how many codes have each length from 1 to 16, and their symbols (tables K.3 to K.6).
type Huffman = (u8, &'static [u8; 16], &'static [u8]);

const HUFFMAN: &[Huffman] = &[
    (0x00, &[0, 1, 5, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0], &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]),
    (0x10, &[0, 2, 1, 3, 3, 2, 4, 3, 5, 5, 4, 4, 0, 0, 1, 0x7d], LUMINANCE_AC),
    (0x01, &[0, 3, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0], &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]),
    (0x11, &[0, 2, 1, 2, 4, 4, 3, 4, 7, 5, 4, 4, 0, 1, 2, 0x77], CHROMINANCE_AC),
];

#[rustfmt::skip]
const LUMINANCE_AC: &[u8] = &[
    0x01, 0x02, 0x03, 0x00, 0x04, 0x11, 0x05, 0x12, 0x21, 0x31, 0x41, 0x06, 0x13, 0x51, 0x61, 0x07, 0x22, 0x71, 0x14, 0x32,
    0x81, 0x91, 0xa1, 0x08, 0x23, 0x42, 0xb1, 0xc1, 0x15, 0x52, 0xd1, 0xf0, 0x24, 0x33, 0x62, 0x72, 0x82, 0x09, 0x0a, 0x16,
    0x17, 0x18, 0x19, 0x1a, 0x25, 0x26, 0x27, 0x28, 0x29, 0x2a, 0x34, 0x35, 0x36, 0x37, 0x38, 0x39, 0x3a, 0x43, 0x44, 0x45,
    0x46, 0x47, 0x48, 0x49, 0x4a, 0x53, 0x54, 0x55, 0x56, 0x57, 0x58, 0x59, 0x5a, 0x63, 0x64, 0x65, 0x66, 0x67, 0x68, 0x69,
    0x6a, 0x73, 0x74, 0x75, 0x76, 0x77, 0x78, 0x79, 0x7a, 0x83, 0x84, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8a, 0x92, 0x93, 0x94,
    0x95, 0x96, 0x97, 0x98, 0x99, 0x9a, 0xa2, 0xa3, 0xa4, 0xa5, 0xa6, 0xa7, 0xa8, 0xa9, 0xaa, 0xb2, 0xb3, 0xb4, 0xb5, 0xb6,
    0xb7, 0xb8, 0xb9, 0xba, 0xc2, 0xc3, 0xc4, 0xc5, 0xc6, 0xc7, 0xc8, 0xc9, 0xca, 0xd2, 0xd3, 0xd4, 0xd5, 0xd6, 0xd7, 0xd8,
    0xd9, 0xda, 0xe1, 0xe2, 0xe3, 0xe4, 0xe5, 0xe6, 0xe7, 0xe8, 0xe9, 0xea, 0xf1, 0xf2, 0xf3, 0xf4, 0xf5, 0xf6, 0xf7, 0xf8,
    0xf9, 0xfa,
];

#[rustfmt::skip]
const CHROMINANCE_AC: &[u8] = &[
    0x00, 0x01, 0x02, 0x03, 0x11, 0x04, 0x05, 0x21, 0x31, 0x06, 0x12, 0x41, 0x51, 0x07, 0x61, 0x71, 0x13, 0x22, 0x32, 0x81,
    0x08, 0x14, 0x42, 0x91, 0xa1, 0xb1, 0xc1, 0x09, 0x23, 0x33, 0x52, 0xf0, 0x15, 0x62, 0x72, 0xd1, 0x0a, 0x16, 0x24, 0x34,
    0xe1, 0x25, 0xf1, 0x17, 0x18, 0x19, 0x1a, 0x26, 0x27, 0x28, 0x29, 0x2a, 0x35, 0x36, 0x37, 0x38, 0x39, 0x3a, 0x43, 0x44,
    0x45, 0x46, 0x47, 0x48, 0x49, 0x4a, 0x53, 0x54, 0x55, 0x56, 0x57, 0x58, 0x59, 0x5a, 0x63, 0x64, 0x65, 0x66, 0x67, 0x68,
    0x69, 0x6a, 0x73, 0x74, 0x75, 0x76, 0x77, 0x78, 0x79, 0x7a, 0x82, 0x83, 0x84, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8a, 0x92,
    0x93, 0x94, 0x95, 0x96, 0x97, 0x98, 0x99, 0x9a, 0xa2, 0xa3, 0xa4, 0xa5, 0xa6, 0xa7, 0xa8, 0xa9, 0xaa, 0xb2, 0xb3, 0xb4,
    0xb5, 0xb6, 0xb7, 0xb8, 0xb9, 0xba, 0xc2, 0xc3, 0xc4, 0xc5, 0xc6, 0xc7, 0xc8, 0xc9, 0xca, 0xd2, 0xd3, 0xd4, 0xd5, 0xd6,
    0xd7, 0xd8, 0xd9, 0xda, 0xe2, 0xe3, 0xe4, 0xe5, 0xe6, 0xe7, 0xe8, 0xe9, 0xea, 0xf2, 0xf3, 0xf4, 0xf5, 0xf6, 0xf7, 0xf8,
    0xf9, 0xfa,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_have_as_many_symbols_as_codes() {
        for (class, lengths, symbols) in HUFFMAN {
            assert_eq!(lengths.iter().map(|n| usize::from(*n)).sum::<usize>(), symbols.len(), "{class:#x}");
        }
        assert_eq!((scaled(50)[0], scaled(99)[64], scaled(1)[0]), (16, 1, 255));
    }
}
