//! Whether bytes are a program stream.

use crate::{format::Score, syntax::annexb::StartCodes};

/// Bytes within which the first pack must begin.
const MAX_JUNK: usize = 64 << 10;

/// Bytes of a pack header of MPEG-2 without stuffing, and of MPEG-1.
const PACK: [usize; 2] = [14, 12];

pub(super) fn probe(bytes: &[u8]) -> Score {
    match pack(bytes) {
        Pack::Good => return Score::Sure("a pack at the start"),
        Pack::Cut => return Score::More("a pack header at the start"),
        Pack::None => {}
    }
    let codes = StartCodes::default();
    let (mut from, mut packs) = (0, 0);
    while let Some(at) = codes.find(bytes, from).filter(|at| *at < MAX_JUNK) {
        packs += usize::from(matches!(pack(bytes.get(at..).unwrap_or_default()), Pack::Good));
        if packs == 3 {
            return Score::Maybe("packs behind what could be the rest of one");
        }
        from = at + 3;
    }
    if bytes.len() < MAX_JUNK { Score::More("no packs so far") } else { Score::No("no packs") }
}

enum Pack {
    Good,
    Cut,
    None,
}

/// Whether a pack header with a start code behind it stands at the front.
fn pack(bytes: &[u8]) -> Pack {
    let known = bytes.iter().zip([0, 0, 1, 0xba]).all(|(byte, code)| *byte == code);
    if !known {
        return Pack::None;
    }
    let size = match bytes.get(4) {
        None => return Pack::Cut,
        Some(first) if first >> 6 == 1 => match bytes.get(13) {
            Some(last) => PACK[0] + usize::from(last & 7),
            None => return Pack::Cut,
        },
        Some(first) if first >> 4 == 2 => PACK[1],
        Some(_) => return Pack::None,
    };
    match bytes.get(size..) {
        Some([0, 0, 1, 0xb9..=0xff, ..]) => Pack::Good,
        Some(rest) if rest.len() >= 4 => Pack::None,
        _ => Pack::Cut,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pack_with_a_packet_behind_it_is_sure() {
        let new = [0, 0, 1, 0xba, 0x44, 0, 4, 0, 4, 1, 0, 0, 3, 0xf8, 0, 0, 1, 0xe0];
        let old = [0, 0, 1, 0xba, 0x21, 0, 1, 0, 1, 0x80, 0, 1, 0, 0, 1, 0xc0];
        assert_eq!([probe(&new).level(), probe(&old).level(), probe(&new[..17]).level()], [3, 3, 1]);
        assert_eq!(probe(&[0, 0, 1, 0xba, 0xff, 0, 0]).level(), 1);
        assert_eq!(probe(&[7; 70_000]).level(), 0);
    }
}
