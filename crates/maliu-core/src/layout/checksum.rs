//! Checksums that private protocols use: CRCs by their parameters, and sums.

/// How a checksum is computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Algorithm {
    /// A cyclic redundancy check.
    Crc(Crc),
    /// Sum of the bytes, 8 bits.
    Sum8,
    /// Sum of the bytes, 16 bits.
    Sum16,
    /// Sum of the bytes, 32 bits.
    Sum32,
    /// Exclusive or of the bytes.
    Xor8,
    /// Ones' complement of the ones' complement sum of 16-bit words (RFC 1071).
    Ones16,
    /// Fletcher's checksum of bytes, 16 bits.
    Fletcher16,
    /// Adler-32 (RFC 1950 section 8).
    Adler32,
}

/// Parameters of a cyclic redundancy check, as its catalogues give them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(clippy::exhaustive_structs)]
pub struct Crc {
    /// Bits of the sum, 8 to 64.
    pub width: u8,
    /// The polynomial without its highest term, most significant bit first.
    pub poly: u64,
    /// The register before the first byte.
    pub init: u64,
    /// Whether bytes go in with their least significant bit first.
    pub refin: bool,
    /// Whether the register is reflected at the end.
    pub refout: bool,
    /// The register is combined with it at the end, by exclusive or.
    pub xorout: u64,
}

const fn crc(width: u8, poly: u64, init: u64, reflected: bool, xorout: u64) -> Algorithm {
    Algorithm::Crc(Crc { width, poly, init, refin: reflected, refout: reflected, xorout })
}

impl Algorithm {
    /// Every algorithm by the name it has in a layout. `crc16` is CCITT-FALSE, `crc32` that of IEEE 802.3.
    pub const NAMES: &'static [(&'static str, Self)] = &[
        ("crc16", crc(16, 0x1021, 0xffff, false, 0)),
        ("crc32", crc(32, 0x04c1_1db7, 0xffff_ffff, true, 0xffff_ffff)),
        ("crc32c", crc(32, 0x1edc_6f41, 0xffff_ffff, true, 0xffff_ffff)),
        ("sum8", Self::Sum8),
        ("sum16", Self::Sum16),
        ("sum32", Self::Sum32),
        ("xor8", Self::Xor8),
        ("ones16", Self::Ones16),
        ("fletcher16", Self::Fletcher16),
        ("adler32", Self::Adler32),
        ("crc8", crc(8, 0x07, 0, false, 0)),
        ("crc8-maxim", crc(8, 0x31, 0, true, 0)),
        ("crc16-ccitt", crc(16, 0x1021, 0xffff, false, 0)),
        ("crc16-xmodem", crc(16, 0x1021, 0, false, 0)),
        ("crc16-kermit", crc(16, 0x1021, 0, true, 0)),
        ("crc16-x25", crc(16, 0x1021, 0xffff, true, 0xffff)),
        ("crc16-modbus", crc(16, 0x8005, 0xffff, true, 0)),
        ("crc16-arc", crc(16, 0x8005, 0, true, 0)),
        ("crc16-usb", crc(16, 0x8005, 0xffff, true, 0xffff)),
        ("crc16-dnp", crc(16, 0x3d65, 0, true, 0xffff)),
        ("crc24-openpgp", crc(24, 0x0086_4cfb, 0x00b7_04ce, false, 0)),
        ("crc32-mpeg2", crc(32, 0x04c1_1db7, 0xffff_ffff, false, 0)),
        ("crc32-bzip2", crc(32, 0x04c1_1db7, 0xffff_ffff, false, 0xffff_ffff)),
        ("crc32-cksum", crc(32, 0x04c1_1db7, 0, false, 0xffff_ffff)),
        ("crc64-ecma", crc(64, 0x42f0_e1eb_a9ea_3693, 0, false, 0)),
        ("crc64-xz", crc(64, 0x42f0_e1eb_a9ea_3693, u64::MAX, true, u64::MAX)),
    ];

    /// The algorithm of a name: one of [`NAMES`](Self::NAMES), in any case, with or without hyphens, or what stands behind
    /// the hyphen alone, as `modbus`.
    pub fn named(name: &str) -> Option<Self> {
        fn letters(text: &str) -> impl Iterator<Item = u8> + '_ {
            text.bytes().filter(u8::is_ascii_alphanumeric).map(|byte| byte.to_ascii_lowercase())
        }
        let same = |known: &str| letters(known).eq(letters(name));
        let whole = Self::NAMES.iter().find(|(known, _)| same(known));
        let end = || Self::NAMES.iter().find(|(known, _)| known.split_once('-').is_some_and(|(_, end)| same(end)));
        whole.or_else(end).map(|(_, algorithm)| *algorithm)
    }

    /// Bits of its value.
    pub fn bits(self) -> usize {
        match self {
            Self::Sum8 | Self::Xor8 => 8,
            Self::Sum16 | Self::Ones16 | Self::Fletcher16 => 16,
            Self::Sum32 | Self::Adler32 => 32,
            Self::Crc(crc) => usize::from(crc.width),
        }
    }

    /// The checksum of `bytes`.
    pub fn of(self, bytes: &[u8]) -> u64 {
        match self {
            Self::Crc(crc) => crc.of(bytes),
            Self::Sum8 => u64::from(bytes.iter().fold(0u8, |sum, byte| sum.wrapping_add(*byte))),
            Self::Sum16 => u64::from(bytes.iter().fold(0u16, |sum, byte| sum.wrapping_add(u16::from(*byte)))),
            Self::Sum32 => u64::from(bytes.iter().fold(0u32, |sum, byte| sum.wrapping_add(u32::from(*byte)))),
            Self::Xor8 => u64::from(bytes.iter().fold(0u8, |sum, byte| sum ^ byte)),
            Self::Ones16 => ones16(bytes),
            Self::Fletcher16 => {
                let (a, b) = bytes.iter().fold((0u32, 0u32), |(a, b), byte| {
                    let a = (a + u32::from(*byte)) % 255;
                    (a, (b + a) % 255)
                });
                u64::from(b << 8 | a)
            }
            Self::Adler32 => {
                let (a, b) = bytes.iter().fold((1u32, 0u32), |(a, b), byte| {
                    let a = (a + u32::from(*byte)) % 65_521;
                    (a, (b + a) % 65_521)
                });
                u64::from(b << 16 | a)
            }
        }
    }
}

fn ones16(bytes: &[u8]) -> u64 {
    let word = |pair: &[u8]| pair.iter().chain(&[0]).take(2).fold(0u64, |word, byte| word << 8 | u64::from(*byte));
    let mut sum: u64 = bytes.chunks(2).map(word).fold(0, u64::wrapping_add);
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !sum & 0xffff
}

/// Inputs from this length on are worth a table.
const LONG: usize = 512;

impl Crc {
    /// The sum of `bytes`.
    fn of(self, bytes: &[u8]) -> u64 {
        let width = u32::from(self.width.clamp(8, 64));
        let unused = 64 - width;
        let poly = if self.refin { (self.poly << unused).reverse_bits() } else { self.poly << unused };
        let init = if self.refin { (self.init << unused).reverse_bits() } else { self.init << unused };
        let one = |register: u64| match self.refin {
            true => register >> 1 ^ if register & 1 == 0 { 0 } else { poly },
            false => register << 1 ^ if register >> 63 == 0 { 0 } else { poly },
        };
        let eight = |register: u64| (0..8).fold(register, |register, _| one(register));
        let register = if bytes.len() < LONG {
            let step = |register: u64, byte: &u8| {
                eight(register ^ if self.refin { u64::from(*byte) } else { u64::from(*byte) << 56 })
            };
            bytes.iter().fold(init, step)
        } else {
            let entry = |n: usize| eight(if self.refin { n as u64 } else { (n as u64) << 56 });
            let table: [u64; 256] = core::array::from_fn(entry);
            let at = |index: u64| table.get((index & 0xff) as usize).copied().unwrap_or_default();
            let step = |register: u64, byte: &u8| match self.refin {
                true => register >> 8 ^ at(register ^ u64::from(*byte)),
                false => register << 8 ^ at(register >> 56 ^ u64::from(*byte)),
            };
            bytes.iter().fold(init, step)
        };
        let sum = match (self.refin, self.refout) {
            (true, true) => register,
            (true, false) => register.reverse_bits() >> unused,
            (false, false) => register >> unused,
            (false, true) => register.reverse_bits(),
        };
        (sum ^ self.xorout) & (u64::MAX >> unused)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_check_values_of_the_catalogue_hold() {
        let expected = [
            ("crc16", 0x29b1),
            ("crc32", 0xcbf4_3926),
            ("crc32c", 0xe306_9283),
            ("CRC-32C", 0xe306_9283),
            ("sum8", 0xdd),
            ("sum16", 0x1dd),
            ("sum32", 0x1dd),
            ("xor8", 0x31),
            ("crc8", 0xf4),
            ("crc8-maxim", 0xa1),
            ("xmodem", 0x31c3),
            ("kermit", 0x2189),
            ("x25", 0x906e),
            ("modbus", 0x4b37),
            ("arc", 0xbb3d),
            ("usb", 0xb4c8),
            ("dnp", 0xea82),
            ("crc24-openpgp", 0x0021_cf02),
            ("crc32-mpeg2", 0x0376_e6e7),
            ("crc32-bzip2", 0xfc89_1918),
            ("cksum", 0x765e_7680),
            ("crc64-ecma", 0x6c40_df5f_0b49_7347),
            ("crc64-xz", 0x995d_c9bb_df19_39fa),
            ("adler32", 0x091e_01de),
        ];
        for (name, value) in expected {
            assert_eq!(Algorithm::named(name).unwrap().of(b"123456789"), value, "{name}");
        }
        assert_eq!(Algorithm::Fletcher16.of(b"abcde"), 0xc8f0);
        assert_eq!(Algorithm::Ones16.of(&[0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7]), 0x220d);
        assert_eq!(Algorithm::named("crc7"), None);
    }

    #[test]
    fn long_inputs_have_the_sums_of_short_ones() {
        let bytes: alloc::vec::Vec<u8> = (0..600u32).map(|n| (n * n) as u8).collect();
        for (name, algorithm) in Algorithm::NAMES {
            let Algorithm::Crc(crc) = algorithm else { continue };
            // A register goes on where it was: in two parts of which each is short.
            let plain = Crc { refout: crc.refin, xorout: 0, ..*crc };
            let first = plain.of(&bytes[..300]);
            let unused = 64 - u32::from(crc.width);
            let init = if crc.refin { first.reverse_bits() >> unused } else { first };
            assert_eq!(Crc { init, ..plain }.of(&bytes[300..]), plain.of(&bytes), "{name}");
        }
    }
}
