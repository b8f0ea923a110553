//! Raw video cut anywhere: every packet from the first keyframe on that can be decoded comes through every container, with
//! even times. `MALIU_CUTS` says how many cuts of each kind are tried.

use bytes::Bytes;
use maliu::{
    Packet,
    blocking::Reader,
    copy::{self, Options, To},
    format::Format,
    formats,
    io::Memory,
    layout,
    time::{Rounding, TimeBase},
};

fn cuts() -> usize {
    std::env::var("MALIU_CUTS").ok().and_then(|count| count.parse().ok()).unwrap_or(4)
}

fn packets(reader: Reader<Bytes>) -> Vec<Packet> {
    reader.map(Result::unwrap).collect()
}

/// Content of a copy of `bytes`, or why there is none.
fn copied(bytes: &Bytes, to: impl Into<To>) -> Result<Bytes, copy::Error> {
    let mut copy = copy::Inputs::open([Reader::new(bytes.clone())], to, Options::default())?.start(Memory::new())?;
    while !matches!(copy.step()?, copy::Step::End) {}
    Ok(copy.finish(Ok(())).1?.into_bytes().into())
}

/// Times of presentation, in order, in ms.
fn shown(packets: &[Packet]) -> Vec<i64> {
    let ms = |packet: &Packet| packet.time_base.rescale(packet.pts.unwrap(), TimeBase::MILLIS, Rounding::Near).0;
    let mut times: Vec<i64> = packets.iter().map(ms).collect();
    times.sort_unstable();
    times
}

fn assert_even(times: &[i64], step: i64, what: &str) {
    assert!(times.windows(2).all(|pair| (pair[1] - pair[0]).abs_diff(step) <= 1), "{what}: {times:?}");
}

fn named(name: &str) -> &'static Format {
    formats::named(name).unwrap()
}

fn is_cut_anywhere(name: &str, codec: &str, sample: &'static [u8]) {
    let whole: Bytes = sample.repeat(4).into();
    let units = packets(Reader::new(whole.clone()));
    let times = shown(&units);
    let step = (times[1] - times[0]).max(times[2] - times[1]);
    assert_even(&times, step, name);
    let text = format!(
        "name = \"x\"\nheader = [ {{ name = \"n\", type = \"u32\", role = \"length\" }} ]\n\
         body = {{ kind = \"annexb\", codec = \"{codec}\" }}"
    );
    let framed = layout::parse(&text).unwrap();
    let mut state = 11u64;
    let mut random = |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below
    };
    let last_key = units.iter().rposition(Packet::is_key).unwrap();
    let end = units[last_key].position.unwrap() as usize;
    let mut places: Vec<usize> = (0..cuts()).map(|_| units[random(last_key + 1)].position.unwrap() as usize).collect();
    places.extend((0..cuts()).map(|_| random(end)));
    for place in places {
        let what = format!("{name} from byte {place}");
        let key = |unit: &&Packet| unit.is_key() && unit.position.unwrap() as usize >= place;
        let first = units.iter().find(key).unwrap().position;
        let wanted: Vec<&Packet> = units.iter().filter(|unit| unit.position >= first).collect();
        let cut = whole.slice(place..);
        let raw = copied(&cut, named(name)).unwrap();
        assert_eq!(raw, wanted.iter().flat_map(|unit| unit.data.iter().copied()).collect::<Vec<u8>>(), "{what}");
        let crc = String::from_utf8(copied(&cut, named("framecrc")).unwrap().to_vec()).unwrap();
        assert_eq!(crc.lines().filter(|line| line.starts_with("0,")).count(), wanted.len(), "{what}");
        let film = packets(Reader::new(copied(&cut, named("flv")).unwrap()));
        assert_eq!(film.len(), wanted.len(), "{what}");
        assert_even(&shown(&film), step, &what);
        let messages = copied(&cut, layout::Writer::new(framed.clone()).unwrap()).unwrap();
        let through = packets(Reader::with(messages, layout::reader(framed.clone()).unwrap()));
        let same = through.iter().map(|packet| &packet.data).eq(wanted.iter().map(|unit| &unit.data));
        assert!(same, "{what}: {} of {}", through.len(), wanted.len());
        assert_even(&shown(&through), step, &what);
    }
}

#[test]
fn h264_is_cut_anywhere() {
    is_cut_anywhere("h264", "h264", include_bytes!("../../../samples/h264/b_frames.h264"));
}

#[test]
fn h265_is_cut_anywhere() {
    is_cut_anywhere("h265", "hevc", include_bytes!("../../../samples/h265/main.h265"));
}
