//! The bit reservoir of layer III: main data of earlier frames that later ones may begin in (ISO/IEC 11172-3 §2.4.3.4).
//!
//! ```text
//!   ── main data of earlier frames ──────────│── of this frame ──│
//!        taken by them │ free │ begin ▼ …………… used ……………▼ free ……│
//! ```

use crate::Error;

/// Bytes that main_data_begin reaches back at most.
pub(crate) const REACH: usize = 511;

/// The last bytes of the main data given so far.
#[derive(Clone, Debug, Default)]
pub(crate) struct Reservoir {
    bytes: Vec<u8>,
    /// How many of the last bytes are free, because no earlier frame used them.
    free: usize,
}

/// The main data that a frame refers to.
pub(crate) struct Reference {
    /// Bytes before its own.
    pub(crate) begin: usize,
    /// Bits used, from there on.
    pub(crate) bits: usize,
}

impl Reservoir {
    /// Writes the main data of a frame to `out`: bytes of earlier frames, its `own`, and zeros up to `length` own bytes.
    /// Its own bytes are held for later frames, whatever the result. Reports whether the data follows that of the frame
    /// before without a gap.
    pub(crate) fn take(
        &mut self,
        reference: &Reference,
        own: &[u8],
        length: usize,
        out: &mut Vec<u8>,
    ) -> Result<bool, Error> {
        let (held, free) = (self.bytes.len(), self.free);
        let Reference { begin, bits } = *reference;
        if let Some(earlier) = held.checked_sub(begin) {
            out.extend_from_slice(self.bytes.get(earlier..).unwrap_or_default());
        }
        let at = out.len();
        out.extend_from_slice(own.get(..length).unwrap_or(own));
        out.resize(at + length, 0);
        self.hold(out.get(at..).unwrap_or_default());
        let used = bits.div_ceil(8);
        if used > begin + length {
            self.free = free.saturating_add(length).min(REACH);
            return Err(Error::Malformed { what: "more main data declared than there is", bit: 8 * (begin + length) });
        }
        self.free = (begin + length - used).min(REACH);
        if begin > held {
            return Err(Error::MissingData { bytes: begin - held });
        }
        if begin > free {
            // A splice: the bytes before its own are of another stream.
            self.bytes.drain(..self.bytes.len().saturating_sub(length));
            return Err(Error::Malformed { what: "main data that the frame before used", bit: 0 });
        }
        Ok(begin == free)
    }

    /// The main data of a frame whose side information is not known: all of it may be used by the next ones.
    pub(crate) fn skip(&mut self, own: &[u8]) {
        self.hold(own);
        self.free = self.free.saturating_add(own.len()).min(REACH);
    }

    /// Forgets all data.
    pub(crate) fn clear(&mut self) {
        self.bytes.clear();
        self.free = 0;
    }

    fn hold(&mut self, own: &[u8]) {
        let last = own.get(own.len().saturating_sub(REACH)..).unwrap_or_default();
        let surplus = (self.bytes.len() + last.len()).saturating_sub(REACH);
        self.bytes.drain(..surplus.min(self.bytes.len()));
        self.bytes.extend_from_slice(last);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_begin_in_free_bytes_of_earlier_ones() {
        let mut reservoir = Reservoir::default();
        let mut take = |begin, bits, own: &[u8]| {
            let mut out = Vec::new();
            let follows = reservoir.take(&Reference { begin, bits }, own, 4, &mut out);
            (follows, out)
        };
        assert_eq!(take(0, 9, &[1, 2, 3, 4]), (Ok(true), vec![1, 2, 3, 4]));
        assert_eq!(take(2, 40, &[5, 6, 7, 8]), (Ok(true), vec![3, 4, 5, 6, 7, 8]));
        assert_eq!(take(0, 8, &[9]), (Ok(false), vec![9, 0, 0, 0]), "a gap, and a frame cut short");
        assert!(take(4, 8, &[1, 2, 3, 4]).0.is_err(), "its first byte was used");
        assert!(take(8, 8, &[1, 2, 3, 4]).0.is_err(), "a byte twice");
        assert!(take(0, 33, &[1, 2, 3, 4]).0.is_err(), "more than there is");
        assert_eq!(take(300, 8, &[1, 2, 3, 4]).0, Err(Error::MissingData { bytes: 288 }));
    }

    #[test]
    fn no_more_is_held_than_can_be_asked_for() {
        let mut reservoir = Reservoir::default();
        (0..9).for_each(|_| reservoir.skip(&[7; 300]));
        assert_eq!((reservoir.bytes.len(), reservoir.free), (REACH, REACH));
        let mut out = Vec::new();
        assert_eq!(reservoir.take(&Reference { begin: 511, bits: 0 }, &[1; 4000], 4000, &mut out), Ok(true));
        assert_eq!((out.len(), reservoir.bytes.len()), (4511, REACH));
        reservoir.clear();
        assert!(reservoir.take(&Reference { begin: 1, bits: 0 }, &[], 0, &mut out).is_err());
    }
}
