//! Short-term reference picture sets, read to get past them (ISO/IEC 23008-2 §7.3.7, §7.4.8).

use alloc::vec::Vec;

use crate::bits::Bits;

/// Order differences of the pictures in one set, first the earlier ones from near to far, then the later ones.
pub(super) type Deltas = Vec<i32>;

/// Most pictures in a set.
const MAX_PICTURES: u32 = 16;

/// The set of index `index` that follows `before` in a sequence parameter set.
pub(super) fn parse(bits: &mut Bits<'_>, index: usize, before: &[Deltas]) -> Option<Deltas> {
    if index > 0 && bits.flag()? {
        return predicted(bits, before.last()?);
    }
    let (negative, positive) = (bits.ue()?, bits.ue()?);
    if negative > MAX_PICTURES || positive > MAX_PICTURES {
        return None;
    }
    let mut deltas = Vec::with_capacity((negative + positive) as usize);
    for (count, sign) in [(negative, -1), (positive, 1)] {
        let mut delta = 0i32;
        for _ in 0..count {
            let step = bits.ue().filter(|minus1| *minus1 < 1 << 15)? as i32 + 1;
            delta += sign * step;
            deltas.push(delta);
            let _used_by_curr_pic_flag = bits.flag()?;
        }
    }
    Some(deltas)
}

/// A set coded as the differences of another one, shifted.
fn predicted(bits: &mut Bits<'_>, reference: &Deltas) -> Option<Deltas> {
    let sign = if bits.flag()? { -1 } else { 1 };
    let shift = sign * (bits.ue().filter(|minus1| *minus1 < 1 << 15)? as i32 + 1);
    let mut kept = Vec::with_capacity(reference.len() + 1);
    for delta in reference.iter().copied().chain([0]) {
        let used_by_curr_pic_flag = bits.flag()?;
        if used_by_curr_pic_flag || bits.flag()? {
            kept.push(delta.checked_add(shift)?);
        }
    }
    kept.retain(|delta| *delta != 0);
    kept.sort_unstable_by_key(|delta| (*delta > 0, delta.unsigned_abs()));
    (kept.len() <= MAX_PICTURES as usize).then_some(kept)
}
