//! Huffman codes decoded by table: one look for short codes, two for long ones (ISO/IEC 14496-3 §4.6.3).

/// A codebook as the standard prints it: the code of each symbol, right aligned, and its length in bits.
pub(crate) struct Book {
    pub(crate) codes: &'static [u32],
    pub(crate) lengths: &'static [u8],
}

/// The meaning of a code.
#[derive(Clone, Copy)]
pub(crate) struct Code(u32);

impl Code {
    /// Bits of the code and the sign bits after it.
    #[inline]
    pub(crate) fn total(self) -> u32 {
        self.0 & 0x1f
    }

    /// Bits of the code alone.
    #[inline]
    pub(crate) fn length(self) -> u32 {
        self.0 >> 5 & 0x1f
    }

    /// Which of the symbol's lines a sign bit follows for, the first in bit 0.
    #[inline]
    pub(crate) fn signs(self) -> u32 {
        self.0 >> 10 & 0xf
    }

    #[inline]
    pub(crate) fn symbol(self) -> usize {
        (self.0 >> 14 & 0x1ff) as usize
    }
}

/// Decoding table: `1 << PRIMARY` entries for the first bits, then one table for each beginning of longer codes.
///
/// An entry with `LINK` leads on: 5 bits of further length, then the offset of the second table. `SIZE` is a power of
/// two, so that an index masked by it is always inside.
pub(crate) struct Huffman<const SIZE: usize, const PRIMARY: u32> {
    entries: Box<[u32; SIZE]>,
}

const LINK: u32 = 1 << 31;

impl<const SIZE: usize, const PRIMARY: u32> Huffman<SIZE, PRIMARY> {
    /// The table of a codebook. `signs` says which lines of a symbol have a sign bit after the code.
    pub(crate) fn new(book: &Book, signs: impl Fn(usize) -> u32) -> Self {
        let mut entries = vec![0; SIZE];
        let mut end = 1usize << PRIMARY;
        for prefix in 0..1u32 << PRIMARY {
            let longer = book.codes.iter().zip(book.lengths).filter(|&(&code, &length)| {
                u32::from(length) > PRIMARY && code >> (u32::from(length) - PRIMARY) == prefix
            });
            if let Some(further) = longer.map(|(_, &length)| u32::from(length) - PRIMARY).max() {
                entries[prefix as usize] = LINK | further << 26 | end as u32;
                end += 1 << further;
            }
        }
        for (symbol, (&code, &length)) in book.codes.iter().zip(book.lengths).enumerate() {
            let (signs, length) = (signs(symbol), u32::from(length));
            let entry = (symbol as u32) << 14 | signs << 10 | length << 5 | (length + signs.count_ones());
            let (first, free) = if length <= PRIMARY {
                (code << (PRIMARY - length), PRIMARY - length)
            } else {
                let link = entries[(code >> (length - PRIMARY)) as usize];
                let (further, free) = (length - PRIMARY, (link >> 26 & 31) - (length - PRIMARY));
                ((link & 0xffff) + ((code & ((1 << further) - 1)) << free), free)
            };
            entries[first as usize..][..1 << free].fill(entry);
        }
        Self { entries: entries.try_into().expect("as long as the array") }
    }

    /// The code at the top of `window`, whose bits are the next of the stream, most significant first.
    #[inline]
    pub(crate) fn decode(&self, window: u64) -> Code {
        let entry = self.entries[(window >> (64 - PRIMARY)) as usize & (SIZE - 1)];
        if entry & LINK == 0 {
            return Code(entry);
        }
        let further = entry >> 26 & 31;
        let rest = (window << PRIMARY) >> (64 - u64::from(further));
        Code(self.entries[(entry as usize & 0xffff).wrapping_add(rest as usize) & (SIZE - 1)])
    }
}

#[cfg(test)]
mod tests {
    use crate::tables::{TABLES, codebooks};

    #[test]
    fn every_code_of_every_book_is_found_again() {
        for (book, spectral) in codebooks::SPECTRAL.iter().zip(&TABLES.spectral) {
            for (symbol, (&code, &length)) in book.codes.iter().zip(book.lengths).enumerate() {
                let found = spectral.codes.decode(u64::from(code) << (64 - length));
                assert_eq!((found.symbol(), found.length()), (symbol, u32::from(length)));
            }
        }
        let book = &codebooks::SCALE_FACTORS;
        for (symbol, (&code, &length)) in book.codes.iter().zip(book.lengths).enumerate() {
            let found = TABLES.scale_factors.decode(u64::from(code) << (64 - length));
            assert_eq!((found.symbol(), found.total()), (symbol, u32::from(length)));
        }
    }
}
