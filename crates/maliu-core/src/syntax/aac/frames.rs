//! Facts of ADTS frames for framing.

use super::{AdtsHeader, adts};
use crate::syntax::framing::{Frames, Length};

/// ADTS frames.
#[derive(Clone, Debug, Default)]
pub struct AdtsFrames;

impl Frames for AdtsFrames {
    type Header = AdtsHeader;
    const HEADER: usize = adts::HEADER;
    /// The reference looks for an ID3v2 header where a frame is missing, and for the next sync word only behind it.
    const BLIND: u64 = 10;
    const LENGTH_MAY_LIE: bool = true;

    fn header(&self, bytes: &[u8]) -> Option<AdtsHeader> {
        AdtsHeader::parse(bytes)
    }

    fn length(&self, header: &AdtsHeader, _bytes: &[u8], _ended: bool) -> Length {
        Length::Known(header.frame_length)
    }

    fn agree(&self, a: &AdtsHeader, b: &AdtsHeader) -> bool {
        a.same_stream(b)
    }
}
