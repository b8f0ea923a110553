//! stream_type and codec, for reading and writing, in transport and program streams (ISO/IEC 13818-1 table 2-34, ATSC A/53-3,
//! GB/T 28181 Annex C, HDMV).

use crate::stream::Codec;

/// stream_id of the first stream of video, of audio, of private data, and of extended ids (ISO/IEC 13818-1 table 2-22).
pub(super) const VIDEO: u8 = 0xe0;
pub(super) const AUDIO: u8 = 0xc0;
pub(super) const PRIVATE: u8 = 0xbd;
pub(super) const EXTENDED: u8 = 0xfd;

/// stream_type of private data in PES packets: descriptors, or the content, say what it is.
pub(super) const PRIVATE_DATA: u8 = 0x06;

/// A way to declare a codec.
pub(super) struct Row {
    pub stream_type: u8,
    pub codec: Codec,
    pub stream_id: u8,
    /// Its registration descriptor, where the stream_type alone does not say it everywhere.
    pub registration: &'static [u8],
    /// The maps of program streams have it.
    pub in_program_streams: bool,
}

const fn row(stream_type: u8, codec: Codec, stream_id: u8, registration: &'static [u8]) -> Row {
    Row { stream_type, codec, stream_id, registration, in_program_streams: false }
}

const fn both(stream_type: u8, codec: Codec, stream_id: u8, registration: &'static [u8]) -> Row {
    Row { in_program_streams: true, ..row(stream_type, codec, stream_id, registration) }
}

/// All rows. The first of a codec is written; the first of a stream_type is read.
pub(super) const ROWS: &[Row] = &[
    both(0x01, Codec::Mpeg1Video, VIDEO, b""),
    both(0x02, Codec::Mpeg2Video, VIDEO, b""),
    both(0x03, Codec::Mp2, AUDIO, b""),
    both(0x03, Codec::Mp1, AUDIO, b""),
    both(0x03, Codec::Mp3, AUDIO, b""),
    both(0x04, Codec::Mp2, AUDIO, b""),
    both(0x0f, Codec::Aac, AUDIO, b""),
    both(0x10, Codec::Mpeg4, VIDEO, b""),
    row(0x11, Codec::AacLatm, AUDIO, b""),
    row(0x15, Codec::TimedId3, PRIVATE, b"ID3 "),
    both(0x1b, Codec::H264, VIDEO, b""),
    row(0x1c, Codec::Aac, AUDIO, b""),
    row(0x20, Codec::H264, VIDEO, b""),
    both(0x24, Codec::H265, VIDEO, b"HEVC"),
    row(0x33, Codec::H266, VIDEO, b""),
    both(0x42, Codec::Cavs, VIDEO, b""),
    row(0x81, Codec::Ac3, PRIVATE, b"AC-3"),
    row(0x86, Codec::Scte35, PRIVATE, b""),
    row(0x87, Codec::Eac3, PRIVATE, b"EAC3"),
    row(0x8a, Codec::Dts, PRIVATE, b""),
    both(0x90, Codec::PcmALaw, AUDIO, b""),
    both(0x91, Codec::PcmMuLaw, AUDIO, b""),
    both(0x93, Codec::G7231, AUDIO, b""),
    both(0x99, Codec::G729, AUDIO, b""),
    row(0xcf, Codec::Aac, AUDIO, b""),
    row(0xd2, Codec::Data, PRIVATE, b""),
    row(0xdb, Codec::H264, VIDEO, b""),
    row(0xea, Codec::Vc1, EXTENDED, b"VC-1"),
];

/// Codecs that are written as private data, with their registration or with descriptors of their own.
pub(super) const PRIVATE_ROWS: &[Row] = &[
    row(PRIVATE_DATA, Codec::Dts, PRIVATE, b""),
    row(PRIVATE_DATA, Codec::Av1, PRIVATE, b"AV01"),
    row(PRIVATE_DATA, Codec::Opus, PRIVATE, b"Opus"),
    row(PRIVATE_DATA, Codec::S302m, PRIVATE, b"BSSD"),
    row(PRIVATE_DATA, Codec::Klv, PRIVATE, b"KLVA"),
    row(PRIVATE_DATA, Codec::DvbSubtitle, PRIVATE, b""),
    row(PRIVATE_DATA, Codec::Teletext, PRIVATE, b""),
    row(PRIVATE_DATA, Codec::Data, PRIVATE, b""),
    row(PRIVATE_DATA, Codec::BinData, PRIVATE, b""),
];

/// stream_type, codec, stream_id and stream_id_extension in programs registered as HDMV, and in packets of 192 bytes. The
/// first of a codec is written.
pub(super) const BLU_RAY: &[(u8, Codec, u8, Option<u8>)] = &[
    (0x80, Codec::PcmBluray, PRIVATE, None),
    (0x81, Codec::Ac3, EXTENDED, Some(0x71)),
    (0x82, Codec::Dts, EXTENDED, Some(0x71)),
    (0x83, Codec::TrueHd, EXTENDED, Some(0x72)),
    (0x84, Codec::Eac3, EXTENDED, Some(0x72)),
    (0x85, Codec::Dts, EXTENDED, Some(0x72)),
    (0x86, Codec::Dts, EXTENDED, Some(0x72)),
    (0x90, Codec::Pgs, PRIVATE, None),
    (0x92, Codec::Text, PRIVATE, None),
    (0xa1, Codec::Eac3, EXTENDED, Some(0x72)),
    (0xa2, Codec::Dts, EXTENDED, Some(0x72)),
];

/// Substreams of private stream 1 on discs: first and last id, codec, and the bytes in front of the payload. The first of a
/// codec is written.
pub(super) const SUBSTREAMS: &[(u8, u8, Codec, usize)] = &[
    (0x20, 0x3f, Codec::DvdSubtitle, 1),
    (0x80, 0x87, Codec::Ac3, 4),
    (0x88, 0x8f, Codec::Dts, 4),
    (0x98, 0x9f, Codec::Dts, 4),
    (0xa0, 0xaf, Codec::PcmDvd, 4),
    (0xb0, 0xbf, Codec::TrueHd, 5),
    (0xc0, 0xc7, Codec::Eac3, 4),
];

/// The codec that a stream_type means everywhere. Layers of MPEG audio and versions of MPEG video are told apart by their
/// content.
pub(super) fn codec(stream_type: u8) -> Option<Codec> {
    let codec = ROWS.iter().find(|row| row.stream_type == stream_type)?.codec;
    Some(if codec == Codec::Mpeg1Video { Codec::Mpeg2Video } else { codec })
}

/// How a codec is declared.
pub(super) fn of(codec: Codec) -> Option<&'static Row> {
    // DTS has a stream_type in North America only: it is private data elsewhere.
    PRIVATE_ROWS.iter().chain(ROWS).find(|row| row.codec == codec)
}

/// How the map of a program stream declares a codec.
pub(super) fn in_program_stream(codec: Codec) -> Option<&'static Row> {
    of(codec).filter(|row| row.in_program_streams)
}

/// A substream of private stream 1, by its first byte: its codec and the bytes in front of its payload.
pub(super) fn substream(id: u8) -> Option<(Codec, usize)> {
    let row = SUBSTREAMS.iter().find(|(first, last, ..)| (*first..=*last).contains(&id));
    row.map(|(.., codec, head)| (*codec, *head))
}

/// stream_type of MPEG audio of this sample rate: half the rates are those of MPEG-2.
pub(super) fn mpeg_audio(rate: u32) -> u8 {
    if (1..32_000).contains(&rate) { 0x04 } else { 0x03 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_declared_is_what_is_read() {
        for row in ROWS.iter().filter(|row| of(row.codec).is_some_and(|written| written.stream_type == row.stream_type))
        {
            let expected = match row.codec {
                Codec::Mpeg1Video => Codec::Mpeg2Video,
                Codec::Mp1 | Codec::Mp3 => Codec::Mp2,
                codec => codec,
            };
            assert_eq!(codec(row.stream_type), Some(expected), "{:#x}", row.stream_type);
        }
    }

    #[test]
    fn telephone_codecs_have_the_types_of_cameras() {
        let types =
            [Codec::PcmALaw, Codec::G7231, Codec::G729].map(|codec| in_program_stream(codec).unwrap().stream_type);
        assert_eq!(types, [0x90, 0x93, 0x99]);
        assert_eq!((substream(0x81), substream(0x10)), (Some((Codec::Ac3, 4)), None));
    }
}
