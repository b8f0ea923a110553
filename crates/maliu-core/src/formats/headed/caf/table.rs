//! The packet table: the bytes and frames of each packet, and frames to drop at both ends.

use alloc::vec::Vec;

use bytes::Bytes;

/// Bytes in front of the rows.
pub(super) const HEAD: usize = 24;

/// The packet table, read row by row.
#[derive(Clone, Debug, Default)]
pub(super) struct Table {
    pub packets: u64,
    /// Frames to drop at the start and at the end.
    pub priming: u32,
    pub remainder: u32,
    rows: Bytes,
    /// Bytes and frames of every packet; 0 where the rows say them.
    size: u32,
    frames: u32,
}

/// Where a packet stands.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Place {
    /// Its number, its first byte behind the start of the data, its first frame.
    pub number: u64,
    pub at: u64,
    pub time: u64,
    /// Bytes of rows that were read.
    row: usize,
}

/// Bytes and frames of a packet.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Row {
    pub size: u64,
    pub frames: u64,
}

impl Table {
    /// The table in a chunk, for packets of `size` bytes and `frames` frames, 0 where they vary.
    pub(super) fn parse(body: &Bytes, size: u32, frames: u32) -> Option<Self> {
        let head = body.first_chunk::<HEAD>()?;
        let (packets, rest) = head.split_first_chunk::<8>()?;
        let (_, rest) = rest.split_first_chunk::<8>()?;
        let (priming, rest) = rest.split_first_chunk::<4>()?;
        let remainder = rest.first_chunk::<4>()?;
        let frames_of = |bytes: &[u8; 4]| u32::from_be_bytes(*bytes) & 0x7fff_ffff;
        Some(Self {
            packets: u64::from_be_bytes(*packets),
            priming: frames_of(priming),
            remainder: frames_of(remainder),
            rows: body.slice(HEAD..),
            size,
            frames,
        })
    }

    /// The packet at `place`, and the place behind it; `None` behind the last one.
    pub(super) fn next(&self, place: Place) -> Option<(Row, Place)> {
        if place.number >= self.packets {
            return None;
        }
        let mut row = place.row;
        let mut field = |fixed: u32| {
            if fixed > 0 {
                return Some(u64::from(fixed));
            }
            let (value, behind) = number(&self.rows, row)?;
            row = behind;
            Some(value)
        };
        let (size, frames) = (field(self.size)?, field(self.frames)?);
        let next = Place {
            number: place.number + 1,
            at: place.at.saturating_add(size),
            time: place.time.saturating_add(frames),
            row,
        };
        Some((Row { size, frames }, next))
    }

    /// The packet that holds frame `to`, or the last one.
    pub(super) fn find(&self, to: u64) -> Place {
        let mut place = Place::default();
        while let Some((_, next)) = self.next(place) {
            if next.time > to || self.next(next).is_none() {
                break;
            }
            place = next;
        }
        place
    }

    /// Frames of all packets.
    pub(super) fn total(&self) -> u64 {
        let mut place = Place::default();
        while let Some((_, next)) = self.next(place) {
            place = next;
        }
        place.time
    }
}

/// A number of 7 bits a byte, and the index behind it.
fn number(bytes: &[u8], mut at: usize) -> Option<(u64, usize)> {
    let mut value = 0u64;
    for _ in 0..5 {
        let byte = *bytes.get(at)?;
        at += 1;
        value = value << 7 | u64::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            return Some((value, at));
        }
    }
    None
}

/// The other way round.
pub(super) fn put_number(out: &mut Vec<u8>, value: u32) {
    for shift in [28, 21, 14, 7] {
        if value >> shift > 0 {
            out.push((value >> shift & 0x7f) as u8 | 0x80);
        }
    }
    out.push((value & 0x7f) as u8);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_back_as_written() {
        for value in [0, 1, 127, 128, 16_383, 16_384, 70_000, u32::MAX] {
            let mut bytes = Vec::new();
            put_number(&mut bytes, value);
            assert_eq!(number(&bytes, 0), Some((u64::from(value), bytes.len())));
        }
        assert_eq!(number(&[0x80; 9], 0), None);
    }

    #[test]
    fn packets_are_found_by_their_frames() {
        let mut body = [0; HEAD].to_vec();
        body[7] = 3;
        body[19] = 9;
        body.extend([10, 20, 0x81, 0]);
        let table = Table::parse(&body.into(), 0, 1024).unwrap();
        assert_eq!((table.packets, table.priming, table.total()), (3, 9, 3072));
        let places = [0, 1023, 1024, 2048, 9999].map(|to| (table.find(to).number, table.find(to).at));
        assert_eq!(places, [(0, 0), (0, 0), (1, 10), (2, 30), (2, 30)]);
        assert_eq!(table.next(table.find(2048)).unwrap().0, Row { size: 128, frames: 1024 });
    }
}
