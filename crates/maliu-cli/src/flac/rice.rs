//! Rice codes of the differences that a predictor leaves (RFC 9639 §9.2.7).

use super::bits::Bits;

/// How differences are coded: partitions of equal length, each with a parameter.
pub(super) struct Plan {
    order: u32,
    parameters: Vec<u32>,
    /// Bits of all partitions, nearly.
    pub bits: u64,
}

/// Most partitions, as a power of two.
const MOST: u32 = 6;

impl Plan {
    /// The best plan for the differences of a block of `block` samples, of which the first `order` are not coded.
    pub(super) fn best(residual: &[i64], block: usize, order: usize) -> Self {
        let fits = |parts: &u32| block.is_multiple_of(1 << parts) && block >> parts > order;
        let plans = (0..=MOST).filter(fits).map(|parts| Self::with(residual, block, order, parts));
        plans.min_by_key(|plan| plan.bits).unwrap_or(Self { order: 0, parameters: vec![0], bits: u64::MAX })
    }

    fn with(residual: &[i64], block: usize, order: usize, parts: u32) -> Self {
        let (mut parameters, mut bits) = (Vec::new(), 0);
        for part in partitions(residual, block, order, parts) {
            let sum: u64 = part.iter().map(|value| folded(*value)).sum();
            let mean = sum / (part.len() as u64).max(1);
            let parameter = mean.checked_ilog2().unwrap_or(0).min(30);
            bits += part.len() as u64 * u64::from(parameter + 1) + (sum >> parameter) + 5;
            parameters.push(parameter);
        }
        Self { order: parts, parameters, bits }
    }

    /// Writes the differences.
    pub(super) fn write(&self, out: &mut Bits, residual: &[i64], block: usize, order: usize) {
        let wide = self.parameters.iter().any(|parameter| *parameter > 14);
        out.put(wide.into(), 2);
        out.put(self.order.into(), 4);
        for (part, parameter) in partitions(residual, block, order, self.order).zip(&self.parameters) {
            out.put((*parameter).into(), if wide { 5 } else { 4 });
            for value in part {
                let value = folded(*value);
                out.unary(value >> parameter);
                out.put(value, *parameter);
            }
        }
    }
}

/// The first partition lacks the samples that are not coded.
fn partitions(residual: &[i64], block: usize, order: usize, parts: u32) -> impl Iterator<Item = &[i64]> {
    let length = block >> parts;
    let (first, rest) = residual.split_at((length - order).min(residual.len()));
    std::iter::once(first).chain(rest.chunks(length))
}

/// Signs folded into the lowest bit: 0, -1, 1, -2, …
fn folded(value: i64) -> u64 {
    (value << 1 ^ value >> 63) as u64
}
