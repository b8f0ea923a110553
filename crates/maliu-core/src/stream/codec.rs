//! Which codecs there are: one table of names, long names and kinds.

use core::fmt;

/// The kind of media a codec codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Sound.
    Audio,
    /// Pictures.
    Video,
    /// Text over pictures.
    Subtitle,
    /// Other timed data.
    Data,
    /// A file carried along.
    Attachment,
}

impl Kind {
    /// `audio`, `video`, `subtitle`, `data` or `attachment`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Audio => "audio",
            Self::Video => "video",
            Self::Subtitle => "subtitle",
            Self::Data => "data",
            Self::Attachment => "attachment",
        }
    }
}

macro_rules! codecs {
    ($($variant:ident $kind:ident $name:literal $long:literal;)*) => {
        /// How the packets of a stream are coded. Names are ffprobe's.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Codec {
            $(#[doc = $long] $variant,)*
        }

        impl Codec {
            /// Every codec, in the order of the table.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The short name, as ffprobe prints it.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// The full name.
            pub fn long_name(self) -> &'static str {
                match self { $(Self::$variant => $long,)* }
            }

            /// The kind of media it codes.
            pub fn kind(self) -> Kind {
                match self { $(Self::$variant => Kind::$kind,)* }
            }
        }
    };
}

codecs! {
    Aac Audio "aac" "AAC (Advanced Audio Coding)";
    AacLatm Audio "aac_latm" "AAC in LATM";
    Mp1 Audio "mp1" "MPEG audio layer I";
    Mp2 Audio "mp2" "MPEG audio layer II";
    Mp3 Audio "mp3" "MPEG audio layer III";
    PcmU8 Audio "pcm_u8" "PCM unsigned 8-bit";
    PcmS8 Audio "pcm_s8" "PCM signed 8-bit";
    PcmS16Le Audio "pcm_s16le" "PCM signed 16-bit little-endian";
    PcmS16Be Audio "pcm_s16be" "PCM signed 16-bit big-endian";
    PcmS24Le Audio "pcm_s24le" "PCM signed 24-bit little-endian";
    PcmS24Be Audio "pcm_s24be" "PCM signed 24-bit big-endian";
    PcmS32Le Audio "pcm_s32le" "PCM signed 32-bit little-endian";
    PcmS32Be Audio "pcm_s32be" "PCM signed 32-bit big-endian";
    PcmS64Le Audio "pcm_s64le" "PCM signed 64-bit little-endian";
    PcmF24Le Audio "pcm_f24le" "PCM 24.0 floating point little-endian";
    PcmF32Le Audio "pcm_f32le" "PCM 32-bit floating point little-endian";
    PcmF32Be Audio "pcm_f32be" "PCM 32-bit floating point big-endian";
    PcmF64Le Audio "pcm_f64le" "PCM 64-bit floating point little-endian";
    PcmF64Be Audio "pcm_f64be" "PCM 64-bit floating point big-endian";
    PcmALaw Audio "pcm_alaw" "PCM A-law (ITU-T G.711)";
    PcmMuLaw Audio "pcm_mulaw" "PCM µ-law (ITU-T G.711)";
    AdpcmImaWav Audio "adpcm_ima_wav" "ADPCM IMA, WAV";
    AdpcmImaQt Audio "adpcm_ima_qt" "ADPCM IMA, QuickTime";
    AdpcmMs Audio "adpcm_ms" "ADPCM Microsoft";
    AdpcmSwf Audio "adpcm_swf" "ADPCM Shockwave Flash";
    AdpcmImaDk3 Audio "adpcm_ima_dk3" "ADPCM IMA, Duck DK3";
    AdpcmImaDk4 Audio "adpcm_ima_dk4" "ADPCM IMA, Duck DK4";
    AdpcmImaOki Audio "adpcm_ima_oki" "ADPCM IMA, Dialogic OKI";
    AdpcmCt Audio "adpcm_ct" "ADPCM Creative Technology";
    AdpcmYamaha Audio "adpcm_yamaha" "ADPCM Yamaha";
    G722 Audio "adpcm_g722" "ITU-T G.722 ADPCM";
    G726 Audio "adpcm_g726" "ITU-T G.726 ADPCM";
    G7231 Audio "g723_1" "ITU-T G.723.1";
    G729 Audio "g729" "ITU-T G.729";
    GsmMs Audio "gsm_ms" "GSM, Microsoft variant";
    Gsm Audio "gsm" "GSM 06.10";
    TrueSpeech Audio "truespeech" "DSP Group TrueSpeech";
    WmaV1 Audio "wmav1" "Windows Media Audio 1";
    WmaV2 Audio "wmav2" "Windows Media Audio 2";
    WmaPro Audio "wmapro" "Windows Media Audio 9 Professional";
    WmaVoice Audio "wmavoice" "Windows Media Audio Voice";
    WmaLossless Audio "wmalossless" "Windows Media Audio Lossless";
    Atrac3 Audio "atrac3" "ATRAC3 (Adaptive Transform Acoustic Coding 3)";
    MsnSiren Audio "msnsiren" "MSN Siren";
    Nellymoser Audio "nellymoser" "Nellymoser Asao";
    Speex Audio "speex" "Speex";
    Opus Audio "opus" "Opus";
    Vorbis Audio "vorbis" "Vorbis";
    Flac Audio "flac" "FLAC (Free Lossless Audio Codec)";
    Alac Audio "alac" "ALAC (Apple Lossless Audio Codec)";
    WavPack Audio "wavpack" "WavPack";
    Tta Audio "tta" "TTA (True Audio)";
    Ac3 Audio "ac3" "Dolby Digital (AC-3)";
    Eac3 Audio "eac3" "Dolby Digital Plus (E-AC-3)";
    Ac4 Audio "ac4" "Dolby AC-4";
    TrueHd Audio "truehd" "Dolby TrueHD";
    Dts Audio "dts" "DTS Coherent Acoustics";
    S302m Audio "s302m" "SMPTE 302M";
    PcmBluray Audio "pcm_bluray" "PCM of Blu-ray discs";
    PcmDvd Audio "pcm_dvd" "PCM of DVDs";
    AmrNb Audio "amr_nb" "AMR narrow band";
    AmrWb Audio "amr_wb" "AMR wide band";
    MpegH Audio "mpegh_3d_audio" "MPEG-H 3D Audio";
    Qcelp Audio "qcelp" "QCELP / PureVoice";
    Evrc Audio "evrc" "EVRC (Enhanced Variable Rate Codec)";
    Ilbc Audio "ilbc" "iLBC (Internet Low Bitrate Codec)";
    Mace3 Audio "mace3" "MACE 3:1 (Macintosh Audio Compression/Expansion)";
    Mace6 Audio "mace6" "MACE 6:1 (Macintosh Audio Compression/Expansion)";
    Qdm2 Audio "qdm2" "QDesign Music Codec 2";
    Qdmc Audio "qdmc" "QDesign Music Codec 1";
    UnknownAudio Audio "unknown" "audio of an unknown codec";
    H264 Video "h264" "H.264 / AVC (ITU-T H.264, ISO/IEC 14496-10)";
    H265 Video "hevc" "H.265 / HEVC (ITU-T H.265, ISO/IEC 23008-2)";
    H266 Video "vvc" "H.266 / VVC (ITU-T H.266, ISO/IEC 23090-3)";
    Av1 Video "av1" "AV1";
    Vp8 Video "vp8" "On2 VP8";
    Vp9 Video "vp9" "Google VP9";
    Theora Video "theora" "Theora";
    Flv1 Video "flv1" "Sorenson Spark (H.263 of Flash)";
    H263 Video "h263" "H.263";
    FlashSv Video "flashsv" "Flash Screen Video 1";
    FlashSv2 Video "flashsv2" "Flash Screen Video 2";
    Vp6 Video "vp6" "On2 VP6";
    Vp6F Video "vp6f" "On2 VP6, Flash variant";
    Vp6A Video "vp6a" "On2 VP6 with alpha";
    Mpeg1Video Video "mpeg1video" "MPEG-1 video";
    Mpeg2Video Video "mpeg2video" "MPEG-2 video";
    Mpeg4 Video "mpeg4" "MPEG-4 part 2";
    Vc1 Video "vc1" "SMPTE VC-1";
    Cavs Video "cavs" "Chinese AVS";
    Ffv1 Video "ffv1" "FFV1 (RFC 9043)";
    Mjpeg Video "mjpeg" "Motion JPEG";
    ProRes Video "prores" "Apple ProRes";
    DnxHd Video "dnxhd" "VC-3 / DNxHD";
    Jpeg2000 Video "jpeg2000" "JPEG 2000";
    DvVideo Video "dvvideo" "DV (Digital Video)";
    Svq1 Video "svq1" "Sorenson Video 1";
    Svq3 Video "svq3" "Sorenson Video 3";
    Cinepak Video "cinepak" "Cinepak";
    QtRle Video "qtrle" "QuickTime Animation (RLE)";
    Cfhd Video "cfhd" "GoPro CineForm HD";
    Gif Video "gif" "GIF (Graphics Interchange Format)";
    Bmp Video "bmp" "BMP (Windows bitmap)";
    Png Video "png" "PNG";
    RawVideo Video "rawvideo" "uncompressed video";
    UnknownVideo Video "unknown" "video of an unknown codec";
    Text Subtitle "text" "plain text";
    Srt Subtitle "subrip" "SubRip";
    Ass Subtitle "ass" "ASS (Advanced SubStation Alpha)";
    DvbSubtitle Subtitle "dvb_subtitle" "DVB subtitles";
    Teletext Subtitle "dvb_teletext" "DVB teletext";
    AribCaption Subtitle "arib_caption" "ARIB STD-B24 captions";
    Pgs Subtitle "hdmv_pgs_subtitle" "Presentation graphics of Blu-ray discs";
    MovText Subtitle "mov_text" "3GPP timed text";
    WebVtt Subtitle "webvtt" "WebVTT";
    Ttml Subtitle "ttml" "TTML (Timed Text Markup Language)";
    Eia608 Subtitle "eia_608" "EIA-608 closed captions";
    DvdSubtitle Subtitle "dvd_subtitle" "DVD subtitles";
    Data Data "none" "data";
    TimedId3 Data "timed_id3" "ID3 tags with times";
    Scte35 Data "scte_35" "SCTE 35 splice information";
    DvdNav Data "dvd_nav_packet" "DVD navigation";
    BinData Data "bin_data" "binary data";
    Klv Data "klv" "SMPTE 336M key-length-value data";
    Timecode Data "timecode" "time code of a recording";
    Emsg Data "emsg" "event messages of a segment (ISO/IEC 23009-1)";
    Ttf Attachment "ttf" "TrueType font";
}

impl Codec {
    /// The codec of a short name; for `unknown` the audio one.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|codec| codec.name() == name)
    }
}

impl fmt::Display for Codec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
