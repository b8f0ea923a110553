//! H.264 → pictures, by `rust_h264`: 4:2:0, 4:2:2 and grey of 8 and 10 bits; 4:4:4 and lossless are refused.
//!
//! ```text
//!   NAL unit ─▶ joins? ─▶ fits the budget? ─▶ library ─▶ Order ─▶ Picture
//!                └ behind a keyframe or a recovery point
//! ```

use std::borrow::Cow;

use maliu_core::{
    error::{Error, Result},
    packet::Packet,
    stream::StreamInfo,
    syntax::{
        annexb::{self, Framing},
        h264::{Config, Header, Marking, ParameterSets, SliceStart, Sps, kind},
    },
    time::Ticks,
};
use rust_h264::decoder::{ChromaFormat, Frame};

use super::{
    Chroma, Picture, PictureDecoder, PictureOptions, grey,
    join::{First, Join},
    library::{Library, Refusal},
    memory::{self, Sizes},
    order::Order,
    references::{Coded, References},
};
use crate::Report;

/// The library's decoder with what it needs to start again.
pub(super) struct H264 {
    library: Library,
    framing: Framing,
    /// Parameter sets of the container.
    container_sets: Vec<Vec<u8>>,
    sets: ParameterSets,
    references: References,
    order: Order<Shown>,
    /// The picture that the library is decoding.
    current: Option<Coded>,
    /// Facts of the next picture that comes out of the library: of two fields, those of the first one.
    building: Option<Tag>,
    join: Join,
    /// Pictures with a lower order count were in front of the one at which decoding began.
    floor: Option<i32>,
    options: PictureOptions,
    report: Report,
    /// Features that the library reported as missing. It reports damage that way, too.
    refused: Option<String>,
    /// Why nothing more can be decoded.
    ended: Option<Error>,
    /// Packets since the start without any picture.
    barren: u32,
}

/// Packets without any picture after which a refusal is believed.
const PATIENCE: u32 = 100;

/// Data that goes with a picture through the library.
#[derive(Clone, Copy)]
struct Tag {
    time: Option<Ticks>,
    /// It may be shown: it is not in front of what a recovery point makes right.
    right: bool,
    /// The picture at which decoding began, if that was no IDR picture.
    joined: bool,
}

/// A picture that waits to be shown.
struct Shown {
    frame: Frame,
    time: Option<Ticks>,
}

impl H264 {
    /// A decoder of this stream.
    pub(super) fn new(info: &StreamInfo, options: PictureOptions) -> Self {
        let config = Config::parse(&info.config).map_or_else(|| info.config.clone(), |config| config.to_annexb());
        let container_sets = annexb::units(&config).map(|unit| unit.trimmed().to_vec()).collect();
        let mut decoder = Self {
            library: Library::new(),
            framing: Framing::of_h264(&info.config),
            container_sets,
            sets: ParameterSets::default(),
            references: References::default(),
            order: Order::default(),
            current: None,
            building: None,
            join: Join::default(),
            floor: None,
            options,
            report: Report::default(),
            refused: None,
            ended: None,
            barren: 0,
        };
        decoder.reset();
        decoder
    }

    fn nal(&mut self, nal: &[u8], time: Option<Ticks>, out: &mut Vec<Shown>) {
        let Some(header) = Header::of(nal) else { return };
        match header.nal_unit_type {
            kind::SLICE | kind::IDR => self.slice(nal, time, out),
            kind::SPS | kind::PPS => self.set(nal),
            kind::SEI => self.join.sei(nal),
            _ => {}
        }
    }

    /// Hands on a parameter set that can be read.
    fn set(&mut self, nal: &[u8]) {
        let known = self.sets.version();
        let sps = Sps::parse(nal);
        if self.sets.note(nal) != Some(Ok(())) {
            let why = "a parameter set that is damaged or breaks a limit of the standard";
            self.refused.get_or_insert_with(|| format!("h264: {why}"));
            return self.damaged(why.to_owned());
        }
        if self.give(nal).is_none() {
            return;
        }
        let Some(sps) = sps else { return };
        self.references.allow(sps.max_num_ref_frames);
        self.order.set_depth(declared_depth(&sps));
        let (declared, allowed) = (sps.max_num_ref_frames, sps.max_dpb_frames());
        if self.sets.version() != known && declared > allowed {
            let (width, height) = sps.coded_size();
            let (whole, tenth) = (sps.level_idc / 10, sps.level_idc % 10);
            self.report.note(format!(
                "the stream keeps {declared} reference frames of {width}x{height}, level {whole}.{tenth} allows {allowed}"
            ));
        }
    }

    fn slice(&mut self, nal: &[u8], time: Option<Ticks>, out: &mut Vec<Shown>) {
        let parsed = SliceStart::parse(nal).and_then(|start| {
            let (sps, _) = self.sets.of_slice(start.pic_parameter_set_id)?;
            Some((start, sps.clone(), Marking::parse(nal, &self.sets)?))
        });
        let Some((start, sps, (slice, marking))) = parsed else {
            return self.damaged("a slice header that is damaged, or whose parameter sets are missing".to_owned());
        };
        let (sizes, parts) = (Sizes::of(&sps), if slice.field_pic_flag { 2 } else { 1 });
        let current = self.current.as_ref().filter(|_| start.first_mb_in_slice > 0);
        if current.is_some_and(|current| !slice.begins_picture_after(&current.header)) {
            // The library keeps a copy of the picture in case the slice is damaged.
            if self.fits(sizes.decoding() / parts * 2, &sps, out) {
                self.give(nal);
            }
            return;
        }
        self.complete_frame(out);
        let Some(First { grey, right, joined }) = self.join.picture(&slice, start.slice_type, &sps) else { return };
        if grey && !self.begin_grey(&sps, out) {
            return;
        }
        let coded =
            Coded { header: slice, marking, max_frame_num: 1 << sps.log2_max_frame_num, bytes: sizes.kept() / parts };
        let need = (sizes.decoding() + sizes.copy() + sizes.kept()) / parts + self.references.filled(&coded);
        if self.fits(need, &sps, out) {
            self.begin(nal, coded, Tag { time, right, joined }, out);
        }
    }

    /// Hands on the first slice of a picture.
    fn begin(&mut self, nal: &[u8], coded: Coded, tag: Tag, out: &mut Vec<Shown>) {
        // The library completes a first field only now, and gives the frame out with the second one.
        let field = self.current.take();
        if let Some(field) = &field {
            self.references.complete(field);
        }
        self.references.begin(&coded);
        let Some(came) = self.give(nal) else { return };
        if let (Some(frame), Some(field)) = (came, field) {
            self.came(frame, &field, out);
        }
        if coded.header.idr {
            self.order.restart(out);
        }
        if !coded.header.field_pic_flag {
            self.building = None;
        }
        self.building.get_or_insert(tag);
        self.current = Some(coded);
    }

    /// The picture that is being decoded is complete, if it is a frame. Of a field the library would give out half a
    /// frame.
    fn complete_frame(&mut self, out: &mut Vec<Shown>) {
        let Some(coded) = self.current.take_if(|current| !current.header.field_pic_flag) else { return };
        self.references.complete(&coded);
        match self.library.flush() {
            Ok(Some(frame)) => self.came(frame, &coded, out),
            Ok(None) => {}
            Err(refusal) => self.note(refusal),
        }
    }

    /// A picture came out of the library.
    fn came(&mut self, frame: Frame, coded: &Coded, out: &mut Vec<Shown>) {
        let Some(tag) = self.building.take() else { return };
        if coded.marking.restarts() {
            self.order.restart(out);
            self.floor = None;
        }
        if coded.header.idr {
            self.floor = None;
        }
        let count = frame.pic_order_cnt;
        if tag.joined {
            self.floor = Some(count);
        }
        if !tag.right || self.floor.is_some_and(|floor| count < floor) {
            return;
        }
        self.order.push(count, Shown { frame, time: tag.time }, out);
    }

    /// Decodes a grey picture in the place of those that were not received.
    fn begin_grey(&mut self, sps: &Sps, out: &mut Vec<Shown>) -> bool {
        let sizes = Sizes::of(sps);
        if !self.fits(sizes.decoding() + sizes.copy() + sizes.kept(), sps, out) {
            return false;
        }
        let coded = Coded::idr(1 << sps.log2_max_frame_num, sizes.kept());
        let [set, slice] = [(kind::PPS, grey::pps(sps)), (kind::IDR, grey::slice(sps))]
            .map(|(nal_unit_type, rbsp)| self.library.rbsp(Header { nal_ref_idc: 3, nal_unit_type }, Cow::Owned(rbsp)));
        if let Err(refusal) = set.and(slice) {
            self.note(refusal);
            return false;
        }
        self.building = Some(Tag { time: None, right: false, joined: false });
        self.current = Some(coded);
        self.complete_frame(out);
        // The stream may have a set of the same id.
        if let Some(nal) = self.sets.pps_nal(grey::PPS_ID).cloned() {
            self.give(&nal);
        }
        true
    }

    /// Whether `bytes` bytes more fit into the budget, if need be by showing pictures before their turn is certain.
    /// Otherwise decoding ends.
    fn fits(&mut self, more: u64, sps: &Sps, out: &mut Vec<Shown>) -> bool {
        if self.ended.is_some() {
            return false;
        }
        loop {
            let waiting: u64 = self.order.waiting().map(|shown| memory::of_frame(&shown.frame)).sum();
            let need = self.references.bytes().saturating_add(waiting).saturating_add(more);
            if need <= self.options.memory {
                return true;
            }
            if !self.order.pop(out) {
                let (width, height) = sps.coded_size();
                self.ended = Some(Error::unsupported(format!(
                    "h264: decoding {width}x{height} with {} reference frames needs {} MiB, {} MiB are allowed for pictures",
                    sps.max_num_ref_frames,
                    need.div_ceil(1 << 20),
                    self.options.memory >> 20
                )));
                return false;
            }
        }
    }

    /// A NAL unit through the library; `None` when it is refused.
    fn give(&mut self, nal: &[u8]) -> Option<Option<Frame>> {
        self.library.nal(nal).map_err(|refusal| self.note(refusal)).ok()
    }

    fn note(&mut self, refusal: Refusal) {
        match refusal {
            Refusal::Damaged(why) => self.damaged(why),
            Refusal::Unsupported(what) => {
                self.damaged(format!("unsupported: {what}"));
                self.refused.get_or_insert(format!("h264: {what}"));
            }
            Refusal::GaveUp => {
                self.damaged("the decoder gave up on it".to_owned());
                self.reset();
            }
        }
    }

    /// Hands on pictures; without any so far, the library's refusal is believed at the end and after a while.
    fn judged(&mut self, shown: Vec<Shown>, ended: bool) -> Result<Vec<Picture>> {
        if !shown.is_empty() {
            self.barren = 0;
            self.refused = None;
            return Ok(shown.into_iter().map(picture).collect());
        }
        if let Some(error) = &self.ended {
            return Err(error.clone());
        }
        match self.refused.take() {
            Some(what) if ended || self.barren >= PATIENCE => Err(Error::unsupported(what)),
            refused => {
                self.refused = refused;
                Ok(Vec::new())
            }
        }
    }

    fn damaged(&mut self, why: String) {
        self.report.damaged += 1;
        self.report.first_damage.get_or_insert(why);
    }
}

/// How many pictures are held back.
fn declared_depth(sps: &Sps) -> u8 {
    let restricted = sps.vui.as_ref().is_some_and(|vui| vui.bitstream_restriction.is_some());
    let depth = sps.reorder_depth();
    // A decoded picture buffer that is full gives out a picture (§C.4.5.3); levels may be understated.
    if restricted || depth == 0 { depth } else { depth.max(sps.max_num_ref_frames) }
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
        let mut out = Vec::new();
        self.complete_frame(&mut out);
        if let Some(field) = self.current.take() {
            match self.library.flush() {
                Ok(Some(frame)) => self.came(frame, &field, &mut out),
                Ok(None) => {}
                Err(refusal) => self.note(refusal),
            }
        }
        self.order.drain(&mut out);
        self.judged(out, true)
    }

    fn reset(&mut self) {
        self.library = Library::new();
        self.sets = ParameterSets::default();
        self.references.clear();
        self.order.clear();
        (self.current, self.building, self.floor) = (None, None, None);
        self.join.restart();
        for nal in std::mem::take(&mut self.container_sets) {
            // A set that the library refuses is refused again when a picture needs it.
            self.set(&nal);
            self.container_sets.push(nal);
        }
    }

    fn report(&self) -> Report {
        let mut report = self.report.clone();
        for (count, what) in [
            (self.join.left_out, "before the first keyframe or recovery point left out"),
            (self.join.not_right, "decoded but not shown: the picture was still being refreshed"),
        ] {
            if count > 0 {
                report.note(format!("{count} pictures {what}"));
            }
        }
        report
    }
}

fn picture(shown: Shown) -> Picture {
    let Shown { frame: Frame { width, height, bit_depth, y, u, v, chroma_format, .. }, time } = shown;
    let chroma = match chroma_format {
        ChromaFormat::Yuv420 => Chroma::Half,
        ChromaFormat::Yuv422 => Chroma::HalfWidth,
    };
    Picture { width, height, chroma, bit_depth, planes: [y, u, v], time }
}
