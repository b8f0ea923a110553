//! The rules of writing frames, one by one: packets in, what reaches the muxer out.

#[path = "timing/properties.rs"]
mod properties;
#[path = "timing/scene.rs"]
mod scene;

use maliu_core::{
    error::{Error, PacketError},
    format::Rules,
    formats,
    output::{Output, Reach},
    packet::Packet,
    stream::{Codec, Media, StreamInfo},
    time::Ticks,
    timing::MAX_SPAN,
    writer::PacketWriter,
};
use scene::{LOOSE, NAMELESS, STRICT, Scene, audio, picture, subtitle, video};

/// `pts dts` of what is written → `pts dts` of what the muxer gets, or the refusal.
fn check(mut scene: Scene, steps: &[(&str, &str)]) {
    for (given, expected) in steps {
        assert_eq!(scene.write(given), *expected, "after writing {given:?}");
    }
}

#[test]
fn missing_times_are_derived() {
    // WF-32: pts from dts, unless pictures are reordered.
    check(Scene::new(LOOSE, &[video(0)]), &[("- 40", "40 40")]);
    check(Scene::new(LOOSE, &[video(1)]), &[("- 40", "- 40")]);
    // WF-33: both from the clock; a pts of 0 counts as missing. Pictures advance it by one tick.
    check(Scene::new(LOOSE, &[video(0)]), &[("- -", "0 0"), ("- -", "1 1"), ("0 -", "2 2"), ("9 -", "9 9")]);
    // WF-33, WF-38: 1152 samples of 44100 Hz are 26.12 ms; the fraction is not lost.
    check(
        Scene::new(LOOSE, &[audio(Codec::Mp3)]),
        &[("- -", "0 0"), ("- -", "26 26"), ("- -", "52 52"), ("- -", "78 78"), ("- -", "104 104")],
    );
    // WF-34: dts is the lowest pts of the last few.
    check(
        Scene::new(LOOSE, &[video(1)]),
        &[("40/40 -", "40 0"), ("120/40 -", "120 40"), ("80/40 -", "80 80"), ("200/40 -", "200 120")],
    );
}

#[test]
fn order_is_checked_with_the_holes_of_the_reference() {
    let order =
        |last, dts| Error::Packet { stream: 0, why: PacketError::DtsOrder { last: Some(last), dts } }.to_string();
    // WF-35: strict formats refuse equal dts, others do not; all refuse a step back.
    check(
        Scene::new(STRICT, &[video(0)]),
        &[("5 5", "5 5"), ("5 5", &order(5, Some(5))), ("6 6", "6 6"), ("4 4", &order(6, Some(4)))],
    );
    check(Scene::new(LOOSE, &[video(0)]), &[("5 5", "5 5"), ("5 5", "5 5"), ("4 4", &order(5, Some(4)))]);
    // Subtitles may stand at one time even in strict formats.
    check(Scene::new(STRICT, &[subtitle()]), &[("5 5", "5 5"), ("5 5", "5 5")]);
    // After a dts of 0 nothing is checked once.
    check(
        Scene::new(STRICT, &[video(0)]),
        &[("0 0", "0 0"), ("0 0", "0 0"), ("-9 -9", "-9 -9"), ("-9 -9", &order(-9, Some(-9)))],
    );
    // WF-36, and nothing is committed by a refusal (WF-37).
    let before = Error::Packet { stream: 0, why: PacketError::PtsBeforeDts { pts: 6, dts: 7 } }.to_string();
    check(Scene::new(STRICT, &[video(0)]), &[("5 5", "5 5"), ("6 7", &before), ("6 6", "6 6")]);
    // WF-39: formats without times swallow all that.
    check(Scene::new(NAMELESS, &[video(0)]), &[("5 5", "5 5"), ("4 4", "4 4"), ("3 9", "3 9")]);
}

#[test]
fn unknown_streams_attachments_and_missing_dts_are_refused() {
    let why = |why| Error::Packet { stream: 1, why }.to_string();
    let mut scene = Scene::new(LOOSE, &[video(0), scene::attachment()]);
    assert_eq!(scene.write_to(1, "0 0"), why(PacketError::Attachment));
    assert_eq!(scene.write_to(7, "0 0"), Error::Packet { stream: 7, why: PacketError::NoSuchStream }.to_string());
    // WF-40: without a dts there is no place in the queue.
    let mut scene = Scene::new(LOOSE, &[audio(Codec::Mp3), video(1)]);
    assert_eq!(scene.interleave(1, "- -"), [why(PacketError::NoDts)]);
    assert_eq!(scene.write_to(1, "- -"), "- -");
}

#[test]
fn streams_wait_for_each_other() {
    let mut scene = Scene::new(LOOSE, &[video(0), audio(Codec::Mp3)]);
    // WF-45: one stream alone waits.
    assert_eq!(scene.interleave(0, "0 0"), [""; 0]);
    assert_eq!(scene.interleave(0, "40 40"), [""; 0]);
    // WF-42: at equal times the lower stream goes first.
    assert_eq!(scene.interleave(1, "0 0"), ["0: 0", "1: 0"]);
    assert_eq!(scene.interleave(1, "26 26"), ["1: 26"]);
    // WF-46: the limit of 10 s releases without waiting.
    assert_eq!(scene.interleave(0, "10040 10040"), [""; 0]);
    assert_eq!(scene.interleave(0, "10041 10041"), ["0: 40"]);
    // WF-19: draining writes the rest.
    assert_eq!(scene.drain(), ["0: 10040", "0: 10041"]);
}

#[test]
fn the_queue_is_bounded_even_where_the_reference_waits_for_ever() {
    let mut scene = Scene::with(LOOSE, &[video(0), audio(Codec::Mp3)], &[("max_interleave_delta", "0")]);
    assert_eq!(scene.interleave(0, "0 0"), [""; 0]);
    let far = MAX_SPAN / 1000;
    assert_eq!(scene.interleave(0, &format!("{far} {far}")), [""; 0]);
    let further = far + 1;
    assert_eq!(scene.interleave(0, &format!("{further} {further}")), ["0: 0"]);
    let mut scene = Scene::with(LOOSE, &[video(0), audio(Codec::Mp3)], &[("max_interleave_delta", "0")]);
    let written: usize = (0..100).map(|n| scene.interleave_sized(0, &format!("{n} {n}"), 1 << 20).len()).sum();
    assert_eq!(written, 37, "64 MiB wait with the cost of each packet, the rest is written");
}

#[test]
fn an_empty_vp9_stream_is_waited_for() {
    let mut scene = Scene::new(LOOSE, &[video(0), picture(Codec::Vp9)]);
    assert_eq!(scene.interleave(0, "0 0"), [""; 0]);
    assert_eq!(scene.interleave(0, "20000 20000"), [""; 0]);
}

#[test]
fn negative_times_are_shifted_once_for_all_streams() {
    // WF-51: the first packet and those that wait behind it decide; rounding goes up by stream.
    let mut scene = Scene::new(STRICT, &[video(0), audio(Codec::Mp3)]);
    scene.interleave(0, "-10 -10");
    assert_eq!(scene.interleave(1, "-25 -25"), ["1: 0"]);
    assert_eq!(scene.drain(), ["0: 15"]);
    assert_eq!(scene.write_to(0, "-5 -5"), "20 20");
    // It is not decided again: what comes lower stays negative.
    let mut scene = Scene::new(STRICT, &[video(0), audio(Codec::Mp3)]);
    assert_eq!(scene.write_to(0, "5 5"), "5 5");
    assert_eq!(scene.write_to(1, "-7 -7"), "-7 -7");
    // Formats that take negative times, and those without times, are left alone, unless told otherwise (WF-13).
    let negative = Rules { negative: true, ..STRICT };
    check(Scene::new(negative, &[video(0)]), &[("-7 -7", "-7 -7")]);
    check(Scene::with(negative, &[video(0)], &[("avoid_negative_ts", "make_non_negative")]), &[("-7 -7", "0 0")]);
    check(
        Scene::with(STRICT, &[video(0)], &[("avoid_negative_ts", "make_zero")]),
        &[("9 9", "0 0"), ("20 12", "11 3")],
    );
    // WF-50 comes first.
    let offset = [("output_ts_offset", "-20ms")];
    check(Scene::with(STRICT, &[video(0)], &offset), &[("9 9", "0 0"), ("30 30", "21 21")]);
    // Formats that count in pts decide by pts.
    check(Scene::new(Rules { shift_by_pts: true, ..LOOSE }, &[video(1)]), &[("0 -40", "0 -40")]);
}

#[test]
fn a_failure_of_the_muxer_loses_its_packet_and_nothing_else() {
    let mut scene = Scene::new(LOOSE, &[video(0), audio(Codec::Mp3)]);
    scene.interleave(0, "0 0");
    scene.interleave(0, "40 40");
    scene.fail_next();
    assert_eq!(scene.interleave(1, "50 50"), ["scene: told to fail"]);
    assert_eq!(scene.drain(), ["0: 40", "1: 50"]);
    // WF-56: it is not rolled back; the same time is refused in strict formats.
    let mut scene = Scene::new(STRICT, &[video(0)]);
    scene.write("1 1");
    scene.fail_next();
    assert_eq!(scene.write("2 2"), "scene: told to fail");
    assert_eq!(
        scene.write("2 2"),
        Error::Packet { stream: 0, why: PacketError::DtsOrder { last: Some(2), dts: Some(2) } }.to_string()
    );
}

#[test]
fn every_rule_that_fires_says_so() {
    let mut scene = Scene::new(STRICT, &[video(0), audio(Codec::Mp3)]);
    scene.explain();
    scene.write("- -7");
    scene.write("0 -");
    scene.write("1 1");
    let rules: Vec<_> = scene.explanations().iter().map(|note| note.rule).collect();
    assert_eq!(rules, ["WF-31", "WF-32", "WF-51", "WF-52", "WF-33", "WF-52", "WF-52"]);
}

#[test]
fn each_rule_that_changes_drops_or_refuses_says_so() {
    let mut filmed = video(0);
    if let Media::Video(video) = &mut filmed.media {
        video.frame_rate = Some((25, 1));
    }
    let negative = Rules { negative: true, ..STRICT };
    // Rule, rules of the format, streams, settings, (stream, times) of what is written in order.
    type Row<'a> = (&'a str, Rules, Vec<StreamInfo>, &'a [(&'a str, &'a str)], &'a [(usize, &'a str)]);
    let rows: Vec<Row> = vec![
        ("WF-22", LOOSE, vec![audio(Codec::PcmS16Le)], &[], &[(0, "5 5")]),
        ("WF-28", LOOSE, vec![video(0)], &[], &[(0, "5/-3 5")]),
        ("WF-29", LOOSE, vec![filmed], &[], &[(0, "5 5")]),
        ("WF-30", LOOSE, vec![audio(Codec::Mp3)], &[], &[(0, "5 5")]),
        ("WF-31", LOOSE, vec![video(0)], &[], &[(0, "5 -")]),
        ("WF-32", LOOSE, vec![video(0)], &[], &[(0, "- 5")]),
        ("WF-33", LOOSE, vec![video(0)], &[], &[(0, "- -")]),
        ("WF-34", LOOSE, vec![video(1)], &[], &[(0, "40/40 -")]),
        ("WF-39", NAMELESS, vec![video(0)], &[], &[(0, "5 5"), (0, "4 4")]),
        ("WF-40", LOOSE, vec![video(1), audio(Codec::Mp3)], &[], &[(0, "- -")]),
        (
            "WF-46",
            LOOSE,
            vec![video(0), audio(Codec::Mp3)],
            &[("max_interleave_delta", "1000")],
            &[(0, "5 5"), (0, "9 9")],
        ),
        ("WF-50", LOOSE, vec![video(0)], &[("output_ts_offset", "1")], &[(0, "5 5")]),
        ("WF-51", STRICT, vec![video(0)], &[], &[(0, "-5 -5")]),
        ("WF-52", STRICT, vec![video(0)], &[], &[(0, "-5 -5"), (0, "0 0")]),
        ("WF-51", negative, vec![video(0)], &[("avoid_negative_ts", "make_zero")], &[(0, "5 5")]),
    ];
    for (rule, rules, streams, settings, steps) in rows {
        let mut scene = Scene::with(rules, &streams, settings);
        scene.explain();
        for (stream, times) in steps {
            scene.interleave(*stream, times);
        }
        let notes = scene.explanations();
        assert!(notes.iter().any(|note| note.rule == rule && !note.what.is_empty()), "{rule}: {notes:?}");
    }
}

#[test]
fn shortest_says_what_it_drops() {
    let mut scene = Scene::with(LOOSE, &[video(0), audio(Codec::Mp3)], &[("shortest", "1")]);
    scene.explain();
    scene.interleave(0, "0 0");
    scene.drain();
    scene.interleave(0, "40 40");
    scene.interleave(1, "40 40");
    scene.drain();
    assert!(scene.explanations().iter().any(|note| note.rule == "WF-48"));
}

#[test]
fn repackaging_says_so() {
    let (mut out, stream) = (Output::new(Reach::Append), audio(Codec::Aac));
    let mut writer = PacketWriter::start(&formats::flv::FORMAT, &[], &[stream], &mut out).unwrap();
    writer.explain(true);
    let data = bytes::Bytes::from_static(b"\xff\xf1\x50\x80\x01\x3f\xfc\x21\x10");
    let packet = Packet::of(0, data).at(Ticks(0));
    writer.write(packet, &mut out).unwrap();
    let notes: Vec<_> = std::iter::from_fn(|| writer.next_explanation()).collect();
    assert!(notes.iter().any(|note| note.rule == "WF-24"), "{notes:?}");
}
