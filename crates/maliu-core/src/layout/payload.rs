//! The body of a message as a packet and back: what is stripped, what becomes configuration, whether it is a key.

use alloc::{vec, vec::Vec};

use bytes::{Buf, Bytes};

use super::BodyKind;
use crate::{
    stream::Codec,
    syntax::aac::{
        AdtsHeader, AudioSpecificConfig,
        adts::{HEADER, MAX_FRAME, VARIABLE_RATE},
        rate_index,
    },
};

/// A body without what the carrier added.
pub(super) struct Payload {
    pub(super) data: Bytes,
    /// Codec configuration found in front of it.
    pub(super) config: Option<Bytes>,
    /// Sample rate and channels found in front of it.
    pub(super) audio: Option<(u32, u16)>,
}

/// The packets of `body`; none when it does not fit its kind. AAC behind ADTS headers differs from bare AAC where the
/// body is `whole`: frames fill it to the last byte.
pub(super) fn unpack(kind: &BodyKind, codec: Codec, body: Bytes, whole: bool) -> Vec<Payload> {
    if codec != Codec::Aac || !(whole || *kind == BodyKind::Adts) {
        return vec![Payload { data: body, config: None, audio: None }];
    }
    let (mut rest, mut frames) = (body.clone(), Vec::new());
    while let Some((frame, payload)) = unpack_adts(&rest) {
        rest.advance(frame);
        frames.push(payload);
    }
    match kind {
        BodyKind::Adts => frames,
        _ if !frames.is_empty() && rest.is_empty() => frames,
        _ => vec![Payload { data: body, config: None, audio: None }],
    }
}

/// One ADTS frame, with its length: its raw data block, and the AudioSpecificConfig its header implies.
fn unpack_adts(body: &Bytes) -> Option<(usize, Payload)> {
    let header = AdtsHeader::parse(body).filter(|header| header.frame_length <= body.len())?;
    let data = body.slice(header.size()..header.frame_length);
    let config = Some(header.config().build().into());
    let audio = Some((header.sample_rate(), header.channels()));
    Some((header.frame_length, Payload { data, config, audio }))
}

/// A raw data block behind an ADTS header, as an AudioSpecificConfig says.
pub(super) fn pack_adts(config: &[u8], data: &Bytes) -> Option<Bytes> {
    let config = AudioSpecificConfig::parse(config)?;
    let frame_length = HEADER + data.len();
    let header = AdtsHeader {
        mpeg2: false,
        crc: false,
        profile: config.object_type.checked_sub(1).filter(|profile| *profile < 4)?,
        rate_index: rate_index(config.sample_rate)?,
        channel_config: config.channel_config,
        frame_length: (frame_length <= MAX_FRAME).then_some(frame_length)?,
        fullness: VARIABLE_RATE,
        blocks: 1,
    };
    Some([&header.build()[..], data].concat().into())
}

/// Whether decoding can start with `data`, by its first coded slice.
pub(super) fn is_key(kind: &BodyKind, codec: Codec, data: &[u8]) -> bool {
    if !matches!(codec, Codec::H264 | Codec::H265) {
        return true;
    }
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
        _ => None,
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
        _ => memchr::memmem::find_iter(data, &[0, 0, 1]).find_map(|at| key(*data.get(at + 3)?)),
    };
    found.unwrap_or(false)
}
