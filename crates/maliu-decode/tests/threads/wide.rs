//! Units of AAC that say of themselves how many channels they have.

/// A unit of 64 channels and 15 that are coupled into them: a program config element, a single channel without a line,
/// `more`, and the end.
pub(crate) fn unit(more: &[u8]) -> Vec<u8> {
    let mut bits = Bits(String::new());
    bits.put(5, 3); // ID_PCE
    bits.put(0, 4); // element_instance_tag
    bits.put(1, 2); // object_type
    bits.put(4, 4); // sampling_frequency_index
    [15, 15, 1].into_iter().for_each(|count| bits.put(count, 4)); // front, side, back
    bits.put(3, 2); // LFE
    bits.put(0, 3); // data
    bits.put(15, 4); // coupling
    bits.put(0, 3); // no mixdown
    (0..30).for_each(|pair| bits.put(0x10 | pair & 15, 5));
    bits.put(0, 5);
    (0..3).for_each(|tag| bits.put(tag, 4));
    (0..15).for_each(|tag| bits.put(tag, 5));
    bits.align();
    bits.put(0, 8); // no comment
    bits.put(0, 3 + 4); // ID_SCE
    bits.put(100, 8); // global_gain
    bits.put(0, 14); // max_sfb and all flags
    more.iter().for_each(|byte| bits.put((*byte).into(), 8));
    bits.put(7, 3); // ID_END
    bits.align();
    bits.0.as_bytes().chunks(8).map(|byte| byte.iter().fold(0, |value, bit| value << 1 | (bit & 1))).collect()
}

/// Bits as they are written down: zeros and ones.
struct Bits(String);

impl Bits {
    fn put(&mut self, value: u32, count: usize) {
        self.0 += &format!("{value:0count$b}");
    }

    fn align(&mut self) {
        self.0 += &"0".repeat(self.0.len().wrapping_neg() % 8);
    }
}
