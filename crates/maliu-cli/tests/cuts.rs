//! Raw video cut anywhere and sent: every packet from the first keyframe on that can be decoded arrives, with even times.
//! `MALIU_CUTS` says how many cuts of each kind are tried.

use std::fs;

use maliu::{
    Packet,
    blocking::Reader,
    time::{Rounding, TimeBase},
};

mod binary;
use binary::{folder, run_on, text, within};

fn packets(bytes: Vec<u8>) -> Vec<Packet> {
    Reader::from(bytes).map(Result::unwrap).collect()
}

/// Times of presentation, in order, in ms.
fn shown(packets: &[Packet]) -> Vec<i64> {
    let ms = |packet: &Packet| packet.time_base.rescale(packet.pts.unwrap(), TimeBase::MILLIS, Rounding::Near).0;
    let mut times: Vec<i64> = packets.iter().map(ms).collect();
    times.sort_unstable();
    times
}

fn arrives(name: &str, sample: &[u8]) {
    let count = std::env::var("MALIU_CUTS").ok().and_then(|count| count.parse().ok()).unwrap_or(2);
    let (whole, folder) = (sample.repeat(4), folder(&format!("{name}_arrives")));
    let units = packets(whole.clone());
    let times = shown(&units);
    let step = (times[1] - times[0]).max(times[2] - times[1]);
    let last_key = units.iter().rposition(Packet::is_key).unwrap();
    let end = units[last_key].position.unwrap() as usize;
    let mut state = 5u64;
    let mut random = |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below
    };
    let mut places: Vec<usize> = (0..count).map(|_| units[random(last_key + 1)].position.unwrap() as usize).collect();
    places.extend((0..count).map(|_| random(end)));
    let out = within(&folder, "out.flv");
    for place in places {
        let key = |unit: &&Packet| unit.is_key() && unit.position.unwrap() as usize >= place;
        let first = units.iter().find(key).unwrap().position;
        let wanted = units.iter().filter(|unit| unit.position >= first).count();
        let sent = run_on(whole[place..].to_vec(), &["send", "-", "-"]);
        assert_eq!(text(&sent).0, Some(0), "{name} from byte {place}: {}", text(&sent).2);
        let received = text(&run_on(sent.stdout, &["receive", "-", &out]));
        assert_eq!(received.0, Some(0), "{name} from byte {place}: {}", received.2);
        let film = packets(fs::read(&out).unwrap());
        assert_eq!(film.len(), wanted, "{name} from byte {place}");
        let times = shown(&film);
        let even = times.windows(2).all(|pair| (pair[1] - pair[0]).abs_diff(step) <= 1);
        assert!(even, "{name} from byte {place}: {times:?}");
    }
}

#[test]
fn h264_arrives_from_any_place() {
    arrives("h264", include_bytes!("../../../samples/h264/b_frames.h264"));
}

#[test]
fn h265_arrives_from_any_place() {
    arrives("h265", include_bytes!("../../../samples/h265/main.h265"));
}
