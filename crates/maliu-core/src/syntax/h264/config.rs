//! The decoder configuration record avcC: built from Annex B parameter sets, and read (ISO/IEC 14496-15 §5.3.3, PAR-10,
//! PAR-11, PAR-14).

use alloc::vec::Vec;

use bytes::Bytes;

use super::{kind, sps::has_chroma_fields};
use crate::{
    bits::Bits,
    syntax::annexb::{self, behind_codes, sized},
};

/// A configuration record, read.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Config {
    /// profile_idc, constraint flags and level_idc as the record says.
    pub profile: [u8; 3],
    /// Bytes of a NAL unit's length in the packets: 1 to 4.
    pub length_size: u8,
    /// Sequence parameter sets, NAL units with their headers.
    pub sps: Vec<Bytes>,
    /// Picture parameter sets, NAL units with their headers.
    pub pps: Vec<Bytes>,
}

impl Config {
    /// The record in `config`; `None` for other bytes, or if cut short before its last picture parameter set.
    pub fn parse(config: &Bytes) -> Option<Self> {
        let [1, profile, compatibility, level, sizes, counted, ..] = **config else { return None };
        let mut rest = config.slice(6..);
        let sps = sized(&mut rest, u16::from(counted & 0x1f))?;
        let pps_count = *rest.first()?;
        rest = rest.slice(1..);
        let pps = sized(&mut rest, pps_count.into())?;
        Some(Self { profile: [profile, compatibility, level], length_size: (sizes & 3) + 1, sps, pps })
    }

    /// The parameter sets, each behind 00 00 00 01, as they stand at the front of an Annex B stream.
    pub fn to_annexb(&self) -> Bytes {
        behind_codes(self.sps.iter().chain(&self.pps))
    }
}

/// Why no configuration record can be built.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigFault {
    /// Six bytes or fewer hold no parameter sets.
    #[error("too short for parameter sets")]
    TooShort,
    /// There is no sequence parameter set, or only a stump of one.
    #[error("no sequence parameter set")]
    NoSps,
    /// There is no picture parameter set.
    #[error("no picture parameter set")]
    NoPps,
    /// A set has more than 65535 bytes.
    #[error("a parameter set of more than 65535 bytes")]
    SetTooLong,
    /// There are more sets than the record can count.
    #[error("more parameter sets than a record can count")]
    TooManySets,
}

/// The record of `parameter_sets` in Annex B form. Bytes without a start code in front count as a record already and
/// are returned as they stand, so doing it twice changes nothing more.
///
/// # Errors
/// [`ConfigFault`].
pub fn build_config(parameter_sets: &Bytes) -> Result<Bytes, ConfigFault> {
    if parameter_sets.len() <= 6 {
        return Err(ConfigFault::TooShort);
    }
    if !annexb::starts_with_code(parameter_sets) {
        return Ok(parameter_sets.clone());
    }
    let mut lists = [(); 3].map(|()| Sets::default());
    for unit in annexb::units(parameter_sets) {
        let most = match unit.data.first().map(|head| head & 0x1f) {
            Some(kind::SPS) => (0, 31),
            Some(kind::PPS) => (1, 255),
            Some(kind::SPS_EXTENSION) => (2, 255),
            _ => continue,
        };
        if let Some(list) = lists.get_mut(most.0) {
            list.add(unit.data, most.1)?;
        }
    }
    let [sps, pps, extensions] = lists;
    let Some(&[_, _, _, profile, compatibility, level, ..]) =
        sps.bytes.first_chunk::<6>().filter(|_| sps.bytes.len() >= 6 + 2)
    else {
        return Err(ConfigFault::NoSps);
    };
    if pps.count == 0 {
        return Err(ConfigFault::NoPps);
    }
    let mut out = alloc::vec![1, profile, compatibility, level, 0xff, 0xe0 | sps.count];
    out.extend_from_slice(&sps.bytes);
    out.push(pps.count);
    out.extend_from_slice(&pps.bytes);
    if !matches!(profile, 66 | 77 | 88) {
        let (chroma, luma_depth, chroma_depth) = chroma_and_depths(sps.bytes.get(3..).unwrap_or_default());
        out.extend_from_slice(&[0xfc | chroma, 0xf8 | (luma_depth - 8), 0xf8 | (chroma_depth - 8), extensions.count]);
        out.extend_from_slice(&extensions.bytes);
    }
    Ok(out.into())
}

/// Parameter sets of one kind, each behind its length in 2 bytes.
#[derive(Default)]
struct Sets {
    count: u8,
    bytes: Vec<u8>,
}

impl Sets {
    fn add(&mut self, nal: &[u8], most: u8) -> Result<(), ConfigFault> {
        let length = u16::try_from(nal.len()).map_err(|_| ConfigFault::SetTooLong)?;
        if self.count == most {
            return Err(ConfigFault::TooManySets);
        }
        self.count += 1;
        self.bytes.extend_from_slice(&length.to_be_bytes());
        self.bytes.extend_from_slice(nal);
        Ok(())
    }
}

/// chroma_format_idc and the depths of the set whose profile byte `from` begins with. Reading may run into the set that
/// follows, and past the end where there are zeros (PAR-11).
fn chroma_and_depths(from: &[u8]) -> (u8, u8, u8) {
    let mut rbsp = annexb::unescape_head(from, 64).into_owned();
    rbsp.resize(rbsp.len() + 64, 0);
    let mut bits = Bits::new(&rbsp);
    let mut read = || {
        let profile_idc = bits.read(8)? as u8;
        bits.skip(16)?;
        let _seq_parameter_set_id = bits.ue()?;
        if !has_chroma_fields(profile_idc) {
            return None;
        }
        let chroma = bits.ue()?;
        if chroma == 3 {
            bits.skip(1)?;
        }
        let depth = |minus8: u32| (minus8 <= 6).then_some(minus8 as u8 + 8);
        Some(((chroma & 3) as u8, depth(bits.ue()?)?, depth(bits.ue()?)?))
    };
    read().unwrap_or((1, 8, 8))
}

/// The first sequence and the first picture parameter set of the record `config`, each behind 00 00 00 01; what is in
/// Annex B form already is returned as it stands. `None` for anything else (PAR-14).
pub fn first_parameter_sets(config: &Bytes) -> Option<Bytes> {
    if annexb::starts_with_code(config) {
        return Some(config.clone());
    }
    if config.len() < 11 {
        return None;
    }
    let config = Config::parse(config)?;
    Some(behind_codes(config.sps.first().into_iter().chain(config.pps.first())))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SETS: &[u8] = &[0, 0, 0, 1, 0x67, 0x64, 0, 0x0c, 0xac, 0xd9, 0, 0, 1, 0x68, 0xeb, 0xe3, 0, 0, 1, 0x06, 1];

    #[test]
    fn records_are_built_and_read_back() {
        let record = build_config(&Bytes::from_static(SETS)).unwrap();
        let high = [
            1, 0x64, 0, 0x0c, 0xff, 0xe1, 0, 6, 0x67, 0x64, 0, 0x0c, 0xac, 0xd9, 1, 0, 3, 0x68, 0xeb, 0xe3, 0xfd, 0xf8,
            0xf8, 0,
        ];
        assert_eq!(&record[..], high);
        assert_eq!(build_config(&record).unwrap(), record);
        let config = Config::parse(&record).unwrap();
        assert_eq!((config.profile, config.length_size), ([0x64, 0, 0x0c], 4));
        assert_eq!(&config.to_annexb()[..], [&[0, 0, 0, 1], &SETS[4..10], &[0, 0, 0, 1], &SETS[13..16]].concat());
        assert_eq!(first_parameter_sets(&record), Some(config.to_annexb()));
    }

    #[test]
    fn what_cannot_be_a_record_is_refused_with_its_reason() {
        let build = |bytes: &'static [u8]| build_config(&Bytes::from_static(bytes)).unwrap_err();
        assert_eq!(build(&[0, 0, 0, 1, 0x67, 1]), ConfigFault::TooShort);
        assert_eq!(build(&[0, 0, 1, 0x68, 1, 2, 3]), ConfigFault::NoSps);
        assert_eq!(build(&SETS[..10]), ConfigFault::NoPps);
    }
}
