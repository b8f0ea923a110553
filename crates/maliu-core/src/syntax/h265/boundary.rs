//! Where access units begin: the first NAL unit behind a picture that may stand before the next one
//! (ISO/IEC 23008-2 §7.4.2.4.4).

use super::{Header, kind};

/// Follows NAL units and says which of them begin an access unit.
#[derive(Clone, Debug, Default)]
pub struct AccessUnits {
    /// End of sequence and end of bitstream end a unit, as the standard says; else they begin one, as the reference has
    /// it.
    strict: bool,
    /// A slice segment of the unit was met.
    started: bool,
}

impl AccessUnits {
    /// `strict`: end of sequence and end of bitstream stay with the picture before.
    pub fn new(strict: bool) -> Self {
        Self { strict, started: false }
    }

    /// Whether the NAL unit of which `head` is the front begins an access unit; it is then noted. `None`, with nothing
    /// noted: more of it decides, which does not happen when it is `whole` or has 3 bytes. Units of other layers than
    /// the base layer begin none.
    pub fn begins(&mut self, head: &[u8], whole: bool) -> Option<bool> {
        if head.len() <= Header::SIZE && !whole {
            return None;
        }
        let Some(header) = Header::of(head).filter(|header| header.nuh_layer_id == 0) else { return Some(false) };
        Some(match header.nal_unit_type {
            _ if header.is_slice() => {
                let first_slice_segment_in_pic_flag = head.get(Header::SIZE).is_some_and(|byte| byte & 0x80 != 0);
                let begins = first_slice_segment_in_pic_flag && self.started;
                self.started |= first_slice_segment_in_pic_flag;
                begins
            }
            kind::EOS | kind::EOB if self.strict => false,
            kind::VPS..=kind::EOB | kind::PREFIX_SEI | 41..=44 | 48..=55 => core::mem::take(&mut self.started),
            _ => false,
        })
    }

    /// The unit ends here whatever follows.
    pub fn end(&mut self) {
        self.started = false;
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::*;

    #[test]
    fn first_segments_and_what_stands_before_them_begin_units() {
        let nals: [(&[u8], bool, bool); 8] = [
            (&[0x40, 1, 0], false, false),    // VPS
            (&[0x26, 1, 0xaf], false, false), // IDR, first segment
            (&[0x26, 1, 0x2f], false, false), // IDR, another segment
            (&[0x50, 1, 0x80], false, false), // suffix SEI
            (&[0x02, 1, 0xd0], true, true),   // TRAIL_R, first segment
            (&[0x48, 1, 0], true, false),     // end of sequence
            (&[0x4e, 1, 0], false, true),     // prefix SEI
            (&[0x02, 9, 0xd0], false, false), // of layer 1
        ];
        for strict in [false, true] {
            let mut units = AccessUnits::new(strict);
            let got: Vec<_> = nals.iter().map(|(nal, ..)| units.begins(nal, true)).collect();
            let expected: Vec<_> =
                nals.iter().map(|(_, loose, tight)| Some(if strict { *tight } else { *loose })).collect();
            assert_eq!(got, expected, "strict {strict}");
        }
    }
}
