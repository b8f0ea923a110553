//! Units: nanoseconds as time bases, samples and frame rates.

use crate::time::{Rounding, Ticks, TimeBase};

/// `nanos` nanoseconds as a time base; `None` where it does not fit.
pub(super) fn base(nanos: u64) -> Option<TimeBase> {
    let divisor = gcd(nanos, 1_000_000_000).max(1);
    let (num, den) = (u32::try_from(nanos / divisor).ok()?, u32::try_from(1_000_000_000 / divisor).ok()?);
    TimeBase::new(num, den)
}

/// The greatest common divisor; 0 of two zeros.
pub(super) fn gcd(mut a: u64, mut b: u64) -> u64 {
    while b > 0 {
        (a, b) = (b, a % b);
    }
    a
}

/// Nanoseconds as samples of `rate` per second; 0 where they do not fit.
pub(super) fn samples(nanos: u64, rate: u32) -> u32 {
    let nanos = Ticks(i64::try_from(nanos).unwrap_or(i64::MAX));
    let samples = TimeBase::NANOS.rescale(nanos, TimeBase::hz(rate), Rounding::Near).0;
    if rate == 0 { 0 } else { u32::try_from(samples).ok().filter(|samples| *samples < 1 << 22).unwrap_or(0) }
}

/// Frames per second of frames that last this many nanoseconds: the simplest fraction that comes near.
pub(super) fn frame_rate(nanos: u64) -> Option<(u32, u32)> {
    if !(1_000_000..=60_000_000_000).contains(&nanos) {
        return None;
    }
    for den in [1u64, 1001, 2, 3, 4] {
        let scaled = if den == 1001 { 1000 } else { 1 };
        // Rates of 1001 are counted in thousandths.
        let num = (den * 1_000_000_000 + nanos / 2) / nanos;
        let num = if scaled == 1000 { (num + 500) / 1000 * 1000 } else { num };
        let exact = (num > 0).then(|| den * 1_000_000_000 / num)?;
        if exact.abs_diff(nanos) <= nanos / 200_000 + 1 {
            return Some((u32::try_from(num).ok()?, den as u32));
        }
    }
    let divisor = gcd(1_000_000_000, nanos);
    Some(((1_000_000_000 / divisor) as u32, u32::try_from(nanos / divisor).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frame_rates_are_simple_fractions() {
        for (nanos, rate) in [
            (40_000_000, Some((25, 1))),
            (33_366_666, Some((30_000, 1001))),
            (41_708_333, Some((24_000, 1001))),
            (16_683_333, Some((60_000, 1001))),
            (16_666_666, Some((60, 1))),
            (80_000_000, Some((25, 2))),
            (0, None),
            (1, None),
        ] {
            assert_eq!(frame_rate(nanos), rate, "{nanos}");
        }
    }

    #[test]
    fn bases_and_samples_have_limits() {
        assert_eq!(base(1_000_000), Some(TimeBase::MILLIS));
        assert_eq!(base(22_674).map(|base| (base.num.get(), base.den.get())), Some((11_337, 500_000_000)));
        assert_eq!((base(0), base(u64::MAX)), (None, None));
        assert_eq!((samples(6_500_000, 48_000), samples(u64::MAX, 48_000), samples(1, 0)), (312, 0, 0));
    }
}
