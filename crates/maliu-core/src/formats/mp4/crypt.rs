//! Encrypted tracks: keys that were given, and what each sample says of its encryption (ISO/IEC 23001-7).

use alloc::vec::Vec;

use bytes::Bytes;

use crate::{
    error::{Error, Result},
    packet::Packet,
    syntax::{
        hex,
        isobmff::{
            fragment::Part,
            protection::Protection,
            senc::{Entries, Entry},
        },
    },
};

/// Kind of the side data of a packet that stays encrypted: scheme (4 bytes) and key identifier (16 bytes).
pub const ENCRYPTED: u32 = u32::from_be_bytes(*b"cenc");

/// Most keys that are given.
const MAX_KEYS: usize = 64;

/// Keys by their identifiers.
#[derive(Clone, Debug, Default)]
pub(super) struct Keys(Vec<([u8; 16], [u8; 16])>);

impl Keys {
    /// Reads `KID:KEY` pairs of 32 hexadecimal digits each, separated by commas.
    ///
    /// # Errors
    /// [`Error::Setting`]; [`Error::Unsupported`] in a build without decryption.
    pub(super) fn parse(text: &str) -> Result<Self> {
        let refuse =
            || Error::Setting { name: "key".into(), why: "expected KID:KEY of 32 hexadecimal digits each".into() };
        let pair = |pair: &str| {
            let (id, key) = pair.split_once(':')?;
            // Identifiers are often written with dashes.
            let bytes = |text: &str| hex::exactly(&text.replace('-', ""));
            Some((bytes(id)?, bytes(key)?))
        };
        let keys: Option<Vec<_>> = text.split(',').take(MAX_KEYS + 1).map(pair).collect();
        let keys = keys.ok_or_else(refuse)?;
        if keys.len() > MAX_KEYS {
            return Err(Error::Limit { what: "keys of an input (MAX_KEYS)", limit: MAX_KEYS as u64 });
        }
        if !cfg!(feature = "crypt") {
            return Err(Error::unsupported("mp4: decryption, which this build does not have"));
        }
        Ok(Self(keys))
    }

    /// Whether no key was given.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn of(&self, id: [u8; 16]) -> Option<[u8; 16]> {
        self.0.iter().find(|(known, _)| *known == id).map(|(_, key)| *key)
    }

    /// Whether all tracks that this protects can be decrypted.
    pub(super) fn open(&self, protection: &Protection) -> bool {
        self.of(protection.key_id).is_some()
    }
}

/// A track that is encrypted.
#[derive(Debug)]
pub(super) struct Secret {
    protection: Protection,
    key: Option<[u8; 16]>,
    keys: Keys,
    /// Entries of the samples in tables.
    pub tables: Option<Entries>,
    /// A sample without an entry was met.
    missing: bool,
}

impl Secret {
    /// A track protected like this, whose tables have this `senc` body.
    pub(super) fn new(protection: &Protection, keys: &Keys, senc: Option<&Bytes>) -> Self {
        let tables = senc.and_then(|body| Entries::senc(body, protection.iv_size));
        let key = keys.of(protection.key_id);
        Self { protection: protection.clone(), key, keys: keys.clone(), tables, missing: false }
    }

    /// The entries of a part of a fragment whose `moof` body stands at `at` in the file.
    pub(super) fn entries(&self, part: &Part, moof: &[u8], at: u64) -> Option<Entries> {
        let size = self.protection.iv_size;
        if let Some(senc) = &part.auxiliary.senc {
            return Entries::senc(senc, size);
        }
        let from = usize::try_from(part.auxiliary.saio?.checked_sub(at)?).ok()?;
        Entries::plain(Bytes::copy_from_slice(moof.get(from..)?), size, part.auxiliary.saiz.as_ref()?)
    }

    /// Decrypts the data of a packet, or marks it as encrypted. `group` is what a sample group says in the place of the
    /// track. Returns what to warn of.
    pub(super) fn packet(
        &mut self,
        packet: &mut Packet,
        entry: Option<&Entry>,
        group: Option<&Protection>,
    ) -> Option<&'static str> {
        let protection = group.unwrap_or(&self.protection);
        if !protection.protected {
            return None;
        }
        let key = if group.is_some() { self.keys.of(protection.key_id) } else { self.key };
        let Some(key) = key else {
            let mark = [&self.protection.scheme[..], &protection.key_id].concat();
            // One entry is within the limit.
            let _ = packet.side.add_opaque(ENCRYPTED, mark.into());
            return None;
        };
        let constant = protection.constant_iv.map(|(iv, _)| iv);
        let Some(iv) = entry.and_then(|entry| entry.iv).or(constant) else {
            let again = core::mem::replace(&mut self.missing, true);
            packet.flags |= crate::packet::Flags::CORRUPT;
            return (!again).then_some("encrypted samples without an initialisation vector stay encrypted");
        };
        let pattern = protection.pattern;
        self.decrypt(packet, &key, iv, pattern, entry)
    }

    #[cfg(feature = "crypt")]
    fn decrypt(
        &mut self,
        packet: &mut Packet,
        key: &[u8; 16],
        iv: [u8; 16],
        pattern: (u8, u8),
        entry: Option<&Entry>,
    ) -> Option<&'static str> {
        use crate::syntax::isobmff::cipher::{Mode, decrypt};
        let Some(mode) = Mode::of(self.protection.scheme, pattern) else {
            let again = core::mem::replace(&mut self.missing, true);
            return (!again).then_some("samples of an unknown encryption scheme stay encrypted");
        };
        let mut data = packet.data.to_vec();
        decrypt(key, iv, mode, &mut data, entry.into_iter().flat_map(Entry::parts));
        packet.data = data.into();
        None
    }

    #[cfg(not(feature = "crypt"))]
    fn decrypt(
        &mut self,
        _: &mut Packet,
        _: &[u8; 16],
        _: [u8; 16],
        _: (u8, u8),
        _: Option<&Entry>,
    ) -> Option<&'static str> {
        None
    }
}
