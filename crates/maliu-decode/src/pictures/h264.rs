//! H.264 → pictures, by `rust_h264`: 4:2:0, 4:2:2 and grey of 8 and 10 bits; 4:4:4 and lossless are refused.

use std::{
    cell::Cell,
    panic::{self, AssertUnwindSafe},
};

use maliu_core::{
    error::{Error, Result},
    packet::Packet,
    stream::StreamInfo,
    syntax::{
        annexb::{self, Framing},
        h264::{Config, Header, Sps, kind},
    },
    time::Ticks,
};
use rust_h264::{
    decoder::{ChromaFormat, Frame, OrderedDecoder},
    error::DecodeError,
    nal::{NalUnit, NalUnitType},
};

use super::{Chroma, Picture, PictureDecoder};
use crate::Report;

/// The library's decoder with what it needs to start again.
pub struct H264 {
    decoder: OrderedDecoder<Option<Ticks>>,
    framing: Framing,
    /// Parameter sets of the container.
    sets: Vec<Vec<u8>>,
    report: Report,
    /// What the library said it does not have. It says so of damage too.
    refused: Option<String>,
    /// Packets since the start without any picture.
    barren: u32,
}

/// Packets without any picture after which a refusal is believed.
const PATIENCE: u32 = 100;

/// Macroblocks of the largest picture of level 6.2 (Table A-1); the library would allocate whatever it is told.
const MAX_MACROBLOCKS: u32 = 139_264;

/// Whether pictures of this set are of a believable size.
fn fits(sps: &Sps) -> bool {
    let (width, height) = sps.coded_size();
    (width / 16).saturating_mul(height / 16) <= MAX_MACROBLOCKS
}

type Frames = Vec<(Frame, Option<Ticks>)>;

impl H264 {
    /// A decoder of this stream.
    pub fn new(info: &StreamInfo) -> Self {
        let config = Config::parse(&info.config).map(|config| config.to_annexb());
        let sets = annexb::units(&config.unwrap_or_default()).map(|unit| unit.trimmed().to_vec()).collect();
        let framing = Framing::of_h264(&info.config);
        let mut decoder =
            Self { decoder: OrderedDecoder::new(), framing, sets, report: Report::default(), refused: None, barren: 0 };
        decoder.reset();
        decoder
    }

    /// One NAL unit through the library, which may refuse it or give up on it.
    fn nal(&mut self, nal: &[u8], time: Option<Ticks>, out: &mut Vec<Picture>) {
        let Some(Header { nal_ref_idc, nal_unit_type }) = Header::of(nal) else { return };
        if nal_unit_type == kind::SPS && !Sps::parse(nal).is_some_and(|sps| fits(&sps)) {
            self.refused
                .get_or_insert_with(|| "h264: a sequence parameter set that is damaged or beyond level 6.2".to_owned());
            return self.damaged("a sequence parameter set that is damaged or beyond level 6.2".to_owned());
        }
        let rbsp = annexb::unescape(nal.get(1..).unwrap_or_default());
        let unit = NalUnit { nal_ref_idc, nal_unit_type: NalUnitType::from(nal_unit_type), rbsp };
        match self.inside(|decoder| decoder.decode_nal_with_meta(&unit, time)) {
            Ok(Ok(frames)) => out.extend(frames.into_iter().map(picture)),
            Ok(Err(fault)) => {
                if let DecodeError::Unsupported(what) = fault {
                    self.refused.get_or_insert(format!("h264: {what}"));
                }
                self.damaged(fault.to_string());
            }
            Err(()) => {
                self.damaged("the decoder gave up on it".to_owned());
                self.reset();
            }
        }
    }

    /// Hands on pictures; without any so far, the library's refusal is believed at the end and after a while.
    fn judged(&mut self, pictures: Vec<Picture>, ended: bool) -> Result<Vec<Picture>> {
        if !pictures.is_empty() {
            self.barren = 0;
            self.refused = None;
        }
        match self.refused.take() {
            Some(what) if ended || self.barren >= PATIENCE => Err(Error::unsupported(what)),
            refused => {
                self.refused = refused;
                Ok(pictures)
            }
        }
    }

    /// Calls the library; `Err` when it panicked. It is then in no usable state.
    fn inside<T>(&mut self, call: impl FnOnce(&mut OrderedDecoder<Option<Ticks>>) -> T) -> std::result::Result<T, ()> {
        INSIDE.set(true);
        let done = panic::catch_unwind(AssertUnwindSafe(|| call(&mut self.decoder)));
        INSIDE.set(false);
        done.map_err(|_| ())
    }

    fn damaged(&mut self, why: String) {
        self.report.damaged += 1;
        self.report.first_damage.get_or_insert(why);
    }
}

impl PictureDecoder for H264 {
    fn decode(&mut self, packet: &Packet) -> Result<Vec<Picture>> {
        let mut out = Vec::new();
        match self.framing {
            Framing::AnnexB => {
                for unit in annexb::units(&packet.data) {
                    self.nal(unit.trimmed(), packet.pts, &mut out);
                }
            }
            Framing::Lengths(size) => {
                for nal in annexb::lengths(&packet.data, size) {
                    self.nal(nal, packet.pts, &mut out);
                }
            }
        }
        self.barren = self.barren.saturating_add(1);
        self.judged(out, false)
    }

    fn finish(&mut self) -> Result<Vec<Picture>> {
        let frames: Frames = match self.inside(OrderedDecoder::flush_with_meta) {
            Ok(frames) => frames,
            Err(()) => {
                self.damaged("the decoder gave up at the end".to_owned());
                self.reset();
                Frames::new()
            }
        };
        self.judged(frames.into_iter().map(picture).collect(), true)
    }

    fn reset(&mut self) {
        self.decoder = OrderedDecoder::new();
        for nal in std::mem::take(&mut self.sets) {
            // A set that the library refuses is refused again when a picture needs it.
            self.nal(&nal, None, &mut Vec::new());
            self.sets.push(nal);
        }
    }

    fn report(&self) -> Report {
        self.report.clone()
    }
}

fn picture((frame, time): (Frame, Option<Ticks>)) -> Picture {
    let chroma = match frame.chroma_format {
        ChromaFormat::Yuv420 => Chroma::Half,
        ChromaFormat::Yuv422 => Chroma::HalfWidth,
    };
    let Frame { width, height, bit_depth, y, u, v, .. } = frame;
    Picture { width, height, chroma, bit_depth, planes: [y, u, v], time }
}

thread_local! {
    /// This thread is inside the library.
    static INSIDE: Cell<bool> = const { Cell::new(false) };
}

/// Silences panics inside the library.
pub fn quiet_panics() {
    let report = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        if !INSIDE.get() {
            report(info);
        }
    }));
}
