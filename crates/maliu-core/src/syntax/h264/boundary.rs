//! Where access units begin: the first NAL unit behind a picture that may stand before the next one
//! (ISO/IEC 14496-10 §7.4.1.2.3 and §7.4.1.2.4).

use super::{
    Header, ParameterSets, SliceHeader, SliceStart, kind,
    slice::{HEAD, Parsed},
};
use crate::syntax::annexb;

/// Follows NAL units and says which of them begin an access unit.
#[derive(Clone, Debug, Default)]
pub struct AccessUnits {
    /// NAL unit types 14 to 18 begin a unit, as the standard says; else they stay with the picture before, as the
    /// reference has it (PAR-3).
    strict: bool,
    /// A slice of the unit was met.
    started: bool,
    last: Option<Last>,
    /// The slice header of the NAL unit that was judged last, if it has one.
    parsed: Option<Parsed>,
}

/// The last slice of a primary picture.
#[derive(Clone, Copy, Debug)]
struct Last {
    first_mb_in_slice: u32,
    header: Option<SliceHeader>,
    /// Macroblock 0 of this colour plane is in the unit.
    zero_of_plane: Option<u8>,
}

impl AccessUnits {
    /// `strict`: NAL unit types 14 to 18 begin a unit too.
    pub fn new(strict: bool) -> Self {
        Self { strict, ..Self::default() }
    }

    /// Bytes of a NAL unit, behind the start code, that always decide.
    pub const HEAD: usize = HEAD;

    /// Whether the NAL unit of which `head` is the front begins an access unit; it is then noted. `None`, with nothing
    /// noted: more of it decides, which does not happen when it is `whole` or has [`AccessUnits::HEAD`] bytes.
    pub fn begins(&mut self, head: &[u8], whole: bool, sets: &ParameterSets) -> Option<bool> {
        self.parsed = None;
        let head = head.get(..HEAD).unwrap_or(head);
        let whole = whole || head.len() == HEAD;
        // Zeros at the end may turn out to be the next start code's.
        let head = annexb::trimmed(head);
        let Some(first) = head.first() else { return whole.then_some(false) };
        match first & 0x1f {
            kind::SLICE | kind::PARTITION_A | kind::IDR => self.slice(head, whole, sets),
            kind::SEI | kind::SPS | kind::PPS | kind::AUD => Some(self.end_if_started()),
            kind::PREFIX..=18 if self.strict => Some(self.end_if_started()),
            _ => Some(false),
        }
    }

    /// The slice header of the NAL unit that was judged last, once.
    pub(super) fn take_parsed(&mut self) -> Option<Parsed> {
        self.parsed.take()
    }

    /// The unit ends here whatever follows.
    pub fn end(&mut self) {
        self.started = false;
    }

    /// Whether a slice of the unit was met.
    pub fn started(&self) -> bool {
        self.started
    }

    fn end_if_started(&mut self) -> bool {
        core::mem::take(&mut self.started)
    }

    fn slice(&mut self, head: &[u8], whole: bool, sets: &ParameterSets) -> Option<bool> {
        self.parsed = Parsed::read(head, sets).ok();
        let header = self.parsed.map(|parsed| parsed.header);
        if header.is_none() && !whole && !names_unknown_sets(head, sets) {
            return None;
        }
        let start = header.map(|header| header.start).or_else(|| SliceStart::parse(head));
        // If not even its first fields can be read, it stays where it is.
        let Some(SliceStart { first_mb_in_slice: first_mb, .. }) = start else {
            self.started |= Header::of(head).is_some();
            return Some(false);
        };
        if header.is_some_and(|header| header.redundant_pic_cnt > 0) {
            return Some(false);
        }
        let plane = header.map_or(0, |header| header.colour_plane_id);
        let same_unit = self.last.filter(|_| self.started);
        // Of a header that is cut short only its first macroblock counts, if that.
        let damaged = header.is_none() && !names_unknown_sets(head, sets);
        let begins = same_unit.is_some_and(|last| match damaged {
            true => first_mb == 0 && last.zero_of_plane.is_some(),
            false => last.ends_before(header.as_ref(), first_mb, plane),
        });
        let before = same_unit.filter(|_| !begins);
        self.last = Some(Last {
            first_mb_in_slice: first_mb,
            header: header.or_else(|| before.filter(|_| damaged)?.header),
            zero_of_plane: if first_mb == 0 { Some(plane) } else { before.and_then(|last| last.zero_of_plane) },
        });
        self.started = true;
        Some(begins)
    }
}

impl Last {
    fn ends_before(&self, header: Option<&SliceHeader>, first_mb: u32, plane: u8) -> bool {
        match (header, &self.header) {
            // Macroblock 0 is coded once a picture: encoders that repeat idr_pic_id show their pictures by it.
            (Some(now), Some(last)) => {
                now.begins_picture_after(last) || (first_mb == 0 && self.zero_of_plane == Some(plane))
            }
            // Without parameter sets only the order of the slices tells (PAR-3).
            _ => first_mb <= self.first_mb_in_slice,
        }
    }
}

/// Whether the first fields of the slice are there and name parameter sets that are not.
fn names_unknown_sets(head: &[u8], sets: &ParameterSets) -> bool {
    SliceStart::parse(head).is_some_and(|start| sets.of_slice(start.pic_parameter_set_id).is_none())
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::*;

    #[test]
    fn without_parameter_sets_the_slices_order_decides() {
        // first_mb_in_slice 0 is 1…, 1 is 010…; then slice_type 0 (1) and pps id 0 (1).
        let nals: [&[u8]; 6] = [&[0x65, 0xe0], &[0x65, 0x5c], &[0x41, 0xe0], &[0x06, 1], &[0x41, 0xe0], &[0x09, 0x10]];
        let (mut units, sets) = (AccessUnits::default(), ParameterSets::default());
        let got: Vec<_> = nals.iter().map(|nal| units.begins(nal, true, &sets)).collect();
        assert_eq!(got, [false, false, true, true, false, true].map(Some));
    }
}
