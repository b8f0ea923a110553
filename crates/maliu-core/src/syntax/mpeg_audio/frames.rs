//! Facts of MPEG audio frames for framing, free format among them.

use super::Header;
use crate::syntax::{
    framing::{Frames, Length},
    mpeg_audio,
};

/// Most bytes of a frame in free format.
const MAX_FREE: usize = 4608;

/// Least bytes of a frame in free format: a header and the smallest side information.
const MIN_FREE: usize = 16;

/// MPEG audio frames.
#[derive(Clone, Debug, Default)]
pub struct MpegFrames {
    /// A frame of free format and its bytes without padding: all of one stream have as many.
    free: Option<(Header, usize)>,
    /// Frames with a bit rate have been met: free format would be junk.
    rated: bool,
}

impl Frames for MpegFrames {
    type Header = Header;
    const HEADER: usize = mpeg_audio::HEADER;
    const CUT: bool = true;
    const CONFIRMED_BY: usize = 2;

    fn header(&self, bytes: &[u8]) -> Option<Header> {
        Header::parse(bytes)
    }

    fn length(&self, header: &Header, bytes: &[u8], ended: bool) -> Length {
        match (header.frame_length(), self.free) {
            (Some(length), _) => Length::Known(length),
            (None, Some((known, length))) if known.same_kind(header) => Length::Known(length + header.padding_size()),
            (None, _) if self.rated => Length::None,
            (None, _) => free_length(header, bytes, ended),
        }
    }

    fn agree(&self, a: &Header, b: &Header) -> bool {
        a.same_kind(b) && (a.bitrate_index == 0) == (b.bitrate_index == 0)
    }

    fn begins(&self, a: &Header, b: &Header) -> bool {
        self.agree(a, b) && same_but_bitrate(a, b)
    }

    fn plausible(&self, header: &Header, frame: &[u8]) -> bool {
        let again = memchr::memchr_iter(0xff, frame).filter(|at| {
            let found = frame.get(*at..).and_then(Header::parse);
            found.is_some_and(|found| same_but_bitrate(header, &found))
        });
        again.take(MOST_ALIKE + 1).count() <= MOST_ALIKE
    }

    fn alone(&self, header: &Header, frame: &[u8]) -> bool {
        mpeg_audio::Info::parse(header, frame).is_some()
    }

    fn accept(&mut self, header: &Header, length: usize) {
        self.rated = header.bitrate_index != 0;
        if !self.rated {
            self.free = Some((*header, length.saturating_sub(header.padding_size())));
        }
    }
}

/// Most headers alike, its own among them, that the bytes of a frame hold unless they are a pattern (PAR-51).
const MOST_ALIKE: usize = 2;

/// Whether two headers differ only in what may change from frame to frame: checksum, bit rate, padding, mode extension
/// (mask FFFE0CCF of PAR-47).
pub fn same_but_bitrate(a: &Header, b: &Header) -> bool {
    let fixed = |h: &Header| (h.mode, h.copyright, h.original, h.emphasis);
    a.same_kind(b) && fixed(a) == fixed(b)
}

/// The distance to the next header that is followed by a third one as far behind it.
fn free_length(header: &Header, bytes: &[u8], ended: bool) -> Length {
    let alike = |at: usize| {
        let found = bytes.get(at..).and_then(Header::parse)?;
        (found.bitrate_index == 0 && found.same_kind(header) && found.channels() == header.channels()).then_some(found)
    };
    let mut at = MIN_FREE;
    while at <= MAX_FREE {
        let Some(rest) = bytes.get(at..) else { break };
        let Some(next) = memchr::memchr(0xff, rest).map(|skip| at + skip) else { break };
        at = next + 1;
        if next > MAX_FREE {
            return Length::None;
        }
        let Some(second) = alike(next) else { continue };
        let third = next + next - header.padding_size() + second.padding_size();
        match bytes.len() {
            // The end may stand where the third header would.
            len if len < third + mpeg_audio::HEADER && !ended => return Length::More,
            len if len == third || alike(third).is_some() => return Length::Known(next),
            _ => {}
        }
    }
    if ended || bytes.len() > MAX_FREE { Length::None } else { Length::More }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    fn free(padded: bool, size: usize) -> Vec<u8> {
        let mut frame = alloc::vec![0x55; size + usize::from(padded)];
        frame[..4].copy_from_slice(&[0xff, 0xfb, if padded { 2 } else { 0 }, 0x64]);
        frame[40..44].copy_from_slice(&[0xff, 0xfb, 0, 0x64]);
        frame
    }

    #[test]
    fn free_format_is_framed_by_three_headers() {
        let bytes = [free(true, 500), free(false, 500), free(true, 500)].concat();
        let header = Header::parse(&bytes).unwrap();
        let frames = MpegFrames::default();
        assert_eq!(frames.length(&header, &bytes, false), Length::Known(501));
        assert_eq!(frames.length(&header, &bytes[..900], false), Length::More);
        assert_eq!(frames.length(&header, &bytes[..1001], true), Length::Known(501));
        assert_eq!(frames.length(&header, &bytes[..900], true), Length::None);
        let noise = [&bytes[..400], &[0; 5000]].concat();
        assert_eq!(frames.length(&header, &noise, false), Length::None);
    }
}
