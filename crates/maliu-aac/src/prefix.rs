//! Prefix codes as binary trees made at compile time (ISO/IEC 14496-3 annex 4.A).

use crate::bits::Bits;

/// A complete prefix code. Each node has a child for bit 0 and one for bit 1: another node, or !symbol when negative.
pub(crate) type Code = [[i16; 2]];

/// The longest code word of SBR and parametric stereo, in bits.
const LONGEST: u32 = 20;

/// Makes the tree of a code from (length, code word) by symbol. A code that is not complete does not compile.
pub(crate) const fn tree<const SYMBOLS: usize, const NODES: usize>(words: &[(u8, u32); SYMBOLS]) -> [[i16; 2]; NODES] {
    assert!(NODES + 1 == SYMBOLS, "a complete code has one node less than symbols");
    let mut nodes = [[0; 2]; NODES];
    let mut used = 1;
    let mut symbol = 0;
    while symbol < SYMBOLS {
        let (length, word) = words[symbol];
        let (mut node, mut left) = (0, length);
        while left > 1 {
            left -= 1;
            let bit = (word >> left & 1) as usize;
            if nodes[node][bit] == 0 {
                nodes[node][bit] = used;
                used += 1;
            }
            node = nodes[node][bit] as usize;
        }
        let bit = (word & 1) as usize;
        assert!(nodes[node][bit] == 0, "a code word is the start of another");
        nodes[node][bit] = !(symbol as i16);
        symbol += 1;
    }
    nodes
}

/// Takes one code word and returns its symbol.
#[inline]
pub(crate) fn symbol(code: &Code, bits: &mut Bits) -> i32 {
    let word = bits.peek(LONGEST);
    let (mut node, mut left) = (0, LONGEST);
    loop {
        left -= 1;
        let next = code[node][(word >> left & 1) as usize];
        if next < 0 {
            bits.skip((LONGEST - left) as usize);
            return i32::from(!next);
        }
        node = next as usize;
    }
}
