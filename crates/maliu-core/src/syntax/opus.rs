//! Opus as transport streams carry it: control headers in front of packets, and the identification header that files
//! keep (ETSI TS 103 491 Annex B, RFC 7845 §5.1, RFC 6716 §3.1).

use alloc::vec::Vec;

use crate::bits::Bits;

/// Samples per second of all times.
pub const RATE: u32 = 48_000;

/// The control header in front of an Opus packet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Control {
    /// Bytes of the header.
    pub size: usize,
    /// Bytes of the packet behind it.
    pub packet: usize,
    /// Samples to drop from the start.
    pub start_trim: u16,
    /// Samples to drop from the end.
    pub end_trim: u16,
}

impl Control {
    /// Whether a control header may begin with these two bytes.
    pub fn marks(a: u8, b: u8) -> bool {
        a == 0x7f && b & 0xe0 == 0xe0
    }

    /// The control header at the start of `bytes`: `None` for other bytes, `Some(None)` when it is cut.
    pub fn parse(bytes: &[u8]) -> Option<Option<Self>> {
        match bytes {
            [a, b, ..] if Self::marks(*a, *b) => Some(Self::read(bytes)),
            [0x7f] | [] => Some(None),
            _ => None,
        }
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let flags = *bytes.get(1)?;
        let full = bytes.get(2..)?.iter().take_while(|byte| **byte == 0xff).count();
        let last = usize::from(*bytes.get(2 + full)?);
        let mut control = Self { size: 3 + full, packet: full * 255 + last, ..Self::default() };
        let mut trim = |wanted: bool| -> Option<u16> {
            let pair = if wanted { *bytes.get(control.size..)?.first_chunk::<2>()? } else { return Some(0) };
            control.size += 2;
            Some(u16::from_be_bytes(pair) & 0x1fff)
        };
        (control.start_trim, control.end_trim) = (trim(flags & 0x10 != 0)?, trim(flags & 0x08 != 0)?);
        if flags & 0x04 != 0 {
            control.size += 1 + usize::from(*bytes.get(control.size)?);
        }
        (bytes.len() >= control.size).then_some(control)
    }

    /// The bytes of a control header in front of a packet of `packet` bytes.
    pub fn build(packet: usize, start_trim: u16, end_trim: u16) -> Vec<u8> {
        let mut out = alloc::vec![0x7f, 0xe0 | u8::from(start_trim > 0) << 4 | u8::from(end_trim > 0) << 3];
        out.extend(core::iter::repeat_n(0xff, packet / 255));
        out.push((packet % 255) as u8);
        for trim in [start_trim, end_trim].into_iter().filter(|trim| *trim > 0) {
            out.extend_from_slice(&trim.min(0x1fff).to_be_bytes());
        }
        out
    }
}

/// Samples at 48 kHz that a packet lasts; 0 for a packet that cannot be read.
pub fn samples(packet: &[u8]) -> u32 {
    let Some(&toc) = packet.first() else { return 0 };
    let frame = match toc >> 3 {
        config @ 0..=11 => [480, 960, 1920, 2880].get(usize::from(config & 3)).copied().unwrap_or(0),
        config @ 12..=15 => 480 << (config & 1),
        config => 120 << (config & 3),
    };
    let frames = match toc & 3 {
        0 => 1,
        1 | 2 => 2,
        _ => u32::from(packet.get(1).map_or(0, |count| count & 63)),
    };
    let samples = frame * frames;
    if samples <= 5760 { samples } else { 0 }
}

/// The identification header for a channel_config_code of a transport stream; `None` for reserved codes.
pub fn head(code: u8) -> Option<Vec<u8>> {
    let (channels, streams, coupled): (u8, u8, u8) = match code {
        0 => (2, 1, 1),
        1 => (1, 1, 0),
        2 => (2, 1, 1),
        3..=8 => {
            (code, *[2, 2, 3, 4, 4, 5].get(usize::from(code - 3))?, *[1, 2, 2, 2, 3, 3].get(usize::from(code - 3))?)
        }
        _ => return None,
    };
    let mut out = Vec::with_capacity(30);
    out.extend_from_slice(b"OpusHead\x01");
    out.push(channels);
    out.extend_from_slice(&0u16.to_le_bytes());
    out.extend_from_slice(&RATE.to_le_bytes());
    out.extend_from_slice(&[0, 0, u8::from(channels > 2)]);
    if channels > 2 {
        out.extend_from_slice(&[streams, coupled]);
        let maps: [&[u8]; 6] = [
            &[0, 2, 1],
            &[0, 1, 2, 3],
            &[0, 4, 1, 2, 3],
            &[0, 4, 1, 2, 3, 5],
            &[0, 4, 1, 2, 3, 5, 6],
            &[0, 6, 1, 2, 3, 4, 5, 7],
        ];
        out.extend_from_slice(maps.get(usize::from(channels - 3))?);
    }
    Some(out)
}

/// The channel count in the body of an extension descriptor of type 0x80, or in its identification header.
pub fn channels(head: &[u8]) -> u16 {
    let mut bits = Bits::new(head);
    bits.skip(72).and_then(|()| bits.read(8)).map_or(0, |channels| channels as u16)
}

/// Samples at the start that only warm a decoder up, as an identification header says; 0 without one.
pub fn pre_skip(head: &[u8]) -> u16 {
    let field = head.strip_prefix(b"OpusHead").and_then(|rest| rest.get(2..)?.first_chunk());
    field.map_or(0, |field| u16::from_le_bytes(*field))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_headers_read_back_as_written() {
        for (packet, start, end) in [(1, 0, 0), (255, 312, 0), (600, 0, 8), (509, 1, 2)] {
            let bytes = Control::build(packet, start, end);
            let control = Control::parse(&bytes).unwrap().unwrap();
            assert_eq!(control, Control { size: bytes.len(), packet, start_trim: start, end_trim: end });
            assert_eq!(Control::parse(&bytes[..bytes.len() - 1]), Some(None));
        }
        assert_eq!(Control::parse(&[0x47, 0]), None);
    }

    #[test]
    fn packets_say_how_long_they_last() {
        for (packet, expected) in [(&[0xfc][..], 960), (&[0x08], 960), (&[0xe1, 0], 240), (&[0xfb, 3], 2880), (&[], 0)]
        {
            assert_eq!(samples(packet), expected, "{packet:02x?}");
        }
        assert_eq!((channels(&head(2).unwrap()), channels(&head(6).unwrap()), head(9)), (2, 6, None));
        assert_eq!(
            (pre_skip(b"OpusHead\x01\x02\x38\x01\x80\xbb"), pre_skip(b"OpusHead\x01\x02\x38"), pre_skip(b"")),
            (312, 0, 0)
        );
    }
}
