//! Finding tags again after bytes that are none: two tags in a row, seen from the sizes behind them (FLD-25, FLD-26).

use super::{
    header,
    tag::{Head, TAIL, u32_at},
};

/// Most bytes that are kept while looking; older ones cannot begin the pair.
pub(super) const MAX_LOOKBACK: u64 = 4 << 20;

/// A search that goes on where it stopped when more bytes are there. Its result does not depend on how they came.
#[derive(Clone, Copy, Debug)]
pub(super) struct Search {
    /// Absolute offset of the first byte that may begin the pair.
    pub from: u64,
    /// Absolute offset up to which ends of pairs were tried.
    tried: u64,
    /// A pair may end where the input does; the reference wants one more byte.
    to_end: bool,
}

/// Result of a search.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// Two tags, the first of them at this offset.
    Pair(u64),
    /// A file header at this offset.
    Header(u64),
    /// Nothing in the bytes so far.
    Nothing,
}

impl Search {
    /// A search from the absolute offset `from`. With `to_end` a pair may end with the bytes there are, else one more
    /// must follow, as in the reference.
    pub(super) fn new(from: u64, to_end: bool) -> Self {
        Self { from, tried: from, to_end }
    }

    /// Looks on in `seen`, which stands at offset `at`.
    pub(super) fn look(&mut self, seen: &[u8], at: u64) -> Found {
        let end = at.saturating_add(seen.len() as u64).saturating_sub(u64::from(!self.to_end));
        while self.tried < end {
            self.tried += 1;
            self.from = self.from.max(self.tried.saturating_sub(MAX_LOOKBACK));
            let Some(known) = window(seen, at, self.from, self.tried) else { continue };
            if let Some(start) = pair(known) {
                return Found::Pair(self.from.saturating_add(start as u64));
            }
            let tail = known.len().checked_sub(header::SIZE).and_then(|from| known.get(from..));
            if tail.is_some_and(|tail| header::begins(tail) && header::Header::parse(tail).is_some_and(|h| h.size > 8))
            {
                return Found::Header(self.tried.saturating_sub(header::SIZE as u64));
            }
        }
        Found::Nothing
    }
}

fn window(seen: &[u8], at: u64, from: u64, to: u64) -> Option<&[u8]> {
    let from = usize::try_from(from.checked_sub(at)?).ok()?;
    let to = usize::try_from(to.checked_sub(at)?).ok()?;
    seen.get(from..to)
}

/// Where the first of two tags begins whose second ends at the end of `known`.
fn pair(known: &[u8]) -> Option<usize> {
    let second = before(known)?;
    before(known.get(..second)?)
}

/// Where the tag begins that ends, with its PreviousTagSize, at the end of `known`.
fn before(known: &[u8]) -> Option<usize> {
    let tail = known.len().checked_sub(TAIL)?;
    let length = u32_at(known, tail)? as usize;
    let start = tail.checked_sub(length)?;
    let head = Head::parse(known.get(start..tail)?)?;
    (head.length() == length).then_some(start)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::flv::tag::{self, HEAD};
    use alloc::vec::Vec;

    fn tag(kind: u8, body: &[u8]) -> Vec<u8> {
        let length = (HEAD + body.len()) as u32;
        [&tag::head(kind, body.len(), 7, 0)[..], body, &length.to_be_bytes()].concat()
    }

    #[test]
    fn a_pair_is_found_for_every_split() {
        let bytes = [&b"junk junk"[..], &tag(9, b"abc"), &tag(8, b"de"), &tag(8, b"f")].concat();
        assert_eq!(Search::new(100, false).look(&bytes, 100), Found::Pair(109));
        let mut search = Search::new(100, false);
        let found = (1..bytes.len()).map(|n| search.look(&bytes[..n], 100)).find(|found| *found != Found::Nothing);
        assert_eq!(found, Some(Found::Pair(109)));
    }

    #[test]
    fn one_tag_alone_is_not_enough_and_a_header_is() {
        let bytes = [&b"junk"[..], &tag(9, b"abc")].concat();
        assert_eq!(Search::new(0, true).look(&bytes, 0), Found::Nothing);
        let bytes = [&bytes[..], &tag(8, b"")].concat();
        let found = [false, true].map(|to_end| Search::new(0, to_end).look(&bytes, 0));
        assert_eq!(found, [Found::Nothing, Found::Pair(4)], "the reference wants one more byte");
        assert_eq!(Search::new(0, false).look(b"..FLV\x01\x05\0\0\0\x09\0", 0), Found::Header(2));
    }
}
