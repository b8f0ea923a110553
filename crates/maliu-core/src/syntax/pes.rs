//! The header of a PES packet: stream, length and times (ISO/IEC 13818-1 §2.4.3.6, ISO/IEC 11172-1 §2.4.3.3).
//!
//! ```text
//!   00 00 01 id │ length(16) │ 10 scrambling(2) … │ pts_dts(2) flags(6) │ size │ pts(40) dts(40) … stuffing │ payload
//! ```

/// Bytes of start code, stream_id and length.
pub const START: usize = 6;

/// stream_id of the program stream map.
pub const PROGRAM_STREAM_MAP: u8 = 0xbc;
/// stream_id of private_stream_1.
pub const PRIVATE_1: u8 = 0xbd;
/// stream_id of padding.
pub const PADDING: u8 = 0xbe;
/// stream_id of private_stream_2, which has no header behind its length.
pub const PRIVATE_2: u8 = 0xbf;

/// Fields in front of a PES packet's payload.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PesHeader {
    /// stream_id.
    pub stream_id: u8,
    /// Bytes before the payload.
    pub size: usize,
    /// Bytes of the payload; `None` when PES_packet_length is 0: up to the next packet.
    pub payload: Option<usize>,
    /// PTS, 33 bits of 90 kHz.
    pub pts: Option<u64>,
    /// DTS, 33 bits of 90 kHz; `None` when it is the PTS.
    pub dts: Option<u64>,
    /// data_alignment_indicator.
    pub aligned: bool,
    /// PES_scrambling_control is not 0.
    pub scrambled: bool,
    /// stream_id_extension (§2.4.3.7).
    pub extension: Option<u8>,
}

/// Facts at the front of a PES packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parsed {
    /// The header is whole.
    Header(PesHeader),
    /// More bytes decide.
    More,
    /// It is no PES packet.
    None,
}

/// The header at the start of `bytes`.
pub fn parse(bytes: &[u8]) -> Parsed {
    let start = bytes.iter().zip([0, 0, 1]).all(|(byte, code)| *byte == code);
    let Some(&[_, _, _, stream_id, l0, l1]) = bytes.first_chunk::<START>() else {
        return if start { Parsed::More } else { Parsed::None };
    };
    if !start || stream_id < PROGRAM_STREAM_MAP {
        return Parsed::None;
    }
    let length = usize::from(u16::from_be_bytes([l0, l1]));
    if has_no_header(stream_id) {
        let payload = (length > 0).then_some(length);
        return Parsed::Header(PesHeader { stream_id, size: START, payload, ..PesHeader::default() });
    }
    match bytes.get(START) {
        None => Parsed::More,
        Some(first) if first & 0xc0 == 0x80 => mpeg2(bytes, stream_id, length),
        Some(_) => mpeg1(bytes, stream_id, length),
    }
}

/// Streams whose packets are payload from the length on (§2.4.3.7).
fn has_no_header(stream_id: u8) -> bool {
    matches!(stream_id, PROGRAM_STREAM_MAP | PADDING | PRIVATE_2 | 0xf0..=0xf2 | 0xf8 | 0xff)
}

fn mpeg2(bytes: &[u8], stream_id: u8, length: usize) -> Parsed {
    let Some(&[first, flags, rest]) = bytes.get(START..).and_then(|behind| behind.first_chunk()) else {
        return Parsed::More;
    };
    let size = START + 3 + usize::from(rest);
    let Some(fields) = bytes.get(START + 3..size) else { return Parsed::More };
    let pts = if flags & 0x80 != 0 { fields.first_chunk().and_then(time) } else { None };
    let dts = if flags & 0xc0 == 0xc0 { fields.get(5..).and_then(|at| at.first_chunk()).and_then(time) } else { None };
    Parsed::Header(PesHeader {
        stream_id,
        size,
        payload: length.checked_sub(size - START).filter(|_| length > 0),
        pts,
        dts,
        aligned: first & 0x04 != 0,
        scrambled: first & 0x30 != 0,
        extension: extension(fields, flags),
    })
}

/// stream_id_extension, behind all the optional fields before it.
fn extension(fields: &[u8], flags: u8) -> Option<u8> {
    if flags & 1 == 0 {
        return None;
    }
    let widths = [(0x80, 5), (0x40, 5), (0x20, 6), (0x10, 3), (0x08, 1), (0x04, 1), (0x02, 2)];
    let before: usize = widths.iter().filter(|(flag, _)| flags & flag != 0).map(|(_, width)| width).sum();
    let (&extra, mut rest) = fields.get(before..)?.split_first()?;
    for (flag, width) in [(0x80, 16), (0x40, 0), (0x20, 2), (0x10, 2)] {
        if extra & flag == 0 {
            continue;
        }
        // pack_header_field says its length itself.
        let width = if flag == 0x40 { 1 + usize::from(*rest.first()?) } else { width };
        rest = rest.get(width..)?;
    }
    let &[length, id, ..] = rest else { return None };
    (extra & 1 != 0 && length & 0x7f > 0 && id & 0x80 == 0).then_some(id & 0x7f)
}

/// ISO/IEC 11172-1: stuffing, STD buffer, then times.
fn mpeg1(bytes: &[u8], stream_id: u8, length: usize) -> Parsed {
    let rest = bytes.get(START..).unwrap_or_default();
    let stuffing = rest.iter().take_while(|byte| **byte == 0xff).count();
    if stuffing > 16 {
        return Parsed::None;
    }
    let mut at = START + stuffing;
    match bytes.get(at) {
        None => return Parsed::More,
        Some(byte) if byte & 0xc0 == 0x40 => at += 2,
        Some(_) => {}
    }
    let Some(mark) = bytes.get(at) else { return Parsed::More };
    let fields = bytes.get(at..).unwrap_or_default();
    let (pts, dts, width) = match mark >> 4 {
        2 => (fields.first_chunk().and_then(time), None, 5),
        3 => (fields.first_chunk().and_then(time), fields.get(5..).and_then(|at| at.first_chunk()).and_then(time), 10),
        _ if *mark == 0x0f => (None, None, 1),
        _ => return Parsed::None,
    };
    let size = at + width;
    if bytes.len() < size {
        return Parsed::More;
    }
    let payload = length.checked_sub(size - START).filter(|_| length > 0);
    Parsed::Header(PesHeader { stream_id, size, payload, pts, dts, ..PesHeader::default() })
}

/// A time of 33 bits in 5 bytes, without regard to its marks.
fn time(bytes: &[u8; 5]) -> Option<u64> {
    let &[a, b, c, d, e] = bytes;
    Some(
        u64::from(a >> 1 & 7) << 30
            | u64::from(b) << 22
            | u64::from(c >> 1) << 15
            | u64::from(d) << 7
            | u64::from(e >> 1),
    )
}

/// The 5 bytes of a time behind its 4-bit `mark` (2 PTS alone, 3 PTS before a DTS, 1 DTS).
pub fn time_field(mark: u8, time: u64) -> [u8; 5] {
    [
        mark << 4 | (time >> 29 & 0x0e) as u8 | 1,
        (time >> 22) as u8,
        (time >> 14) as u8 | 1,
        (time >> 7) as u8,
        (time << 1) as u8 | 1,
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(bytes: &[u8]) -> PesHeader {
        match parse(bytes) {
            Parsed::Header(header) => header,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn times_read_back_as_written() {
        for value in [0, 1, 0x1_ffff_ffff, 0x0_1234_5678, 1 << 32] {
            assert_eq!(time(&time_field(2, value)), Some(value));
        }
    }

    #[test]
    fn headers_of_both_standards_are_read() {
        let (pts, dts) = (time_field(3, 7200), time_field(1, 3600));
        let new = [&[0, 0, 1, 0xe0, 0, 16, 0x84, 0xc0, 11][..], &pts, &dts, &[0xff, 9]].concat();
        let got = header(&new);
        assert_eq!((got.size, got.payload, got.pts, got.dts, got.aligned), (20, Some(2), Some(7200), Some(3600), true));
        assert_eq!(parse(&new[..19]), Parsed::More);
        let old = [&[0, 0, 1, 0xc0, 0, 10, 0xff, 0x60, 0x20][..], &time_field(2, 90), &[1, 2]].concat();
        let got = header(&old);
        assert_eq!((got.size, got.payload, got.pts, got.dts), (14, Some(2), Some(90), None));
        let padding = header(&[0, 0, 1, PADDING, 0, 3, 0xff]);
        assert_eq!((padding.size, padding.payload), (6, Some(3)));
        assert_eq!(parse(&[0, 0, 1, 0x09, 0, 0]), Parsed::None);
        assert_eq!(parse(&[0, 1]), Parsed::None);
        assert_eq!(parse(&[0, 0]), Parsed::More);
    }

    #[test]
    fn the_extension_of_the_stream_id_is_found_behind_other_fields() {
        let bytes = [0, 0, 1, 0xfd, 0, 0, 0x80, 0x01, 3, 0x0f, 0x81, 0x71];
        assert_eq!(header(&bytes).extension, Some(0x71));
    }
}
