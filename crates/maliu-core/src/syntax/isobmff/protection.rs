//! How samples are encrypted: scheme, key, and the defaults of a track (ISO/IEC 14496-12 §8.12, 23001-7 §8.2).

use alloc::vec::Vec;

use super::{
    boxes::{Boxes, Kind},
    fields::Fields,
};

/// Protection that `sinf` declares.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Protection {
    /// scheme_type: `cenc`, `cbc1`, `cens`, `cbcs`, ….
    pub scheme: Kind,
    /// default_KID.
    pub key_id: [u8; 16],
    /// default_isProtected.
    pub protected: bool,
    /// Bytes of the initialisation vector of each sample; 0 when one is constant.
    pub iv_size: u8,
    /// The constant initialisation vector, padded with zeros, and how many bytes of it are stated.
    pub constant_iv: Option<([u8; 16], u8)>,
    /// Of a pattern, blocks that are encrypted and blocks that are not; both 0 without a pattern.
    pub pattern: (u8, u8),
}

/// The body of a `sinf` box.
pub fn parse(body: &[u8]) -> Option<Protection> {
    let mut protection = Protection::default();
    let mut scheme = Fields::new(Boxes::new(body).body_of(b"schm")?);
    scheme.version()?;
    protection.scheme = scheme.kind()?;
    if let Some(tenc) = Boxes::new(body).body_of(b"schi").and_then(|schi| Boxes::new(schi).body_of(b"tenc")) {
        defaults(&mut protection, tenc);
    }
    Some(protection)
}

fn defaults(protection: &mut Protection, tenc: &[u8]) -> Option<()> {
    let mut fields = Fields::new(tenc);
    let (version, _) = fields.version()?;
    fields.u8()?;
    let pattern = fields.u8()?;
    if version > 0 {
        protection.pattern = (pattern >> 4, pattern & 15);
    }
    key(protection, &mut fields)
}

/// Reads the fields that `tenc` and `seig` have in common.
fn key(protection: &mut Protection, fields: &mut Fields<'_>) -> Option<()> {
    protection.protected = fields.u8()? != 0;
    protection.iv_size = fields.u8()?;
    protection.key_id = fields.uuid()?;
    if protection.protected && protection.iv_size == 0 {
        let size = fields.u8()?.min(16);
        let stated = fields.bytes(size.into())?;
        let mut iv = [0; 16];
        iv.get_mut(..stated.len())?.copy_from_slice(stated);
        protection.constant_iv = Some((iv, size));
    }
    Some(())
}

/// Most descriptions and rows of a fragment's groups.
const MAX_GROUPS: usize = 1024;

/// Sample groups of a fragment that change the encryption of its samples (`seig`, ISO/IEC 23001-7 §6).
#[derive(Clone, Debug, Default)]
pub struct Groups {
    descriptions: Vec<Protection>,
    /// Samples in a row, and the number of their description from 1; 0 for that of the track.
    rows: Vec<(u32, u32)>,
}

impl Groups {
    /// Takes the body of an `sgpd` box if it is of this kind.
    pub fn descriptions(&mut self, body: &[u8]) {
        self.read_descriptions(body);
    }

    fn read_descriptions(&mut self, body: &[u8]) -> Option<()> {
        let mut fields = Fields::new(body);
        let (version, _) = fields.version()?;
        if &fields.kind()? != b"seig" {
            return None;
        }
        let length = if version >= 1 { fields.u32()? } else { 0 };
        if version >= 2 {
            fields.u32()?;
        }
        let count = fields.u32()?;
        for _ in 0..count.min(MAX_GROUPS as u32) {
            let length = if version == 1 && length == 0 { fields.u32()? } else { length };
            let mut entry = Fields::new(if length > 0 { fields.bytes(length as usize)? } else { fields.rest() });
            let mut protection = Protection::default();
            entry.u8()?;
            let pattern = entry.u8()?;
            protection.pattern = (pattern >> 4, pattern & 15);
            key(&mut protection, &mut entry)?;
            self.descriptions.push(protection);
            if length == 0 {
                break;
            }
        }
        Some(())
    }

    /// Takes the body of an `sbgp` box if it is of this kind.
    pub fn samples(&mut self, body: &[u8]) {
        self.read_samples(body);
    }

    fn read_samples(&mut self, body: &[u8]) -> Option<()> {
        let mut fields = Fields::new(body);
        let (version, _) = fields.version()?;
        if &fields.kind()? != b"seig" {
            return None;
        }
        if version == 1 {
            fields.u32()?;
        }
        let count = fields.u32()?;
        for _ in 0..count.min(MAX_GROUPS as u32) {
            let (samples, index) = (fields.u32()?, fields.u32()?);
            // Descriptions of the fragment are numbered from 0x10001.
            self.rows.push((samples, index.saturating_sub(0x1_0000)));
        }
        Some(())
    }

    /// Protection of sample `number` of the fragment; `None` where that of the track holds.
    pub fn of(&self, number: u32) -> Option<&Protection> {
        let mut left = number;
        for (samples, index) in &self.rows {
            if left < *samples {
                return self.descriptions.get(index.checked_sub(1)? as usize);
            }
            left -= samples;
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_with_a_constant_vector_is_read() {
        let schm = b"\0\0\0\x14schm\0\0\0\0cbcs\0\x01\0\0";
        let tenc = [b"\0\0\0\x31tenc\x01\0\0\0\0\x19\x01\0".as_slice(), &[7; 16], &[16], &[9; 16]].concat();
        let schi = [b"\0\0\0\x39schi".as_slice(), &tenc].concat();
        let found = parse(&[schm.as_slice(), &schi].concat()).unwrap();
        assert_eq!((found.scheme, found.pattern, found.iv_size), (*b"cbcs", (1, 9), 0));
        assert_eq!((found.key_id, found.constant_iv), ([7; 16], Some(([9; 16], 16))));
    }
}
