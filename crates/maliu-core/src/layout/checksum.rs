//! Checksums that private protocols use, bit by bit: headers and bodies are short, tables are not worth their memory.

/// How a checksum is computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// CRC-16/CCITT-FALSE: polynomial 0x1021, start 0xFFFF.
    Crc16,
    /// CRC-32 (IEEE 802.3): reflected 0x04C11DB7.
    Crc32,
    /// CRC-32C (Castagnoli): reflected 0x1EDC6F41.
    Crc32c,
    /// Sum of the bytes, 8 bits.
    Sum8,
    /// Sum of the bytes, 16 bits.
    Sum16,
    /// Exclusive or of the bytes.
    Xor8,
}

impl Algorithm {
    /// Every algorithm by the name it has in a layout.
    pub const NAMES: &'static [(&'static str, Self)] = &[
        ("crc16", Self::Crc16),
        ("crc32", Self::Crc32),
        ("crc32c", Self::Crc32c),
        ("sum8", Self::Sum8),
        ("sum16", Self::Sum16),
        ("xor8", Self::Xor8),
    ];

    /// Bits of its value.
    pub fn bits(self) -> usize {
        match self {
            Self::Sum8 | Self::Xor8 => 8,
            Self::Crc16 | Self::Sum16 => 16,
            Self::Crc32 | Self::Crc32c => 32,
        }
    }

    /// The checksum of `bytes`.
    pub fn of(self, bytes: &[u8]) -> u64 {
        match self {
            Self::Crc16 => u64::from(bytes.iter().fold(0xffff, |crc: u16, byte| {
                (0..8).fold(crc ^ u16::from(*byte) << 8, |crc, _| crc << 1 ^ if crc & 0x8000 == 0 { 0 } else { 0x1021 })
            })),
            Self::Crc32 => u64::from(reflected(0xedb8_8320, bytes)),
            Self::Crc32c => u64::from(reflected(0x82f6_3b78, bytes)),
            Self::Sum8 => u64::from(bytes.iter().fold(0u8, |sum, byte| sum.wrapping_add(*byte))),
            Self::Sum16 => u64::from(bytes.iter().fold(0u16, |sum, byte| sum.wrapping_add(u16::from(*byte)))),
            Self::Xor8 => u64::from(bytes.iter().fold(0u8, |sum, byte| sum ^ byte)),
        }
    }
}

fn reflected(polynomial: u32, bytes: &[u8]) -> u32 {
    let table = nibbles(polynomial);
    let at = |index: u32| table.get((index & 15) as usize).copied().unwrap_or_default();
    !bytes.iter().fold(!0u32, |crc, byte| {
        let crc = crc ^ u32::from(*byte);
        let crc = crc >> 4 ^ at(crc);
        crc >> 4 ^ at(crc)
    })
}

fn nibbles(polynomial: u32) -> [u32; 16] {
    core::array::from_fn(|n| (0..4).fold(n as u32, |crc, _| crc >> 1 ^ if crc & 1 == 0 { 0 } else { polynomial }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_check_values_of_the_catalogue_hold() {
        let of = |algorithm: Algorithm| algorithm.of(b"123456789");
        assert_eq!(of(Algorithm::Crc16), 0x29b1);
        assert_eq!(of(Algorithm::Crc32), 0xcbf4_3926);
        assert_eq!(of(Algorithm::Crc32c), 0xe306_9283);
        assert_eq!((of(Algorithm::Sum8), of(Algorithm::Sum16), of(Algorithm::Xor8)), (0xdd, 0x1dd, 0x31));
    }
}
