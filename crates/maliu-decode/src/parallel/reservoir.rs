//! How many bytes of earlier frames a layer III decoder still holds (ISO 11172-3 §2.4.2.7, main_data_begin): the one part
//! of its state that frames long ago may decide.
//!
//! Two decoders that hold the same number of bytes, all of frames that both were given, decode the next frames from the
//! same bits. This follows the arithmetic of the library: data that is missing costs whole granules, and a frame that
//! cannot be decoded may empty the reservoir or not.

use maliu_core::{
    bits::Bits,
    syntax::mpeg_audio::{HEADER, Header, Version},
};

/// The bytes that a decoder holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Reservoir {
    /// At least so many.
    bytes: usize,
    /// It may be more.
    vague: bool,
    /// Bytes that were given since the decoder was made or a frame could not be decoded.
    given: usize,
}

impl Reservoir {
    /// A frame was given to the decoder. `decoded`: it could decode it.
    pub(super) fn follow(&mut self, header: &Header, data: &[u8], decoded: bool) {
        let sizes = Sizes::read(header, data).filter(|_| decoded);
        let Some(Sizes { begin, own, bits }) = sizes else {
            *self = Reservoir { bytes: 0, vague: true, given: 0 };
            return;
        };
        let missing = begin.saturating_sub(self.bytes);
        // After a frame the same is left whether it lacked data or not, unless it lacked more than it is long.
        let left = (begin + own).saturating_sub(bits.div_ceil(8));
        if 8 * missing <= bits {
            (self.bytes, self.vague) = (left, false);
        } else {
            self.bytes = if self.vague { left.min(self.bytes + own) } else { self.bytes + own };
        }
        self.given = self.given.saturating_add(own);
    }

    /// Whether a decoder with this reservoir goes on from the same bits as one with the other.
    pub(super) fn equals(&self, other: &Reservoir) -> bool {
        let known = |it: &Reservoir| !it.vague && it.bytes <= it.given;
        known(self) && known(other) && self.bytes == other.bytes
    }
}

/// Bytes of main data that a frame brings; layers I and II keep none.
pub(super) fn main_data(header: &Header, data: &[u8]) -> usize {
    Sizes::read(header, data).map_or(0, |sizes| sizes.own)
}

/// What a frame says of its main data.
struct Sizes {
    /// Bytes of earlier frames that it begins with.
    begin: usize,
    /// Bytes of its own.
    own: usize,
    /// Bits that it uses (part2_3_length of all granules).
    bits: usize,
}

impl Sizes {
    fn read(header: &Header, data: &[u8]) -> Option<Sizes> {
        if header.layer != 3 {
            return Some(Sizes { begin: 0, own: 0, bits: 0 });
        }
        let start = HEADER + if header.crc { 2 } else { 0 };
        let own = header.frame_length()?.checked_sub(start + header.side_info_size())?;
        let mut bits = Bits::new(data.get(start..)?);
        let channels = usize::from(header.channels());
        // private_bits and scfsi, then granules of 59 or 63 bits a channel.
        let (begin, between, granules, rest) = match (header.version, channels) {
            (Version::Mpeg1, 1) => (bits.read(9)?, 5 + 4, 2, 47),
            (Version::Mpeg1, _) => (bits.read(9)?, 3 + 8, 2, 47),
            (_, 1) => (bits.read(8)?, 1, 1, 51),
            (_, _) => (bits.read(8)?, 2, 1, 51),
        };
        bits.skip(between)?;
        let mut used = 0;
        for _ in 0..granules * channels {
            used += bits.read(12)? as usize;
            bits.skip(rest)?;
        }
        Some(Sizes { begin: begin as usize, own, bits: used })
    }
}
