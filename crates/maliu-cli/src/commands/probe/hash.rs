//! Checksums of packets, written as ffprobe's `-show_data_hash` writes them.

use maliu::digest::Kind;

/// Which checksum.
#[derive(Clone, Copy, clap::ValueEnum)]
pub(super) enum Hash {
    /// MD5, 32 hex digits.
    Md5,
    /// CRC-32 (IEEE), 8 hex digits.
    Crc32,
}

impl Hash {
    /// `MD5:…` or `CRC32:…` of the bytes.
    pub(super) fn of(self, bytes: &[u8]) -> String {
        match self {
            Self::Md5 => format!("MD5:{}", Kind::Md5.of(bytes)),
            Self::Crc32 => format!("CRC32:{}", Kind::Crc32.of(bytes)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksums_are_those_of_their_standards() {
        assert_eq!(Hash::Md5.of(b"abc"), "MD5:900150983cd24fb0d6963f7d28e17f72");
        assert_eq!(Hash::Crc32.of(b"123456789"), "CRC32:cbf43926");
    }
}
