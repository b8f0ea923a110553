//! NAL units of H.264 (RFC 6184) and H.265 (RFC 7798): single, aggregated, in fragments → access units in Annex B form.
//!
//! ```text
//!   H.264  1–23: NAL unit │ 24 STAP-A, 25 STAP-B: { size(16) NAL unit }… │ 28 FU-A, 29 FU-B: S E R type(5) │ part
//!   H.265  0–47: NAL unit │ 48 AP: { size(16) NAL unit }…                │ 49 FU:          S E type(6)   │ part
//! ```
//!
//! An access unit ends with the marker, or where the timestamp changes. The marker behind parameter sets alone, which some
//! cameras set, ends nothing; nor do markers of a sender that sets them on every slice.

use alloc::vec::Vec;

use super::{MAX_UNIT, Out, Part, Unit, Unpack};

/// The numbers in which the two formats differ.
#[derive(Debug)]
struct Coding {
    /// Bytes of a NAL unit header.
    header: usize,
    kind: fn(u8) -> u8,
    is_coded: fn(u8) -> bool,
    is_key: fn(u8) -> bool,
    /// Payload types: those that aggregate, and fragments.
    aggregates: &'static [u8],
    fragments: &'static [u8],
}

const H264: Coding = Coding {
    header: 1,
    kind: |head| head & 0x1f,
    is_coded: |kind| matches!(kind, 1..=5),
    is_key: |kind| kind == 5,
    aggregates: &[24, 25],
    fragments: &[28, 29],
};

const H265: Coding = Coding {
    header: 2,
    kind: |head| head >> 1 & 0x3f,
    is_coded: |kind| kind < 32,
    is_key: |kind| matches!(kind, 16..=23),
    aggregates: &[48],
    fragments: &[49],
};

/// STAP-B and FU-B carry a decoding order number.
const STAP_B: u8 = 25;
const FU_B: u8 = 29;

/// Puts access units together.
#[derive(Debug)]
pub(super) struct Nals {
    coding: &'static Coding,
    /// H.265 with decoding order numbers (DONL, DOND).
    ordered: bool,
    unit: Vec<u8>,
    time: Option<i64>,
    /// A slice has come.
    coded: bool,
    key: bool,
    damaged: bool,
    /// Packets are missing in front of the next payload.
    lost: bool,
    /// Where the NAL unit that is being put together begins.
    fragment: Option<usize>,
    /// The access unit is larger than it may be.
    too_large: bool,
    /// Time of the access unit that a marker ended last.
    ended: Option<i64>,
    /// Markers stand behind slices that do not end their picture.
    doubtful: bool,
    told: bool,
}

impl Nals {
    pub(super) fn h264() -> Self {
        Self::of(&H264, false)
    }

    /// `ordered`: with decoding order numbers.
    pub(super) fn h265(ordered: bool) -> Self {
        Self::of(&H265, ordered)
    }

    fn of(coding: &'static Coding, ordered: bool) -> Self {
        Self {
            coding,
            ordered,
            unit: Vec::new(),
            time: None,
            coded: false,
            key: false,
            damaged: false,
            lost: false,
            fragment: None,
            too_large: false,
            ended: None,
            doubtful: false,
            told: false,
        }
    }

    /// Begins a NAL unit whose first byte is `head`.
    fn begin(&mut self, head: u8) {
        let kind = (self.coding.kind)(head);
        let coded = (self.coding.is_coded)(kind);
        // More slices of a picture that a marker has ended: the sender sets it on each of them.
        self.doubtful |= coded && !self.coded && self.ended.is_some() && self.ended == self.time;
        self.coded |= coded;
        self.key |= (self.coding.is_key)(kind);
        self.extend(&[0, 0, 0, 1]);
    }

    fn extend(&mut self, bytes: &[u8]) {
        if self.unit.len().saturating_add(bytes.len()) > MAX_UNIT {
            self.too_large = true;
            return;
        }
        self.unit.extend_from_slice(bytes);
    }

    fn whole(&mut self, nal: &[u8]) {
        if let Some(head) = nal.first() {
            self.begin(*head);
            self.extend(nal);
        }
    }

    fn aggregate(&mut self, kind: u8, mut rest: &[u8]) -> bool {
        let orders = kind == STAP_B || self.ordered;
        if orders {
            rest = rest.get(2..).unwrap_or_default();
        }
        let mut first = true;
        while let Some(&[high, low]) = rest.first_chunk::<2>() {
            if self.ordered && !first {
                // DOND stands in front of every unit but the first.
                let Some(&[_, high, low]) = rest.first_chunk::<3>() else { return false };
                rest = rest.get(1..).unwrap_or_default();
                if !self.sized(high, low, &mut rest) {
                    return false;
                }
            } else if !self.sized(high, low, &mut rest) {
                return false;
            }
            first = false;
        }
        // Some senders pad what is left.
        rest.iter().all(|byte| *byte == 0)
    }

    fn sized(&mut self, high: u8, low: u8, rest: &mut &[u8]) -> bool {
        let end = 2 + usize::from(u16::from_be_bytes([high, low]));
        let Some(nal) = rest.get(2..end) else { return false };
        self.whole(nal);
        *rest = rest.get(end..).unwrap_or_default();
        true
    }

    /// A fragment: the NAL unit header is that of the payload with the type in the header of the fragment.
    fn part(&mut self, payload: &[u8]) -> bool {
        let size = self.coding.header;
        let (Some(head), Some(fragment)) = (payload.get(..size), payload.get(size)) else { return false };
        let mut body = payload.get(size + 1..).unwrap_or_default();
        let (start, end) = (fragment & 0x80 != 0, fragment & 0x40 != 0);
        let kind = head.first().map_or(0, |head| (self.coding.kind)(*head));
        if kind == FU_B && size == 1 || self.ordered && start {
            body = body.get(2..).unwrap_or_default();
        }
        if start {
            self.drop_fragment();
            let at = self.unit.len();
            let (first, second) = match *head {
                [a] => (a & 0xe0 | fragment & 0x1f, None),
                [a, b] => (a & 0x81 | (fragment & 0x3f) << 1, Some(b)),
                _ => return false,
            };
            self.begin(first);
            self.extend(&[first]);
            self.extend(second.as_slice());
            self.fragment = Some(at);
        }
        if self.fragment.is_none() {
            // Its start is lost.
            self.damaged = true;
            return true;
        }
        self.extend(body);
        if end {
            self.fragment = None;
        }
        true
    }

    /// A NAL unit that is not whole is left out.
    fn drop_fragment(&mut self) {
        if let Some(at) = self.fragment.take() {
            self.unit.truncate(at);
            self.damaged = true;
        }
    }

    fn end(&mut self, out: &mut Out) {
        self.drop_fragment();
        let data = core::mem::take(&mut self.unit);
        let size = data.len();
        let (key, damaged) = (core::mem::take(&mut self.key), core::mem::take(&mut self.damaged));
        self.coded = false;
        if core::mem::take(&mut self.too_large) {
            out.remark(alloc::format!("an access unit of more than {MAX_UNIT} bytes left out"));
        } else if let (Some(time), false) = (self.time, data.is_empty()) {
            out.units.push_back(Unit { time, key, damaged, data: data.into(), ..Unit::default() });
            // Pictures of a stream have similar sizes.
            self.unit.reserve(size.min(MAX_RESERVED));
        }
    }
}

/// Most bytes that are reserved for an access unit before it comes.
const MAX_RESERVED: usize = 64 << 10;

impl Unpack for Nals {
    fn push(&mut self, part: &Part, out: &mut Out) {
        if self.time.is_some_and(|time| time != part.time) {
            self.damaged |= self.lost;
            self.end(out);
        }
        self.time = Some(part.time);
        if core::mem::take(&mut self.lost) {
            self.drop_fragment();
            self.damaged = true;
        }
        let Some(head) = part.payload.first() else { return };
        let kind = (self.coding.kind)(*head);
        let read = if self.coding.aggregates.contains(&kind) {
            self.aggregate(kind, part.payload.get(self.coding.header..).unwrap_or_default())
        } else if self.coding.fragments.contains(&kind) {
            self.part(part.payload)
        } else if kind == 0 && self.coding.header == 1 || kind > 47 || self.coding.header == 1 && kind > 23 {
            false
        } else {
            let skipped = if self.ordered { 2 } else { 0 };
            let (header, rest) = part.payload.split_at(self.coding.header.min(part.payload.len()));
            self.begin(*head);
            self.extend(header);
            self.extend(rest.get(skipped..).unwrap_or_default());
            true
        };
        if !read {
            self.damaged = true;
            if !core::mem::replace(&mut self.told, true) {
                out.remark(alloc::format!("a payload of type {kind} that cannot be read left out"));
            }
        }
        if part.marker && self.coded && !self.doubtful {
            self.end(out);
            self.ended = self.time;
        }
    }

    fn lost(&mut self) {
        self.lost = true;
    }

    fn finish(&mut self, out: &mut Out) {
        self.damaged |= self.lost;
        self.end(out);
    }
}

#[cfg(test)]
mod tests {
    use alloc::{vec, vec::Vec};

    use bytes::Bytes;

    use super::*;

    /// (time, key, damaged, data) of the units of payloads: time, marker, bytes; no bytes stand for a loss.
    fn run(mut nals: Nals, payloads: &[(i64, bool, &[u8])]) -> Vec<(i64, bool, bool, Vec<u8>)> {
        let mut out = Out::default();
        for (time, marker, bytes) in payloads {
            match bytes.is_empty() {
                true => nals.lost(),
                false => {
                    let payload = Bytes::copy_from_slice(bytes);
                    nals.push(&Part { time: *time, marker: *marker, payload: &payload }, &mut out);
                }
            }
        }
        nals.finish(&mut out);
        out.units.into_iter().map(|unit| (unit.time, unit.key, unit.damaged, unit.data.to_vec())).collect()
    }

    const CODE: [u8; 4] = [0, 0, 0, 1];

    #[test]
    fn the_three_forms_of_h264_give_the_same_access_unit() {
        let expected = [&CODE[..], &[0x67, 1, 2], &CODE, &[0x68, 3], &CODE, &[0x65, 4, 5, 6]].concat();
        let single: &[(i64, bool, &[u8])] =
            &[(0, false, &[0x67, 1, 2]), (0, false, &[0x68, 3]), (0, true, &[0x65, 4, 5, 6])];
        let aggregate: &[(i64, bool, &[u8])] =
            &[(0, true, &[0x78, 0, 3, 0x67, 1, 2, 0, 2, 0x68, 3, 0, 4, 0x65, 4, 5, 6])];
        let fragments: &[(i64, bool, &[u8])] = &[
            (0, false, &[0x78, 0, 3, 0x67, 1, 2, 0, 2, 0x68, 3]),
            (0, false, &[0x7c, 0x85, 4]),
            (0, false, &[0x7c, 0x05, 5]),
            (0, true, &[0x7c, 0x45, 6]),
        ];
        for payloads in [single, aggregate, fragments] {
            assert_eq!(run(Nals::h264(), payloads), vec![(0, true, false, expected.clone())]);
        }
    }

    #[test]
    fn the_forms_of_h265_give_the_same_access_unit() {
        let expected = [&CODE[..], &[0x40, 1, 7], &CODE, &[0x26, 1, 8, 9]].concat();
        let aggregate: &[(i64, bool, &[u8])] = &[(0, true, &[0x60, 1, 0, 3, 0x40, 1, 7, 0, 4, 0x26, 1, 8, 9])];
        let fragments: &[(i64, bool, &[u8])] =
            &[(0, false, &[0x40, 1, 7]), (0, false, &[0x62, 1, 0x93, 8]), (0, true, &[0x62, 1, 0x53, 9])];
        for payloads in [aggregate, fragments] {
            assert_eq!(run(Nals::h265(false), payloads), vec![(0, true, false, expected.clone())]);
        }
        let ordered: &[(i64, bool, &[u8])] = &[(0, true, &[0x60, 1, 0, 0, 0, 3, 0x40, 1, 7, 1, 0, 4, 0x26, 1, 8, 9])];
        assert_eq!(run(Nals::h265(true), ordered), vec![(0, true, false, expected)]);
    }

    #[test]
    fn a_loss_marks_what_it_may_have_touched() {
        let payloads: &[(i64, bool, &[u8])] = &[
            (0, false, &[0x7c, 0x85, 4]),
            (0, false, &[]),
            (0, true, &[0x7c, 0x45, 6]),
            (9, true, &[0x41, 1]),
            (18, false, &[]),
            (18, true, &[0x41, 2]),
        ];
        let units = run(Nals::h264(), payloads);
        let nal = |byte| [&CODE[..], &[0x41, byte]].concat();
        assert_eq!(units, vec![(9, false, false, nal(1)), (18, false, true, nal(2))]);
    }

    #[test]
    fn markers_that_end_no_picture_are_seen_through() {
        let sets: &[(i64, bool, &[u8])] = &[(0, true, &[0x67, 1]), (0, true, &[0x68, 1]), (0, true, &[0x65, 1])];
        assert_eq!(run(Nals::h264(), sets).len(), 1, "parameter sets with markers");
        let mut slices: Vec<(i64, bool, &[u8])> = Vec::new();
        for time in 0..4 {
            slices.extend([(time, true, &[0x41, 0x80][..]), (time, true, &[0x41, 0x40][..])]);
        }
        let units = run(Nals::h264(), &slices);
        let times: Vec<i64> = units.iter().map(|unit| unit.0).collect();
        assert_eq!(times, [0, 0, 1, 2, 3], "every slice with a marker: from the second picture on they are together");
    }
}
