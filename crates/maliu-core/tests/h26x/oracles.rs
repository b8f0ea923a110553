//! Parameter sets and slice headers of the samples and the corpus, read by other parsers and by ours.

use h264_reader::{
    Context,
    nal::{
        NalHeader,
        pps::PicParameterSet,
        slice::{FieldPic, PicOrderCountLsb},
        sps::{PicOrderCntType, SeqParameterSet, VuiParameters},
    },
    rbsp::{BitReader, decode_nal},
};
use maliu_core::syntax::{annexb, h264, h265};

use crate::corpus::{File, corpus, samples};

#[test]
fn h264_parameter_sets_and_slices_read_as_by_h264_reader() {
    compare_h264(samples());
}

#[test]
#[ignore = "needs MALIU_CORPUS"]
fn h264_parameter_sets_and_slices_read_as_by_h264_reader_in_the_corpus() {
    compare_h264(corpus());
}

fn compare_h264(files: Vec<File>) {
    let (mut sets_read, mut slices_read) = (0, 0);
    for File { name, data, .. } in files.into_iter().filter(|file| file.format.name == "h264") {
        let (mut theirs, mut ours) = (Context::new(), h264::ParameterSets::default());
        for unit in annexb::units(&data) {
            let nal = unit.trimmed();
            let Ok(rbsp) = decode_nal(nal) else { continue };
            let mut bits = BitReader::new(&rbsp[..]);
            let noted = ours.note(nal);
            match nal[0] & 0x1f {
                h264::kind::SPS => {
                    let Ok(sps) = SeqParameterSet::from_bits(bits) else { continue };
                    assert_eq!(noted, Some(Ok(())), "{name}: SPS at {}", unit.at);
                    same_sps(&name, &sps, &h264::Sps::parse(nal).expect("an SPS"));
                    theirs.put_seq_param_set(sps);
                    sets_read += 1;
                }
                h264::kind::PPS => {
                    let Ok(pps) = PicParameterSet::from_bits(&theirs, bits) else { continue };
                    same_pps(&name, &pps, &h264::Pps::parse(nal, |id| ours.sps(id)).expect("a PPS"));
                    theirs.put_pic_param_set(pps);
                    sets_read += 1;
                }
                h264::kind::SLICE | h264::kind::IDR => {
                    let header = NalHeader::new(nal[0]).expect("no forbidden bit");
                    let Ok((slice, ..)) =
                        h264_reader::nal::slice::SliceHeader::from_bits(&theirs, &mut bits, header, None)
                    else {
                        continue;
                    };
                    let our =
                        h264::SliceHeader::parse(nal, &ours).unwrap_or_else(|| panic!("{name}: slice at {}", unit.at));
                    same_slice(&name, &slice, &our);
                    let restarts = format!("{:?}", slice.dec_ref_pic_marking).contains("AllRefPicturesUnused");
                    assert_eq!(h264::restarts_order(nal, &ours), restarts, "{name}: marking at {}", unit.at);
                    slices_read += 1;
                }
                _ => {}
            }
        }
    }
    println!("{sets_read} parameter sets and {slices_read} slices compared");
    assert!(sets_read > 0 && slices_read > 0, "nothing compared");
}

fn same_sps(name: &str, theirs: &SeqParameterSet, ours: &h264::Sps) {
    assert_eq!(theirs.pixel_dimensions().ok(), Some(ours.display_size()), "{name}: size");
    assert_eq!(theirs.rfc6381().to_string().to_lowercase(), ours.codec_string().to_lowercase(), "{name}: codec string");
    assert_eq!(theirs.log2_max_frame_num(), ours.log2_max_frame_num, "{name}");
    assert_eq!(theirs.max_num_ref_frames, u32::from(ours.max_num_ref_frames), "{name}");
    assert_eq!(theirs.chroma_info.bit_depth_luma_minus8 + 8, ours.bit_depth_luma, "{name}");
    assert_eq!(theirs.chroma_info.chroma_format.to_u32(), u32::from(ours.chroma_format_idc), "{name}");
    assert_eq!(theirs.chroma_info.scaling_matrix.is_some(), ours.scaling.is_some(), "{name}: scaling lists");
    match (&theirs.pic_order_cnt, &ours.pic_order_cnt) {
        (PicOrderCntType::TypeZero { log2_max_pic_order_cnt_lsb_minus4 }, h264::PicOrderCnt::Lsb { log2_max_lsb }) => {
            assert_eq!(log2_max_pic_order_cnt_lsb_minus4 + 4, *log2_max_lsb, "{name}");
        }
        (
            PicOrderCntType::TypeOne { offsets_for_ref_frame, .. },
            h264::PicOrderCnt::Cycle { offset_for_ref_frame, .. },
        ) => {
            assert_eq!(offsets_for_ref_frame, offset_for_ref_frame, "{name}");
        }
        (PicOrderCntType::TypeTwo, h264::PicOrderCnt::CodingOrder) => {}
        (theirs, ours) => panic!("{name}: {theirs:?}, {ours:?}"),
    }
    assert_eq!(theirs.vui_parameters.is_some(), ours.vui.is_some(), "{name}: VUI");
    if let (Some(theirs), Some(ours)) = (&theirs.vui_parameters, &ours.vui) {
        same_vui(name, theirs, ours);
    }
}

fn same_vui(name: &str, theirs: &VuiParameters, ours: &h264::Vui) {
    let timing = theirs.timing_info.as_ref().map(|t| (t.num_units_in_tick, t.time_scale, t.fixed_frame_rate_flag));
    let our_timing = ours.timing.map(|t| (t.num_units_in_tick, t.time_scale, t.fixed_frame_rate_flag));
    assert_eq!(timing, our_timing, "{name}: timing");
    let aspect = theirs.aspect_ratio_info.as_ref().and_then(|aspect| aspect.get());
    assert_eq!(aspect.map(|(w, h)| (u32::from(w), u32::from(h))), ours.sample_aspect, "{name}: sample aspect");
    let colour = theirs.video_signal_type.as_ref().and_then(|signal| signal.colour_description.as_ref());
    let colour = colour.map_or([2; 3], |c| [c.colour_primaries, c.transfer_characteristics, c.matrix_coefficients]);
    assert_eq!(colour, ours.colour, "{name}: colour");
    let reorder = theirs.bitstream_restrictions.as_ref().map(|limits| limits.max_num_reorder_frames);
    let our_reorder = ours.bitstream_restriction.map(|limits| u32::from(limits.max_num_reorder_frames));
    assert_eq!(reorder, our_reorder, "{name}: reorder");
    let schedules = theirs.nal_hrd_parameters.as_ref().map(|hrd| hrd.cpb_specs.len());
    assert_eq!(schedules, ours.nal_hrd.as_ref().map(|hrd| hrd.schedules.len()), "{name}: HRD");
    assert_eq!(theirs.pic_struct_present_flag, ours.pic_struct_present_flag, "{name}");
}

fn same_pps(name: &str, theirs: &PicParameterSet, ours: &h264::Pps) {
    assert_eq!(theirs.pic_parameter_set_id.id(), ours.pic_parameter_set_id, "{name}");
    assert_eq!(theirs.seq_parameter_set_id.id(), ours.seq_parameter_set_id, "{name}");
    assert_eq!(theirs.entropy_coding_mode_flag, ours.entropy_coding_mode_flag, "{name}");
    assert_eq!(theirs.slice_groups.is_some(), ours.num_slice_groups > 1, "{name}: slice groups");
    let references = [theirs.num_ref_idx_l0_default_active_minus1, theirs.num_ref_idx_l1_default_active_minus1];
    assert_eq!(references.map(|minus1| minus1 + 1), ours.num_ref_idx_default_active.map(u32::from), "{name}");
    assert_eq!(theirs.redundant_pic_cnt_present_flag, ours.redundant_pic_cnt_present_flag, "{name}");
    let extension = theirs.extension.as_ref().is_some_and(|extension| extension.transform_8x8_mode_flag);
    assert_eq!(extension, ours.transform_8x8_mode_flag, "{name}");
}

fn same_slice(name: &str, theirs: &h264_reader::nal::slice::SliceHeader, ours: &h264::SliceHeader) {
    assert_eq!(theirs.first_mb_in_slice, ours.start.first_mb_in_slice, "{name}");
    assert_eq!(u32::from(theirs.frame_num), ours.frame_num, "{name}: frame_num");
    assert_eq!(theirs.field_pic != FieldPic::Frame, ours.field_pic_flag, "{name}: field");
    assert_eq!(theirs.idr_pic_id.unwrap_or(0), ours.idr_pic_id, "{name}: idr_pic_id");
    let (lsb, bottom) = match &theirs.pic_order_cnt_lsb {
        Some(PicOrderCountLsb::Frame(lsb)) => (*lsb, 0),
        Some(PicOrderCountLsb::FieldsAbsolute { pic_order_cnt_lsb, delta_pic_order_cnt_bottom }) => {
            (*pic_order_cnt_lsb, *delta_pic_order_cnt_bottom)
        }
        _ => (ours.pic_order_cnt_lsb, ours.delta_pic_order_cnt_bottom),
    };
    assert_eq!((lsb, bottom), (ours.pic_order_cnt_lsb, ours.delta_pic_order_cnt_bottom), "{name}: order");
}

#[test]
fn h265_sequence_parameter_sets_read_as_by_scuffle() {
    compare_h265(samples());
}

#[test]
#[ignore = "needs MALIU_CORPUS"]
fn h265_sequence_parameter_sets_read_as_by_scuffle_in_the_corpus() {
    compare_h265(corpus());
}

fn compare_h265(files: Vec<File>) {
    let mut compared = 0;
    for File { name, data, .. } in files.into_iter().filter(|file| file.format.name == "h265") {
        for unit in annexb::units(&data) {
            let nal = unit.trimmed();
            if h265::Header::of(nal).is_none_or(|header| header.nal_unit_type != h265::kind::SPS) {
                continue;
            }
            let Ok(theirs) = scuffle_h265::SpsNALUnit::parse(nal) else { continue };
            let (theirs, ours) = (theirs.rbsp, h265::Sps::parse(nal).unwrap_or_else(|| panic!("{name}: SPS")));
            let (width, height) = ours.display_size();
            assert_eq!(
                (theirs.cropped_width(), theirs.cropped_height()),
                (u64::from(width), u64::from(height)),
                "{name}"
            );
            assert_eq!(
                (theirs.bit_depth_y(), theirs.bit_depth_c()),
                (ours.bit_depth_luma, ours.bit_depth_chroma),
                "{name}"
            );
            assert_eq!(theirs.chroma_format_idc, ours.chroma_format_idc, "{name}");
            assert_eq!(theirs.log2_max_pic_order_cnt_lsb_minus4 + 4, ours.log2_max_pic_order_cnt_lsb, "{name}");
            assert_eq!(theirs.ctb_log2_size_y(), u64::from(ours.ctb_log2_size), "{name}");
            let reorder = theirs.sub_layer_ordering_info.sps_max_num_reorder_pics.last().copied();
            assert_eq!(reorder, Some(u64::from(ours.reorder_depth())), "{name}");
            let profile = &theirs.profile_tier_level.general_profile;
            assert_eq!(profile.profile_idc, ours.profile_tier_level.general_profile_idc, "{name}");
            assert_eq!(profile.level_idc, Some(ours.profile_tier_level.general_level_idc), "{name}");
            let timing = theirs.vui_parameters.as_ref().and_then(|vui| vui.vui_timing_info.as_ref());
            let our_timing = ours.vui.as_ref().and_then(|vui| vui.timing);
            assert_eq!(
                timing.map(|timing| (timing.num_units_in_tick.get(), timing.time_scale.get())),
                our_timing.map(|timing| (timing.num_units_in_tick, timing.time_scale)),
                "{name}"
            );
            assert_eq!(theirs.range_extension.is_some(), ours.range_extension.is_some(), "{name}");
            compared += 1;
        }
    }
    println!("{compared} sets compared");
    assert!(compared > 0, "nothing compared");
}
