//! Packets of H.264 and H.265 taken apart: their NAL units and the pictures they make.

use maliu::{
    stream::{Codec, StreamInfo},
    syntax::{
        annexb::{self, Coding as _, Framing, RawCoding as _},
        h264, h265,
    },
};

/// Follows the packets of one stream.
pub(crate) struct Video {
    coding: Coding,
    framing: Framing,
}

enum Coding {
    H264(h264::Pictures),
    H265(h265::Pictures),
}

/// Most NAL units that are listed of one packet.
const MAX_NALS: usize = 1 << 16;

/// One NAL unit of a packet.
pub(crate) struct Nal {
    /// Index of its header in the packet.
    pub at: usize,
    /// Bytes of the start code or the length before it.
    pub prefix: usize,
    /// Its size in bytes, without trailing zeros where start codes end it.
    pub size: usize,
    /// Its nal_unit_type.
    pub number: u8,
    /// The type's name.
    pub name: &'static str,
    /// The other fields of its header: nal_ref_idc, or nuh_layer_id and temporal_id.
    pub header: Vec<(&'static str, u8)>,
    /// Its slice type, if it is a slice: `I`, `P`, `B`, ….
    pub slice: Option<&'static str>,
    /// Whether it is a slice.
    pub is_slice: bool,
    /// Parameter sets that it is or names: (`vps`, `sps` or `pps`, id).
    pub sets: Vec<(&'static str, u8)>,
}

/// The picture of a packet.
#[derive(Clone, Copy, Default)]
pub(crate) struct Picture {
    /// Its slices are all I (`I`), some are B (`B`), else `P`; `None` without slices.
    pub letter: Option<char>,
    /// Picture order count.
    pub order: Option<i64>,
    /// Decoding can start here.
    pub key: bool,
    /// Nothing behind it refers to, or is shown, before it.
    pub closed: bool,
}

impl Video {
    /// Of this stream; `None` when it is not of these codecs.
    pub(crate) fn new(info: &StreamInfo) -> Option<Self> {
        let (mut coding, framing) = match info.codec {
            Codec::H264 => (Coding::H264(h264::Pictures::default()), Framing::of_h264(&info.config)),
            Codec::H265 => (Coding::H265(h265::Pictures::default()), Framing::of_h265(&info.config)),
            _ => return None,
        };
        coding.configure(info);
        Some(Self { coding, framing })
    }

    /// Takes a packet apart.
    pub(crate) fn packet(&mut self, data: &[u8]) -> (Vec<Nal>, Picture) {
        let (mut nals, mut all) = (Vec::new(), 0);
        let mut note = |nal: Option<Nal>| {
            all += usize::from(nal.is_some());
            if nals.len() < MAX_NALS {
                nals.extend(nal);
            }
        };
        match self.framing {
            Framing::AnnexB => {
                for unit in annexb::units(data) {
                    note(self.coding.nal(unit.trimmed(), unit.at, unit.start_code));
                }
            }
            Framing::Lengths(size) => {
                let mut at = 0;
                for nal in annexb::lengths(data, size) {
                    at += usize::from(size);
                    note(self.coding.nal(nal, at, usize::from(size)));
                    at += nal.len();
                }
            }
        }
        if all > MAX_NALS {
            tracing::warn!("a packet has {all} NAL units: the first {MAX_NALS} of them are looked at");
        }
        let letters = || nals.iter().filter_map(|nal| nal.slice);
        let letter = match () {
            () if letters().any(|slice| slice == "B") => Some('B'),
            () if letters().any(|slice| slice.ends_with('P')) => Some('P'),
            () => letters().next().map(|_| 'I'),
        };
        let picture = Picture { letter, ..self.coding.end() };
        (nals, picture)
    }

    /// The stream's codec string for MIME types (RFC 6381), when its parameter sets are known.
    pub(crate) fn codec_string(&self) -> Option<String> {
        match &self.coding {
            Coding::H264(pictures) => Some(pictures.sets().any_sps()?.codec_string()),
            Coding::H265(pictures) => Some(pictures.sets().any_sps()?.profile_tier_level.codec_string()),
        }
    }

    /// chroma_format_idc, bits per luma sample and video_full_range_flag, when the parameter sets are known.
    pub(crate) fn sampling(&self) -> Option<(u8, u8, bool)> {
        match &self.coding {
            Coding::H264(pictures) => {
                let sps = pictures.sets().any_sps()?;
                let full = sps.vui.as_ref().is_some_and(|vui| vui.signal.video_full_range_flag);
                Some((sps.chroma_format_idc, sps.bit_depth_luma, full))
            }
            Coding::H265(pictures) => {
                let sps = pictures.sets().any_sps()?;
                let full = sps.vui.as_ref().is_some_and(|vui| vui.signal.video_full_range_flag);
                Some((sps.chroma_format_idc, sps.bit_depth_luma, full))
            }
        }
    }

    /// The profile's name as ffprobe prints it, when the parameter sets are known.
    pub(crate) fn profile(&self) -> Option<&'static str> {
        match &self.coding {
            Coding::H264(pictures) => pictures.sets().any_sps()?.profile_name(),
            Coding::H265(pictures) => pictures.sets().any_sps()?.profile_tier_level.profile_name(),
        }
    }
}

impl Coding {
    /// Notes the parameter sets of the stream's configuration.
    fn configure(&mut self, info: &StreamInfo) {
        let sets = match self {
            Self::H264(_) => h264::Config::parse(&info.config).map(|config| config.to_annexb()),
            Self::H265(_) => h265::Config::parse(&info.config).map(|config| config.to_annexb()),
        };
        let sets = sets.unwrap_or_else(|| info.config.clone());
        for unit in annexb::units(&sets) {
            self.nal(unit.trimmed(), 0, 0);
        }
        self.end();
    }

    fn nal(&mut self, nal: &[u8], at: usize, prefix: usize) -> Option<Nal> {
        let unit = |number, name| Nal {
            at,
            prefix,
            size: nal.len(),
            number,
            name,
            header: Vec::new(),
            slice: None,
            is_slice: false,
            sets: Vec::new(),
        };
        match self {
            Self::H264(pictures) => {
                let header = h264::Header::of(nal)?;
                pictures.nal(nal, 0);
                let mut unit = unit(header.nal_unit_type, h264::kind::name(header.nal_unit_type));
                unit.header = vec![("nal_ref_idc", header.nal_ref_idc)];
                h264_facts(&mut unit, nal, pictures.sets());
                Some(unit)
            }
            Self::H265(pictures) => {
                let header = h265::Header::of(nal)?;
                pictures.nal(nal, 0);
                let mut unit = unit(header.nal_unit_type, h265::kind::name(header.nal_unit_type));
                unit.header = vec![("nuh_layer_id", header.nuh_layer_id), ("temporal_id", header.temporal_id)];
                h265_facts(&mut unit, nal, header, pictures.sets());
                Some(unit)
            }
        }
    }

    /// The picture of the units since the last call.
    fn end(&mut self) -> Picture {
        match self {
            Self::H264(pictures) => {
                let picture = pictures.end();
                let closed = picture.slice.is_some_and(|slice| slice.idr);
                Picture { letter: None, order: picture.order, key: pictures.is_key(&picture), closed }
            }
            Self::H265(pictures) => {
                let picture = pictures.end();
                let kind = picture.nal.map(|nal| nal.nal_unit_type);
                let closed = matches!(kind, Some(h265::kind::IDR_W_RADL | h265::kind::IDR_N_LP));
                Picture { letter: None, order: picture.order, key: pictures.is_key(&picture), closed }
            }
        }
    }
}

fn h264_facts(unit: &mut Nal, nal: &[u8], sets: &h264::ParameterSets) {
    match unit.number {
        h264::kind::SPS => unit.sets.extend(h264::Sps::parse(nal).map(|sps| ("sps", sps.seq_parameter_set_id))),
        h264::kind::PPS => {
            if let Some(pps) = h264::Pps::parse(nal, |id| sets.sps(id)) {
                unit.sets = vec![("pps", pps.pic_parameter_set_id), ("sps", pps.seq_parameter_set_id)];
            }
        }
        h264::kind::SLICE | h264::kind::PARTITION_A | h264::kind::IDR => {
            unit.is_slice = true;
            if let Some(slice) = h264::SliceStart::parse(nal) {
                unit.slice = Some(slice.slice_type.name());
                unit.sets.push(("pps", slice.pic_parameter_set_id));
            }
        }
        _ => {}
    }
}

fn h265_facts(unit: &mut Nal, nal: &[u8], header: h265::Header, sets: &h265::ParameterSets) {
    match unit.number {
        h265::kind::VPS => unit.sets.extend(h265::Vps::parse(nal).map(|vps| ("vps", vps.vps_video_parameter_set_id))),
        h265::kind::SPS => {
            if let Some(sps) = h265::Sps::parse(nal) {
                unit.sets = vec![("sps", sps.sps_seq_parameter_set_id), ("vps", sps.sps_video_parameter_set_id)];
            }
        }
        h265::kind::PPS => {
            if let Some(pps) = h265::Pps::parse(nal) {
                unit.sets = vec![("pps", pps.pps_pic_parameter_set_id), ("sps", pps.pps_seq_parameter_set_id)];
            }
        }
        _ if header.is_slice() => {
            unit.is_slice = true;
            if let Some(slice) = h265::SliceHeader::parse(nal, sets) {
                unit.slice = slice.independent.map(|independent| independent.slice_type.name());
                unit.sets.push(("pps", slice.slice_pic_parameter_set_id));
            }
        }
        _ => {}
    }
}
