//! Segment index and fragment random access tables in file form (ISO/IEC 14496-12 §8.16.3, §8.8.10).

use super::{boxes::Boxes, fields::Fields, rows::Rows};

/// Times and places of the subsegments behind a `sidx` box.
#[derive(Clone, Debug)]
pub struct SegmentIndex {
    /// reference_ID.
    pub track: u32,
    /// Ticks per second of its times.
    pub timescale: u32,
    /// Time of the first subsegment.
    time: u64,
    /// Offset in the file of the first subsegment.
    offset: u64,
    rows: Rows,
}

impl SegmentIndex {
    /// The body of a `sidx` box that ends at `end` in the file.
    pub fn parse(body: &[u8], end: u64) -> Option<Self> {
        let mut fields = Fields::new(body);
        let (version, _) = fields.version()?;
        let (track, timescale) = (fields.u32()?, fields.u32()?);
        let (time, first) = (fields.number(version == 1)?, fields.number(version == 1)?);
        fields.u16()?;
        let count = fields.u16()?;
        let rows = Rows::new(fields.rest(), 12, count.into());
        (timescale > 0).then_some(Self { track, timescale, time, offset: end.checked_add(first)?, rows })
    }

    /// Time and offset of the last subsegment that begins at or before `time` (in its ticks) and is not another index.
    pub fn before(&self, time: u64) -> Option<(u64, u64)> {
        let (mut at, mut offset, mut found) = (self.time, self.offset, None);
        for row in 0..self.rows.len() {
            let (size, duration) = self.rows.pair(row)?;
            if at > time {
                break;
            }
            if size >> 31 == 0 {
                found = Some((at, offset));
            }
            at = at.saturating_add(duration.into());
            offset = offset.saturating_add((size & 0x7fff_ffff).into());
        }
        found
    }

    /// Time behind the last subsegment.
    pub fn end(&self) -> u64 {
        let durations =
            (0..self.rows.len()).filter_map(|row| self.rows.pair(row)).map(|(_, duration)| u64::from(duration));
        self.time.saturating_add(durations.sum())
    }
}

/// Times and places of the random access points of one track.
#[derive(Clone, Debug)]
pub struct AccessIndex {
    /// track_ID.
    pub track: u32,
    rows: Rows,
    long: bool,
}

impl AccessIndex {
    /// The body of a `tfra` box.
    pub fn parse(body: &[u8]) -> Option<Self> {
        let mut fields = Fields::new(body);
        let (version, _) = fields.version()?;
        let track = fields.u32()?;
        let lengths = fields.u32()?;
        let count = fields.u32()?;
        let long = version == 1;
        let numbers = [lengths >> 4 & 3, lengths >> 2 & 3, lengths & 3].iter().map(|length| length + 1).sum::<u32>();
        let row = if long { 16 } else { 8 } + numbers as usize;
        Some(Self { track, rows: Rows::new(fields.rest(), row, count), long })
    }

    /// Time and offset of the fragment of the last point at or before `time`.
    pub fn before(&self, time: u64) -> Option<(u64, u64)> {
        let row = |index| {
            let mut fields = self.rows.get(index)?;
            Some((fields.number(self.long)?, fields.number(self.long)?))
        };
        let (mut low, mut high) = (0, self.rows.len());
        while low < high {
            let middle = low + (high - low) / 2;
            if row(middle).is_some_and(|(at, _)| at <= time) { low = middle + 1 } else { high = middle }
        }
        row(low.checked_sub(1)?)
    }
}

/// The tables in the body of an `mfra` box.
pub fn access(body: &[u8]) -> impl Iterator<Item = AccessIndex> {
    Boxes::new(body).filter(|(kind, _)| kind == b"tfra").filter_map(|(_, body)| AccessIndex::parse(body))
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::*;

    fn numbers(numbers: &[u32]) -> Vec<u8> {
        numbers.iter().flat_map(|number| number.to_be_bytes()).collect()
    }

    #[test]
    fn a_time_finds_its_subsegment() {
        let body = numbers(&[0, 1, 1000, 500, 10, 3, 100, 2000, 0, 1 << 31 | 50, 0, 0, 70, 1000, 0]);
        let index = SegmentIndex::parse(&body, 90).unwrap();
        assert_eq!(
            (index.before(499), index.before(500), index.before(2499)),
            (None, Some((500, 100)), Some((500, 100)))
        );
        assert_eq!((index.before(u64::MAX), index.end()), (Some((2500, 250)), 3500));
    }

    #[test]
    fn a_time_finds_its_access_point() {
        let body = [numbers(&[0, 2, 0, 2, 10, 1000]), Vec::from([1, 1, 1]), numbers(&[20, 2000]), Vec::from([1, 1, 1])]
            .concat();
        let index = AccessIndex::parse(&body).unwrap();
        assert_eq!((index.before(9), index.before(19), index.before(20)), (None, Some((10, 1000)), Some((20, 2000))));
    }
}
