//! RIFF as audio files use it: chunk headers, the `fmt ` chunk, LIST/INFO and `bext` tags (EBU Tech 3285, RFC 2361).
//!
//! ```text
//!   "RIFF" size(32) "WAVE"  { id(4) size(32) body [pad to even] }…
//! ```

pub mod tags;
pub mod wave_format;

pub use wave_format::WaveFormat;

/// Bytes of a chunk's header.
pub const CHUNK_HEADER: usize = 8;

/// In which order bytes of numbers stand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// RIFF, RF64.
    #[default]
    Little,
    /// RIFX.
    Big,
}

impl Order {
    /// The 16-bit number at `at`.
    pub fn u16(self, bytes: &[u8], at: usize) -> Option<u16> {
        let value = *bytes.get(at..)?.first_chunk()?;
        Some(if self == Self::Big { u16::from_be_bytes(value) } else { u16::from_le_bytes(value) })
    }

    /// The 32-bit number at `at`.
    pub fn u32(self, bytes: &[u8], at: usize) -> Option<u32> {
        let value = *bytes.get(at..)?.first_chunk()?;
        Some(if self == Self::Big { u32::from_be_bytes(value) } else { u32::from_le_bytes(value) })
    }

    /// The 64-bit number at `at`.
    pub fn u64(self, bytes: &[u8], at: usize) -> Option<u64> {
        let value = *bytes.get(at..)?.first_chunk()?;
        Some(if self == Self::Big { u64::from_be_bytes(value) } else { u64::from_le_bytes(value) })
    }

    /// The chunk header at the start of `bytes`: id and size.
    pub fn chunk(self, bytes: &[u8]) -> Option<([u8; 4], u32)> {
        Some((*bytes.first_chunk()?, self.u32(bytes, 4)?))
    }
}
