//! Streams of H.264 made by tests: a grey IDR picture, then pictures that repeat it.

use maliu_core::{
    bits::BitWriter,
    packet::Packet,
    stream::{Codec, Media, StreamInfo, Video},
    syntax::annexb,
    time::{Ticks, TimeBase},
};

/// Facts of a sequence parameter set; the sides are in macroblocks.
#[derive(Clone, Copy)]
pub(crate) struct Stream {
    pub width: u32,
    pub height: u32,
    pub references: u32,
    /// Ten times the level.
    pub level: u32,
}

impl Stream {
    /// The parameter sets and the IDR picture.
    pub(crate) fn start(&self) -> Vec<u8> {
        [self.sps(), self.pps(), self.idr()].concat()
    }

    fn sps(&self) -> Vec<u8> {
        let mut bits = BitWriter::new();
        bits.write(8, 66); // Baseline
        bits.write(8, 0);
        bits.write(8, self.level);
        ue(&mut bits, 0); // seq_parameter_set_id
        ue(&mut bits, 0); // log2_max_frame_num_minus4
        ue(&mut bits, 2); // pic_order_cnt_type
        ue(&mut bits, self.references);
        bits.write(1, 0);
        ue(&mut bits, self.width - 1);
        ue(&mut bits, self.height - 1);
        bits.write(4, 0b1100); // frame_mbs_only, direct_8x8_inference, no cropping, no VUI
        unit(0x67, bits)
    }

    fn pps(&self) -> Vec<u8> {
        let mut bits = BitWriter::new();
        ue(&mut bits, 0);
        ue(&mut bits, 0);
        bits.write(2, 0);
        (0..3).for_each(|_| ue(&mut bits, 0));
        bits.write(3, 0);
        (0..3).for_each(|_| ue(&mut bits, 0));
        bits.write(3, 0b100); // deblocking_filter_control_present_flag
        unit(0x68, bits)
    }

    fn idr(&self) -> Vec<u8> {
        let mut bits = BitWriter::new();
        ue(&mut bits, 0); // first_mb_in_slice
        ue(&mut bits, 7); // I
        ue(&mut bits, 0);
        bits.write(4, 0); // frame_num
        ue(&mut bits, 0); // idr_pic_id
        bits.write(2, 0);
        ue(&mut bits, 0); // slice_qp_delta
        ue(&mut bits, 1); // disable_deblocking_filter_idc
        for _ in 0..self.width * self.height {
            ue(&mut bits, 3); // I_16x16 from the mean
            ue(&mut bits, 0);
            ue(&mut bits, 0);
            bits.write(1, 1);
        }
        unit(0x65, bits)
    }

    /// A picture that repeats the one before, with these memory management control operations.
    pub(crate) fn predicted(&self, frame_num: u32, operations: &[(u32, u32)]) -> Vec<u8> {
        let mut bits = BitWriter::new();
        ue(&mut bits, 0); // first_mb_in_slice
        ue(&mut bits, 5); // P
        ue(&mut bits, 0);
        bits.write(4, frame_num & 15);
        bits.write(2, 0); // neither another number of references nor another order of them
        bits.write(1, u32::from(!operations.is_empty())); // adaptive_ref_pic_marking_mode_flag
        for (operation, value) in operations {
            ue(&mut bits, *operation);
            ue(&mut bits, *value);
        }
        if !operations.is_empty() {
            ue(&mut bits, 0);
        }
        ue(&mut bits, 0); // slice_qp_delta
        ue(&mut bits, 1); // disable_deblocking_filter_idc
        ue(&mut bits, self.width * self.height); // mb_skip_run
        unit(0x41, bits)
    }
}

/// A packet shown at `time`.
pub(crate) fn packet(data: Vec<u8>, time: i64) -> Packet {
    Packet::of(0, data).with_pts(Ticks(time))
}

/// A stream of which nothing is known but the codec.
pub(crate) fn video() -> StreamInfo {
    StreamInfo::new(Codec::H264, TimeBase::hz(25), Media::Video(Video::default()))
}

fn ue(bits: &mut BitWriter, value: u32) {
    let code = value + 1;
    bits.write(2 * code.ilog2() + 1, code);
}

fn unit(header: u8, mut bits: BitWriter) -> Vec<u8> {
    bits.write(1, 1);
    let raw = bits.finish();
    [&[0, 0, 0, 1, header], &annexb::escape(&raw)[..]].concat()
}
