//! AC-3 and E-AC-3 synchronisation frames: what their headers say and how long they are (ETSI TS 102 366).
//!
//! ```text
//!   AC-3:    0b77 crc(16) fscod(2) frmsizecod(6) bsid(5) bsmod(3) acmod(3) … lfeon
//!   E-AC-3:  0b77 strmtyp(2) substreamid(3) frmsiz(11) fscod(2) numblkscod(2) acmod(3) lfeon(1) bsid(5)
//! ```

use super::framing::{Frames, Length};
use crate::bits::Bits;

/// Bytes that tell what a frame is.
pub const HEADER: usize = 8;

/// The header of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// bsid above 10: E-AC-3.
    pub enhanced: bool,
    /// Bytes of the frame.
    pub length: usize,
    /// Samples per second.
    pub sample_rate: u32,
    /// Number of channels, low frequency effects among them.
    pub channels: u16,
    /// Samples per channel.
    pub samples: u32,
    /// strmtyp 1: it belongs to the frame before (E-AC-3).
    pub dependent: bool,
    /// bsmod of AC-3; 0 for E-AC-3.
    pub mode: u8,
}

const RATES: [u32; 3] = [48_000, 44_100, 32_000];
const KBPS: [u32; 19] = [32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384, 448, 512, 576, 640];
const CHANNELS: [u16; 8] = [2, 1, 2, 3, 3, 4, 4, 5];

/// Samples per channel of a block.
const BLOCK: u32 = 256;

impl Header {
    /// The header at the start of `bytes`; `None` when there is none or it is cut.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let head = bytes.first_chunk::<HEADER>()?;
        if !head.starts_with(&[0x0b, 0x77]) {
            return None;
        }
        match head.get(5)? >> 3 {
            bsid @ 0..=10 => Self::plain(head, bsid),
            11..=16 => Self::enhanced(head),
            _ => None,
        }
    }

    fn plain(head: &[u8], bsid: u8) -> Option<Self> {
        let mut bits = Bits::new(head);
        bits.skip(32)?;
        let (fscod, size) = (bits.read(2)?, bits.read(6)?);
        bits.skip(5)?;
        let mode = bits.read(3)? as u8;
        let acmod = bits.read(3)?;
        let mixing = [acmod & 1 != 0 && acmod != 1, acmod & 4 != 0, acmod == 2];
        bits.skip(mixing.iter().filter(|there| **there).count() * 2)?;
        let lfe = bits.flag()?;
        let (rate, kbps) = (*RATES.get(fscod as usize)?, *KBPS.get(size as usize / 2)?);
        let odd = usize::from(fscod == 1 && size & 1 == 1);
        let words = (kbps * 96_000 / rate) as usize + odd;
        let sample_rate = rate >> bsid.saturating_sub(8);
        let channels = channels(acmod, lfe)?;
        Some(Self {
            enhanced: false,
            length: words * 2,
            sample_rate,
            channels,
            samples: 6 * BLOCK,
            dependent: false,
            mode,
        })
    }

    fn enhanced(head: &[u8]) -> Option<Self> {
        let mut bits = Bits::new(head);
        bits.skip(16)?;
        let kind = bits.read(2)?;
        bits.skip(3)?;
        let length = (bits.read(11)? as usize + 1) * 2;
        let fscod = bits.read(2)?;
        let (sample_rate, blocks) = match (fscod, bits.read(2)?) {
            (3, half) => (RATES.get(half as usize)? / 2, 6),
            (full, blocks) => (*RATES.get(full as usize)?, [1, 2, 3, 6].get(blocks as usize).copied()?),
        };
        let (acmod, lfe) = (bits.read(3)?, bits.flag()?);
        let channels = channels(acmod, lfe)?;
        let valid = kind < 3 && length >= HEADER;
        let header = Self {
            enhanced: true,
            length,
            sample_rate,
            channels,
            samples: blocks * BLOCK,
            dependent: kind == 1,
            mode: 0,
        };
        valid.then_some(header)
    }
}

fn channels(acmod: u32, lfe: bool) -> Option<u16> {
    Some(CHANNELS.get(acmod as usize)? + u16::from(lfe))
}

/// AC-3 frames, and E-AC-3 frames together with the frames that depend on them.
#[derive(Clone, Debug, Default)]
pub struct Ac3Frames;

/// Most frames that belong together.
const MAX_SUBSTREAMS: usize = 9;

impl Frames for Ac3Frames {
    type Header = Header;
    const FIRST: u8 = 0x0b;
    const HEADER: usize = HEADER;

    fn header(&self, bytes: &[u8]) -> Option<Header> {
        Header::parse(bytes).filter(|header| !header.dependent)
    }

    fn length(&self, header: &Header, bytes: &[u8], ended: bool) -> Length {
        let mut length = header.length;
        if !header.enhanced {
            return Length::Known(length);
        }
        for _ in 0..MAX_SUBSTREAMS {
            let Some(behind) = bytes.get(length..).filter(|behind| ended || behind.len() >= HEADER) else {
                return if ended { Length::Known(length) } else { Length::More };
            };
            match Header::parse(behind) {
                Some(next) if next.enhanced && next.dependent => length += next.length,
                _ => break,
            }
        }
        Length::Known(length)
    }

    fn agree(&self, a: &Header, b: &Header) -> bool {
        (a.enhanced, a.sample_rate) == (b.enhanced, b.sample_rate)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_of_both_kinds_are_read() {
        let plain = Header::parse(&[0x0b, 0x77, 0, 0, 0x14, 0x40, 0x43, 0xe0]).unwrap();
        assert_eq!((plain.length, plain.sample_rate, plain.channels, plain.samples), (768, 48_000, 2, 1536));
        let odd = Header::parse(&[0x0b, 0x77, 0, 0, 0x41, 0x40, 0xe1, 0]).unwrap();
        assert_eq!((odd.length, odd.sample_rate, odd.channels), (140, 44_100, 6));
        let enhanced = Header::parse(&[0x0b, 0x77, 0x00, 0xbf, 0x34, 0x86, 0, 0]).unwrap();
        assert!(enhanced.enhanced && !enhanced.dependent);
        assert_eq!(
            (enhanced.length, enhanced.sample_rate, enhanced.channels, enhanced.samples),
            (384, 48_000, 2, 1536)
        );
        assert_eq!(Header::parse(&[0x0b, 0x77, 0, 0, 0xff, 0x40, 0, 0]), None);
    }

    #[test]
    fn dependent_frames_belong_to_the_one_before() {
        let mut frame = alloc::vec![0; 16];
        frame[..6].copy_from_slice(&[0x0b, 0x77, 0x00, 0x07, 0x34, 0x86]);
        let mut dependent = frame.clone();
        dependent[2] = 0x40;
        let bytes = [&frame[..], &dependent, &frame].concat();
        let header = Ac3Frames.header(&bytes).unwrap();
        assert_eq!(Ac3Frames.length(&header, &bytes, false), Length::Known(32));
        assert_eq!(Ac3Frames.length(&header, &bytes[..16], false), Length::More);
        assert_eq!(Ac3Frames.length(&header, &bytes[..16], true), Length::Known(16));
        assert_eq!(Ac3Frames.header(&dependent), None);
    }
}
