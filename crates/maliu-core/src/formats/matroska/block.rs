//! Blocks: the head, and the frames of all lacings (RFC 9559 §10).
//!
//! ```text
//!   track (vint) │ time (16, signed) │ flags │ [count − 1 │ sizes] │ frame …
//! ```

use alloc::vec::Vec;

use crate::syntax::ebml::{Vint, vint};

/// A block as its head describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Block {
    /// Number of its track.
    pub track: u64,
    /// Its time relative to the cluster, in the segment's ticks.
    pub time: i16,
    /// The flags: 0x80 key, 0x08 invisible, 0x06 lacing, 0x01 discardable.
    pub flags: u8,
    /// Offset and size of the first frame, from the start of the block, and of those laced behind it.
    first: Place,
    laced: Vec<Place>,
}

/// Offset and size of a frame.
type Place = (usize, usize);

/// Flags of a SimpleBlock.
pub(super) const KEY: u8 = 0x80;
pub(super) const INVISIBLE: u8 = 0x08;
pub(super) const DISCARDABLE: u8 = 0x01;

impl Block {
    /// Reads a whole block.
    ///
    /// # Errors
    /// The fault of the block.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, &'static str> {
        let Vint::Value(track, length) = vint(bytes) else { return Err("a block without a track number") };
        let Some(&[t0, t1, flags]) = bytes.get(length..length + 3) else { return Err("a block without a head") };
        let (time, start) = (i16::from_be_bytes([t0, t1]), length + 3);
        let (first, laced) = match flags >> 1 & 3 {
            0 => ((start, bytes.len() - start), Vec::new()),
            lacing => laces(bytes, start, lacing).ok_or("the sizes of laced frames do not fit their block")?,
        };
        Ok(Self { track, time, flags, first, laced })
    }

    /// How many frames there are.
    pub(super) fn count(&self) -> usize {
        1 + self.laced.len()
    }

    /// Offset and size of each frame.
    pub(super) fn frames(&self) -> impl Iterator<Item = Place> {
        core::iter::once(self.first).chain(self.laced.iter().copied())
    }
}

/// Where the frames of a laced block stand.
fn laces(bytes: &[u8], start: usize, lacing: u8) -> Option<(Place, Vec<Place>)> {
    let count = usize::from(*bytes.get(start)?) + 1;
    let mut at = start + 1;
    let mut sizes = Vec::with_capacity(count);
    match lacing {
        2 => {
            let left = bytes.len().checked_sub(at)?;
            if left % count != 0 {
                return None;
            }
            sizes.resize(count, left / count);
        }
        1 => {
            for _ in 1..count {
                sizes.push(xiph(bytes, &mut at)?);
            }
        }
        _ => {
            for n in 1..count {
                let Vint::Value(value, length) = vint(bytes.get(at..)?) else { return None };
                at += length;
                // Behind the first one, differences: the middle of the range is 0.
                let size = match sizes.last() {
                    Some(last) if n > 1 => (*last as i64) + (value as i64) - ((1 << (7 * length - 1)) - 1),
                    _ => i64::try_from(value).ok()?,
                };
                sizes.push(usize::try_from(size).ok().filter(|size| *size <= bytes.len())?);
            }
        }
    }
    if lacing != 2 {
        let known = sizes.iter().sum::<usize>();
        sizes.push(bytes.len().checked_sub(at)?.checked_sub(known)?);
    }
    let mut frames = sizes.into_iter().map(|size| {
        at += size;
        (at - size, size)
    });
    let first = frames.next()?;
    Some((first, frames.collect()))
}

/// A size in bytes of 255 and one that is less.
pub(super) fn xiph(bytes: &[u8], at: &mut usize) -> Option<usize> {
    let mut size = 0usize;
    loop {
        let byte = *bytes.get(*at)?;
        *at += 1;
        size = size.saturating_add(byte.into());
        if byte < 255 {
            return Some(size);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_lacings() {
        let frames = |bytes: &[u8]| Block::parse(bytes).map(|block| block.frames().collect::<Vec<_>>());
        assert_eq!(frames(&[0x81, 0, 1, 0x80, 9, 9]), Ok(alloc::vec![(4, 2)]));
        assert_eq!(frames(&[0x81, 0, 1, 0x84, 1, 7, 7]), Ok(alloc::vec![(5, 1), (6, 1)]));
        assert_eq!(frames(&[0x81, 0, 1, 0x82, 1, 1, 7, 8, 8]), Ok(alloc::vec![(6, 1), (7, 2)]));
        // 2, then one less, then the rest.
        assert_eq!(frames(&[0x81, 0, 1, 0x86, 2, 0x82, 0xbe, 1, 1, 2, 3, 3]), Ok(alloc::vec![(7, 2), (9, 1), (10, 2)]));
        for bad in [&[][..], &[0x81, 0], &[0x81, 0, 0, 4, 2, 1, 1], &[0x81, 0, 0, 2, 1, 255], &[0x81, 0, 0, 6, 3, 0x81]]
        {
            assert!(frames(bad).is_err(), "{bad:02x?}");
        }
        let block = Block::parse(&[0x40, 0x05, 0xff, 0xfe, 0x88]).unwrap();
        assert_eq!((block.track, block.time, block.flags, block.first), (5, -2, 0x88, (5, 0)));
    }
}
