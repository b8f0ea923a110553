//! How a map declares a stream: stream_type, descriptors, and the stream_id of its PES packets
//! (ISO/IEC 13818-1 §2.4.4, EN 300 468 Annex D, ATSC A/53-3, HDMV).

use alloc::{format, vec::Vec};

use super::super::super::{payload::Refusal, types};
use crate::{
    stream::{Codec, Disposition, StreamInfo},
    syntax::psi::{Descriptor, put_descriptor},
};

/// Manner of declaring, the same for all streams of a program.
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct Manner {
    /// The stream types of Blu-ray discs.
    pub blu_ray: bool,
    /// AC-3, E-AC-3 and DTS as private data with descriptors of DVB.
    pub dvb: bool,
    /// AAC in LATM.
    pub latm: bool,
}

/// A stream as its map declares it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in super::super) struct Described {
    pub stream_type: u8,
    pub stream_id: u8,
    /// stream_id_extension, where the stream_id is 0xfd.
    pub extension: Option<u8>,
    pub descriptors: Vec<u8>,
    /// The packets are sections, not PES packets.
    pub sections: bool,
}

/// Whether only Blu-ray discs carry a codec.
pub(super) fn needs_blu_ray(codec: Codec) -> bool {
    matches!(codec, Codec::PcmBluray | Codec::TrueHd | Codec::Pgs)
}

/// How the map declares a stream.
///
/// # Errors
/// The reason why it cannot be carried.
pub(in super::super) fn describe(stream: &StreamInfo, manner: Manner) -> Result<Described, Refusal> {
    let codec = stream.codec;
    if stream.encryption.is_some() {
        return Err("encrypted streams are not carried".into());
    }
    let mut described = Described::default();
    let disc = types::BLU_RAY.iter().find(|(_, row, ..)| manner.blu_ray && *row == codec);
    if let Some((stream_type, _, stream_id, extension)) = disc {
        described = Described { stream_type: *stream_type, stream_id: *stream_id, extension: *extension, ..described };
    } else {
        let Some(row) = types::of(codec) else {
            return Err(format!("{codec} is not carried by transport streams").into());
        };
        (described.stream_type, described.stream_id) = (row.stream_type, row.stream_id);
        if !row.registration.is_empty() {
            put_descriptor(&mut described.descriptors, Descriptor::REGISTRATION, row.registration);
        }
    }
    own(&mut described, stream, manner)?;
    language(&mut described.descriptors, stream);
    Ok(described)
}

/// Adds the parts that depend on more than the codec.
fn own(described: &mut Described, stream: &StreamInfo, manner: Manner) -> Result<(), Refusal> {
    let list = &mut described.descriptors;
    match stream.codec {
        Codec::Mp1 | Codec::Mp2 | Codec::Mp3 => {
            described.stream_type = types::mpeg_audio(stream.as_audio().map_or(0, |audio| audio.rate()));
        }
        Codec::Aac if manner.latm && !stream.config.is_empty() => described.stream_type = 0x11,
        Codec::Ac3 | Codec::Eac3 | Codec::Dts if manner.dvb && !manner.blu_ray => {
            described.stream_type = 0x06;
            list.clear();
            match stream.codec {
                Codec::Ac3 => put_descriptor(list, Descriptor::AC3, &[0]),
                Codec::Eac3 => put_descriptor(list, Descriptor::EAC3, &[0]),
                _ => put_descriptor(list, Descriptor::REGISTRATION, dts(stream)),
            }
        }
        Codec::Dts if !manner.blu_ray => put_descriptor(list, Descriptor::REGISTRATION, dts(stream)),
        Codec::Vc1 => described.extension = Some(0x55),
        Codec::Opus => put_descriptor(list, Descriptor::EXTENSION, &[0x80, opus(&stream.config)?]),
        Codec::Av1 => {
            if let Some(record) = stream.config.get(..4).filter(|record| record.starts_with(&[0x81])) {
                put_descriptor(list, 0x80, record);
            }
        }
        Codec::Scte35 => described.sections = true,
        Codec::DvbSubtitle => {
            let mut body = letters(stream).to_vec();
            // Without pages of its own: normal subtitles on page 1.
            let pages = stream.config.get(..4).unwrap_or(&[0, 1, 0, 1]);
            body.push(stream.config.get(4).copied().unwrap_or(0x10));
            body.extend_from_slice(pages);
            put_descriptor(list, Descriptor::SUBTITLING, &body);
        }
        Codec::Teletext => {
            let [a, b, c] = letters(stream);
            let page = [stream.config.first().copied().unwrap_or(0x09), stream.config.get(1).copied().unwrap_or(0)];
            let [kind, number] = page;
            put_descriptor(list, Descriptor::TELETEXT, &[a, b, c, kind, number]);
        }
        _ => {}
    }
    Ok(())
}

/// The registration of DTS by the samples of its core's frames, 512, 1024 or 2048 (ETSI TS 101 154 Annex G).
fn dts(stream: &StreamInfo) -> &'static [u8] {
    let Some(audio) = stream.as_audio() else { return b"DTS1" };
    let (mut rate, mut samples) = (audio.rate(), audio.frame_size);
    // Extensions double the rate of the core.
    while rate > 48_000 {
        (rate, samples) = (rate / 2, samples / 2);
    }
    match samples {
        0..=512 => b"DTS1",
        513..=1024 => b"DTS2",
        _ => b"DTS3",
    }
}

/// channel_config_code of an identification header (ETSI TS 103 491 §B.3).
fn opus(head: &[u8]) -> Result<u8, Refusal> {
    let Some(&[channels, _, _, _, _, _, _, _, _, family]) = head.get(9..).and_then(|rest| rest.first_chunk()) else {
        return Ok(2);
    };
    let code = if channels == 0 { 2 } else { channels };
    let standard = crate::syntax::opus::head(code);
    let same = |head_of_code: &[u8]| head_of_code.get(19..) == head.get(19..);
    match family {
        0 if code <= 2 => Ok(code),
        1 if standard.is_some_and(|standard| same(&standard)) => Ok(code),
        _ => Err(format!("Opus of {channels} channels in mapping family {family} is not carried").into()),
    }
}

fn language(list: &mut Vec<u8>, stream: &StreamInfo) {
    if stream.as_audio().is_none() {
        return;
    }
    let kind = match stream.disposition {
        roles if roles.has(Disposition::CLEAN_EFFECTS) => 1,
        roles if roles.has(Disposition::HEARING_IMPAIRED) => 2,
        roles if roles.has(Disposition::VISUAL_IMPAIRED) => 3,
        _ => 0,
    };
    let [a, b, c] = letters(stream);
    if kind > 0 || [a, b, c] != *b"und" {
        put_descriptor(list, Descriptor::LANGUAGE, &[a, b, c, kind]);
    }
}

/// The language as three letters.
fn letters(stream: &StreamInfo) -> [u8; 3] {
    let letters = stream.language.as_bytes().first_chunk::<3>().copied();
    letters
        .filter(|letters| stream.language.len() == 3 && letters.iter().all(u8::is_ascii_alphabetic))
        .unwrap_or(*b"und")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        stream::{Audio, Media},
        syntax::psi::Elementary,
        time::TimeBase,
    };

    const PLAIN: Manner = Manner { blu_ray: false, dvb: false, latm: false };

    #[test]
    fn what_is_declared_is_what_the_demuxer_reads() {
        for codec in Codec::ALL.iter().copied() {
            let media = Media::Audio(Audio::new(48_000, 2));
            let stream = StreamInfo::new(codec, TimeBase::hz(90_000), media);
            let manner = Manner { blu_ray: needs_blu_ray(codec), ..PLAIN };
            for manner in [manner, Manner { dvb: true, ..manner }] {
                let Ok(described) = describe(&stream, manner) else { continue };
                let Described { stream_type, descriptors, .. } = described;
                let read = super::super::super::super::kinds::codec(
                    &Elementary { stream_type, pid: 0x100, descriptors },
                    manner.blu_ray,
                );
                // Layers and versions are told apart by their content.
                let shown = match codec {
                    Codec::Mp1 | Codec::Mp3 => Codec::Mp2,
                    Codec::Mpeg1Video => Codec::Mpeg2Video,
                    Codec::Data => Codec::BinData,
                    other => other,
                };
                assert_eq!(read, shown, "{codec}");
            }
        }
    }

    #[test]
    fn dts_is_registered_by_the_frames_of_its_core() {
        for (rate, samples, name) in
            [(48_000, 512, b"DTS1"), (44_100, 1024, b"DTS2"), (48_000, 2048, b"DTS3"), (96_000, 1024, b"DTS1")]
        {
            let audio = Audio { frame_size: samples, ..Audio::new(rate, 2) };
            let stream = StreamInfo::new(Codec::Dts, TimeBase::hz(90_000), Media::Audio(audio));
            for manner in [PLAIN, Manner { dvb: true, ..PLAIN }] {
                let described = describe(&stream, manner).unwrap();
                assert_eq!((described.stream_type, &described.descriptors[2..]), (0x06, &name[..]), "{rate} {samples}");
            }
        }
    }

    #[test]
    fn languages_and_channels_are_descriptors() {
        let mut stream = StreamInfo::audio(Codec::Opus, 48_000, 6);
        stream.config = crate::syntax::opus::head(6).unwrap().into();
        stream.language = "eng".into();
        let described = describe(&stream, PLAIN).unwrap();
        assert_eq!(described.descriptors, b"\x05\x04Opus\x7f\x02\x80\x06\x0a\x04eng\0");
        stream.config = b"OpusHead\x01\x06\0\0\0\0\0\0\0\0\xff".to_vec().into();
        assert!(describe(&stream, PLAIN).is_err());
        assert!(describe(&StreamInfo::audio(Codec::Flac, 48_000, 2), PLAIN).is_err());
    }
}
