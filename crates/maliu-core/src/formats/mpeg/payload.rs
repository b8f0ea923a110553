//! Packets → the bytes of elementary streams: what stands in front of a packet's data, and the data as the stream has it.
//!
//! ```text
//!   H.264, H.265, H.266:  access unit delimiter │ parameter sets at keyframes │ access unit
//!   AAC:                  ADTS header │ raw data block, or a LOAS frame
//!   MPEG-2, MPEG-4, VC-1: sequence header at keyframes │ picture
//!   Opus:                 control header │ packet
//!   DVB subtitles:        20 00 │ segments │ ff
//! ```

use alloc::{borrow::Cow, vec::Vec};

use bytes::Bytes;

use crate::{
    format::Packaging,
    packet::Packet,
    stream::{Codec, StreamInfo},
    syntax::{
        aac::AdtsWriter,
        annexb::{StartCodes, starts_with_code},
        h264, h265,
        latm::LoasWriter,
        opus,
    },
    time::TimeBase,
};

/// Why a stream or a packet cannot be carried.
pub(super) type Refusal = Cow<'static, str>;

/// LOAS frames from one configuration to the next.
const LOAS_PERIOD: u32 = 20;

/// How the multiplexes want the data of packets, before [`Payload`] prepares it.
pub(super) fn packaging(stream: &StreamInfo) -> Packaging {
    match stream.codec {
        Codec::H264 | Codec::H265 => Packaging::AnnexB,
        Codec::Aac if !stream.config.is_empty() => Packaging::RawAac,
        _ => Packaging::AsIs,
    }
}

/// Prepares the packets of one stream.
#[derive(Debug)]
pub(super) struct Payload {
    codec: Codec,
    base: TimeBase,
    form: Form,
    codes: StartCodes,
}

#[derive(Debug)]
enum Form {
    /// As they are.
    Plain,
    Adts(AdtsWriter),
    Loas(LoasWriter),
    /// Access units, and the parameter sets in Annex B form.
    Units {
        kinds: &'static Kinds,
        sets: Bytes,
    },
    /// Pictures behind start codes, and what must stand in front of keyframes, where it is missing.
    Pictures {
        header: Bytes,
    },
    /// Samples that are still to be dropped at the start.
    Opus {
        skip: u32,
    },
    Subtitle,
}

/// A packet's bytes in the elementary stream: what was put in front, the data, and what stands behind.
#[derive(Debug)]
pub(super) struct Shaped {
    pub data: Bytes,
    pub tail: &'static [u8],
}

/// NAL unit types that matter here.
#[derive(Debug)]
struct Kinds {
    kind: fn(&[u8]) -> Option<u8>,
    /// The first type that is not coded video.
    other: u8,
    delimiter: u8,
    /// The sequence parameter set.
    sps: u8,
    /// A delimiter that allows any slices, and one of a keyframe.
    delimiters: [&'static [u8]; 2],
}

const H264: Kinds = Kinds {
    kind: |nal| nal.first().map(|head| head & 31),
    other: 6,
    delimiter: 9,
    sps: 7,
    delimiters: [&[0, 0, 0, 1, 9, 0xf0]; 2],
};

const H265: Kinds = Kinds {
    kind: |nal| nal.first().map(|head| head >> 1 & 63),
    other: 32,
    delimiter: 35,
    sps: 33,
    delimiters: [&[0, 0, 0, 1, 0x46, 1, 0x50]; 2],
};

const H266: Kinds = Kinds {
    kind: |nal| nal.get(1).map(|head| head >> 3),
    other: 12,
    delimiter: 20,
    sps: 15,
    delimiters: [&[0, 0, 0, 1, 0, 0xa1, 0x28], &[0, 0, 0, 1, 0, 0xa1, 0xa8]],
};

impl Payload {
    /// For a stream whose times count in `base`. `latm`: AAC as LOAS frames.
    ///
    /// # Errors
    /// The reason why the stream cannot be carried.
    pub(super) fn new(stream: &StreamInfo, base: TimeBase, latm: bool) -> Result<Self, Refusal> {
        let mut payload = Self { codec: stream.codec, base, form: Form::Plain, codes: StartCodes::default() };
        payload.configure(&stream.config, latm)?;
        Ok(payload)
    }

    /// Another configuration holds from here on.
    ///
    /// # Errors
    /// As [`Payload::new`].
    pub(super) fn configure(&mut self, config: &Bytes, latm: bool) -> Result<(), Refusal> {
        let latm = latm || matches!(self.form, Form::Loas(_));
        self.form = match self.codec {
            Codec::Aac if config.is_empty() => Form::Plain,
            Codec::Aac if latm => Form::Loas(LoasWriter::new(config, LOAS_PERIOD)?),
            Codec::Aac => Form::Adts(AdtsWriter::new(config, false)?),
            Codec::H264 => units(&H264, h264_sets(config)?),
            Codec::H265 => units(&H265, h265_sets(config)?),
            Codec::H266 if config.is_empty() || starts_with_code(config) => units(&H266, config.clone()),
            Codec::H266 => return Err("H.266 with a configuration record is not supported".into()),
            Codec::Mpeg1Video | Codec::Mpeg2Video | Codec::Mpeg4 | Codec::Vc1 => {
                Form::Pictures { header: if starts_with_code(config) { config.clone() } else { Bytes::new() } }
            }
            Codec::Opus => Form::Opus { skip: pre_skip(config) },
            Codec::DvbSubtitle => Form::Subtitle,
            _ => Form::Plain,
        };
        Ok(())
    }

    /// Whether AAC comes as LOAS frames.
    pub(super) fn is_loas(&self) -> bool {
        matches!(self.form, Form::Loas(_))
    }

    /// Appends to `head` what stands in front of the packet's data, and gives the rest.
    ///
    /// # Errors
    /// The reason why the packet cannot be carried.
    pub(super) fn shape(&mut self, packet: &Packet, head: &mut Vec<u8>) -> Result<Shaped, Refusal> {
        let mut shaped = Shaped { data: packet.data.clone(), tail: &[] };
        match &mut self.form {
            _ if packet.data.is_empty() => {}
            Form::Plain => {}
            Form::Adts(writer) => {
                let (header, element) = writer.head(packet, self.base)?;
                head.extend_from_slice(&header);
                head.extend_from_slice(&element);
            }
            Form::Loas(writer) => shaped.data = writer.frame(&packet.data)?,
            Form::Units { kinds, sets } => {
                let taken = lead(kinds, sets, &self.codes, packet, head)?;
                shaped.data = packet.data.slice(taken..);
            }
            Form::Pictures { header } => {
                let missing = packet.is_key() && !packet.data.starts_with(header.get(..4).unwrap_or_default());
                if missing {
                    head.extend_from_slice(header);
                }
            }
            Form::Opus { skip } => {
                let trim = packet.side.trim();
                let start = if trim.start > 0 { trim.start } else { (*skip).min(opus::samples(&packet.data)) };
                *skip = if trim.start > 0 { 0 } else { skip.saturating_sub(start) };
                let control = opus::Control::build(packet.data.len(), trimmed(start), trimmed(trim.end));
                head.extend_from_slice(&control);
            }
            Form::Subtitle if packet.data.starts_with(&[0x20, 0]) => {}
            Form::Subtitle => {
                head.extend_from_slice(&[0x20, 0]);
                shaped.tail = &[0xff];
            }
        }
        Ok(shaped)
    }
}

fn units(kinds: &'static Kinds, sets: Bytes) -> Form {
    Form::Units { kinds, sets }
}

fn h264_sets(config: &Bytes) -> Result<Bytes, Refusal> {
    let converter = h264::ToAnnexB::new(config).ok_or("the configuration record is cut short")?;
    Ok(converter.parameter_sets().unwrap_or(config).clone())
}

fn h265_sets(config: &Bytes) -> Result<Bytes, Refusal> {
    let converter = h265::ToAnnexB::new(config).ok_or("the configuration record is cut short")?;
    Ok(converter.parameter_sets().unwrap_or(config).clone())
}

/// The most that a control header can say.
fn trimmed(samples: u32) -> u16 {
    u16::try_from(samples).unwrap_or(u16::MAX).min(0x1fff)
}

/// Samples that an identification header says to drop.
fn pre_skip(head: &[u8]) -> u32 {
    let field = head.starts_with(b"OpusHead").then(|| head.get(10..)?.first_chunk::<2>()).flatten();
    field.map_or(0, |pair| u16::from_le_bytes(*pair).into())
}

/// Delimiter and parameter sets where they are missing. Gives the bytes of the data that moved to `head`.
fn lead(
    kinds: &Kinds,
    sets: &Bytes,
    codes: &StartCodes,
    packet: &Packet,
    head: &mut Vec<u8>,
) -> Result<usize, Refusal> {
    let data = &packet.data;
    if !starts_with_code(data) {
        return Err("a packet that does not begin with a start code".into());
    }
    let (mut delimited, mut seen, mut end) = (false, false, 0);
    let mut at = codes.find(data, 0);
    while let Some(code) = at {
        let nal = data.get(code + 3..).unwrap_or_default();
        let Some(kind) = (kinds.kind)(nal).filter(|kind| *kind >= kinds.other) else {
            break;
        };
        at = codes.find(data, code + 3);
        if kind == kinds.delimiter && !delimited {
            delimited = true;
            end = at.map_or(data.len(), |next| if data.get(next - 1) == Some(&0) { next - 1 } else { next });
        }
        seen |= kind == kinds.sps;
        if seen {
            break;
        }
    }
    match delimited {
        true => head.extend_from_slice(data.get(..end).unwrap_or_default()),
        false => {
            head.extend_from_slice(kinds.delimiters.get(usize::from(packet.is_key())).copied().unwrap_or_default())
        }
    }
    if packet.is_key() && !seen {
        head.extend_from_slice(sets);
    }
    Ok(if delimited { end } else { 0 })
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;
    use crate::{
        packet::Flags,
        stream::{Media, Video},
    };

    fn shaped(codec: Codec, config: &'static [u8], key: bool, data: &'static [u8]) -> Vec<u8> {
        let base = TimeBase::hz(90_000);
        let stream = StreamInfo::new(codec, base, Media::Video(Video::default())).with_config(config);
        let mut payload = Payload::new(&stream, base, false).unwrap();
        let packet = Packet { flags: Flags::key(key), data: Bytes::from_static(data), ..Packet::default() };
        let mut out = vec![];
        let shaped = payload.shape(&packet, &mut out).unwrap();
        out.extend_from_slice(&shaped.data);
        out.extend_from_slice(shaped.tail);
        out
    }

    #[test]
    fn access_units_get_what_they_lack() {
        let sets = &[0, 0, 0, 1, 0x67, 1, 0, 0, 0, 1, 0x68, 2];
        let idr = &[0, 0, 0, 1, 0x65, 8];
        let delimiter = [0, 0, 0, 1, 9, 0xf0];
        assert_eq!(shaped(Codec::H264, sets, true, idr), [&delimiter[..], sets, idr].concat());
        assert_eq!(shaped(Codec::H264, sets, false, idr), [&delimiter[..], idr].concat());
        let begun = &[0, 0, 0, 1, 9, 0x10, 0, 0, 1, 0x65, 8];
        assert_eq!(shaped(Codec::H264, sets, true, begun), [&begun[..6], sets, &begun[6..]].concat());
        let whole = &[0, 0, 0, 1, 9, 0x10, 0, 0, 1, 0x67, 1, 0, 0, 1, 0x65, 8];
        assert_eq!(shaped(Codec::H264, sets, true, whole), whole);
    }

    #[test]
    fn pictures_get_the_sequence_header_they_lack() {
        let header = &[0, 0, 1, 0xb3, 7];
        assert_eq!(shaped(Codec::Mpeg2Video, header, true, &[0, 0, 1, 0, 9]), [0, 0, 1, 0xb3, 7, 0, 0, 1, 0, 9]);
        assert_eq!(shaped(Codec::Mpeg2Video, header, true, header), header);
        assert_eq!(shaped(Codec::DvbSubtitle, &[], true, &[0x0f, 1]), [0x20, 0, 0x0f, 1, 0xff]);
    }

    #[test]
    fn opus_packets_say_their_length_and_their_trim() {
        let head = b"OpusHead\x01\x02\x38\x01\0\0\0\0\0\0\0";
        assert_eq!(shaped(Codec::Opus, head, true, &[0xfc, 1]), [0x7f, 0xf0, 2, 1, 0x38, 0xfc, 1]);
    }
}
