//! Temporal units of AV1 (AV1 RTP payload format): OBU elements, of which the first and last may be fragments.
//!
//! ```text
//!   Z Y W(2) N 000 │ { [size leb128] OBU element }…     Z: the first goes on, Y: the last goes on, W: count (0: sizes)
//! ```
//!
//! The units come out with their sizes, without temporal delimiters.

use alloc::vec::Vec;

use super::{MAX_UNIT, Out, Part, Unit, Unpack};

const SEQUENCE_HEADER: u8 = 1;
const TEMPORAL_DELIMITER: u8 = 2;
const TILE_LIST: u8 = 8;

/// Puts temporal units together.
#[derive(Debug, Default)]
pub(super) struct Units {
    unit: Vec<u8>,
    /// An OBU that goes on in the next packet.
    open: Option<Vec<u8>>,
    time: Option<i64>,
    key: bool,
    damaged: bool,
    lost: bool,
}

impl Units {
    /// Appends an OBU as low-overhead formats have it, with its size.
    fn obu(&mut self, obu: &[u8]) {
        let Some(&head) = obu.first() else { return };
        let kind = head >> 3 & 15;
        if kind == TEMPORAL_DELIMITER || kind == TILE_LIST {
            return;
        }
        self.key |= kind == SEQUENCE_HEADER;
        let header = if head & 4 != 0 { 2 } else { 1 };
        let (Some(front), Some(rest)) = (obu.get(1..header), obu.get(header..)) else {
            self.damaged = true;
            return;
        };
        let body = match head & 2 != 0 {
            true => leb128(rest).and_then(|(size, at)| rest.get(at..at.checked_add(size)?)),
            false => Some(rest),
        };
        let Some(body) = body.filter(|body| self.unit.len().saturating_add(body.len()) <= MAX_UNIT) else {
            self.damaged = true;
            return;
        };
        self.unit.push(head | 2);
        self.unit.extend_from_slice(front);
        let mut size = body.len();
        while size > 0x7f {
            self.unit.push(size as u8 | 0x80);
            size >>= 7;
        }
        self.unit.push(size as u8);
        self.unit.extend_from_slice(body);
    }

    fn end(&mut self, out: &mut Out) {
        self.damaged |= self.open.take().is_some();
        let data = core::mem::take(&mut self.unit);
        let (key, damaged) = (core::mem::take(&mut self.key), core::mem::take(&mut self.damaged));
        if let (Some(time), false) = (self.time, data.is_empty()) {
            out.units.push_back(Unit { time, key, damaged, data: data.into(), ..Unit::default() });
        }
    }

    fn elements(&mut self, payload: &[u8]) {
        let Some((&head, mut rest)) = payload.split_first() else { return };
        let (goes_on, opens, count) = (head & 0x80 != 0, head & 0x40 != 0, usize::from(head >> 4 & 3));
        let mut n = 0;
        while !rest.is_empty() {
            n += 1;
            let (element, after) = if count > 0 && n == count {
                (rest, &[][..])
            } else {
                let sized = leb128(rest).and_then(|(size, at)| rest.get(at..)?.split_at_checked(size));
                let Some(sized) = sized else {
                    self.damaged = true;
                    return;
                };
                sized
            };
            rest = after;
            let mut obu = element.to_vec();
            if n == 1 && goes_on {
                match self.open.take() {
                    Some(mut open) if open.len().saturating_add(obu.len()) <= MAX_UNIT => {
                        open.append(&mut obu);
                        obu = open;
                    }
                    _ => {
                        self.damaged = true;
                        continue;
                    }
                }
            }
            match rest.is_empty() && opens {
                true => self.open = Some(obu),
                false => self.obu(&obu),
            }
        }
    }
}

impl Unpack for Units {
    fn push(&mut self, part: &Part, out: &mut Out) {
        if self.time.is_some_and(|time| time != part.time) {
            self.damaged |= self.lost;
            self.end(out);
        }
        self.time = Some(part.time);
        if core::mem::take(&mut self.lost) {
            self.open = None;
            self.damaged = true;
        }
        self.elements(part.payload);
        if part.marker {
            self.end(out);
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

/// A number of seven bits a byte, the lowest first, and its bytes.
fn leb128(bytes: &[u8]) -> Option<(usize, usize)> {
    let mut value = 0usize;
    for (n, byte) in bytes.iter().take(4).enumerate() {
        value |= usize::from(byte & 0x7f) << (7 * n);
        if byte & 0x80 == 0 {
            return Some((value, n + 1));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    #[test]
    fn elements_in_fragments_become_units_with_sizes() {
        let (mut units, mut out) = (Units::default(), Out::default());
        for (marker, bytes) in [(false, &[0x68u8, 2, 0x08, 7, 0x30, 1][..]), (true, &[0x90, 2, 3])] {
            let payload = Bytes::copy_from_slice(bytes);
            units.push(&Part { time: 5, marker, payload: &payload }, &mut out);
        }
        let unit = out.units.pop_front().unwrap();
        assert_eq!((unit.key, unit.damaged, &*unit.data), (true, false, &[0x0a, 1, 7, 0x32, 3, 1, 2, 3][..]));
    }
}
