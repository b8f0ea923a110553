//! The Huffman codes of layer III decoded by table: one look for short codes, two for long ones, signs included.

use crate::tables::codes::{self, Leaves};

/// The values behind a code with its signs.
#[derive(Clone, Copy)]
pub(crate) struct Code(u32);

impl Code {
    /// Bits of the code and its signs; of an escape the code alone.
    #[inline(always)]
    pub(crate) fn length(self) -> u32 {
        self.0 & 31
    }

    /// The first value of a pair, its sign in bit 4.
    #[inline(always)]
    pub(crate) fn x(self) -> usize {
        (self.0 >> 5 & 31) as usize
    }

    /// The second value.
    #[inline(always)]
    pub(crate) fn y(self) -> usize {
        (self.0 >> 10 & 31) as usize
    }

    /// Whether values of 15 are followed by more bits (linbits), and the signs are still to come.
    #[inline(always)]
    pub(crate) fn is_escape(self) -> bool {
        self.0 & ESCAPE != 0
    }

    /// Values of a quad, each 0 or 1 with its sign in bit 1.
    #[inline(always)]
    pub(crate) fn quad(self) -> [usize; 4] {
        [5, 7, 9, 11].map(|shift| (self.0 >> shift & 3) as usize)
    }
}

const ESCAPE: u32 = 1 << 15;

/// An entry that leads to a second table: its index bits in the lower 5, its place above.
const LINK: u32 = 1 << 31;

/// Bits of the first look.
const FIRST: u32 = 9;

/// A decoding table.
pub(crate) struct Huffman {
    first: Box<[u32; 1 << FIRST]>,
    second: Vec<u32>,
}

impl Huffman {
    /// The code at the top of `window`.
    #[inline(always)]
    pub(crate) fn decode(&self, window: u64) -> Code {
        let entry = self.first[(window >> (64 - FIRST)) as usize];
        if entry & LINK == 0 {
            return Code(entry);
        }
        let index = (window << FIRST >> 1) >> (63 - (entry & 31));
        Code(self.second.get((entry >> 5 & 0xf_ffff) as usize + index as usize).copied().unwrap_or(0))
    }

    /// A table of pairs. `escapes`: 15 stands for more bits.
    pub(crate) fn pairs(leaves: Leaves, escapes: bool) -> Huffman {
        Huffman::new(words(leaves).flat_map(|(code, length, value)| {
            let (x, y) = (u32::from(value >> 4), u32::from(value & 15));
            if escapes && (x == 15 || y == 15) {
                return vec![(code, length, ESCAPE | y << 10 | x << 5 | length)];
            }
            signed(code, length, &[x, y], |[x, y, ..]| y << 10 | x << 5, 4)
        }))
    }

    /// A table of quads.
    pub(crate) fn quads(leaves: Leaves) -> Huffman {
        Huffman::new(words(leaves).flat_map(|(code, length, value)| {
            let values = [3, 2, 1, 0].map(|shift| u32::from(value >> shift & 1));
            signed(code, length, &values, |[v, w, x, y]| y << 11 | x << 9 | w << 7 | v << 5, 1)
        }))
    }

    /// A table of whole codes: (bits, number of them, entry).
    fn new(codes: impl Iterator<Item = (u32, u32, u32)>) -> Huffman {
        let codes: Vec<_> = codes.collect();
        let mut table = Huffman { first: Box::new([0; 1 << FIRST]), second: Vec::new() };
        for (prefix, entry) in (0..).zip(table.first.iter_mut()) {
            let longer = codes.iter().filter(|(code, length, _)| *length > FIRST && code >> (length - FIRST) == prefix);
            if let Some(more) = longer.map(|(_, length, _)| length - FIRST).max() {
                *entry = LINK | (table.second.len() as u32) << 5 | more;
                table.second.resize(table.second.len() + (1 << more), 0);
            }
        }
        for (code, length, entry) in codes {
            if length <= FIRST {
                let free = FIRST - length;
                table.first[(code << free) as usize..][..1 << free].fill(entry);
            } else {
                let link = table.first[(code >> (length - FIRST)) as usize];
                let free = (link & 31) - (length - FIRST);
                let at = (link >> 5 & 0xf_ffff) + ((code & ((1 << (length - FIRST)) - 1)) << free);
                table.second[at as usize..][..1 << free].fill(entry);
            }
        }
        table
    }
}

/// The leaves of a tree as (code, length, value).
fn words(leaves: Leaves) -> impl Iterator<Item = (u32, u32, u8)> {
    let mut at = 0u64;
    leaves.iter().map(move |leaf| {
        let length = u32::from(leaf >> 8);
        let code = (at >> (32 - length)) as u32;
        at += 1 << (32 - length);
        (code, length, *leaf as u8)
    })
}

/// The code followed by each combination of the signs of its values. `bit` is where a sign stands in a value.
fn signed(code: u32, length: u32, values: &[u32], pack: fn([u32; 4]) -> u32, bit: u32) -> Vec<(u32, u32, u32)> {
    let signs = values.iter().filter(|value| **value > 0).count() as u32;
    let with = |pattern: u32| {
        let mut left = signs;
        let mut all = [0; 4];
        for (to, value) in all.iter_mut().zip(values) {
            *to = *value;
            if *value > 0 {
                left -= 1;
                *to |= (pattern >> left & 1) << bit;
            }
        }
        (code << signs | pattern, length + signs, pack(all) | (length + signs))
    };
    (0..1 << signs).map(with).collect()
}

/// The codes of all pairs, by table_select, and of all quads.
pub(crate) struct Codes {
    pairs: Vec<Huffman>,
    pub(crate) quads: [Huffman; 2],
}

/// A table of pairs as table_select names it.
#[derive(Clone, Copy)]
pub(crate) struct Pairs<'a> {
    pub(crate) codes: &'a Huffman,
    /// Bits that add to a value of 15.
    pub(crate) linbits: u32,
    /// No code with its signs is longer than 14 bits.
    pub(crate) short: bool,
}

/// Which tree each table has, and its linbits; none for tables that code only zeros.
const TABLES: [Option<(usize, u32)>; 32] = [
    None,
    Some((0, 0)),
    Some((1, 0)),
    Some((2, 0)),
    None,
    Some((3, 0)),
    Some((4, 0)),
    Some((5, 0)),
    Some((6, 0)),
    Some((7, 0)),
    Some((8, 0)),
    Some((9, 0)),
    Some((10, 0)),
    Some((11, 0)),
    None,
    Some((12, 0)),
    Some((13, 1)),
    Some((13, 2)),
    Some((13, 3)),
    Some((13, 4)),
    Some((13, 6)),
    Some((13, 8)),
    Some((13, 10)),
    Some((13, 13)),
    Some((14, 4)),
    Some((14, 5)),
    Some((14, 6)),
    Some((14, 7)),
    Some((14, 8)),
    Some((14, 9)),
    Some((14, 11)),
    Some((14, 13)),
];

/// The first tree whose codes with their signs may be longer than 14 bits.
const LONG_CODES: usize = 11;

/// The first tree with escapes.
const ESCAPES: usize = 13;

impl Codes {
    pub(crate) fn new() -> Codes {
        let trees = codes::PAIRS.iter().enumerate();
        Codes {
            pairs: trees.map(|(i, leaves)| Huffman::pairs(leaves, i >= ESCAPES)).collect(),
            quads: codes::QUADS.map(Huffman::quads),
        }
    }

    /// The table of this number; `None` when it has no codes.
    pub(crate) fn table(&self, select: u8) -> Option<Pairs<'_>> {
        let (tree, linbits) = TABLES[usize::from(select & 31)]?;
        Some(Pairs { codes: &self.pairs[tree], linbits, short: tree < LONG_CODES })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trees_are_complete_and_hold_each_value_once() {
        let sides = [2, 3, 3, 4, 4, 6, 6, 6, 8, 8, 8, 16, 16, 16, 16];
        for (leaves, side) in codes::PAIRS.iter().zip(sides) {
            let total: u64 = leaves.iter().map(|leaf| 1 << (32 - (leaf >> 8))).sum();
            assert_eq!((leaves.len(), total), (side * side, 1 << 32));
            let mut values: Vec<_> = leaves.iter().map(|leaf| leaf & 0xff).collect();
            values.sort_unstable();
            values.dedup();
            assert_eq!(values.len(), side * side);
            assert!(values.iter().all(|value| (value >> 4) < side as u16 && (value & 15) < side as u16));
        }
        for leaves in codes::QUADS {
            assert_eq!(leaves.iter().map(|leaf| 1u64 << (32 - (leaf >> 8))).sum::<u64>(), 1 << 32);
        }
    }

    #[test]
    fn every_code_is_found_again_with_its_signs() {
        let all = Codes::new();
        for (tree, leaves) in codes::PAIRS.iter().enumerate() {
            for (code, length, value) in words(leaves) {
                let (x, y) = (usize::from(value >> 4), usize::from(value & 15));
                let window = u64::from(code) << (64 - length) | u64::MAX >> length;
                let found = all.pairs[tree].decode(window);
                assert!(tree < LONG_CODES || length <= 19);
                if tree >= ESCAPES && (x == 15 || y == 15) {
                    assert_eq!((found.is_escape(), found.length(), found.x(), found.y()), (true, length, x, y));
                    continue;
                }
                let signs = u32::from(x > 0) + u32::from(y > 0);
                let negative = |value: usize| if value > 0 { value | 16 } else { 0 };
                assert_eq!((found.length(), found.x(), found.y()), (length + signs, negative(x), negative(y)));
                assert!(tree >= LONG_CODES || found.length() <= 14);
            }
        }
        for (quads, leaves) in all.quads.iter().zip(codes::QUADS) {
            for (code, length, value) in words(leaves) {
                let found = quads.decode(u64::from(code) << (64 - length));
                let values = [8, 4, 2, 1].map(|bit| usize::from(value & bit > 0));
                assert_eq!((found.quad(), found.length()), (values, length + value.count_ones()));
            }
        }
    }
}
