//! The two ways of chunks: RIFF with 4-letter ids and 32-bit sizes, Wave64 with GUIDs and 64-bit sizes.

use crate::syntax::riff::{self, Order};

/// Which way, and how numbers stand in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Container {
    /// RIFF or RIFX.
    Riff(Order),
    /// RF64 or BW64: sizes stand in a `ds64` chunk.
    Rf64,
    /// Sony Wave64.
    Wave64,
}

/// A chunk's header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Chunk {
    pub(super) id: [u8; 4],
    /// Bytes of its header.
    pub(super) header: usize,
    /// Bytes of its body.
    pub(super) size: u64,
    /// Bytes from the start of its body to the next chunk.
    pub(super) padded: u64,
}

/// The end of the GUIDs that begin with a chunk's id.
const GUID_TAIL: [u8; 12] = [0xf3, 0xac, 0xd3, 0x11, 0x8c, 0xd1, 0x00, 0xc0, 0x4f, 0x8e, 0xdb, 0x8a];

/// The GUID that a Wave64 file begins with.
const GUID_RIFF: [u8; 16] =
    [b'r', b'i', b'f', b'f', 0x2e, 0x91, 0xcf, 0x11, 0xa5, 0xd6, 0x28, 0xdb, 0x04, 0xc1, 0x00, 0x00];

/// Bytes of a Wave64 chunk's header.
const GUID_HEADER: usize = 24;

/// Kind of a file by its first bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Start {
    /// This container, whose chunks begin at this byte.
    Known(Container, usize),
    /// More bytes will tell.
    More,
    /// None of these.
    None,
}

impl Container {
    /// Kind of the first bytes of a file.
    pub(super) fn of(bytes: &[u8]) -> Start {
        let is = |at: usize, mark: &[u8]| {
            let seen = bytes.get(at..).unwrap_or_default();
            let common = seen.len().min(mark.len());
            seen.get(..common) == mark.get(..common)
        };
        if is(0, &GUID_RIFF) && is(24, b"wave") && is(28, &GUID_TAIL) {
            return if bytes.len() < 40 { Start::More } else { Start::Known(Self::Wave64, 40) };
        }
        let marks: [(&[u8; 4], Self); 4] = [
            (b"RIFF", Self::Riff(Order::Little)),
            (b"RIFX", Self::Riff(Order::Big)),
            (b"RF64", Self::Rf64),
            (b"BW64", Self::Rf64),
        ];
        match marks.into_iter().find(|(mark, _)| is(0, *mark)) {
            Some(_) if !is(8, b"WAVE") => Start::None,
            Some((_, container)) if bytes.len() >= 12 => Start::Known(container, 12),
            Some(_) => Start::More,
            None => Start::None,
        }
    }

    /// How numbers stand.
    pub(super) fn order(self) -> Order {
        match self {
            Self::Riff(order) => order,
            Self::Rf64 | Self::Wave64 => Order::Little,
        }
    }

    /// Bytes of a chunk's header.
    pub(super) fn chunk_header(self) -> usize {
        if self == Self::Wave64 { GUID_HEADER } else { riff::CHUNK_HEADER }
    }

    /// The chunk header at the start of `bytes`, which stand `at` bytes behind the file's first mark.
    pub(super) fn chunk(self, bytes: &[u8], at: u64) -> Option<Chunk> {
        if self != Self::Wave64 {
            let (id, size) = self.order().chunk(bytes)?;
            let (header, size) = (riff::CHUNK_HEADER, u64::from(size));
            // The reference pads to even offsets, not sizes.
            let end = at.saturating_add(header as u64).saturating_add(size);
            return Some(Chunk { id, header, size, padded: size + (end & 1) });
        }
        let id = *bytes.first_chunk()?;
        let size = Order::Little.u64(bytes, 16)?.checked_sub(GUID_HEADER as u64)?;
        let known = bytes.get(4..16)? == GUID_TAIL;
        let padded = size.checked_next_multiple_of(8)?;
        Some(Chunk { id: if known { id } else { [0; 4] }, header: GUID_HEADER, size, padded })
    }
}
