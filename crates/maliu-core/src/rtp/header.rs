//! The header of an RTP packet, and where its payload lies (RFC 3550 §5.1).
//!
//! ```text
//!   V(2) P X CC(4) │ M PT(7) │ sequence(16) │ timestamp(32) │ SSRC(32) │ CSRC(32)×CC │ [profile(16) words(16) …] │ payload [padding]
//! ```

use alloc::vec::Vec;

use bytes::Bytes;

/// Bytes of a header without contributing sources and extension.
const FIXED: usize = 12;

/// The header of a packet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Header {
    /// Marks the end of a frame, or the start of a talk spurt, as the payload format says.
    pub marker: bool,
    /// 0 to 127; an SDP description gives it a meaning.
    pub payload_type: u8,
    /// Counts packets of a source; wraps.
    pub sequence: u16,
    /// In ticks of the payload's clock; wraps, and begins anywhere.
    pub timestamp: u32,
    /// The source.
    pub ssrc: u32,
    /// How many contributing sources stand behind it, 0 to 15; they are passed over.
    pub contributing: u8,
    /// The header extension, when there is one.
    pub extension: Option<Extension>,
}

/// A header extension (RFC 3550 §5.3.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Extension {
    /// Which kind it is, by the profile in use.
    pub profile: u16,
    /// Its content: a multiple of 4 bytes, shared with the packet.
    pub data: Bytes,
}

/// Why bytes are not an RTP or RTCP packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// The packet ends inside its header.
    #[error("{0} bytes, which end inside the header")]
    Short(usize),
    /// The version is not 2.
    #[error("version {0}, expected 2")]
    Version(u8),
    /// The padding is longer than the payload.
    #[error("{padding} bytes of padding in a payload of {payload}")]
    Padding {
        /// Bytes of padding, as declared.
        padding: u8,
        /// Bytes behind the header.
        payload: usize,
    },
}

impl Header {
    /// The header of a packet, and its payload without padding, shared.
    ///
    /// # Errors
    /// A [`Fault`] when the bytes are not an RTP packet.
    pub fn split(packet: &Bytes) -> Result<(Self, Bytes), Fault> {
        let short = Fault::Short(packet.len());
        let Some(&[b0, b1, s0, s1, t0, t1, t2, t3, c0, c1, c2, c3]) = packet.first_chunk::<FIXED>() else {
            return Err(short);
        };
        if b0 >> 6 != 2 {
            return Err(Fault::Version(b0 >> 6));
        }
        let mut header = Self {
            marker: b1 & 0x80 != 0,
            payload_type: b1 & 0x7f,
            sequence: u16::from_be_bytes([s0, s1]),
            timestamp: u32::from_be_bytes([t0, t1, t2, t3]),
            ssrc: u32::from_be_bytes([c0, c1, c2, c3]),
            contributing: b0 & 0x0f,
            extension: None,
        };
        let mut at = FIXED + 4 * usize::from(header.contributing);
        if b0 & 0x10 != 0 {
            let head = packet.get(at..).and_then(<[u8]>::first_chunk::<4>).ok_or(short)?;
            let [p0, p1, w0, w1] = *head;
            let (from, words) = (at + 4, usize::from(u16::from_be_bytes([w0, w1])));
            at = from + 4 * words;
            if at > packet.len() {
                return Err(short);
            }
            header.extension = Some(Extension { profile: u16::from_be_bytes([p0, p1]), data: packet.slice(from..at) });
        }
        let payload = packet.len().checked_sub(at).ok_or(short)?;
        let padding = if b0 & 0x20 != 0 { packet.last().copied().unwrap_or(0) } else { 0 };
        if usize::from(padding) > payload {
            return Err(Fault::Padding { padding, payload });
        }
        Ok((header, packet.slice(at..packet.len() - usize::from(padding))))
    }

    /// The bytes in front of a payload. Contributing sources are left out.
    pub fn build(&self) -> Vec<u8> {
        let extension = self.extension.as_ref();
        let mut out = Vec::with_capacity(FIXED + extension.map_or(0, |extension| 4 + extension.data.len()));
        out.push(0x80 | if extension.is_some() { 0x10 } else { 0 });
        out.push(u8::from(self.marker) << 7 | self.payload_type & 0x7f);
        out.extend_from_slice(&self.sequence.to_be_bytes());
        out.extend_from_slice(&self.timestamp.to_be_bytes());
        out.extend_from_slice(&self.ssrc.to_be_bytes());
        if let Some(extension) = extension {
            let words = u16::try_from(extension.data.len() / 4).unwrap_or(u16::MAX);
            out.extend_from_slice(&extension.profile.to_be_bytes());
            out.extend_from_slice(&words.to_be_bytes());
            out.extend_from_slice(extension.data.get(..4 * usize::from(words)).unwrap_or_default());
        }
        out
    }
}

/// Whether a packet on a port that both share is RTCP (RFC 5761 §4).
pub fn is_rtcp(packet: &[u8]) -> bool {
    matches!(packet, [_, 192..=223, ..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_read_back_as_written() {
        let data = Bytes::from_static(&[1, 2, 3, 4]);
        for extension in [None, Some(Extension { profile: 0xbede, data })] {
            let header = Header {
                marker: true,
                payload_type: 96,
                sequence: 65_535,
                timestamp: 7,
                ssrc: 0xdead_beef,
                contributing: 0,
                extension,
            };
            let mut packet = header.build();
            packet.extend_from_slice(b"payload");
            assert_eq!(Header::split(&packet.into()), Ok((header, Bytes::from_static(b"payload"))));
        }
    }

    #[test]
    fn sources_and_padding_are_no_payload() {
        let mut packet = Vec::from([0xa2, 0x60, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3]);
        packet.extend_from_slice(&[9; 8]);
        packet.extend_from_slice(b"ab\0\0\x03");
        let (header, payload) = Header::split(&packet.into()).unwrap();
        assert_eq!((header.contributing, &*payload), (2, &b"ab"[..]));
    }

    #[test]
    fn bytes_that_are_no_packet_are_refused() {
        let check = |bytes: &'static [u8]| Header::split(&Bytes::from_static(bytes)).unwrap_err();
        assert_eq!(check(&[0x80; 11]), Fault::Short(11));
        assert_eq!(check(&[0x40; 12]), Fault::Version(1));
        assert_eq!(check(&[0x81, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]), Fault::Short(12));
        assert_eq!(check(&[0x90, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]), Fault::Short(16));
        assert_eq!(check(&[0xa0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9]), Fault::Padding { padding: 9, payload: 1 });
    }
}
