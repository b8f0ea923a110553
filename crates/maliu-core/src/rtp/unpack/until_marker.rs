//! Units over several payloads, which end with the marker or where the time changes.

use alloc::{format, vec::Vec};

use super::{MAX_UNIT, Out, Part, Unit, Unpack};

/// A payload format whose units end so.
pub(super) trait Content: Send {
    /// Appends a payload to the unit. With `lost`, packets are missing in front of it.
    ///
    /// # Errors
    /// The reason why the payload is left out; the unit is then damaged.
    fn append(&mut self, payload: &[u8], lost: bool, unit: &mut Gathered) -> Result<(), &'static str>;

    /// Completes the unit, of at least one byte. Whether it can be decoded alone; `None` leaves it out.
    fn complete(&mut self, unit: &mut Gathered) -> Option<bool>;
}

/// A unit so far.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    pub bytes: Vec<u8>,
    /// Something of it is missing.
    pub damaged: bool,
    /// It would be larger than [`MAX_UNIT`].
    too_large: bool,
}

impl Gathered {
    /// Appends bytes, unless the unit gets too large.
    pub(super) fn extend(&mut self, bytes: &[u8]) {
        self.too_large |= self.bytes.len().saturating_add(bytes.len()) > MAX_UNIT;
        if !self.too_large {
            self.bytes.extend_from_slice(bytes);
        }
    }
}

/// Puts units together.
#[derive(Debug, Default)]
pub(super) struct UntilMarker<C> {
    content: C,
    unit: Gathered,
    time: Option<i64>,
    lost: bool,
}

impl<C: Content> UntilMarker<C> {
    pub(super) fn new(content: C) -> Self {
        Self { content, unit: Gathered::default(), time: None, lost: false }
    }

    fn end(&mut self, out: &mut Out) {
        let Some(time) = self.time else { return };
        let key = if self.unit.bytes.is_empty() { None } else { self.content.complete(&mut self.unit) };
        let Gathered { bytes, damaged, too_large } = core::mem::take(&mut self.unit);
        match key {
            _ if too_large => out.remark(format!("a unit of more than {MAX_UNIT} bytes left out")),
            Some(key) => out.units.push_back(Unit { time, key, damaged, data: bytes.into(), ..Unit::default() }),
            None => {}
        }
    }
}

impl<C: Content> Unpack for UntilMarker<C> {
    fn push(&mut self, part: &Part, out: &mut Out) {
        if self.time.is_some_and(|time| time != part.time) {
            self.unit.damaged |= self.lost;
            self.end(out);
        }
        self.time = Some(part.time);
        let lost = core::mem::take(&mut self.lost);
        self.unit.damaged |= lost;
        if let Err(why) = self.content.append(part.payload, lost, &mut self.unit) {
            out.remark(why);
            self.unit.damaged = true;
        }
        if part.marker {
            self.end(out);
        }
    }

    fn lost(&mut self) {
        self.lost = true;
    }

    fn finish(&mut self, out: &mut Out) {
        self.unit.damaged |= self.lost;
        self.end(out);
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::{super::whole::Whole, *};

    #[test]
    fn a_unit_that_is_too_large_is_left_out_whole_and_said() {
        let (mut units, mut out) = (UntilMarker::new(Whole::data()), Out::default());
        let payload = Bytes::from(alloc::vec![1; MAX_UNIT / 2]);
        for (time, marker) in [(1, false), (1, false), (1, true), (2, true)] {
            units.push(&Part { time, marker, payload: &payload }, &mut out);
        }
        let sizes: Vec<_> = out.units.iter().map(|unit| (unit.time, unit.data.len(), unit.damaged)).collect();
        assert_eq!((sizes, out.remarks.len()), (alloc::vec![(2, MAX_UNIT / 2, false)], 1));
    }
}
