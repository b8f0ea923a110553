//! Where packets stand and how far apart: found by rows of sync bytes, at the start and behind junk.

use super::packet::{SIZE, SYNC};

/// Packets in a row that make a place sure.
pub(super) const ROW: usize = 5;

/// Distances of packets: plain, with an arrival clock, with parity.
pub(super) const STEPS: [usize; 3] = [188, 192, 204];

/// Bytes that decide on a place: a row at the widest distance.
pub(super) const REACH: usize = (ROW - 1) * STEPS[2] + 4;

/// A row of packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Row {
    /// Index of its first sync byte.
    pub start: usize,
    /// Distance of its packets.
    pub step: usize,
    /// Packets seen, up to [`ROW`].
    pub packets: usize,
}

/// The first sure row in `bytes`. When nothing follows (`ended`), a row that goes on to the end is enough, the longest one.
pub(super) fn find(bytes: &[u8], ended: bool) -> Option<Row> {
    let mut best: Option<Row> = None;
    for start in memchr::memchr_iter(SYNC, bytes) {
        for step in STEPS {
            let (packets, to_end) = row(bytes, start, step);
            if packets >= ROW {
                return Some(Row { start, step, packets });
            }
            if ended && to_end && best.is_none_or(|best| packets > best.packets) {
                best = Some(Row { start, step, packets });
            }
        }
    }
    best
}

/// Packets in a row from `start` on, up to [`ROW`], and whether the bytes end before the row does.
fn row(bytes: &[u8], start: usize, step: usize) -> (usize, bool) {
    for n in 0..ROW {
        let at = start + n * step;
        match bytes.get(at..) {
            Some([SYNC, rest @ ..]) => {
                // Adaptation field values of 0 are reserved.
                if rest.get(2).is_some_and(|flags| flags & 0x30 == 0) {
                    return (n, false);
                }
            }
            Some([]) | None => return (n, bytes.len() >= start + SIZE),
            Some(_) => return (n, false),
        }
    }
    (ROW, true)
}

#[cfg(test)]
mod tests {
    use alloc::{vec, vec::Vec};

    use super::*;

    fn packets(count: usize, step: usize) -> Vec<u8> {
        let mut one = vec![0; step];
        one[..4].copy_from_slice(&[SYNC, 0x1f, 0xff, 0x10]);
        one.repeat(count)
    }

    #[test]
    fn rows_are_found_behind_junk_at_every_distance() {
        for step in STEPS {
            let bytes = [&b"GGGG junk G"[..], &packets(6, step)].concat();
            assert_eq!(find(&bytes, false), Some(Row { start: 11, step, packets: ROW }));
            assert_eq!(find(&bytes[..11 + 3 * step], false), None);
            assert_eq!(find(&bytes[..11 + 3 * step], true), Some(Row { start: 11, step, packets: 3 }));
        }
        assert_eq!(find(b"GGGG", true), None);
    }
}
