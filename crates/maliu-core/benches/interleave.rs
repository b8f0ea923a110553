//! How many packets a second eight streams are interleaved with: `cargo bench -p maliu-core --bench interleave`.

use std::time::Instant;

use bytes::Bytes;
use maliu_core::{
    format::{Format, Rules},
    formats,
    output::{Output, Reach},
    packet::{Flags, Packet},
    stream::{Audio, Codec, Media, StreamInfo},
    time::{Ticks, TimeBase},
    writer::PacketWriter,
};

/// Nothing is written, but everything is ordered and checked.
static ORDERED: Format = Format {
    rules: Rules { no_order: false, no_timestamps: false, ..formats::null::FORMAT.rules },
    ..formats::null::FORMAT
};

const STREAMS: i64 = 8;
const PACKETS: i64 = 4_000_000;

fn main() {
    let media = || Media::Audio(Audio { sample_rate: 44_100, channels: 2, ..Audio::default() });
    let streams: Vec<_> = (0..STREAMS).map(|_| StreamInfo::new(Codec::Mp3, TimeBase::MILLIS, media())).collect();
    let mut out = Output::new(Reach::Append);
    let mut writer = PacketWriter::start(&ORDERED, &[], &streams, &mut out).expect("the streams fit");
    let data = Bytes::from_static(&[0; 417]);
    let start = Instant::now();
    for n in 0..PACKETS {
        let time = Some(Ticks(n / STREAMS * 26 + n % STREAMS * 3));
        let (stream, flags, data) = ((n % STREAMS) as usize, Flags::KEY, data.clone());
        let packet = Packet { stream, pts: time, dts: time, duration: Ticks(26), flags, data, ..Packet::default() };
        writer.write_interleaved(packet, &mut out).expect("times rise");
    }
    println!("{STREAMS} streams: {:.1} M packets/s", PACKETS as f64 / start.elapsed().as_secs_f64() / 1e6);
}
