//! Ways in which a file comes to harm, chosen by a seed.

use bytes::Bytes;

/// Numbers that depend on the seed and the case alone (xorshift64*).
pub(crate) struct Random(u64);

impl Random {
    /// The numbers of a case.
    pub(crate) fn new(seed: u64, case: u64) -> Self {
        let mut random = Self((seed << 40 ^ case).wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        // The first numbers of neighbours are alike.
        for _ in 0..4 {
            random.next();
        }
        random
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// A number below `end`; 0 when there is none.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        (self.next() >> 16) as usize % end.max(1)
    }
}

/// Sizes that parsers believe at their peril.
const EXTREMES: [[u8; 4]; 6] =
    [[0xff; 4], [0x7f, 0xff, 0xff, 0xff], [0x80, 0, 0, 0], [0; 4], [0xff, 0xff, 0xff, 0x7f], [0, 0xff, 0xff, 0xff]];

/// The file of this case, harmed once to four times.
pub(crate) fn damaged(files: &[Bytes], case: u64, random: &mut Random) -> Bytes {
    let mut data = files[case as usize % files.len()].to_vec();
    for _ in 0..=random.below(4) {
        let other = &files[random.below(files.len())];
        harm(&mut data, other, random);
        data.truncate(MOST);
    }
    data.into()
}

/// Most bytes of an input.
const MOST: usize = 1 << 20;

fn harm(data: &mut Vec<u8>, other: &Bytes, random: &mut Random) {
    let size = data.len();
    let at = random.below(size);
    let length = |random: &mut Random, most: usize| (1 + random.below(most)).min(size - at);
    match random.below(12) {
        0 => data.truncate(at),
        1 => drop(data.drain(..at)),
        2 => (0..=random.below(40)).for_each(|_| {
            if let Some(byte) = data.get_mut(random.below(size)) {
                *byte ^= 1 << random.below(8);
            }
        }),
        // The heads of files hold most of their structure.
        3 => (0..=random.below(8)).for_each(|_| {
            if let Some(byte) = data.get_mut(random.below(size.min(512))) {
                *byte = random.below(256) as u8;
            }
        }),
        4 => data[at..at + length(random, 4096)].fill(0),
        5 => drop(data.drain(at..at + length(random, 4096))),
        6 => {
            let again = data[at..at + length(random, 4096)].to_vec();
            let to = random.below(size);
            (0..=random.below(16)).for_each(|_| drop(data.splice(to..to, again.iter().copied())));
        }
        7 | 8 => {
            let at = if random.below(2) == 0 { random.below(size.min(4096)) } else { at };
            let extreme = EXTREMES[random.below(EXTREMES.len())];
            data[at..].iter_mut().zip(extreme).for_each(|(byte, with)| *byte = with);
        }
        9 => data[at..at + length(random, 256)].iter_mut().for_each(|byte| *byte = random.below(256) as u8),
        // A part of a file of another kind: the reader meets what it did not expect.
        10 => {
            let from = random.below(other.len());
            let part = &other[from..(from + 1 + random.below(16 << 10)).min(other.len())];
            data.splice(at..at, part.iter().copied());
        }
        _ => data.extend_from_slice(&other[..random.below(other.len())]),
    }
}
