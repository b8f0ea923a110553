//! Properties of any packets.

use bytes::Bytes;
use maliu_core::{
    packet::{Flags, Packet},
    stream::Codec,
    time::{Ticks, TimeBase},
};
use proptest::prelude::*;

use super::scene::{LOOSE, STRICT, Scene, audio, subtitle, video};

fn usual_time() -> impl Strategy<Value = Option<Ticks>> {
    prop_oneof![4 => (-50i64..500).prop_map(|time| Some(Ticks(time))), 1 => Just(None)]
}

/// Also at the ends of the range.
fn any_time() -> impl Strategy<Value = Option<Ticks>> {
    prop_oneof![2 => usual_time(), 1 => any::<i64>().prop_map(|time| Some(Ticks(time)))]
}

fn packet(time: BoxedStrategy<Option<Ticks>>, duration: BoxedStrategy<i64>) -> impl Strategy<Value = Packet> {
    (0usize..4, time.clone(), time, duration, 0usize..40, any::<bool>()).prop_map(
        |(stream, pts, dts, duration, size, key)| {
            let (duration, flags, data) = (Some(Ticks(duration)), Flags::key(key), Bytes::from(vec![0; size]));
            Packet::of(stream, data).with_pts(pts).with_dts(dts).with_duration(duration).with_flags(flags)
        },
    )
}

const SETTINGS: [(&str, &str); 7] = [
    ("audio_preload", "40000"),
    ("chunk_size", "60"),
    ("chunk_duration", "30000"),
    ("max_interleave_delta", "50000"),
    ("avoid_negative_ts", "2"),
    ("shortest", "1"),
    ("output_ts_offset", "-0.3"),
];

proptest! {
    #[test]
    fn what_reaches_a_strict_muxer_rises_and_is_shown_after_it_is_decoded(
        packets in prop::collection::vec(packet(usual_time().boxed(), (0i64..100).boxed()), 1..80),
        interleaved in any::<bool>(),
    ) {
        let mut scene = Scene::with(STRICT, &[video(2), audio(Codec::Mp3), subtitle()], &[("avoid_negative_ts", "0")]);
        let (writer, out) = scene.writer();
        for packet in packets {
            let _ = if interleaved { writer.write_interleaved(packet, out) } else { writer.write(packet, out) };
        }
        writer.drain(out).unwrap();
        prop_assert_eq!(writer.waiting(), (0, 0));
        let mut last = [None; 3];
        for packet in scene.seen() {
            if let (Some(pts), Some(dts)) = (packet.pts, packet.dts) {
                prop_assert!(pts >= dts);
            }
            // The holes of WF-35: after a dts of 0, and after an unknown one, anything passes once.
            if packet.stream < 2 && let (Some(before), Some(dts)) = (last[packet.stream], packet.dts) {
                prop_assert!(before < dts || before == Ticks(0), "{} then {}", before, dts);
            }
            last[packet.stream] = packet.dts;
        }
    }

    #[test]
    fn no_packet_panics_or_stays_behind_whatever_the_settings(
        packets in prop::collection::vec(packet(any_time().boxed(), any::<i64>().boxed()), 1..60),
        ways in prop::collection::vec(0u8..4, 60),
        settings in prop::sample::subsequence(SETTINGS.to_vec(), 0..=SETTINGS.len()),
    ) {
        let mut scene = Scene::with(STRICT, &[video(2), audio(Codec::Mp3), subtitle()], &settings);
        scene.explain();
        let (writer, out) = scene.writer();
        for (packet, way) in packets.into_iter().zip(ways) {
            let _ = match way {
                0 => writer.write(packet, out),
                1 => writer.drain(out),
                _ => writer.write_interleaved(packet, out),
            };
        }
        // An evaluation that drops something for `shortest` releases nothing (WF-48): the next one goes on.
        let mut left = usize::MAX;
        while left > 0 {
            let _ = writer.drain(out);
            prop_assert!(writer.waiting().0 < left);
            left = writer.waiting().0;
        }
    }

    #[test]
    fn streams_that_rise_come_out_in_the_order_of_their_dts(
        steps in prop::collection::vec((0usize..3, 1i64..60), 1..200),
    ) {
        let mut scene = Scene::new(LOOSE, &[video(0), audio(Codec::Mp3), subtitle()]);
        let mut next = [1i64; 3];
        let (writer, out) = scene.writer();
        for (stream, step) in steps.iter().copied() {
            let time = Some(Ticks(next[stream]));
            next[stream] += step;
            let packet = Packet::of(stream, Bytes::from_static(b"x")).at(time);
            writer.write_interleaved(packet, out).unwrap();
        }
        writer.drain(out).unwrap();
        let seen = scene.seen();
        prop_assert_eq!(seen.len(), steps.len());
        let keys: Vec<_> = seen.iter().map(|packet| (packet.dts, packet.stream)).collect();
        prop_assert!(keys.is_sorted(), "{:?}", keys);
    }

    #[test]
    fn conversion_to_a_finer_base_and_back_changes_nothing(time in -1i64 << 40..1 << 40, num in 1u32..1000, den in 1u32..100_000) {
        use maliu_core::time::Rounding;
        let base = TimeBase::new(num, den).unwrap();
        let fine = TimeBase::new(1, den.saturating_mul(7)).unwrap();
        let there = base.rescale(Ticks(time), fine, Rounding::Near);
        prop_assert_eq!(fine.rescale(there, base, Rounding::Near), Ticks(time));
    }
}
