//! Tables of the standard, and those computed from its formulas once for all decoders (ISO/IEC 14496-3 §4.A).

pub(crate) mod bands;
pub(crate) mod codebooks;
#[allow(clippy::excessive_precision)] // As the standard prints them.
pub(crate) mod eld;

use crate::huffman::Huffman;
use std::sync::LazyLock;

/// Tables for the syntax of a channel stream.
pub(crate) struct Tables {
    /// Scale factor differences: the symbol is the difference plus 60.
    pub(crate) scale_factors: Huffman<2048, 9>,
    /// Codebooks 1 to 11.
    pub(crate) spectral: [Spectral; 11],
    /// q^(4/3) for each magnitude an escape can say.
    pub(crate) powers: Box<[f32; 8192]>,
    /// 2^((i - 200) / 4).
    pub(crate) gains: [f32; 512],
}

/// A spectral codebook with the dequantised lines of each symbol.
pub(crate) struct Spectral {
    pub(crate) codes: Huffman<1024, 8>,
    /// Lines of each symbol; only the first two for books of pairs.
    pub(crate) lines: Box<[[f32; 4]; 512]>,
}

/// The tables, made at their first use.
pub(crate) static TABLES: LazyLock<Tables> = LazyLock::new(Tables::new);

impl Tables {
    fn new() -> Tables {
        let powers: Vec<f32> = (0..8192).map(|q| f64::from(q).powf(4.0 / 3.0) as f32).collect();
        Tables {
            scale_factors: Huffman::new(&codebooks::SCALE_FACTORS, |_| 0),
            spectral: core::array::from_fn(Spectral::new),
            powers: powers.try_into().expect("8192 powers were made"),
            gains: core::array::from_fn(|i| ((i as f64 - 200.0) / 4.0).exp2() as f32),
        }
    }
}

/// How the symbols of a codebook count (table 4.A.1): lines each, values a line can take, and the least of them.
const SHAPES: [(u32, u32, i32); 11] = [
    (4, 3, -1),
    (4, 3, -1),
    (4, 3, 0),
    (4, 3, 0),
    (2, 9, -4),
    (2, 9, -4),
    (2, 8, 0),
    (2, 8, 0),
    (2, 13, 0),
    (2, 13, 0),
    (2, 17, 0),
];

impl Spectral {
    fn new(index: usize) -> Spectral {
        let (lines, values, least) = SHAPES[index];
        let line = |symbol: usize, i: u32| (symbol as u32 / values.pow(lines - 1 - i) % values) as i32 + least;
        let signs = |symbol| {
            if least < 0 {
                return 0;
            }
            (0..lines).filter(|&i| line(symbol, i) != 0).fold(0, |mask, i| mask | 1 << i)
        };
        let mut found = Box::new([[0.0; 4]; 512]);
        for (symbol, entry) in found.iter_mut().enumerate().take(values.pow(lines) as usize) {
            for (i, value) in (0..lines).zip(entry.iter_mut()) {
                let q = f64::from(line(symbol, i));
                *value = (q.abs().powf(4.0 / 3.0) * q.signum()) as f32 * f32::from(q != 0.0);
            }
        }
        Spectral { codes: Huffman::new(&codebooks::SPECTRAL[index], signs), lines: found }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codebooks_are_complete_and_say_each_symbol_once() {
        let books = codebooks::SPECTRAL.iter().chain([&codebooks::SCALE_FACTORS]);
        for (book, size) in books.zip([81, 81, 81, 81, 81, 81, 64, 64, 169, 169, 289, 121]) {
            assert_eq!((book.codes.len(), book.lengths.len()), (size, size));
            let kraft: u32 = book.lengths.iter().map(|&l| 1 << (19 - l)).sum();
            assert_eq!(kraft, 1 << 19, "every sequence of bits is a code");
            for (i, (&a, &la)) in book.codes.iter().zip(book.lengths).enumerate() {
                for (&b, &lb) in book.codes.iter().zip(book.lengths).skip(i + 1) {
                    let shorter = la.min(lb);
                    assert_ne!(a >> (la - shorter), b >> (lb - shorter), "no code begins another");
                }
            }
        }
    }

    #[test]
    fn symbols_count_lines_from_the_first() {
        assert_eq!(TABLES.spectral[0].lines[0], [-1.0; 4]);
        assert_eq!(TABLES.spectral[2].lines[1], [0.0, 0.0, 0.0, 1.0]);
        assert_eq!(TABLES.spectral[4].lines[9 * 8], [6.349_604, -6.349_604, 0.0, 0.0]);
        assert_eq!(TABLES.gains[200], 1.0);
    }
}
