//! Parameter sets of one kind by their ids, as they come and change.

use alloc::vec::Vec;

use bytes::Bytes;

use crate::remark::Refusal;

/// Largest parameter set that is kept, in bytes.
const MAX_SET: usize = 65_535;

/// The sets `S` of one kind, each with its NAL unit. As few and small as their ids allow.
#[derive(Clone, Debug)]
pub(in crate::syntax) struct SetsById<S> {
    /// By rising id; mostly there is one.
    sets: Vec<Kept<S>>,
    version: u64,
}

#[derive(Clone, Debug)]
struct Kept<S> {
    id: u8,
    nal: Bytes,
    set: S,
}

impl<S> Default for SetsById<S> {
    fn default() -> Self {
        Self { sets: Vec::new(), version: 0 }
    }
}

impl<S> SetsById<S> {
    /// Keeps the set in `nal`, unless it is known, in the place of the one with the same id. Or why it cannot be read.
    pub(crate) fn keep(
        &mut self,
        nal: &[u8],
        read: impl FnOnce() -> Result<S, Refusal>,
        id: impl FnOnce(&S) -> u8,
    ) -> Result<(), Refusal> {
        if nal.len() > MAX_SET {
            let (value, most) = (nal.len() as i64, MAX_SET as i64);
            return Err(Refusal::Range { field: "the size of the set", value, least: 1, most });
        }
        if self.sets.iter().any(|known| known.nal == nal) {
            return Ok(());
        }
        let set = read()?;
        self.version += 1;
        let kept = Kept { id: id(&set), nal: Bytes::copy_from_slice(nal), set };
        let index = self.sets.partition_point(|known| known.id < kept.id);
        match self.sets.get_mut(index) {
            Some(known) if known.id == kept.id => *known = kept,
            _ => {
                self.sets.reserve_exact(1);
                self.sets.insert(index, kept);
            }
        }
        Ok(())
    }

    /// Grows with every set that is new or has changed.
    pub(crate) fn version(&self) -> u64 {
        self.version
    }

    /// The set of an id.
    pub(crate) fn of(&self, id: u8) -> Option<&S> {
        self.kept(id).map(|kept| &kept.set)
    }

    /// The set with the lowest id.
    pub(crate) fn first(&self) -> Option<&S> {
        self.sets.first().map(|kept| &kept.set)
    }

    /// The NAL unit of the set of an id.
    pub(crate) fn nal(&self, id: u8) -> Option<&Bytes> {
        self.kept(id).map(|kept| &kept.nal)
    }

    /// The NAL units of the sets that are `wanted`, by rising id.
    pub(crate) fn nals(&self, wanted: impl Fn(&S) -> bool) -> impl Iterator<Item = &Bytes> {
        self.sets.iter().filter(move |kept| wanted(&kept.set)).map(|kept| &kept.nal)
    }

    fn kept(&self, id: u8) -> Option<&Kept<S>> {
        self.sets.iter().find(|kept| kept.id == id)
    }
}

/// `nals`, each behind 00 00 00 01.
pub(in crate::syntax) fn behind_codes<'a>(nals: impl Iterator<Item = &'a Bytes>) -> Bytes {
    let mut out = Vec::new();
    for nal in nals {
        out.extend_from_slice(&[0, 0, 0, 1]);
        out.extend_from_slice(nal);
    }
    out.into()
}

/// Takes `count` NAL units, each behind its length in 2 bytes, off the front of `rest`, as configuration records hold
/// them (ISO/IEC 14496-15 §5.3.3, §8.3.3). `None` when they are cut short.
pub(in crate::syntax) fn sized(rest: &mut Bytes, count: u16) -> Option<Vec<Bytes>> {
    let mut nals = Vec::new();
    for _ in 0..count {
        let [high, low, ..] = **rest else { return None };
        let end = 2 + usize::from(u16::from_be_bytes([high, low]));
        if rest.len() < end {
            return None;
        }
        nals.push(rest.split_to(end).slice(2..));
    }
    Some(nals)
}
