//! The 16 bytes of parity behind a packet of 204 bytes: Reed-Solomon (204, 188) over GF(256) (EN 300 429 §4.4.3).

/// Bytes of parity.
pub(super) const PARITY: usize = 16;

/// x⁸ + x⁴ + x³ + x² + 1.
const FIELD: u16 = 0x11d;

const fn times(a: u8, b: u8) -> u8 {
    let (mut product, mut factor, mut rest) = (0u16, a as u16, b);
    while rest > 0 {
        if rest & 1 == 1 {
            product ^= factor;
        }
        factor <<= 1;
        if factor & 0x100 != 0 {
            factor ^= FIELD;
        }
        rest >>= 1;
    }
    product as u8
}

/// The generator polynomial without its leading 1, the highest power first: (x + 1)(x + 2)…(x + 2¹⁵).
#[allow(clippy::indexing_slicing, reason = "evaluated at compile time, all indices are below 17")]
const GENERATOR: [u8; PARITY] = {
    // Coefficients, the lowest power first.
    let mut poly = [0u8; PARITY + 1];
    poly[0] = 1;
    let (mut root, mut degree) = (1, 0);
    while degree < PARITY {
        let mut n = degree + 1;
        while n > 0 {
            poly[n] = poly[n - 1] ^ times(poly[n], root);
            n -= 1;
        }
        poly[0] = times(poly[0], root);
        root = times(root, 2);
        degree += 1;
    }
    let mut reversed = [0; PARITY];
    let mut n = 0;
    while n < PARITY {
        reversed[n] = poly[PARITY - 1 - n];
        n += 1;
    }
    reversed
};

/// The generator times every byte.
#[allow(clippy::indexing_slicing, reason = "evaluated at compile time, the indices are below the lengths")]
static PRODUCTS: [[u8; PARITY]; 256] = {
    let mut table = [[0; PARITY]; 256];
    let mut byte = 0;
    while byte < 256 {
        let mut n = 0;
        while n < PARITY {
            table[byte][n] = times(byte as u8, GENERATOR[n]);
            n += 1;
        }
        byte += 1;
    }
    table
};

/// The parity of a packet of 188 bytes.
pub(super) fn parity(packet: &[u8]) -> [u8; PARITY] {
    let mut rest = [0u8; PARITY];
    for byte in packet {
        let [first, ..] = rest;
        rest.rotate_left(1);
        if let Some(last) = rest.last_mut() {
            *last = 0;
        }
        let products = PRODUCTS.get(usize::from(byte ^ first)).unwrap_or(&[0; PARITY]);
        rest.iter_mut().zip(products).for_each(|(rest, product)| *rest ^= product);
    }
    rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_packet_with_its_parity_has_all_roots() {
        let packet: [u8; 188] = core::array::from_fn(|n| (n * 37 + 71) as u8);
        let word: alloc::vec::Vec<u8> = packet.into_iter().chain(parity(&packet)).collect();
        let mut root = 1;
        for _ in 0..PARITY {
            let value = word.iter().fold(0, |value, byte| times(value, root) ^ byte);
            assert_eq!(value, 0, "root {root}");
            root = times(root, 2);
        }
    }
}
