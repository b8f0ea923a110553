//! Codec configurations as the file carries them, and payloads packaged to match (FLV-19…FLV-23, FLV-32).

use alloc::vec::Vec;

use bytes::Bytes;

use crate::{
    stream::{Codec, StreamInfo},
    syntax::{
        aac,
        annexb::{self, Framing},
        h264, h265,
    },
};

use super::{
    super::settings::Writing,
    track::{Form, Track},
};

/// Bytes behind the head of a track's sequence header; `None` when it has none. FFmpeg 5.1 writes a header for
/// AAC, H.264 and MPEG-4 also where it has nothing to put in it; players fail on an empty one.
pub(super) fn of(track: &Track, stream: &StreamInfo, options: &Writing) -> Option<Bytes> {
    let config = match (track.codec, track.form) {
        (Codec::Aac, _) if track.config.is_empty() && options.detect_aac => detected(stream),
        (Codec::Aac, _) => track.config.clone(),
        (Codec::H264, _) => h264::build_config(&track.config).unwrap_or_default(),
        (Codec::Mpeg4, Form::Legacy(_)) if options.compat => h264::build_config(&track.config).unwrap_or_default(),
        (Codec::Mpeg4, Form::Legacy(_)) => track.config.clone(),
        (Codec::H265, _) if annexb::starts_with_code(&track.config) => {
            h265::build_config(&track.config).unwrap_or_default()
        }
        (Codec::Opus | Codec::Flac | Codec::H265 | Codec::H266 | Codec::Av1 | Codec::Vp9 | Codec::Vp8, _) => {
            track.config.clone()
        }
        _ => return None,
    };
    (options.compat || !config.is_empty()).then_some(config)
}

/// Codecs whose configuration may change on the way (FLV-25).
pub(super) fn may_change(track: &Track) -> bool {
    track.is_enhanced() || matches!(track.codec, Codec::Aac | Codec::H264 | Codec::Mpeg4)
}

/// The payload of a packet as the file carries it, where that differs from its data: NAL units behind lengths.
pub(super) fn payload(track: &Track, data: &Bytes, options: &Writing) -> Option<Bytes> {
    let coded = match track.codec {
        Codec::H264 => !matches!(track.config.first(), None | Some(1)),
        // FFmpeg 5.1 takes MPEG-4 for H.264 here.
        Codec::Mpeg4 => options.compat && !matches!(track.config.first(), None | Some(1)),
        Codec::H265 => annexb::starts_with_code(&track.config),
        _ => false,
    };
    coded.then(|| annexb::to_lengths(data, Framing::AnnexB))
}

/// The parameter sets that a packet with start codes brings along, if a configuration can be made of them.
pub(super) fn in_band(codec: Codec, data: &Bytes) -> Option<Bytes> {
    if Framing::guess(data) != Framing::AnnexB {
        return None;
    }
    let mut sets = Vec::new();
    for unit in annexb::units(data) {
        let wanted = match codec {
            Codec::H264 => matches!(h264::Header::of(unit.data)?.nal_unit_type, h264::kind::SPS | h264::kind::PPS),
            _ => matches!(h265::Header::of(unit.data)?.nal_unit_type, h265::kind::VPS..=h265::kind::PPS),
        };
        if wanted {
            sets.extend([0, 0, 0, 1]);
            sets.extend(unit.data);
        }
    }
    let sets = Bytes::from(sets);
    let fits = match codec {
        Codec::H264 => h264::build_config(&sets).is_ok(),
        _ => h265::build_config(&sets).is_ok(),
    };
    fits.then_some(sets)
}

/// FLV-20: an AudioSpecificConfig from profile, rate and channels. A rate that is not in the table sets the lowest bit
/// of the object type, as in the reference.
fn detected(stream: &StreamInfo) -> Bytes {
    let Some(audio) = stream.as_audio() else { return Bytes::new() };
    // An unknown profile is -99 in the reference.
    let object_type = stream.profile.map_or(30, |profile| (u32::from(profile) + 1) % 32);
    let index = aac::rate_index(audio.rate()).map_or(16, u32::from);
    let channels = if audio.channel_count() == 8 { 7 } else { u32::from(audio.channel_count()) & 15 };
    let bits = object_type << 11 | index << 7 | channels << 3;
    Bytes::copy_from_slice(&(bits as u16).to_be_bytes())
}
