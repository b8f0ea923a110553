//! Where access units are not cut as by the reference, on purpose (docs/differences.md).

use std::task::Poll;

use maliu_core::{
    error::Error,
    formats,
    input::Input,
    reader::PacketReader,
    syntax::annexb::{self, MAX_UNIT},
};

use crate::corpus::packets;

/// Baseline, level 1, 64×64 (16 macroblocks), picture order as coded; one picture parameter set.
const SETS: &[&[u8]] = &[&[0x67, 66, 0, 10, 0xda, 0x10, 0x99], &[0x68, 0xce, 0x38, 0x80]];

/// A slice: nal_unit_type and reference, first macroblock, frame_num.
fn slice(head: u8, first_mb: u32, frame_num: u8) -> Vec<u8> {
    let mut bits = String::new();
    let mut ue = |value: u32| {
        let code = format!("{:b}", value + 1);
        bits += &"0".repeat(code.len() - 1);
        bits += &code;
    };
    ue(first_mb);
    ue(0);
    ue(0);
    bits += &format!("{frame_num:04b}");
    bits += "1111000011110000111100001111";
    let byte = |chunk: &[u8]| chunk.iter().fold(0u8, |byte, bit| byte << 1 | (bit - b'0'));
    let mut nal = vec![head];
    nal.extend(bits.as_bytes().chunks_exact(8).map(byte));
    nal.push(0x80);
    nal
}

/// Sizes of the packets, in NAL units, of sets and slices.
fn cut(slices: &[Vec<u8>], settings: &[(&str, &str)]) -> Vec<usize> {
    let nals = SETS.iter().map(|set| set.to_vec()).chain(slices.iter().cloned());
    let data: Vec<u8> = nals.flat_map(|nal| [vec![0, 0, 1], nal].concat()).collect();
    let all = packets(&formats::h264::FORMAT, settings, &data, usize::MAX);
    all.iter().map(|packet| annexb::units(&packet.data).count()).collect()
}

#[test]
fn slices_in_any_order_make_one_picture() {
    // The reference cuts before each slice that does not lie below the one before (PAR-3).
    assert_eq!(cut(&[slice(0x41, 0, 1), slice(0x41, 8, 1), slice(0x41, 4, 1), slice(0x41, 0, 2)], &[]), [5, 1]);
}

#[test]
fn a_lost_first_slice_does_not_join_two_pictures() {
    // The reference joins them: 8 lies below 4.
    assert_eq!(cut(&[slice(0x41, 0, 1), slice(0x41, 4, 1), slice(0x41, 8, 2), slice(0x41, 12, 2)], &[]), [4, 2]);
}

#[test]
fn a_repeated_first_macroblock_is_another_picture_whatever_its_header_says() {
    assert_eq!(cut(&[slice(0x41, 0, 1), slice(0x41, 4, 1), slice(0x41, 0, 1)], &[]), [4, 1]);
}

#[test]
fn prefix_units_stay_behind_as_in_the_reference_unless_strict() {
    let slices = [slice(0x41, 0, 1), vec![0x6e, 0x80, 0x80, 0x80], slice(0x41, 0, 2)];
    assert_eq!(cut(&slices, &[]), [4, 1]);
    assert_eq!(cut(&slices, &[("strict", "1")]), [3, 2]);
}

#[test]
fn a_unit_without_end_is_an_error_however_it_comes() {
    for size in [1 << 16, 3 << 20] {
        let mut reader = PacketReader::of(&formats::h264::FORMAT, &[]).unwrap();
        let (mut input, noise) = (Input::new(), vec![0x55; size]);
        input.push(&[0, 0, 1, 0x65]);
        let mut fed = 0;
        let end = loop {
            match reader.poll(&mut input) {
                Ok(Poll::Pending) => input.push(&noise),
                other => break other,
            }
            fed += size;
            assert!(fed <= MAX_UNIT + 2 * size);
        };
        assert!(matches!(end, Err(Error::Limit { .. })), "{end:?}");
    }
}
