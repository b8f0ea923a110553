//! The paths that every byte or packet takes, from memory to memory: `cargo bench -p maliu --bench hot_paths [NAME]`.

use std::{fs, hint::black_box, task::Poll};

use bytes::Bytes;
use divan::{
    Bencher,
    counter::{BytesCount, ItemsCount},
};
use maliu::{
    format::{Event, Format, Rules},
    formats,
    input::Input,
    layout,
    output::{Output, Reach},
    packet::{Flags, Packet},
    reader::PacketReader,
    stream::{Audio, Codec, Media, StreamInfo},
    time::{Ticks, TimeBase},
    wire::message::{self, Message},
    writer::PacketWriter,
};

/// Bytes of an input.
const SIZE: usize = 8 << 20;

/// Bytes of a read, and of a write.
const BLOCK: usize = 256 << 10;

fn main() {
    divan::main();
}

/// From bytes, read block by block into a window that is used again, to packets.
#[divan::bench(args = ["flv/h264_aac.flv", "h264/b_frames.h264", "adts/stereo_44100.aac", "mp3/cbr_64k_tags.mp3"])]
fn packets_in(bencher: Bencher, sample: &str) {
    let data = match sample {
        "flv/h264_aac.flv" => flv(),
        _ => repeated(sample),
    };
    let count = BytesCount::new(data.len());
    bencher.counter(count).bench(|| read(PacketReader::detect(formats::ALL), &data, &mut |_| {}));
}

/// By the layout of FLV tags, which everybody can make out of an FLV file.
#[divan::bench]
fn layout_in(bencher: Bencher) {
    let data = flv();
    let layout = || layout::named("flv-tag").and_then(|preset| preset.layout().ok()).expect("a preset");
    let reader = || layout::reader(layout()).expect("a preset that fits");
    bencher.counter(BytesCount::new(data.len())).bench(|| read(reader(), &data, &mut |_| {}));
}

/// From packets to bytes, joined for a file.
#[divan::bench]
fn flv_out(bencher: Bencher) {
    let (streams, packets, size) = film();
    bencher.counter(BytesCount::new(size)).bench(|| {
        let mut out = Output::new(Reach::Overwrite).joining(BLOCK);
        let mut writer = start(&formats::flv::FORMAT, &streams, &mut out);
        for packet in &packets {
            writer.write_interleaved(packet.clone(), &mut out).expect("it was written before");
            black_box(out.next_edit());
        }
        writer.finish(&mut out).expect("nothing is missing");
        out.position()
    });
}

/// Packets to messages of the wire protocol.
#[divan::bench]
fn wire_out(bencher: Bencher) {
    let (_, packets, size) = film();
    bencher.counter(BytesCount::new(size)).bench(|| {
        for (sequence, packet) in (0..).zip(&packets) {
            black_box(Message::Content(Event::Packet(packet.clone())).encode(sequence));
        }
    });
}

/// Messages of the wire protocol to packets.
#[divan::bench]
fn wire_in(bencher: Bencher) {
    let (_, packets, _) = film();
    let messages =
        (0..).zip(packets).flat_map(|(sequence, packet)| Message::Content(Event::Packet(packet)).encode(sequence));
    let data = Bytes::from(messages.flatten().collect::<Vec<u8>>());
    bencher.counter(BytesCount::new(data.len())).bench(|| {
        let mut parser = message::Parser::new();
        feed(&data, |input| while !matches!(parser.poll(input), Ok(Poll::Pending) | Err(_)) {});
    });
}

/// Eight streams brought in order; nothing is written, but everything is checked.
#[divan::bench]
fn interleave_8(bencher: Bencher) {
    static ORDERED: Format = Format {
        rules: Rules { no_order: false, no_timestamps: false, ..formats::null::FORMAT.rules },
        ..formats::null::FORMAT
    };
    const STREAMS: i64 = 8;
    const PACKETS: i64 = 400_000;
    let media = || Media::Audio(Audio::new(44_100, 2));
    let streams: Vec<_> = (0..STREAMS).map(|_| StreamInfo::new(Codec::Mp3, TimeBase::MILLIS, media())).collect();
    let data = Bytes::from_static(&[0; 417]);
    bencher.counter(ItemsCount::new(PACKETS as usize)).bench(|| {
        let mut out = Output::new(Reach::Append);
        let mut writer = start(&ORDERED, &streams, &mut out);
        for n in 0..PACKETS {
            let time = Some(Ticks(n / STREAMS * 26 + n % STREAMS * 3));
            let (stream, flags, data) = ((n % STREAMS) as usize, Flags::KEY, data.clone());
            let packet = Packet::of(stream, data).at(time).with_duration(Ticks(26)).with_flags(flags);
            writer.write_interleaved(packet, &mut out).expect("times rise");
        }
    });
}

fn start(format: &'static Format, streams: &[StreamInfo], out: &mut Output) -> PacketWriter {
    PacketWriter::start(format, &[], streams, out).expect("the streams fit")
}

/// Feeds `data` block by block, with `poll` after each.
fn feed(data: &[u8], mut poll: impl FnMut(&mut Input)) {
    let mut input = Input::new();
    loop {
        let got = input.fill(BLOCK, |at, buffer| {
            let rest = data.get(at as usize..).unwrap_or_default();
            let got = rest.len().min(buffer.len());
            buffer[..got].copy_from_slice(&rest[..got]);
            Ok::<_, ()>(got)
        });
        if got == Ok(0) {
            input.end();
        }
        poll(&mut input);
        if input.ended() {
            return;
        }
    }
}

/// Reads all packets; returns how many there were, and the streams.
fn read(mut reader: PacketReader, data: &[u8], each: &mut dyn FnMut(Packet)) -> (u64, Vec<StreamInfo>) {
    let mut count = 0;
    feed(data, |input| {
        loop {
            match reader.poll(input).expect("a sample can be read") {
                Poll::Ready(Event::Packet(packet)) => {
                    count += 1;
                    each(black_box(packet));
                }
                Poll::Pending | Poll::Ready(Event::End) => break,
                _ => {}
            }
        }
    });
    (count, reader.streams().to_vec())
}

fn sample(name: &str) -> Vec<u8> {
    fs::read(format!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../samples/{}"), name)).expect("a sample of the project")
}

fn repeated(name: &str) -> Vec<u8> {
    let one = sample(name);
    one.repeat(SIZE.div_ceil(one.len()))
}

/// The clip of the samples again and again, as one: streams, packets, bytes of payload.
fn film() -> (Vec<StreamInfo>, Vec<Packet>, usize) {
    let mut once = Vec::new();
    let (_, streams) = read(PacketReader::detect(formats::ALL), &sample("flv/h264_aac.flv"), &mut |p| once.push(p));
    let bytes: usize = once.iter().map(|packet| packet.data.len()).sum();
    let last = once.iter().filter_map(|packet| packet.dts).max().unwrap_or_default();
    let mut packets = Vec::new();
    for turn in 0..SIZE.div_ceil(bytes) as i64 {
        let later = Ticks((last.0 + 50) * turn);
        packets.extend(once.iter().map(|packet| {
            packet
                .clone()
                .with_pts(packet.pts.map(|pts| pts + later))
                .with_dts(packet.dts.map(|dts| dts + later))
                .with_data(Bytes::copy_from_slice(&packet.data))
        }));
    }
    (streams, packets, bytes * SIZE.div_ceil(bytes))
}

/// The clip as a file.
fn flv() -> Vec<u8> {
    let (streams, packets, _) = film();
    let mut out = Output::new(Reach::Append).joining(BLOCK);
    let mut writer = start(&formats::flv::FORMAT, &streams, &mut out);
    for packet in packets {
        writer.write_interleaved(packet, &mut out).expect("times rise");
    }
    writer.finish(&mut out).expect("nothing is missing");
    out.close();
    let mut file = Vec::new();
    while let Some(maliu::output::Edit::Append(piece)) = out.next_edit() {
        piece.parts.iter().for_each(|part| file.extend_from_slice(part));
    }
    file
}
