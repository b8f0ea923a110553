//! Temporal units of AV1 (AV1 RTP payload format): OBU elements, of which the first and last may be fragments.
//!
//! ```text
//!   Z Y W(2) N 000 │ { [size leb128] OBU element }…     Z: the first goes on, Y: the last goes on, W: count (0: sizes)
//! ```
//!
//! The units come out with their sizes, without temporal delimiters.

use alloc::vec::Vec;

use super::{
    MAX_UNIT,
    until_marker::{Content, Gathered},
};
use crate::syntax::av1::leb128;

const SEQUENCE_HEADER: u8 = 1;
const TEMPORAL_DELIMITER: u8 = 2;
const TILE_LIST: u8 = 8;

/// Temporal units of OBU elements.
#[derive(Debug, Default)]
pub(super) struct Units {
    /// An OBU that goes on in the next packet.
    open: Option<Vec<u8>>,
    key: bool,
}

impl Units {
    /// Appends an OBU as low-overhead formats have it, with its size; `None` for one that is cut.
    fn obu(&mut self, obu: &[u8], unit: &mut Gathered) -> Option<()> {
        let Some(&head) = obu.first() else { return Some(()) };
        let kind = head >> 3 & 15;
        if kind == TEMPORAL_DELIMITER || kind == TILE_LIST {
            return Some(());
        }
        self.key |= kind == SEQUENCE_HEADER;
        let header = if head & 4 != 0 { 2 } else { 1 };
        let (front, rest) = (obu.get(1..header)?, obu.get(header..)?);
        let body = match head & 2 != 0 {
            true => leb128(rest).and_then(|(size, rest)| rest.get(..size))?,
            false => rest,
        };
        unit.extend(&[head | 2]);
        unit.extend(front);
        let mut size = body.len();
        while size > 0x7f {
            unit.extend(&[size as u8 | 0x80]);
            size >>= 7;
        }
        unit.extend(&[size as u8]);
        unit.extend(body);
        Some(())
    }

    /// An element, in front of which another one may go on in it: an OBU, if it is all there.
    fn whole(&mut self, element: &[u8], goes_on: bool) -> Option<Vec<u8>> {
        if !goes_on {
            return Some(element.to_vec());
        }
        let mut open = self.open.take()?;
        if open.len().saturating_add(element.len()) > MAX_UNIT {
            return None;
        }
        open.extend_from_slice(element);
        Some(open)
    }
}

impl Content for Units {
    fn append(&mut self, payload: &[u8], lost: bool, unit: &mut Gathered) -> Result<(), &'static str> {
        if lost {
            self.open = None;
        }
        let Some((&head, mut rest)) = payload.split_first() else { return Ok(()) };
        let (goes_on, opens, count) = (head & 0x80 != 0, head & 0x40 != 0, usize::from(head >> 4 & 3));
        let mut n = 0;
        while !rest.is_empty() {
            n += 1;
            let element = if count > 0 && n == count {
                core::mem::take(&mut rest)
            } else {
                let sized = leb128(rest).and_then(|(size, after)| after.split_at_checked(size));
                let (element, after) = sized.ok_or("AV1: an element that is cut left out")?;
                rest = after;
                element
            };
            match self.whole(element, n == 1 && goes_on) {
                Some(obu) if rest.is_empty() && opens => self.open = Some(obu),
                Some(obu) => unit.damaged |= self.obu(&obu, unit).is_none(),
                None => unit.damaged = true,
            }
        }
        Ok(())
    }

    fn complete(&mut self, unit: &mut Gathered) -> Option<bool> {
        unit.damaged |= self.open.take().is_some();
        Some(core::mem::take(&mut self.key))
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::{
        super::{Out, Part, Unpack, until_marker::UntilMarker},
        *,
    };

    #[test]
    fn elements_in_fragments_become_units_with_sizes() {
        let (mut units, mut out) = (UntilMarker::new(Units::default()), Out::default());
        for (marker, bytes) in [(false, &[0x68u8, 2, 0x08, 7, 0x30, 1][..]), (true, &[0x90, 2, 3])] {
            let payload = Bytes::copy_from_slice(bytes);
            units.push(&Part { time: 5, marker, payload: &payload }, &mut out);
        }
        let unit = out.units.pop_front().unwrap();
        assert_eq!((unit.key, unit.damaged, &*unit.data), (true, false, &[0x0a, 1, 7, 0x32, 3, 1, 2, 3][..]));
    }
}
