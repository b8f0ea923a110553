//! The parameter sets of a stream by their ids, as they come and change.

use bytes::Bytes;

use super::{Pps, Sps, kind};
use crate::{
    remark::Refusal,
    syntax::annexb::{self, SetsById, behind_codes},
};

/// Parameter sets met so far. Few and small: at most 32 and 256 of them.
#[derive(Clone, Debug, Default)]
pub struct ParameterSets {
    sps: SetsById<Sps>,
    pps: SetsById<Pps>,
}

impl ParameterSets {
    /// Notes `nal` if it is a parameter set; an error says why one cannot be read.
    pub fn note(&mut self, nal: &[u8]) -> Option<Result<(), Refusal>> {
        let nal = annexb::trimmed(nal);
        Some(match nal.first()? & 0x1f {
            kind::SPS => self.sps.keep(nal, || Sps::read(nal), |sps| sps.seq_parameter_set_id),
            kind::PPS => {
                let read = || Pps::read(nal, |id| self.sps.of(id));
                self.pps.keep(nal, read, |pps| pps.pic_parameter_set_id)
            }
            _ => return None,
        })
    }

    /// Changes with every set that is new or has changed.
    pub fn version(&self) -> u64 {
        self.sps.version() + self.pps.version()
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

    /// The NAL unit of the picture parameter set of an id.
    pub fn pps_nal(&self, id: u8) -> Option<&Bytes> {
        self.pps.nal(id)
    }

    /// The sets a slice uses that names picture parameter set `id`.
    pub fn of_slice(&self, id: u8) -> Option<(&Sps, &Pps)> {
        let pps = self.pps(id)?;
        Some((self.sps(pps.seq_parameter_set_id)?, pps))
    }

    /// Sequence parameter set `id` and the picture parameter sets that name it, each behind 00 00 00 01.
    pub fn to_annexb(&self, id: u8) -> Bytes {
        let pps = self.pps.nals(|pps| pps.seq_parameter_set_id == id);
        behind_codes(self.sps.nal(id).into_iter().chain(pps))
    }
}
