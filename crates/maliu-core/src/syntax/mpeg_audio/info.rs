//! Declarations about a whole file in its first layer III frame: Xing/Info with LAME's part, and VBRI (PAR-43…46).
//!
//! ```text
//!   header(4) side information, "Xing" | "Info", flags(32) [frames(32)] [bytes(32)] [toc(100)] [quality(32)]
//!     LAME: encoder(9) revision, lowpass, peak(32) gains(2 × 16) flags, rate, delay(12) padding(12) misc, gain,
//!           preset(16) music length(32) music crc(16) crc(16)
//!   header(4) 32 bytes "VBRI" version(16) delay(16) quality(16) bytes(32) frames(32) …
//! ```

use alloc::{string::String, vec::Vec};

use super::{HEADER, Header};

/// Facts of an information frame. Fields are 0 or `None` where it has none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Info {
    /// It is "Info": every frame has the same bit rate.
    pub constant: bool,
    /// Frames behind this one.
    pub frames: u32,
    /// Bytes of the file, this frame included.
    pub bytes: u32,
    /// Where each percent of the time stands, in 256ths of `bytes`.
    pub toc: Option<[u8; 100]>,
    /// LAME's part.
    pub lame: Option<Lame>,
}

/// Fields that LAME and similar encoders add.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lame {
    /// Name and version of the encoder.
    pub encoder: String,
    /// Samples that the encoder put in front.
    pub delay: u16,
    /// Samples that the encoder put behind.
    pub padding: u16,
    /// Whether the checksum of the frame's start is right.
    pub intact: bool,
}

/// Samples that every layer III decoder puts in front.
pub const DECODER_DELAY: u32 = 529;

const FRAMES: u32 = 1;
const BYTES: u32 = 2;
const TOC: u32 = 4;
const QUALITY: u32 = 8;

/// Bytes of LAME's part.
const LAME_SIZE: usize = 36;

impl Info {
    /// The information in a whole frame; `None` when it is a frame of sound (PAR-46).
    pub fn parse(header: &Header, frame: &[u8]) -> Option<Self> {
        if header.layer != 3 {
            return None;
        }
        let xing = Self::parse_xing(header, frame);
        Self::parse_vbri(frame).or(xing).filter(|info| info.frames > 0 || info.bytes > 0)
    }

    fn parse_xing(header: &Header, frame: &[u8]) -> Option<Self> {
        let rest = frame.get(HEADER + header.side_info_size()..)?;
        let constant = rest.starts_with(b"Info");
        if !constant && !rest.starts_with(b"Xing") {
            return None;
        }
        let mut rest = Fields(rest.get(4..)?);
        let flags = rest.u32()?;
        let mut optional = |flag: u32| if flags & flag != 0 { rest.u32() } else { Some(0) };
        let mut info = Self { constant, frames: optional(FRAMES)?, bytes: optional(BYTES)?, ..Self::default() };
        if flags & TOC != 0 {
            info.toc = Some(*rest.array::<100>()?);
        }
        if flags & QUALITY != 0 {
            rest.u32()?;
        }
        info.lame = Lame::parse(frame, rest.0);
        Some(info)
    }

    fn parse_vbri(frame: &[u8]) -> Option<Self> {
        let mut rest = Fields(frame.get(HEADER + 32..)?);
        if rest.array()? != b"VBRI" || rest.array()? != &[0, 1] {
            return None;
        }
        rest.u32()?;
        let bytes = rest.u32()?;
        Some(Self { frames: rest.u32()?, bytes, ..Self::default() })
    }

    /// Samples per channel to drop from the start of the sound.
    pub fn start_skip(&self) -> u32 {
        self.lame.as_ref().map_or(0, |lame| u32::from(lame.delay) + DECODER_DELAY)
    }

    /// The samples at the end that are to be dropped: from the first to before the last.
    pub fn end_discard(&self, header: &Header) -> Option<(u64, u64)> {
        let lame = self.lame.as_ref().filter(|_| self.frames > 0)?;
        let last = u64::from(self.frames) * u64::from(header.samples());
        let first = (last + u64::from(DECODER_DELAY)).saturating_sub(u64::from(lame.padding));
        (first < last).then_some((first, last))
    }

    /// An information frame with this header; `None` when its frame is too short to hold it.
    pub fn build(&self, header: &Header) -> Option<Vec<u8>> {
        let mut frame = header.build().to_vec();
        frame.resize(HEADER + header.side_info_size(), 0);
        frame.extend_from_slice(if self.constant { b"Info" } else { b"Xing" });
        let toc = if self.toc.is_some() { TOC } else { 0 };
        frame.extend_from_slice(&(FRAMES | BYTES | toc).to_be_bytes());
        frame.extend_from_slice(&self.frames.to_be_bytes());
        frame.extend_from_slice(&self.bytes.to_be_bytes());
        frame.extend_from_slice(self.toc.as_ref().map_or(&[], |toc| toc));
        if let Some(lame) = &self.lame {
            let at = frame.len();
            frame.extend(lame.encoder.bytes().chain([0; 9]).take(9));
            frame.resize(at + 21, 0);
            let padding = (u32::from(lame.delay) << 12 | u32::from(lame.padding & 0xfff)).to_be_bytes();
            frame.extend_from_slice(padding.get(1..)?);
            frame.resize(at + LAME_SIZE - 2, 0);
            let crc = crc16(&frame);
            frame.extend_from_slice(&crc.to_be_bytes());
        }
        let length = header.frame_length()?;
        (frame.len() <= length).then(|| {
            frame.resize(length, 0);
            frame
        })
    }
}

impl Lame {
    /// LAME's part at the start of `part`, which stands in `frame`; `None` when another encoder wrote it.
    fn parse(frame: &[u8], part: &[u8]) -> Option<Self> {
        let encoder = part.get(..9)?;
        let known = [b"LAME", b"Lavf", b"Lavc"].into_iter().any(|name| encoder.starts_with(name));
        let &[a, b, c] = part.get(21..)?.first_chunk()?;
        let before = frame.len().checked_sub(part.len())? + LAME_SIZE - 2;
        let crc = frame.get(before..).and_then(|rest| rest.first_chunk()).map(|crc| u16::from_be_bytes(*crc));
        known.then(|| Self {
            encoder: encoder.iter().take_while(|b| **b != 0).map(|b| char::from(*b)).collect(),
            delay: u16::from(a) << 4 | u16::from(b >> 4),
            padding: u16::from(b & 15) << 8 | u16::from(c),
            intact: crc == frame.get(..before).map(crc16),
        })
    }
}

/// CRC-16 of polynomial 0x8005, least significant bit first, from 0.
fn crc16(bytes: &[u8]) -> u16 {
    let bit = |crc: u16, _| if crc & 1 != 0 { crc >> 1 ^ 0xa001 } else { crc >> 1 };
    bytes.iter().fold(0, |crc, byte| (0..8).fold(crc ^ u16::from(*byte), bit))
}

/// Bytes being read from the front.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn array<const N: usize>(&mut self) -> Option<&'a [u8; N]> {
        let (head, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(head)
    }

    fn u32(&mut self) -> Option<u32> {
        self.array().map(|bytes| u32::from_be_bytes(*bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_read_and_write_the_same_facts() {
        let lame = Lame { encoder: "LAME3.100".into(), delay: 576, padding: 1000, intact: true };
        let cases = [
            Info { constant: true, frames: 7, bytes: 4000, toc: None, lame: None },
            Info { constant: false, frames: 9, bytes: 0, toc: Some([3; 100]), lame: Some(lame) },
        ];
        for mono in [0x64, 0xc4] {
            let header = Header::parse(&[0xff, 0xfb, 0x90, mono]).unwrap();
            for info in &cases {
                let frame = info.build(&header).unwrap();
                assert_eq!(Some(frame.len()), header.frame_length());
                assert_eq!(Info::parse(&header, &frame).as_ref(), Some(info));
                (0..frame.len()).for_each(|cut| drop(Info::parse(&header, &frame[..cut])));
            }
        }
        let header = Header::parse(&[0xff, 0xfb, 0x90, 0x64]).unwrap();
        assert_eq!((cases[1].start_skip(), cases[1].end_discard(&header)), (1105, Some((9 * 1152 - 471, 9 * 1152))));
        assert_eq!(cases[1].build(&Header::parse(&[0xff, 0xfb, 0x10, 0x64]).unwrap()), None);
    }

    #[test]
    fn vbri_is_read_and_a_frame_without_counts_is_sound() {
        let header = Header::parse(&[0xff, 0xfb, 0x90, 0x64]).unwrap();
        let mut frame = alloc::vec![0; 417];
        frame[..4].copy_from_slice(&header.build());
        assert_eq!(Info::parse(&header, &frame), None);
        frame[36..54].copy_from_slice(b"VBRI\0\x01\x01\x02\x03\x04\0\0\x10\0\0\0\0\x05");
        assert_eq!(Info::parse(&header, &frame), Some(Info { frames: 5, bytes: 4096, ..Info::default() }));
        frame[36..48].copy_from_slice(b"Xing\0\0\0\0\0\0\0\0");
        assert_eq!(Info::parse(&header, &frame), None);
    }
}
