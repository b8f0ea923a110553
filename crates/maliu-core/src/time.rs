//! Instants and spans in ticks, time bases, and the exact conversion between them (WF-1).

use core::{cmp::Ordering, fmt, num::NonZeroU32, ops, time::Duration};

/// An instant or a span, counted in a [`TimeBase`]. Arithmetic saturates, here and nowhere else.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticks(pub i64);

impl Ticks {
    /// `seconds` in ticks of `base`, rounded to the nearest. Saturates; a value that is not a number counts as 0.
    ///
    /// ```
    /// use maliu_core::time::{Ticks, TimeBase};
    ///
    /// assert_eq!(Ticks::from_seconds(1.5, TimeBase::MILLIS), Ticks(1500));
    /// ```
    pub fn from_seconds(seconds: f64, base: TimeBase) -> Self {
        let exact = seconds * f64::from(base.den.get()) / f64::from(base.num.get());
        // A cast rounds towards zero and saturates.
        Self((exact + if exact < 0.0 { -0.5 } else { 0.5 }) as i64)
    }

    /// `duration` in ticks of `base`, rounded to the nearest. Saturates.
    pub fn from_duration(duration: Duration, base: TimeBase) -> Self {
        let nanos = Self(i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX));
        TimeBase::NANOS.rescale(nanos, base, Rounding::Near)
    }
}

impl ops::Add for Ticks {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl ops::Sub for Ticks {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl ops::Neg for Ticks {
    type Output = Self;
    fn neg(self) -> Self {
        Self(self.0.saturating_neg())
    }
}

impl ops::AddAssign for Ticks {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl fmt::Display for Ticks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Which neighbour a value between two ticks becomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rounding {
    /// The nearest; halves go away from zero.
    Near,
    /// Towards +∞.
    Up,
    /// Towards -∞.
    Down,
    /// Towards zero.
    Zero,
}

/// The length of one tick: `num / den` seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TimeBase {
    /// Numerator, in seconds.
    pub num: NonZeroU32,
    /// Denominator.
    pub den: NonZeroU32,
}

impl TimeBase {
    /// The base that a stream was declared with: what a packet has until something else is set.
    /// No length by itself: readers put the real one in its place, and writers take the stream's.
    pub const OF_STREAM: Self = Self { num: NonZeroU32::MAX, den: NonZeroU32::MAX };
    /// One second.
    pub const SECONDS: Self = Self::per_second(NonZeroU32::MIN);
    /// One millisecond.
    pub const MILLIS: Self = Self::hz(1000);
    /// One microsecond.
    pub const MICROS: Self = Self::hz(1_000_000);
    /// One nanosecond.
    pub const NANOS: Self = Self::hz(1_000_000_000);

    /// `num / den` seconds; `None` when either is 0.
    pub fn new(num: u32, den: u32) -> Option<Self> {
        Some(Self { num: NonZeroU32::new(num)?, den: NonZeroU32::new(den)? })
    }

    /// `1 / rate` seconds.
    pub const fn per_second(rate: NonZeroU32) -> Self {
        Self { num: NonZeroU32::MIN, den: rate }
    }

    /// `1 / rate` seconds; a rate of 0 counts as 1.
    pub const fn hz(rate: u32) -> Self {
        match NonZeroU32::new(rate) {
            Some(rate) => Self::per_second(rate),
            None => Self { num: NonZeroU32::MIN, den: NonZeroU32::MIN },
        }
    }

    /// `time` of this base in ticks of `to`: exact 128-bit arithmetic, one rounding, saturating at the ends of `i64`.
    #[inline]
    pub fn rescale(self, time: Ticks, to: Self, rounding: Rounding) -> Ticks {
        if self == to {
            return time;
        }
        let num = u64::from(self.num.get()).wrapping_mul(u64::from(to.den.get()));
        let den = u64::from(self.den.get()).wrapping_mul(u64::from(to.num.get()));
        Ticks(scale(time.0, num, den, rounding))
    }

    /// `time` of this base in seconds, for display.
    pub fn seconds(self, time: Ticks) -> f64 {
        time.0 as f64 * f64::from(self.num.get()) / f64::from(self.den.get())
    }

    /// `time` of this base as a span; what is negative becomes zero.
    pub fn duration(self, time: Ticks) -> Duration {
        let nanos = self.rescale(time, Self::NANOS, Rounding::Near);
        Duration::from_nanos(u64::try_from(nanos.0).unwrap_or(0))
    }

    /// Which of two times comes first, exactly, across bases.
    pub fn compare(a: Ticks, a_base: Self, b: Ticks, b_base: Self) -> Ordering {
        // |i64| · u32 · u32 < 2^127: the products are exact.
        let left = i128::from(a.0) * (i128::from(a_base.num.get()) * i128::from(b_base.den.get()));
        let right = i128::from(b.0) * (i128::from(b_base.num.get()) * i128::from(a_base.den.get()));
        left.cmp(&right)
    }
}

impl Default for TimeBase {
    /// [`TimeBase::OF_STREAM`].
    fn default() -> Self {
        Self::OF_STREAM
    }
}

impl fmt::Display for TimeBase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.num, self.den)
    }
}

/// `value · num / den`, exactly, in `i64`, saturating; `den` of 0 counts as 1.
pub fn scale(value: i64, num: u64, den: u64, rounding: Rounding) -> i64 {
    // Nearly all times fit 64 bits, where division is many times faster.
    if let (Ok(num), Ok(den)) = (i64::try_from(num), i64::try_from(den.max(1)))
        && let Some(product) = value.checked_mul(num)
    {
        return ratio_64(product, den, rounding);
    }
    // |i64| · u64 < 2^127: the product is exact.
    ratio(i128::from(value) * i128::from(num), i128::from(den.max(1)), rounding)
}

fn ratio_64(value: i64, den: i64, rounding: Rounding) -> i64 {
    let (floor, rest) = (value.div_euclid(den), value.rem_euclid(den));
    let up = match rounding {
        Rounding::Down => false,
        Rounding::Up => rest > 0,
        Rounding::Zero => rest > 0 && value < 0,
        Rounding::Near => match rest.cmp(&(den - rest)) {
            Ordering::Greater => true,
            Ordering::Equal => value > 0,
            Ordering::Less => false,
        },
    };
    floor.saturating_add(i64::from(up))
}

fn ratio(value: i128, den: i128, rounding: Rounding) -> i64 {
    let (floor, rest) = split(value, den);
    let up = match rounding {
        Rounding::Down => false,
        Rounding::Up => rest > 0,
        Rounding::Zero => rest > 0 && value < 0,
        Rounding::Near => {
            let twice = rest.saturating_mul(2);
            twice > den || (twice == den && value > 0)
        }
    };
    let exact = floor.saturating_add(i128::from(up));
    i64::try_from(exact).unwrap_or(if exact < 0 { i64::MIN } else { i64::MAX })
}

/// The whole multiples of `den` below `value`, and what remains. Divides in 64 bits where that is enough: it is ten times
/// as fast, and nearly always enough.
pub(crate) fn split(value: i128, den: i128) -> (i128, i128) {
    match (i64::try_from(value), i64::try_from(den)) {
        (Ok(value), Ok(den)) if den > 0 => (value.div_euclid(den).into(), value.rem_euclid(den).into()),
        _ => (value.div_euclid(den), value.rem_euclid(den)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounding_follows_its_name_on_both_sides_of_zero() {
        let halves = TimeBase::new(1, 2).unwrap();
        let to = |ticks, rounding| halves.rescale(Ticks(ticks), TimeBase::SECONDS, rounding).0;
        for (ticks, near, up, down, zero) in
            [(3, 2, 2, 1, 1), (-3, -2, -1, -2, -1), (2, 1, 1, 1, 1), (-1, -1, 0, -1, 0)]
        {
            let got = [Rounding::Near, Rounding::Up, Rounding::Down, Rounding::Zero].map(|r| to(ticks, r));
            assert_eq!(got, [near, up, down, zero], "{ticks} halves");
        }
    }

    #[test]
    fn short_and_long_division_agree() {
        for rounding in [Rounding::Near, Rounding::Up, Rounding::Down, Rounding::Zero] {
            for value in [i64::MIN, -1001, -3, -2, -1, 0, 1, 2, 3, 500, i64::MAX] {
                for den in [1, 2, 3, 1000, i64::MAX] {
                    let long = ratio(i128::from(value), i128::from(den), rounding);
                    assert_eq!(ratio_64(value, den, rounding), long, "{value}/{den} {rounding:?}");
                }
            }
        }
    }

    #[test]
    fn seconds_and_durations_become_the_nearest_tick() {
        for (seconds, ticks) in [(0.0, 0), (0.0004, 0), (0.0006, 1), (-0.0006, -1), (1e300, i64::MAX), (f64::NAN, 0)] {
            assert_eq!(Ticks::from_seconds(seconds, TimeBase::MILLIS), Ticks(ticks), "{seconds}");
        }
        let half = Duration::from_millis(1500);
        assert_eq!(Ticks::from_duration(half, TimeBase::SECONDS), Ticks(2));
        assert_eq!(Ticks::from_duration(half, TimeBase::hz(90_000)), Ticks(135_000));
        assert_eq!(TimeBase::hz(90_000).duration(Ticks(135_000)), half);
        assert_eq!(TimeBase::SECONDS.duration(Ticks(-1)), Duration::ZERO);
    }

    #[test]
    fn out_of_range_saturates() {
        assert_eq!(TimeBase::SECONDS.rescale(Ticks(i64::MAX / 2), TimeBase::MICROS, Rounding::Near), Ticks(i64::MAX));
        assert_eq!(TimeBase::SECONDS.rescale(Ticks(i64::MIN), TimeBase::MICROS, Rounding::Near), Ticks(i64::MIN));
        assert_eq!(Ticks(i64::MAX) + Ticks(1), Ticks(i64::MAX));
    }

    #[test]
    fn times_compare_exactly_across_bases() {
        let third = TimeBase::hz(3);
        assert_eq!(TimeBase::compare(Ticks(1), third, Ticks(333), TimeBase::MILLIS), Ordering::Greater);
        assert_eq!(TimeBase::compare(Ticks(3), third, Ticks(1000), TimeBase::MILLIS), Ordering::Equal);
        assert_eq!(TimeBase::compare(Ticks(i64::MIN), TimeBase::SECONDS, Ticks(i64::MAX), third), Ordering::Less);
    }
}
