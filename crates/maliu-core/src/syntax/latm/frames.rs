//! LOAS: AudioMuxElements behind a sync word and their length (ISO/IEC 14496-3 §1.7.2).

use crate::syntax::framing::{Frames, Length};

/// Bytes in front of the element.
pub const HEADER: usize = 3;

/// A header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LoasHeader {
    /// Bytes of the frame, the header included.
    pub length: usize,
}

impl LoasHeader {
    /// The header at the start of `bytes`; `None` when there is none or it is cut.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let &[0x56, high @ 0xe0..=0xff, low] = bytes.first_chunk::<HEADER>()? else { return None };
        let length = usize::from(high & 0x1f) << 8 | usize::from(low);
        (length > 0).then_some(Self { length: HEADER + length })
    }

    /// The bytes of the header in front of an element of `length` bytes; `None` when it is too long.
    pub fn build(length: usize) -> Option<[u8; HEADER]> {
        let length = u16::try_from(length).ok().filter(|length| *length < 1 << 13)?;
        let [high, low] = (0xe000 | length).to_be_bytes();
        Some([0x56, high, low])
    }
}

/// LOAS frames.
#[derive(Clone, Debug, Default)]
pub struct LoasFrames;

impl Frames for LoasFrames {
    type Header = LoasHeader;
    const FIRST: u8 = 0x56;
    const HEADER: usize = HEADER;

    fn header(&self, bytes: &[u8]) -> Option<LoasHeader> {
        LoasHeader::parse(bytes)
    }

    fn length(&self, header: &LoasHeader, _bytes: &[u8], _ended: bool) -> Length {
        Length::Known(header.length)
    }

    fn agree(&self, _: &LoasHeader, _: &LoasHeader) -> bool {
        true
    }

    /// 11 bits alone are no proof.
    fn alone(&self, _: &LoasHeader, _: &[u8]) -> bool {
        false
    }
}
