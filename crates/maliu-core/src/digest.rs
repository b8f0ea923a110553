//! Checksums of bytes that come in pieces: Adler-32, CRC-32, MD5 and SHA-256, for texts that must equal the reference's.
//!
//! SHA-256 is that of the crate `sha2` and there with the feature `crypt`. The others are written here, because core
//! depends on three crates only; each is one short file with the test vectors of its specification. They compare files
//! and do not protect against an attacker.
//!
//! ```
//! use maliu_core::digest::{Digest, Kind};
//!
//! let mut digest = Digest::new(Kind::Md5);
//! digest.update(b"ab");
//! digest.update(b"c");
//! assert_eq!(digest.finish(), "900150983cd24fb0d6963f7d28e17f72");
//! ```

use alloc::{format, string::String, vec::Vec};
use core::fmt::Write as _;

mod adler32;
mod block;
mod crc32;
mod md5;

use adler32::Adler32;
use crc32::Crc32;
use md5::Md5;
#[cfg(feature = "crypt")]
use sha2::Digest as _;

/// Which checksum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// Adler-32 (RFC 1950 §8.2).
    Adler32,
    /// CRC-32 (IEEE 802.3).
    Crc32,
    /// MD5 (RFC 1321).
    Md5,
    /// SHA-256 (FIPS 180-4).
    #[cfg(feature = "crypt")]
    Sha256,
}

impl Kind {
    /// All of them.
    pub const ALL: &'static [Self] = &[
        Self::Adler32,
        Self::Crc32,
        Self::Md5,
        #[cfg(feature = "crypt")]
        Self::Sha256,
    ];

    /// The name as the reference prints it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Adler32 => "adler32",
            Self::Crc32 => "CRC32",
            Self::Md5 => "MD5",
            #[cfg(feature = "crypt")]
            Self::Sha256 => "SHA256",
        }
    }

    /// The checksum of a name, compared without case.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.name().eq_ignore_ascii_case(name))
    }

    /// The checksum of `data`, in lower-case hex.
    pub fn of(self, data: &[u8]) -> String {
        let mut digest = Digest::new(self);
        digest.update(data);
        digest.finish()
    }
}

/// A checksum being computed.
#[derive(Clone, Debug)]
pub struct Digest(State);

#[derive(Clone, Debug)]
enum State {
    Adler32(Adler32),
    Crc32(Crc32),
    Md5(Md5),
    #[cfg(feature = "crypt")]
    Sha256(sha2::Sha256),
}

impl Digest {
    /// Of no bytes yet.
    pub fn new(kind: Kind) -> Self {
        Self(match kind {
            Kind::Adler32 => State::Adler32(Adler32::default()),
            Kind::Crc32 => State::Crc32(Crc32::default()),
            Kind::Md5 => State::Md5(Md5::default()),
            #[cfg(feature = "crypt")]
            Kind::Sha256 => State::Sha256(sha2::Sha256::default()),
        })
    }

    /// Adds bytes.
    pub fn update(&mut self, data: &[u8]) {
        match &mut self.0 {
            State::Adler32(state) => state.update(data),
            State::Crc32(state) => state.update(data),
            State::Md5(state) => state.update(data),
            #[cfg(feature = "crypt")]
            State::Sha256(state) => state.update(data),
        }
    }

    /// The checksum in lower-case hex.
    pub fn finish(self) -> String {
        match self.0 {
            State::Adler32(state) => hex(&state.value().to_be_bytes()),
            State::Crc32(state) => hex(&state.value().to_be_bytes()),
            State::Md5(state) => hex(&state.finish()),
            #[cfg(feature = "crypt")]
            State::Sha256(state) => hex(&state.finalize()),
        }
    }
}

/// Adler-32 of `data`, started from `start`: 1 by RFC 1950, 0 in the reference's frame lists.
pub fn adler32(start: u32, data: &[u8]) -> u32 {
    let mut state = Adler32::from(start);
    state.update(data);
    state.value()
}

/// The reason why a checksum of this name cannot be computed: it does not exist, or needs the feature `crypt`.
pub(crate) fn unknown(name: &str) -> String {
    let known: Vec<String> = Kind::ALL.iter().map(|kind| kind.name().to_ascii_lowercase()).collect();
    format!("{name:?} is none of the checksums of this build: {}", known.join(", "))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksums_are_those_of_their_specifications() {
        for (kind, text, expected) in [
            (Kind::Adler32, "", "00000001"),
            (Kind::Adler32, "Wikipedia", "11e60398"),
            (Kind::Crc32, "123456789", "cbf43926"),
            (Kind::Md5, "", "d41d8cd98f00b204e9800998ecf8427e"),
            (Kind::Md5, "abc", "900150983cd24fb0d6963f7d28e17f72"),
            (
                Kind::Md5,
                "12345678901234567890123456789012345678901234567890123456789012345678901234567890",
                "57edf4a22be3c955ac49da2e2107b67a",
            ),
            #[cfg(feature = "crypt")]
            (Kind::Sha256, "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
            #[cfg(feature = "crypt")]
            (
                Kind::Sha256,
                "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
                "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1",
            ),
        ] {
            assert_eq!(kind.of(text.as_bytes()), expected, "{} of {text:?}", kind.name());
        }
    }

    #[test]
    fn pieces_give_what_the_whole_gives() {
        let data: alloc::vec::Vec<u8> = (0..100_000u32).map(|i| (i.wrapping_mul(i) >> 5) as u8).collect();
        for kind in Kind::ALL.iter().copied() {
            for piece in [1, 63, 64, 65, 5553] {
                let mut digest = Digest::new(kind);
                data.chunks(piece).for_each(|chunk| digest.update(chunk));
                assert_eq!(digest.finish(), kind.of(&data), "{} by {piece}", kind.name());
            }
        }
        assert_eq!(Kind::named("sha256").is_some(), cfg!(feature = "crypt"));
    }
}
