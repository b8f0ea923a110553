//! Why parameter sets and slice headers are refused: the field, its value and its range.

use maliu_core::{
    remark::Refusal,
    syntax::{h264, h265},
};

/// ue(v) of a number (ISO/IEC 14496-10 §9.1).
fn ue(value: u32) -> String {
    let code = format!("{:b}", value + 1);
    "0".repeat(code.len() - 1) + &code
}

/// A unit: its header, then fields as bits, spaces between them, filled up with ones.
fn unit(header: &[u8], fields: &[String]) -> Vec<u8> {
    let mut bits: String = fields.concat().chars().filter(|bit| *bit != ' ').collect();
    bits.extend(std::iter::repeat_n('1', 64 + (8 - bits.len() % 8) % 8));
    let bytes = bits.as_bytes().chunks(8).map(|byte| byte.iter().fold(0, |sum, bit| sum << 1 | (bit - b'0')));
    header.iter().copied().chain(bytes).collect()
}

fn text(bits: &str) -> String {
    bits.to_owned()
}

fn range(field: &'static str, value: i64, least: i64, most: i64) -> Option<Refusal> {
    Some(Refusal::Range { field, value, least, most })
}

#[test]
fn h264_parameter_sets_name_what_is_wrong_with_them() {
    let read = |nal: &[u8]| h264::Sps::read(nal).err();
    let baseline: &[u8] = &[0x67, 66, 0, 30];
    let high: &[u8] = &[0x67, 100, 0, 30];
    for (header, fields, why) in [
        (baseline, vec![ue(32)], range("seq_parameter_set_id", 32, 0, 31)),
        (high, vec![ue(0), ue(4)], range("chroma_format_idc", 4, 0, 3)),
        (high, vec![ue(0), ue(1), ue(7)], range("bit_depth_luma_minus8", 7, 0, 6)),
        (high, vec![ue(0), ue(1), ue(0), ue(8)], range("bit_depth_chroma_minus8", 8, 0, 6)),
        (baseline, vec![ue(0), ue(13)], range("log2_max_frame_num_minus4", 13, 0, 12)),
        (baseline, vec![ue(0), ue(0), ue(3)], range("pic_order_cnt_type", 3, 0, 2)),
        (baseline, vec![ue(0), ue(0), ue(0), ue(14)], range("log2_max_pic_order_cnt_lsb_minus4", 14, 0, 12)),
    ] {
        assert_eq!(read(&unit(header, &fields)), why, "{fields:?}");
    }
    assert_eq!(read(&[0x67, 66, 0]), Some(Refusal::Short { field: "level_idc" }));
    assert_eq!(read(&[0x68, 66, 0, 30]), Some(Refusal::Type));

    let read = |nal: &[u8]| h264::Pps::read(nal, |_| None).err();
    for (fields, why) in [
        (vec![ue(256)], range("pic_parameter_set_id", 256, 0, 255)),
        (vec![ue(0), ue(40)], range("seq_parameter_set_id", 40, 0, 31)),
        (vec![ue(0), ue(0), text("00"), ue(8)], range("num_slice_groups_minus1", 8, 0, 7)),
        (vec![ue(0), ue(0), text("00"), ue(1), ue(7)], range("slice_group_map_type", 7, 0, 6)),
        (vec![ue(0), ue(0), text("00"), ue(0), ue(32)], range("num_ref_idx_l0_default_active_minus1", 32, 0, 31)),
        (
            vec![ue(0), ue(0), text("00"), ue(0), ue(0), ue(99)],
            range("num_ref_idx_l1_default_active_minus1", 99, 0, 31),
        ),
    ] {
        assert_eq!(read(&unit(&[0x68], &fields)), why, "{fields:?}");
    }
    assert_eq!(read(&[0x67, 0]), Some(Refusal::Type));
    assert_eq!(read(&[0x68]), Some(Refusal::Short { field: "pic_parameter_set_id" }));
}

#[test]
fn h264_slices_name_what_is_wrong_with_them() {
    let mut sets = h264::ParameterSets::default();
    let read = |nal: &[u8], sets: &h264::ParameterSets| h264::SliceHeader::read(nal, sets).err();
    let slice = |fields: &[String]| unit(&[0x65], fields);
    let missing = Some(Refusal::Missing { field: "pic_parameter_set_id", value: 3 });
    assert_eq!(read(&slice(&[ue(0), ue(7), ue(3)]), &sets), missing, "no sets have come");
    // Baseline, frame numbers and order counts of 4 bits, 1×1 macroblocks; and a picture parameter set of zeros.
    let sps = [ue(0), ue(0), ue(0), ue(0), ue(1), text("0"), ue(0), ue(0), text("1100")];
    sets.note(&unit(&[0x67, 66, 0, 30], &sps)).unwrap().unwrap();
    let pps = [ue(0), ue(0), text("00"), ue(0), ue(0), ue(0), text("000"), ue(0), ue(0), ue(0), text("000")];
    sets.note(&unit(&[0x68], &pps)).unwrap().unwrap();
    assert_eq!(read(&slice(&[ue(0), ue(7), ue(3)]), &sets), missing, "another one has");
    assert_eq!(read(&slice(&[ue(0), ue(10)]), &sets), range("slice_type", 10, 0, 9));
    assert_eq!(read(&slice(&[ue(0), ue(7), ue(256)]), &sets), range("pic_parameter_set_id", 256, 0, 255));
    assert_eq!(read(&slice(&[ue(0), ue(7), ue(0), text("0000"), ue(0), text("0000")]), &sets), None);
    assert_eq!(
        read(&[0x65, 0b1000_1000, 0b1000_0000], &sets).map(|why| why.to_string().contains("idr_pic_id")),
        Some(true)
    );
    assert_eq!(read(&[0x67, 0x88], &sets), Some(Refusal::Type));
}

/// profile_tier_level of a stream without sub-layers: Main, level 3 (ITU-T H.265 §7.3.3).
fn main_profile() -> String {
    format!("00000001{:032b}{:048b}01011010", 0x6000_0000u32, 0u64)
}

#[test]
fn h265_parameter_sets_name_what_is_wrong_with_them() {
    let vps = |rest: &[String]| unit(&[0x40, 1], rest);
    let read = |nal: &[u8]| h265::Vps::read(nal).err();
    let seven = [text("0000 11 000000 111 1"), text("1111111111111111")];
    assert_eq!(read(&vps(&seven)), range("vps_max_sub_layers_minus1", 7, 0, 6));
    let head = text("0000 11 000000 000 1 1111111111111111") + &main_profile() + "1" + &[ue(0), ue(0), ue(0)].concat();
    assert_eq!(read(&vps(&[head, text("000000"), ue(1024)])), range("vps_num_layer_sets_minus1", 1024, 0, 1023));
    assert_eq!(read(&[0x42, 1, 0]), Some(Refusal::Type));

    let read = |rest: &[String]| {
        let begin = [text("0000 000 1"), main_profile()];
        h265::Sps::read(&unit(&[0x42, 1], &[&begin, rest].concat())).err()
    };
    let size = [ue(0), ue(1), ue(64), ue(64), text("0")];
    let depth = |rest: &[String]| [&size, rest].concat();
    for (fields, why) in [
        (vec![ue(16)], range("sps_seq_parameter_set_id", 16, 0, 15)),
        (vec![ue(0), ue(4)], range("chroma_format_idc", 4, 0, 3)),
        (vec![ue(0), ue(1), ue(0)], range("pic_width_in_luma_samples", 0, 1, 65_536)),
        (vec![ue(0), ue(1), ue(64), ue(0)], range("pic_height_in_luma_samples", 0, 1, 65_536)),
        (depth(&[ue(9)]), range("bit_depth_luma_minus8", 9, 0, 8)),
        (depth(&[ue(0), ue(9)]), range("bit_depth_chroma_minus8", 9, 0, 8)),
        (depth(&[ue(0), ue(0), ue(13)]), range("log2_max_pic_order_cnt_lsb_minus4", 13, 0, 12)),
        (depth(&[ue(0), ue(0), ue(4), text("1"), ue(0), ue(0), ue(0), ue(3), ue(1)]), range("CtbLog2SizeY", 7, 3, 6)),
    ] {
        assert_eq!(read(&fields), why, "{fields:?}");
    }
    let layers = h265::Sps::read(&unit(&[0x42, 1], &[text("0000 111 1")])).err();
    assert_eq!(layers, range("sps_max_sub_layers_minus1", 7, 0, 6));

    let read = |nal: &[u8]| h265::Pps::read(nal).err();
    for (fields, why) in [
        (vec![ue(64)], range("pps_pic_parameter_set_id", 64, 0, 63)),
        (vec![ue(0), ue(16)], range("pps_seq_parameter_set_id", 16, 0, 15)),
        (vec![ue(0), ue(0), text("0000000"), ue(15)], range("num_ref_idx_l0_default_active_minus1", 15, 0, 14)),
    ] {
        assert_eq!(read(&unit(&[0x44, 1], &fields)), why, "{fields:?}");
    }
    assert_eq!(read(&[0x44, 1]), Some(Refusal::Short { field: "pps_pic_parameter_set_id" }));
}

#[test]
fn h265_slices_name_what_is_wrong_with_them() {
    let sets = h265::ParameterSets::default();
    let read = |nal: &[u8]| h265::SliceHeader::read(nal, &sets).err();
    let id = "slice_pic_parameter_set_id";
    assert_eq!(read(&unit(&[2, 1], &[text("1"), ue(64)])), range(id, 64, 0, 63));
    assert_eq!(read(&unit(&[2, 1], &[text("1"), ue(5)])), Some(Refusal::Missing { field: id, value: 5 }));
    assert_eq!(read(&[0x40, 1, 0]), Some(Refusal::Type));
}
