//! Joint stereo: middle and side, and intensity (ISO/IEC 14496-3 §4.6.8).

use super::{Channel, book, info::Info};
use crate::Error;
use crate::bits::Bits;

/// Which bands of a pair are coded as middle and side; in intensity bands: whose sign is turned.
pub(crate) struct Mask([bool; 128]);

impl Mask {
    pub(crate) const NONE: Mask = Mask([false; 128]);

    /// Reads ms_mask_present and ms_used.
    pub(crate) fn parse(bits: &mut Bits, info: &Info) -> Result<Mask, Error> {
        match bits.read(2) {
            0 => Ok(Mask::NONE),
            1 => {
                let mut used = [false; 128];
                for (group, ..) in info.groups() {
                    for band in 0..info.max_sfb {
                        used[(16 * group + band) & 127] = bits.flag();
                    }
                }
                Ok(Mask(used))
            }
            2 => Ok(Mask([true; 128])),
            _ => Err(Error::Malformed { what: "reserved ms_mask_present", bit: bits.position() }),
        }
    }

    fn used(&self, index: usize) -> bool {
        self.0[index & 127]
    }
}

/// Turns middle and side into left and right.
pub(crate) fn middle_side(left: &mut Channel, right: &mut Channel, mask: &Mask) {
    let info = left.info;
    each_band(&info, |index, lines| {
        let parametric = |books: &[u8; 128]| book::is_parametric(books[index & 127]);
        if !mask.used(index) || parametric(&left.books) || parametric(&right.books) {
            return;
        }
        if let (Some(left), Some(right)) = (left.lines.get_mut(lines.clone()), right.lines.get_mut(lines)) {
            for (l, r) in left.iter_mut().zip(right) {
                (*l, *r) = (*l + *r, *l - *r);
            }
        }
    });
}

/// Makes the right channel of intensity bands from the left.
pub(crate) fn intensity(left: &Channel, right: &mut Channel, mask: &Mask) {
    let info = right.info;
    each_band(&info, |index, lines| {
        let sign = match right.books[index & 127] {
            book::INTENSITY => 1.0,
            book::INTENSITY_OUT_OF_PHASE => -1.0,
            _ => return,
        };
        let sign = if mask.used(index) { -sign } else { sign };
        let scale = sign * right.scales[index & 127];
        if let (Some(left), Some(right)) = (left.lines.get(lines.clone()), right.lines.get_mut(lines)) {
            for (r, l) in right.iter_mut().zip(left) {
                *r = l * scale;
            }
        }
    });
}

/// Calls `f` with the number of each band and its lines, once for each window of its group.
pub(crate) fn each_band(info: &Info, mut f: impl FnMut(usize, core::ops::Range<usize>)) {
    for (group, first, windows) in info.groups() {
        for band in 0..info.max_sfb {
            let range = info.bands.range(band);
            for window in first..first + windows {
                f(16 * group + band, 128 * window + range.start..128 * window + range.end);
            }
        }
    }
}
