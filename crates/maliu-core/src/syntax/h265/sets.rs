//! The parameter sets of a stream by their ids, as they come and change.

use alloc::{collections::BTreeMap, vec::Vec};

use bytes::Bytes;

use super::{Header, Pps, Sps, Vps, kind};
use crate::syntax::annexb;

/// Parameter sets of the base layer met so far. Few and small: at most 16, 16 and 64 of them.
#[derive(Clone, Debug, Default)]
pub struct ParameterSets {
    vps: BTreeMap<u8, (Bytes, Vps)>,
    sps: BTreeMap<u8, (Bytes, Sps)>,
    pps: BTreeMap<u8, (Bytes, Pps)>,
    version: u64,
}

/// Largest parameter set that is kept, in bytes.
const MAX_SET: usize = 65_535;

impl ParameterSets {
    /// Notes `nal` if it is a parameter set of the base layer. `Some(false)`: it is one that does not parse.
    pub fn note(&mut self, nal: &[u8]) -> Option<bool> {
        let nal = annexb::trimmed(nal);
        let header = Header::of(nal).filter(|header| header.nuh_layer_id == 0)?;
        if !matches!(header.nal_unit_type, kind::VPS..=kind::PPS) {
            return None;
        }
        if nal.len() > MAX_SET {
            return Some(false);
        }
        let version = &mut self.version;
        Some(match header.nal_unit_type {
            kind::VPS => keep(&mut self.vps, nal, version, || Vps::parse(nal), |vps| vps.vps_video_parameter_set_id),
            kind::SPS => keep(&mut self.sps, nal, version, || Sps::parse(nal), |sps| sps.sps_seq_parameter_set_id),
            _ => keep(&mut self.pps, nal, version, || Pps::parse(nal), |pps| pps.pps_pic_parameter_set_id),
        })
    }

    /// Changes with every set that is new or has changed.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// The video parameter set of an id.
    pub fn vps(&self, id: u8) -> Option<&Vps> {
        self.vps.get(&id).map(|(_, vps)| vps)
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

    /// The sets a slice segment uses that names picture parameter set `id`.
    pub fn of_slice(&self, id: u8) -> Option<(&Sps, &Pps)> {
        let pps = self.pps(id)?;
        Some((self.sps(pps.pps_seq_parameter_set_id)?, pps))
    }

    /// Sequence parameter set `id`, its video parameter set and the picture parameter sets that name it, in the order
    /// video, sequence, picture, each behind 00 00 00 01.
    pub fn to_annexb(&self, id: u8) -> Bytes {
        let Some((sps_nal, sps)) = self.sps.get(&id) else { return Bytes::new() };
        let vps = self.vps.get(&sps.sps_video_parameter_set_id).map(|(nal, _)| nal);
        let pps = self.pps.values().filter(|(_, pps)| pps.pps_seq_parameter_set_id == id).map(|(nal, _)| nal);
        let mut out = Vec::new();
        for nal in vps.into_iter().chain([sps_nal]).chain(pps) {
            out.extend_from_slice(&[0, 0, 0, 1]);
            out.extend_from_slice(nal);
        }
        out.into()
    }
}

/// Keeps `nal` unless it is known; whether it could be read.
fn keep<S>(
    known: &mut BTreeMap<u8, (Bytes, S)>,
    nal: &[u8],
    version: &mut u64,
    parse: impl FnOnce() -> Option<S>,
    id: impl FnOnce(&S) -> u8,
) -> bool {
    if known.values().any(|(other, _)| other == nal) {
        return true;
    }
    let Some(set) = parse() else { return false };
    *version += 1;
    known.insert(id(&set), (Bytes::copy_from_slice(nal), set));
    true
}
