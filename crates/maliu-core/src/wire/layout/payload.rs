//! The body of a message as a packet: what is stripped, what becomes configuration, whether it is a key.

use bytes::Bytes;

use super::BodyKind;
use crate::stream::Codec;

/// A body without what the carrier added.
pub(super) struct Payload {
    pub(super) data: Bytes,
    /// Codec configuration found in front of it.
    pub(super) config: Option<Bytes>,
    /// Sample rate and channels found in front of it.
    pub(super) audio: Option<(u32, u16)>,
}

/// What `body` holds; `None` when it is not what its kind says.
pub(super) fn unpack(kind: &BodyKind, codec: Codec, body: Bytes) -> Option<Payload> {
    if *kind == BodyKind::Adts && codec == Codec::Aac {
        return unpack_adts(&body);
    }
    Some(Payload { data: body, config: None, audio: None })
}

/// One ADTS frame (ISO/IEC 14496-3 §1.A.2): its raw data block, and the AudioSpecificConfig its header implies.
fn unpack_adts(body: &Bytes) -> Option<Payload> {
    let &[0xff, sync, b2, b3, b4, b5, _] = body.first_chunk()? else { return None };
    let head = if sync & 1 == 1 { 7 } else { 9 };
    let length = usize::from(b3 & 3) << 11 | usize::from(b4) << 3 | usize::from(b5 >> 5);
    if sync & 0xf6 != 0xf0 || length < head || length > body.len() {
        return None;
    }
    let (object_type, rate, channels) = ((b2 >> 6) + 1, b2 >> 2 & 15, (b2 & 1) << 2 | b3 >> 6);
    const RATES: [u32; 13] =
        [96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000, 7_350];
    let hz = *RATES.get(usize::from(rate))?;
    let config = Bytes::copy_from_slice(&[object_type << 3 | rate >> 1, rate << 7 | channels << 3]);
    let channels = if channels == 7 { 8 } else { u16::from(channels) };
    Some(Payload { data: body.slice(head..length), config: Some(config), audio: Some((hz, channels)) })
}

/// Whether decoding can start with `data`, by its first coded slice.
pub(super) fn is_key(kind: &BodyKind, codec: Codec, data: &[u8]) -> bool {
    let key = |header: u8| match codec {
        Codec::H264 => match header & 31 {
            5 => Some(true),
            1..=4 => Some(false),
            _ => None,
        },
        Codec::H265 => match header >> 1 & 63 {
            16..=23 => Some(true),
            0..=15 => Some(false),
            _ => None,
        },
        _ => Some(true),
    };
    let found = match kind {
        BodyKind::Avcc(size) => {
            let mut rest = data;
            core::iter::from_fn(move || {
                let (length, behind) = rest.split_at_checked(usize::from(*size))?;
                let length = length.iter().fold(0usize, |n, b| n << 8 | usize::from(*b));
                let header = *behind.first()?;
                rest = behind.get(length..)?;
                Some(header)
            })
            .find_map(key)
        }
        _ if matches!(codec, Codec::H264 | Codec::H265) => {
            memchr::memmem::find_iter(data, &[0, 0, 1]).find_map(|at| key(*data.get(at + 3)?))
        }
        _ => key(0),
    };
    found.unwrap_or(false)
}
