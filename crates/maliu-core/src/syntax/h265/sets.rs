//! The parameter sets of a stream by their ids, as they come and change.

use bytes::Bytes;

use super::{Header, Pps, Sps, Vps, kind};
use crate::{
    remark::Refusal,
    syntax::annexb::{self, SetsById, behind_codes},
};

/// Parameter sets of the base layer met so far. Few and small: at most 16, 16 and 64 of them.
#[derive(Clone, Debug, Default)]
pub struct ParameterSets {
    vps: SetsById<Vps>,
    sps: SetsById<Sps>,
    pps: SetsById<Pps>,
}

impl ParameterSets {
    /// Notes `nal` if it is a parameter set of the base layer; an error says why one cannot be read.
    pub fn note(&mut self, nal: &[u8]) -> Option<Result<(), Refusal>> {
        let nal = annexb::trimmed(nal);
        let header = Header::of(nal).filter(|header| header.nuh_layer_id == 0)?;
        Some(match header.nal_unit_type {
            kind::VPS => self.vps.keep(nal, || Vps::read(nal), |vps| vps.vps_video_parameter_set_id),
            kind::SPS => self.sps.keep(nal, || Sps::read(nal), |sps| sps.sps_seq_parameter_set_id),
            kind::PPS => self.pps.keep(nal, || Pps::read(nal), |pps| pps.pps_pic_parameter_set_id),
            _ => return None,
        })
    }

    /// Changes with every set that is new or has changed.
    pub fn version(&self) -> u64 {
        self.vps.version() + self.sps.version() + self.pps.version()
    }

    /// The video parameter set of an id.
    pub fn vps(&self, id: u8) -> Option<&Vps> {
        self.vps.of(id)
    }

    /// The sequence parameter set of an id.
    pub fn sps(&self, id: u8) -> Option<&Sps> {
        self.sps.of(id)
    }

    /// The sequence parameter set with the lowest id.
    pub fn any_sps(&self) -> Option<&Sps> {
        self.sps.first()
    }

    /// The sequence parameter set of `id`; the one with the lowest when a picture names none.
    pub(super) fn active(&self, id: Option<u8>) -> Option<&Sps> {
        id.map_or_else(|| self.any_sps(), |id| self.sps(id))
    }

    /// The picture parameter set of an id.
    pub fn pps(&self, id: u8) -> Option<&Pps> {
        self.pps.of(id)
    }

    /// The sets a slice segment uses that names picture parameter set `id`.
    pub fn of_slice(&self, id: u8) -> Option<(&Sps, &Pps)> {
        let pps = self.pps(id)?;
        Some((self.sps(pps.pps_seq_parameter_set_id)?, pps))
    }

    /// Sequence parameter set `id`, its video parameter set and the picture parameter sets that name it, in the order
    /// video, sequence, picture, each behind 00 00 00 01.
    pub fn to_annexb(&self, id: u8) -> Bytes {
        let Some(sps) = self.sps(id) else { return Bytes::new() };
        let vps = self.vps.nal(sps.sps_video_parameter_set_id);
        let pps = self.pps.nals(|pps| pps.pps_seq_parameter_set_id == id);
        behind_codes(vps.into_iter().chain(self.sps.nal(id)).chain(pps))
    }
}
