//! Where frames begin and end: by their headers, and by their CRC-16.

use crate::syntax::flac::{self, Front, Header, StreamInfoBlock};

/// Most bytes of a frame: of 65,535 samples of 8 channels as they are, and a little more.
const MAX_FRAME: usize = 4 << 20;

/// Result of a look at the front of some bytes; lengths are in bytes.
#[derive(Debug, PartialEq)]
pub(super) enum Found {
    /// A frame: `whole` when its checksum is right, else `cut` when the end of the input cuts it.
    Frame { length: usize, header: Header, whole: bool, cut: bool },
    /// Bytes that are not a frame.
    Junk(usize),
    /// A tag.
    Tag(usize),
    /// More bytes are needed.
    More,
    /// Nothing is left.
    End,
}

/// A walk over frames.
pub(super) struct Frames {
    facts: StreamInfoBlock,
    /// Whether block sizes differ, as the first frame says.
    variable: Option<bool>,
    /// Bytes of the frame under way that were looked at, and their checksum.
    at: usize,
    crc: u16,
    /// Where a header stands that counts on, though the checksum is wrong there.
    doubtful: Option<usize>,
}

impl Frames {
    pub(super) fn new(facts: StreamInfoBlock) -> Self {
        Self { facts, variable: None, at: 0, crc: 0, doubtful: None }
    }

    /// The input was moved, or what was found was taken from it.
    pub(super) fn restart(&mut self) {
        (self.at, self.crc, self.doubtful) = (0, 0, None);
    }

    /// The first sample of a frame.
    pub(super) fn sample(&self, header: &Header) -> u64 {
        let size = if header.variable { 1 } else { self.facts.block.1.into() };
        header.number.saturating_mul(size)
    }

    /// Whether a header can be one of this stream.
    fn fits(&self, header: &Header) -> bool {
        let facts = &self.facts;
        u16::from(header.channels) == facts.channels
            && header.rate.is_none_or(|rate| rate == facts.rate)
            && header.bits.is_none_or(|bits| u16::from(bits) == facts.bits)
            && header.samples <= facts.block.1.into()
            && self.variable.is_none_or(|variable| variable == header.variable)
    }

    fn header(&self, bytes: &[u8]) -> Front {
        match flac::front(bytes) {
            Front::Header(header) if !self.fits(&header) => Front::None,
            front => front,
        }
    }

    /// Most bytes of a frame with this header: of samples as they are.
    fn limit(&self, header: &Header) -> usize {
        let bits = usize::from(header.channels) * (usize::from(self.facts.bits) + 1);
        ((header.samples as usize).saturating_mul(bits) / 8 + 64 + usize::from(header.channels) * 8).min(MAX_FRAME)
    }

    /// Finds out what stands at the front of `bytes`, which a later call sees again and longer after [`Found::More`].
    pub(super) fn next(&mut self, bytes: &[u8], ended: bool) -> Found {
        if bytes.is_empty() {
            return if ended { Found::End } else { Found::More };
        }
        let header = match self.header(bytes) {
            Front::Header(header) => header,
            Front::More if !ended => return Found::More,
            _ => return tag(bytes, ended).unwrap_or_else(|| self.junk(bytes, ended)),
        };
        let limit = self.limit(&header);
        self.at = self.at.max(header.size);
        if self.crc == 0 && self.at == header.size {
            self.crc = flac::crc16(0, bytes.get(..self.at).unwrap_or_default());
        }
        loop {
            let rest = bytes.get(self.at..).unwrap_or_default();
            let step = memchr::memchr(0xff, rest);
            self.advance(rest.get(..step.unwrap_or(rest.len())).unwrap_or_default());
            if self.at > limit {
                return self.fallback(bytes, header, None, limit);
            }
            if step.is_none() {
                return if ended { self.last(bytes, header) } else { Found::More };
            }
            match self.header(bytes.get(self.at..).unwrap_or_default()) {
                Front::Header(next) => {
                    if self.crc == 0 {
                        return self.frame(self.at, header, true, false);
                    }
                    let steps = if header.variable { header.samples.into() } else { 1 };
                    if next.number == header.number.saturating_add(steps) {
                        self.doubtful.get_or_insert(self.at);
                    }
                }
                Front::More if !ended => return Found::More,
                _ => {}
            }
            self.advance(&[0xff]);
        }
    }

    fn advance(&mut self, bytes: &[u8]) {
        self.crc = flac::crc16(self.crc, bytes);
        self.at += bytes.len();
    }

    fn frame(&mut self, length: usize, header: Header, whole: bool, cut: bool) -> Found {
        self.restart();
        self.variable.get_or_insert(header.variable);
        Found::Frame { length, header, whole, cut }
    }

    /// No right checksum where a header follows: the frame ends at the one place, within `limit` bytes, where it is right, at
    /// a header that counts on, or at `end`, or is not a frame.
    fn fallback(&mut self, bytes: &[u8], header: Header, end: Option<usize>, limit: usize) -> Found {
        let reach = bytes.get(..self.doubtful.unwrap_or(limit)).unwrap_or_default();
        if let Some(length) = only_end(reach, header.size) {
            return self.frame(length, header, true, false);
        }
        match (self.doubtful, end) {
            (Some(length), _) => self.frame(length, header, false, false),
            (None, Some(length)) => self.frame(length, header, false, true),
            (None, None) => {
                self.restart();
                Found::Junk(1)
            }
        }
    }

    /// The last frame: it ends with the input, or before other bytes.
    fn last(&mut self, bytes: &[u8], header: Header) -> Found {
        if self.crc == 0 {
            return self.frame(bytes.len(), header, true, false);
        }
        self.fallback(bytes, header, Some(bytes.len()), bytes.len())
    }

    /// Bytes up to the next one that may begin a frame.
    fn junk(&mut self, bytes: &[u8], ended: bool) -> Found {
        self.restart();
        let mut at = 1;
        loop {
            let Some(step) = bytes.get(at..).and_then(|rest| memchr::memchr(0xff, rest)) else {
                return Found::Junk(bytes.len());
            };
            at += step;
            match self.header(bytes.get(at..).unwrap_or_default()) {
                Front::Header(_) => return Found::Junk(at),
                Front::More if !ended => return Found::Junk(at),
                _ => at += 1,
            }
        }
    }
}

/// The one place behind a header of `header` bytes where the checksum of all before it is right.
fn only_end(bytes: &[u8], header: usize) -> Option<usize> {
    let (mut crc, mut found) = (0, None);
    for (at, byte) in bytes.iter().enumerate() {
        crc = flac::crc16(crc, &[*byte]);
        if crc == 0 && at > header && found.replace(at + 1).is_some() {
            return None;
        }
    }
    found
}

/// Bytes of an ID3v1 tag.
const ID3V1: usize = 128;

/// Bytes of the header of an APEv2 tag.
const APE: usize = 32;

/// A tag behind the frames: ID3v1 at the very end, or APEv2.
fn tag(bytes: &[u8], ended: bool) -> Option<Found> {
    let begins = |mark: &[u8]| bytes.iter().zip(mark).all(|(byte, mark)| byte == mark);
    let of = |size: usize| if bytes.len() >= size { Some(Found::Tag(size)) } else { None };
    if begins(b"APETAGEX") {
        let size = bytes.get(12..16).and_then(|size| size.first_chunk().map(|size| u32::from_le_bytes(*size) as usize));
        let whole = size.filter(|size| *size <= MAX_FRAME).and_then(|size| of(APE + size));
        let too_large = size.is_some_and(|size| size > MAX_FRAME);
        return whole.or_else(|| (!ended && !too_large).then_some(Found::More));
    }
    match begins(b"TAG") {
        true if ended => (bytes.len() == ID3V1).then_some(Found::Tag(ID3V1)),
        true => (bytes.len() <= ID3V1).then_some(Found::More),
        false => None,
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::*;

    /// The frame of RFC 9639 Appendix D.1, of one sample, with another number.
    fn numbered(number: u8) -> Vec<u8> {
        let mut frame = alloc::vec![0xff, 0xf8, 0x69, 0x18, number, 0x00];
        let crc = frame.iter().fold(0u8, |crc, byte| {
            (0..8).fold(crc ^ byte, |crc: u8, _| if crc & 0x80 != 0 { crc << 1 ^ 7 } else { crc << 1 })
        });
        frame.push(crc);
        frame.extend_from_slice(&[0x03, 0x58, 0xfd, 0x03, 0x12, 0x8b]);
        let sum = flac::crc16(0, &frame).to_be_bytes();
        frame.extend_from_slice(&sum);
        frame
    }

    fn walk(bytes: &[u8]) -> Vec<(usize, Option<bool>)> {
        let facts = StreamInfoBlock {
            block: (16, 16),
            frame: (0, 0),
            rate: 44_100,
            channels: 2,
            bits: 16,
            samples: 0,
            md5: [0; 16],
        };
        let (mut frames, mut at, mut out) = (Frames::new(facts), 0, Vec::new());
        loop {
            match frames.next(&bytes[at..], true) {
                Found::Frame { length, whole, .. } => {
                    out.push((length, Some(whole)));
                    at += length;
                }
                Found::Junk(length) | Found::Tag(length) => {
                    out.push((length, None));
                    at += length;
                }
                Found::More => panic!("more"),
                Found::End => return out,
            }
        }
    }

    #[test]
    fn frames_end_where_their_checksum_is_right_or_a_header_counts_on() {
        let (a, b, c) = (numbered(0), numbered(1), numbered(2));
        let size = a.len();
        let whole = (size, Some(true));
        assert_eq!(walk(&[&a[..], &b, &c].concat()), [whole, whole, whole]);
        let mut damaged = b.clone();
        damaged[9] ^= 4;
        assert_eq!(walk(&[&a[..], &damaged, &c].concat()), [whole, (size, Some(false)), whole]);
        assert_eq!(walk(&[&b"junk"[..], &a, &b].concat()), [(4, None), whole, whole]);
        let tag = [&b"TAG"[..], &[0; 125]].concat();
        assert_eq!(walk(&[&a[..], &tag].concat()), [whole, (128, None)]);
        assert_eq!(walk(&[&a[..], b"\xff\xf8junk", &b].concat()), [whole, (6, None), whole]);
        assert_eq!(walk(&[&a[..], &b[..10]].concat()), [whole, (10, Some(false))]);
    }
}
