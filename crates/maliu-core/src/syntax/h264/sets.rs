//! The parameter sets of a stream by their ids, as they come and change.

use alloc::{collections::BTreeMap, vec::Vec};

use bytes::Bytes;

use super::{Pps, Sps, config::behind_codes, kind};
use crate::syntax::annexb;

/// Parameter sets met so far. Few and small: at most 32 and 256 of them.
#[derive(Clone, Debug, Default)]
pub struct ParameterSets {
    sps: BTreeMap<u8, (Bytes, Sps)>,
    pps: BTreeMap<u8, (Bytes, Pps)>,
    version: u64,
}

/// Largest parameter set that is kept, in bytes.
const MAX_SET: usize = 65_535;

impl ParameterSets {
    /// Notes `nal` if it is a parameter set. `Some(false)`: it is one that does not parse.
    pub fn note(&mut self, nal: &[u8]) -> Option<bool> {
        let nal = annexb::trimmed(nal);
        match nal.first()? & 0x1f {
            kind::SPS => Some(self.note_sps(nal).is_some()),
            kind::PPS => Some(self.note_pps(nal).is_some()),
            _ => None,
        }
    }

    fn note_sps(&mut self, nal: &[u8]) -> Option<()> {
        if nal.len() > MAX_SET {
            return None;
        }
        if !self.sps.values().any(|(known, _)| known == nal) {
            let sps = Sps::parse(nal)?;
            self.version += 1;
            self.sps.insert(sps.seq_parameter_set_id, (Bytes::copy_from_slice(nal), sps));
        }
        Some(())
    }

    fn note_pps(&mut self, nal: &[u8]) -> Option<()> {
        if nal.len() > MAX_SET {
            return None;
        }
        if !self.pps.values().any(|(known, _)| known == nal) {
            let pps = Pps::parse(nal, |id| self.sps(id))?;
            self.version += 1;
            self.pps.insert(pps.pic_parameter_set_id, (Bytes::copy_from_slice(nal), pps));
        }
        Some(())
    }

    /// Changes with every set that is new or has changed.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// The sequence parameter set of an id.
    pub fn sps(&self, id: u8) -> Option<&Sps> {
        self.sps.get(&id).map(|(_, sps)| sps)
    }

    /// The sequence parameter set with the lowest id.
    pub fn any_sps(&self) -> Option<&Sps> {
        self.sps.values().next().map(|(_, sps)| sps)
    }

    /// The picture parameter set of an id.
    pub fn pps(&self, id: u8) -> Option<&Pps> {
        self.pps.get(&id).map(|(_, pps)| pps)
    }

    /// The sets a slice uses that names picture parameter set `id`.
    pub fn of_slice(&self, id: u8) -> Option<(&Sps, &Pps)> {
        let pps = self.pps(id)?;
        Some((self.sps(pps.seq_parameter_set_id)?, pps))
    }

    /// Sequence parameter set `id` and the picture parameter sets that name it, each behind 00 00 00 01.
    pub fn to_annexb(&self, id: u8) -> Bytes {
        let sps = self.sps.get(&id).map(|(nal, _)| nal);
        let pps = self.pps.values().filter(|(_, pps)| pps.seq_parameter_set_id == id).map(|(nal, _)| nal);
        let nals: Vec<&Bytes> = sps.into_iter().chain(pps).collect();
        behind_codes(nals.into_iter())
    }
}
