//! Facts of an access unit of H.264 once it is whole: key, order, kind, structure.

use alloc::borrow::Cow;

use super::{
    AccessUnits, Header, ParameterSets, PicOrderCnt, PictureOrder, PictureTiming, RecoveryPoint, SliceHeader,
    SliceStart, SliceType, for_each_sei, kind, slice::Parsed,
};
use crate::{
    remark::Remark,
    stream::{Codec, Video},
    syntax::annexb::{Coding, Description, RawCoding, Remarks, Timing},
};

/// Follows the NAL units of a stream: access units, parameter sets, picture order.
#[derive(Clone, Debug, Default)]
pub struct Pictures {
    units: AccessUnits,
    sets: ParameterSets,
    order: PictureOrder,
    /// Frames count their order in steps of 1, not of 2 as the standard suggests.
    steps_of_one: bool,
    current: Picture,
    remarks: Remarks,
}

/// An access unit. Without a picture, when it holds none or the stream ends early, the fields of slices are `None`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Picture {
    /// Decoding can start here: an IDR picture, a recovery point, or an I picture where there is one reference at most
    /// (PAR-7).
    pub key: bool,
    /// The first fields of its first slice.
    pub start: Option<SliceStart>,
    /// The header of its first slice; `None` without its parameter sets too.
    pub slice: Option<SliceHeader>,
    /// Picture order count, in fields; see [`PictureOrder::next`].
    pub order: Option<i64>,
    /// The recovery point message in it.
    pub recovery: Option<RecoveryPoint>,
    /// The picture timing message in it.
    pub timing: Option<PictureTiming>,
    /// The sequence parameter set it uses.
    pub sps_id: Option<u8>,
    /// Its order restarts: an IDR picture, or memory management operation 5.
    pub restarts: bool,
}

impl Pictures {
    /// `strict`: see [`AccessUnits::new`].
    pub fn new(strict: bool) -> Self {
        Self { units: AccessUnits::new(strict), ..Self::default() }
    }

    /// The parameter sets met so far.
    pub fn sets(&self) -> &ParameterSets {
        &self.sets
    }

    fn sei(&mut self, nal: &[u8]) {
        // Before the first slice it is not known which set is active: the lowest one is, but for odd streams.
        let sps = self.sets.any_sps();
        let current = &mut self.current;
        for_each_sei(nal, |message| {
            current.recovery = current.recovery.or(RecoveryPoint::of(message));
            current.timing = current.timing.or(sps.and_then(|sps| PictureTiming::of(message, sps)));
        });
    }

    /// Notes the first slice of the unit. `parsed`: its header, if it was read when the unit was judged.
    fn first_slice(&mut self, nal: &[u8], at: u64, parsed: Option<Parsed>) {
        let idr = Header::of(nal).is_some_and(|header| header.nal_unit_type == kind::IDR);
        let read = parsed.map_or_else(|| Parsed::read(nal, &self.sets), Ok);
        self.current.slice = read.ok().map(|parsed| parsed.header);
        self.current.start = self.current.slice.map(|slice| slice.start).or_else(|| SliceStart::parse(nal));
        self.current.key = idr || self.current.recovery.is_some();
        self.current.restarts = idr;
        let sets = self.current.start.and_then(|start| self.sets.of_slice(start.pic_parameter_set_id));
        let (Ok(parsed), Some((sps, pps))) = (read, sets) else {
            self.remarks.note_sets(at, read.err());
            return;
        };
        let slice = parsed.header;
        self.remarks.note_sets(at, None);
        self.current.sps_id = Some(sps.seq_parameter_set_id);
        let one_reference = sps.max_num_ref_frames <= 1 && pps.num_ref_idx_default_active[0] <= 1;
        self.current.key |= one_reference && slice.start.slice_type == SliceType::I;
        let restarts = parsed.restarts_order(nal, sps, pps);
        self.current.restarts |= restarts;
        let order = self.order.next(&slice, sps, restarts);
        self.current.order = Some(order);
        let by_lsb = matches!(sps.pic_order_cnt, PicOrderCnt::Lsb { .. });
        self.steps_of_one |= by_lsb && sps.frame_mbs_only_flag && order % 2 != 0;
    }
}

impl Coding for Pictures {
    type Picture = Picture;

    fn begins(&mut self, head: &[u8], whole: bool) -> Option<bool> {
        self.units.begins(head, whole, &self.sets)
    }

    fn nal(&mut self, nal: &[u8], at: u64) {
        let parsed = self.units.take_parsed();
        match nal.first().map(|head| head & 0x1f) {
            Some(kind::SLICE | kind::PARTITION_A | kind::IDR) if self.current.start.is_none() => {
                self.first_slice(nal, at, parsed);
            }
            Some(kind::SEI) => self.sei(nal),
            Some(kind::SPS | kind::PPS) => {
                if let Some(Err(why)) = self.sets.note(nal) {
                    self.remarks.note_refused(at, why);
                }
            }
            _ => {}
        }
    }

    fn nothing_follows(&mut self) {
        self.units.end();
    }

    fn end(&mut self) -> Picture {
        core::mem::take(&mut self.current)
    }
}

impl RawCoding for Pictures {
    const CODEC: Codec = Codec::H264;
    const STEPS: u32 = 2;

    fn is_key(&self, picture: &Picture) -> bool {
        picture.key
    }

    fn timing(&self, picture: &Picture) -> Timing {
        let sps = picture.sps_id.and_then(|id| self.sets.sps(id));
        let field = picture.slice.is_some_and(|slice| slice.field_pic_flag);
        Timing {
            order: picture.order,
            scale: if self.steps_of_one { 2 } else { 1 },
            in_coding_order: sps.is_some_and(|sps| sps.pic_order_cnt == PicOrderCnt::CodingOrder),
            restarts: picture.restarts,
            leading_may_follow: !picture.restarts,
            awaits_leading: false,
            leading: None,
            span: if field { 1 } else { 2 },
            reorder: sps.map_or(0, |sps| i64::from(sps.reorder_depth()) * 2),
        }
    }

    fn version(&self, picture: &Picture) -> Option<u64> {
        let sps = self.sets.active(picture.sps_id)?;
        Some(self.sets.version() << 8 | u64::from(sps.seq_parameter_set_id))
    }

    fn describe(&self, picture: &Picture) -> Option<Description> {
        let sps = self.sets.active(picture.sps_id)?;
        let (width, height) = sps.display_size();
        let video = Video {
            reorder: sps.reorder_depth(),
            frame_rate: sps.frame_rate(),
            pixel_aspect: sps.vui.as_ref().and_then(|vui| vui.sample_aspect),
            level: Some(sps.level_idc),
            ..Video::new(width, height)
        };
        Some(Description { config: self.sets.to_annexb(sps.seq_parameter_set_id), profile: sps.profile_idc, video })
    }

    fn next_warning(&mut self) -> Option<(u64, Remark, Cow<'static, str>)> {
        self.remarks.next()
    }
}
