//! Facts of an access unit of H.265 once it is whole: key, order, kind.

use alloc::borrow::Cow;

use super::{
    AccessUnits, Header, ParameterSets, PictureOrder, PictureTiming, RecoveryPoint, SliceHeader, for_each_sei, kind,
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
    /// The last picture was followed by an end of sequence.
    after_end: bool,
    current: Picture,
    remarks: Remarks,
}

/// An access unit. Without a picture, when it holds none or the stream ends early, the fields of slices are `None`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Picture {
    /// The NAL unit header of its first slice segment.
    pub nal: Option<Header>,
    /// The header of its first slice segment; `None` without its parameter sets too.
    pub slice: Option<SliceHeader>,
    /// Picture order count.
    pub order: Option<i64>,
    /// The recovery point message in it.
    pub recovery: Option<RecoveryPoint>,
    /// The picture timing message in it.
    pub timing: Option<PictureTiming>,
    /// The sequence parameter set it uses.
    pub sps_id: Option<u8>,
    /// Its order restarts.
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

    fn first_slice(&mut self, nal: &[u8], header: Header, at: u64) {
        self.current.nal = Some(header);
        let read = SliceHeader::read(nal, &self.sets);
        self.current.slice = read.ok();
        let sets = self.current.slice.and_then(|slice| self.sets.of_slice(slice.slice_pic_parameter_set_id));
        let (Some(slice), Some((sps, _))) = (self.current.slice, sets) else {
            self.remarks.note_sets(at, read.err());
            return;
        };
        self.remarks.note_sets(at, None);
        self.current.sps_id = Some(sps.sps_seq_parameter_set_id);
        if let Some((order, restarts)) = self.order.next(&slice, sps, self.after_end) {
            (self.current.order, self.current.restarts) = (Some(order), restarts);
        }
        self.after_end = false;
    }
}

impl Coding for Pictures {
    type Picture = Picture;

    /// The reference cuts at 00 00 01: a zero before it stays with the unit before.
    const ZERO_IS_NEXT: bool = false;

    fn begins(&mut self, head: &[u8], whole: bool) -> Option<bool> {
        self.units.begins(head, whole)
    }

    fn nal(&mut self, nal: &[u8], at: u64) {
        let Some(header) = Header::of(nal).filter(|header| header.nuh_layer_id == 0) else { return };
        match header.nal_unit_type {
            _ if header.is_slice() && self.current.nal.is_none() => self.first_slice(nal, header, at),
            kind::VPS..=kind::PPS => {
                if let Some(Err(why)) = self.sets.note(nal) {
                    self.remarks.note_refused(at, why);
                }
            }
            kind::PREFIX_SEI => self.sei(nal),
            kind::EOS | kind::EOB => self.after_end = true,
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
    const CODEC: Codec = Codec::H265;
    const STEPS: u32 = 1;

    fn is_key(&self, picture: &Picture) -> bool {
        picture.nal.is_some_and(Header::is_irap)
    }

    fn timing(&self, picture: &Picture) -> Timing {
        let sps = picture.sps_id.and_then(|id| self.sets.sps(id));
        let kind = picture.nal.map(|header| header.nal_unit_type);
        let reorder = sps.map_or(0, |sps| i64::from(sps.reorder_depth()));
        let without_leading = matches!(kind, Some(kind::BLA_N_LP | kind::IDR_N_LP));
        Timing {
            order: picture.order,
            scale: 1,
            in_coding_order: false,
            restarts: picture.restarts,
            leading_may_follow: !without_leading && kind != Some(kind::IDR_W_RADL),
            awaits_leading: picture.restarts && reorder > 0 && !without_leading,
            leading: None,
            span: 1,
            reorder,
        }
    }

    fn version(&self, picture: &Picture) -> Option<u64> {
        let sps = self.sets.active(picture.sps_id)?;
        Some(self.sets.version() << 8 | u64::from(sps.sps_seq_parameter_set_id))
    }

    fn describe(&self, picture: &Picture) -> Option<Description> {
        let sps = self.sets.active(picture.sps_id)?;
        let (width, height) = sps.display_size();
        let vps_rate = || self.sets.vps(sps.sps_video_parameter_set_id)?.timing?.frame_rate();
        let video = Video {
            reorder: sps.reorder_depth(),
            frame_rate: sps.frame_rate().or_else(vps_rate),
            pixel_aspect: sps.vui.as_ref().and_then(|vui| vui.sample_aspect),
            level: Some(sps.profile_tier_level.general_level_idc),
            ..Video::new(width, height)
        };
        let profile = sps.profile_tier_level.general_profile_idc;
        Some(Description { config: self.sets.to_annexb(sps.sps_seq_parameter_set_id), profile, video })
    }

    fn next_warning(&mut self) -> Option<(u64, Remark, Cow<'static, str>)> {
        self.remarks.next()
    }
}
