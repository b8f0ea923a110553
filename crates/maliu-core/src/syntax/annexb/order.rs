//! The high part of picture order counts, of which slices carry only the low bits.

/// PicOrderCntMsb of a picture with low part `lsb` of `max_lsb`, behind the picture of which `prev` is the high and the
/// low part (ISO/IEC 14496-10 §8.2.1.1, 23008-2 §8.3.1).
pub(in crate::syntax) fn order_msb(lsb: i64, max_lsb: i64, prev: (i64, i64)) -> i64 {
    let (prev_msb, prev_lsb) = prev;
    if lsb < prev_lsb && prev_lsb - lsb >= max_lsb / 2 {
        prev_msb.saturating_add(max_lsb)
    } else if lsb > prev_lsb && lsb - prev_lsb > max_lsb / 2 {
        prev_msb.saturating_sub(max_lsb)
    } else {
        prev_msb
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_high_part_follows_the_shorter_way_round() {
        for (lsb, prev, expected) in [(4, (32, 2), 32), (1, (32, 15), 48), (15, (32, 1), 16), (8, (32, 0), 32)] {
            assert_eq!(order_msb(lsb, 16, prev), expected, "{lsb} behind {prev:?}");
        }
    }
}
