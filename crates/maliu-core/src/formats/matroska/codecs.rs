//! Codec identifiers of tracks (<https://www.matroska.org/technical/codec_specs.html>, RFC 9559 §5.1.4.1.21).

use crate::stream::Codec;

/// Identifiers and their codecs. For writing the first row of a codec counts.
pub(super) const NAMES: &[(&str, Codec)] = &[
    ("V_MPEG4/ISO/AVC", Codec::H264),
    ("V_MPEGH/ISO/HEVC", Codec::H265),
    ("V_MPEGI/ISO/VVC", Codec::H266),
    ("V_AV1", Codec::Av1),
    ("V_VP8", Codec::Vp8),
    ("V_VP9", Codec::Vp9),
    ("V_THEORA", Codec::Theora),
    ("V_MPEG1", Codec::Mpeg1Video),
    ("V_MPEG2", Codec::Mpeg2Video),
    ("V_MPEG4/ISO/ASP", Codec::Mpeg4),
    ("V_MPEG4/ISO/SP", Codec::Mpeg4),
    ("V_MPEG4/ISO/AP", Codec::Mpeg4),
    ("V_MJPEG", Codec::Mjpeg),
    ("V_PRORES", Codec::ProRes),
    ("V_FFV1", Codec::Ffv1),
    ("V_CAVS", Codec::Cavs),
    ("V_UNCOMPRESSED", Codec::RawVideo),
    ("A_AAC", Codec::Aac),
    ("A_MPEG/L3", Codec::Mp3),
    ("A_MPEG/L2", Codec::Mp2),
    ("A_MPEG/L1", Codec::Mp1),
    ("A_AC3", Codec::Ac3),
    ("A_AC3/BSID9", Codec::Ac3),
    ("A_AC3/BSID10", Codec::Ac3),
    ("A_EAC3", Codec::Eac3),
    ("A_EAC3/BSID9", Codec::Eac3),
    ("A_EAC3/BSID10", Codec::Eac3),
    ("A_DTS", Codec::Dts),
    ("A_DTS/EXPRESS", Codec::Dts),
    ("A_DTS/LOSSLESS", Codec::Dts),
    ("A_TRUEHD", Codec::TrueHd),
    ("A_OPUS", Codec::Opus),
    ("A_OPUS/EXPERIMENTAL", Codec::Opus),
    ("A_VORBIS", Codec::Vorbis),
    ("A_FLAC", Codec::Flac),
    ("A_ALAC", Codec::Alac),
    ("A_TTA1", Codec::Tta),
    ("A_WAVPACK4", Codec::WavPack),
    ("A_QUICKTIME/QDM2", Codec::Qdm2),
    ("A_QUICKTIME/QDMC", Codec::Qdmc),
    ("S_TEXT/UTF8", Codec::Srt),
    ("S_TEXT/ASCII", Codec::Srt),
    ("S_TEXT/ASS", Codec::Ass),
    ("S_ASS", Codec::Ass),
    ("S_TEXT/SSA", Codec::Ass),
    ("S_SSA", Codec::Ass),
    ("S_TEXT/WEBVTT", Codec::WebVtt),
    ("D_WEBVTT/SUBTITLES", Codec::WebVtt),
    ("D_WEBVTT/CAPTIONS", Codec::WebVtt),
    ("D_WEBVTT/DESCRIPTIONS", Codec::WebVtt),
    ("D_WEBVTT/METADATA", Codec::WebVtt),
    ("S_VOBSUB", Codec::DvdSubtitle),
    ("S_HDMV/PGS", Codec::Pgs),
    ("S_DVBSUB", Codec::DvbSubtitle),
    ("S_ARIBSUB", Codec::AribCaption),
];

/// PCM: byte order or kind, bits, and the codec. An integer of 8 bits is unsigned.
pub(super) const PCM: &[(&str, u16, Codec)] = &[
    ("A_PCM/INT/LIT", 8, Codec::PcmU8),
    ("A_PCM/INT/LIT", 16, Codec::PcmS16Le),
    ("A_PCM/INT/LIT", 24, Codec::PcmS24Le),
    ("A_PCM/INT/LIT", 32, Codec::PcmS32Le),
    ("A_PCM/INT/LIT", 64, Codec::PcmS64Le),
    ("A_PCM/INT/BIG", 8, Codec::PcmU8),
    ("A_PCM/INT/BIG", 16, Codec::PcmS16Be),
    ("A_PCM/INT/BIG", 24, Codec::PcmS24Be),
    ("A_PCM/INT/BIG", 32, Codec::PcmS32Be),
    ("A_PCM/FLOAT/IEEE", 32, Codec::PcmF32Le),
    ("A_PCM/FLOAT/IEEE", 64, Codec::PcmF64Le),
];

/// FourCC of BITMAPINFOHEADER, in upper case, and its codec.
const FOUR_CC: &[(&[u8; 4], Codec)] = &[
    (b"H264", Codec::H264),
    (b"X264", Codec::H264),
    (b"AVC1", Codec::H264),
    (b"HEVC", Codec::H265),
    (b"HVC1", Codec::H265),
    (b"HEV1", Codec::H265),
    (b"H265", Codec::H265),
    (b"X265", Codec::H265),
    (b"AV01", Codec::Av1),
    (b"VP80", Codec::Vp8),
    (b"VP90", Codec::Vp9),
    (b"XVID", Codec::Mpeg4),
    (b"DIVX", Codec::Mpeg4),
    (b"DX50", Codec::Mpeg4),
    (b"FMP4", Codec::Mpeg4),
    (b"MP4V", Codec::Mpeg4),
    (b"MJPG", Codec::Mjpeg),
    (b"MPG1", Codec::Mpeg1Video),
    (b"MPG2", Codec::Mpeg2Video),
    (b"WVC1", Codec::Vc1),
    (b"FFV1", Codec::Ffv1),
    (b"FLV1", Codec::Flv1),
    (b"VP62", Codec::Vp6),
    (b"VP6F", Codec::Vp6F),
    (b"H263", Codec::H263),
    (b"CVID", Codec::Cinepak),
    (b"SVQ3", Codec::Svq3),
    (b"CFHD", Codec::Cfhd),
    (b"THEO", Codec::Theora),
    (b"DVSD", Codec::DvVideo),
    (b"MPNG", Codec::Png),
    (b"GIF ", Codec::Gif),
];

/// The codec of an identifier and of the bits of a sample.
pub(super) fn of_name(name: &str, bits: u16) -> Option<Codec> {
    let pcm = PCM.iter().find(|row| row.0 == name && row.1 == bits).map(|row| row.2);
    let named = || NAMES.iter().find(|row| row.0 == name).map(|row| row.1);
    // Old writers name the object type behind it: A_AAC/MPEG4/LC.
    pcm.or_else(named).or_else(|| name.starts_with("A_AAC/").then_some(Codec::Aac))
}

/// The codec of a FourCC.
pub(super) fn of_four_cc(letters: [u8; 4]) -> Option<Codec> {
    let upper = letters.map(|letter| letter.to_ascii_uppercase());
    FOUR_CC.iter().find(|row| *row.0 == upper).map(|row| row.1)
}

/// The identifier under which a codec is written; `None` when it has none.
pub(super) fn name_of(codec: Codec) -> Option<&'static str> {
    let pcm = PCM.iter().find(|row| row.2 == codec).map(|row| row.0);
    pcm.or_else(|| NAMES.iter().find(|row| row.1 == codec).map(|row| row.0))
}
