//! A grey IDR picture in front of a stream that has none, so that decoding can begin at a recovery point.
//!
//! Streams of intra refresh renew a picture column by column and never send a keyframe. Where such a stream is joined, its
//! first pictures predict from pictures that were not received; grey takes their place, as in other decoders, until the
//! refresh has passed over the whole picture.

use maliu_core::{
    bits::BitWriter,
    syntax::h264::{PicOrderCnt, Sps},
};

/// Id of the picture parameter set that is made for the grey picture.
pub(super) const PPS_ID: u8 = 255;

/// RBSP of a picture parameter set that names `sps`: CAVLC, deblocking under control of the slice.
pub(super) fn pps(sps: &Sps) -> Vec<u8> {
    let mut bits = BitWriter::new();
    ue(&mut bits, PPS_ID.into());
    ue(&mut bits, sps.seq_parameter_set_id.into());
    // entropy_coding_mode_flag, bottom_field_pic_order_in_frame_present_flag
    bits.write(2, 0);
    // num_slice_groups_minus1, num_ref_idx_l0_default_active_minus1, num_ref_idx_l1_default_active_minus1
    (0..3).for_each(|_| ue(&mut bits, 0));
    // weighted_pred_flag, weighted_bipred_idc
    bits.write(3, 0);
    // pic_init_qp_minus26, pic_init_qs_minus26, chroma_qp_index_offset
    (0..3).for_each(|_| ue(&mut bits, 0));
    // deblocking_filter_control_present_flag, constrained_intra_pred_flag, redundant_pic_cnt_present_flag
    bits.write(3, 0b100);
    finish(bits)
}

/// RBSP of the slice: every macroblock is predicted from its neighbours, which at the edge are grey, and has no residual.
pub(super) fn slice(sps: &Sps) -> Vec<u8> {
    let mut bits = BitWriter::new();
    ue(&mut bits, 0); // first_mb_in_slice
    ue(&mut bits, 7); // slice_type: I
    ue(&mut bits, PPS_ID.into());
    bits.write(u32::from(sps.log2_max_frame_num), 0); // frame_num
    if !sps.frame_mbs_only_flag {
        bits.write(1, 0); // field_pic_flag
    }
    ue(&mut bits, 0); // idr_pic_id
    match sps.pic_order_cnt {
        PicOrderCnt::Lsb { log2_max_lsb } => bits.write(u32::from(log2_max_lsb), 0),
        PicOrderCnt::Cycle { delta_pic_order_always_zero_flag: false, .. } => ue(&mut bits, 0),
        _ => {}
    }
    bits.write(2, 0); // no_output_of_prior_pics_flag, long_term_reference_flag
    ue(&mut bits, 0); // slice_qp_delta
    ue(&mut bits, 1); // disable_deblocking_filter_idc
    let (width, height) = sps.coded_size();
    for address in 0..(width / 16) * (height / 16) {
        if sps.mb_adaptive_frame_field_flag && address % 2 == 0 {
            bits.write(1, 0); // mb_field_decoding_flag, once a pair
        }
        ue(&mut bits, 3); // mb_type: I_16x16, predicted from the mean, nothing coded
        if sps.chroma_format_idc != 0 {
            ue(&mut bits, 0); // intra_chroma_pred_mode
        }
        ue(&mut bits, 0); // mb_qp_delta
        bits.write(1, 1); // coeff_token: no coefficient
    }
    finish(bits)
}

/// An Exp-Golomb code; that of 0 is also the signed one of 0.
fn ue(bits: &mut BitWriter, value: u32) {
    let code = value + 1;
    bits.write(2 * code.ilog2() + 1, code);
}

fn finish(mut bits: BitWriter) -> Vec<u8> {
    bits.write(1, 1); // rbsp_stop_one_bit
    bits.finish()
}
