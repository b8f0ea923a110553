//! Facts of each encrypted sample: initialisation vector and subsamples (ISO/IEC 23001-7 §7.2).

use bytes::Bytes;

use super::fields::Fields;

/// Most samples whose entry is kept.
pub const MAX_SAMPLES: u32 = 1 << 24;

/// Entries of samples in file form, walked from front to back.
#[derive(Clone, Debug, Default)]
pub struct Entries {
    bytes: Bytes,
    /// Bytes of an initialisation vector: 0, 8 or 16.
    iv_size: u8,
    /// Whether subsamples are listed.
    parts: bool,
    count: u32,
    /// The entry of this number begins at this place.
    at: (u32, usize),
}

/// The entry of one sample.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its initialisation vector, with zeros behind it; `None` when it is the constant one.
    pub iv: Option<[u8; 16]>,
    /// Rows of 2 + 4 bytes: clear bytes and encrypted ones.
    rows: Bytes,
}

impl Entries {
    /// The body of a `senc` box.
    pub fn senc(body: &Bytes, iv_size: u8) -> Option<Self> {
        let mut fields = Fields::new(body);
        let (_, flags) = fields.version()?;
        let iv_size = if flags & 1 != 0 {
            fields.skip(3)?;
            let size = fields.u8()?;
            fields.skip(16)?;
            size
        } else {
            iv_size
        };
        let count = fields.u32()?.min(MAX_SAMPLES);
        let bytes = body.slice(body.len() - fields.rest().len()..);
        matches!(iv_size, 0 | 8 | 16).then(|| Self { bytes, iv_size, parts: flags & 2 != 0, count, at: (0, 0) })
    }

    /// Entries that stand elsewhere in the file, of which `saiz` states the sizes.
    pub fn plain(bytes: Bytes, iv_size: u8, saiz: &[u8]) -> Option<Self> {
        let mut fields = Fields::new(saiz);
        let (_, flags) = fields.version()?;
        if flags & 1 != 0 {
            fields.skip(8)?;
        }
        let (default, count) = (fields.u8()?, fields.u32()?.min(MAX_SAMPLES));
        let size = if default > 0 { default } else { fields.u8().unwrap_or(0) };
        matches!(iv_size, 0 | 8 | 16).then(|| Self { bytes, iv_size, parts: size > iv_size, count, at: (0, 0) })
    }

    /// Number of samples.
    pub fn len(&self) -> u32 {
        self.count
    }

    /// Whether there is no entry.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The entry of sample `number`, from 0; `None` when it is not there. Going back begins at the front.
    pub fn get(&mut self, number: u32) -> Option<Entry> {
        if number >= self.count {
            return None;
        }
        if number < self.at.0 {
            self.at = (0, 0);
        }
        loop {
            let (entry, behind) = self.read(self.at.1)?;
            if self.at.0 == number {
                return Some(entry);
            }
            self.at = (self.at.0 + 1, behind);
        }
    }

    fn read(&self, at: usize) -> Option<(Entry, usize)> {
        let mut fields = Fields::new(self.bytes.get(at..)?);
        let iv = match self.iv_size {
            0 => None,
            size => {
                let (mut iv, stated) = ([0; 16], fields.bytes(size.into())?);
                iv.get_mut(..stated.len())?.copy_from_slice(stated);
                Some(iv)
            }
        };
        let rows = if self.parts { usize::from(fields.u16()?) * ROW } else { 0 };
        let from = self.bytes.len() - fields.rest().len();
        let behind = from.checked_add(rows).filter(|behind| *behind <= self.bytes.len())?;
        Some((Entry { iv, rows: self.bytes.slice(from..behind) }, behind))
    }
}

/// Bytes of a row of subsamples.
const ROW: usize = 6;

impl Entry {
    /// Clear and encrypted bytes of its subsamples, in turn; none when all of it is encrypted.
    pub fn parts(&self) -> impl Iterator<Item = (u16, u32)> {
        self.rows.chunks_exact(ROW).filter_map(|row| {
            let mut fields = Fields::new(row);
            Some((fields.u16()?, fields.u32()?))
        })
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::*;

    #[test]
    fn entries_are_found_in_any_order() {
        let entry = |iv: u8, rows: &[(u16, u32)]| {
            let rows_of =
                rows.iter().flat_map(|(clear, rest)| [&clear.to_be_bytes()[..], &rest.to_be_bytes()].concat());
            [&[iv; 8][..], &(rows.len() as u16).to_be_bytes()].concat().into_iter().chain(rows_of).collect::<Vec<u8>>()
        };
        let all = [entry(1, &[(5, 6)]), entry(2, &[]), entry(3, &[(1, 2), (3, 4)])].concat();
        let body = Bytes::from([&[0, 0, 0, 2, 0, 0, 0, 9][..], &all].concat());
        let mut entries = Entries::senc(&body, 8).unwrap();
        for (number, iv, parts) in [(2, 3, &[(1, 2), (3, 4)][..]), (0, 1, &[(5, 6)]), (1, 2, &[])] {
            let found = entries.get(number).unwrap();
            assert_eq!(found.iv.unwrap(), [[iv; 8], [0; 8]].concat()[..]);
            assert_eq!(found.parts().collect::<Vec<_>>(), parts);
        }
        assert_eq!((entries.get(3), entries.get(9)), (None, None), "a count that is not there is not believed");
    }
}
