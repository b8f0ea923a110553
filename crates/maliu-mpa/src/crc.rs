//! The checksum of a frame: CRC-16 of polynomial 0x8005, most significant bit first, from ones (ISO/IEC 11172-3 §2.4.3.1).

use crate::header::{self, Header};

/// Whether the checksum covers the header and `bits` bits behind the checksum rightly. True in frames without one.
pub(crate) fn is_right(header: &Header, frame: &[u8], bits: usize) -> bool {
    if !header.protected {
        return true;
    }
    let (Some(head), Some(written)) = (frame.get(2..header::SIZE), frame.get(header::SIZE..header.body())) else {
        return false;
    };
    let Some(body) = frame.get(header.body()..header.body() + bits.div_ceil(8)) else { return false };
    let (whole, part) = body.split_at(bits / 8);
    let mut crc = head.iter().chain(whole).fold(0xffff, |crc, byte| with(crc, *byte, 8));
    if let [last] = part {
        crc = with(crc, *last, bits % 8);
    }
    crc.to_be_bytes() == written
}

/// The checksum after the upper `bits` bits of a byte.
fn with(crc: u16, byte: u8, bits: usize) -> u16 {
    (0..bits).fold(crc, |crc, i| {
        let differs = (crc >> 15) as u8 ^ (byte >> (7 - i) & 1) != 0;
        crc << 1 ^ if differs { 0x8005 } else { 0 }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_checksum_covers_header_and_bits_up_to_the_last() {
        let mut frame = vec![0xff, 0xfa, 0x90, 0x64, 0, 0, 0x12, 0x34];
        let header = Header::parse(&frame).unwrap();
        let crc = [0x90, 0x64, 0x12].iter().fold(0xffff, |crc, byte| with(crc, *byte, 8));
        frame[4..6].copy_from_slice(&with(crc, 0x34, 3).to_be_bytes());
        assert!(is_right(&header, &frame, 11));
        frame[7] ^= 0x1f;
        assert!(is_right(&header, &frame, 11), "bits behind the last do not count");
        frame[7] ^= 0x20;
        assert!(!is_right(&header, &frame, 11));
        assert!(!is_right(&header, &frame, 17), "the frame is too short");
    }
}
