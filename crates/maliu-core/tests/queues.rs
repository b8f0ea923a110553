//! Every queue takes the memory that its account says, by a counting allocator: whatever packets carry beside their
//! data, and whatever they share buffers with.

use std::{task::Poll, time::Duration};

use bytes::Bytes;
use maliu::{
    copy::{Options, Recorder},
    io::Memory,
};
use maliu_core::{
    account::Weigh,
    format::{Event, Format, Rules},
    formats,
    input::Input,
    output::{Output, Reach},
    packet::Packet,
    stream::{Codec, Metadata, StreamInfo},
    time::{Ticks, TimeBase},
    wire::{
        message::{Found, Message, Mode, Parser},
        session::{LiveLimits, Sender, SenderOptions},
    },
    writer::PacketWriter,
};
use peak_alloc::PeakAlloc;

#[global_allocator]
static PEAK: PeakAlloc = PeakAlloc;

/// Reads as large as files are read in.
const BLOCK: usize = 256 << 10;

/// Memory of a queue besides its account: the window of an input, a message under way, and buffers that
/// packets which wait only briefly share with others.
const SLACK: usize = 4 << 20;

/// Parts of a flood: a packet to be kept waiting, and the bytes before each of them.
#[derive(Clone, Copy, Debug)]
struct Flood {
    data: usize,
    config: usize,
    opaque: usize,
    /// Bytes of a packet of the other stream, which does not wait; 0 for none.
    other: usize,
    /// Bytes of a message that is of no known kind; 0 for none.
    unknown: usize,
    count: usize,
}

const NOTHING: Flood = Flood { data: 1, config: 0, opaque: 0, other: 0, unknown: 0, count: 0 };

const FLOODS: [Flood; 7] = [
    Flood { count: 30_000, ..NOTHING },
    Flood { data: 5000, count: 2000, ..NOTHING },
    Flood { config: 1 << 20, count: 12, ..NOTHING },
    Flood { opaque: 1 << 20, count: 12, ..NOTHING },
    Flood { other: 100_000, count: 600, ..NOTHING },
    Flood { unknown: 100_000, count: 600, ..NOTHING },
    Flood { unknown: 3 << 20, count: 40, ..NOTHING },
];

/// The messages of a flood as a peer sends them: stream 0 waits, far in the future; stream 1 does not.
fn messages(flood: Flood) -> impl Iterator<Item = Vec<u8>> {
    let packet = move |stream, time, bytes| Packet::of(stream, vec![7; bytes]).at(Ticks(time)).with_key(true);
    (0..flood.count).flat_map(move |n| {
        let mut waits = packet(0, 5_000_000 + n as i64, flood.data);
        if flood.config > 0 {
            waits.side.set_new_config(vec![n as u8; flood.config].into());
        }
        if flood.opaque > 0 {
            waits.side.add_opaque(9, vec![n as u8; flood.opaque].into()).unwrap();
        }
        let mut all = Vec::new();
        if flood.unknown > 0 {
            let mut message = Message::Content(Event::Packet(packet(0, 0, flood.unknown))).encode(0).concat();
            // A kind of a later version; the sum of the header again.
            message[5] = 99;
            let sum = crc32c(&message[..28]);
            message[28..32].copy_from_slice(&sum.to_be_bytes());
            all.push(message);
        }
        if flood.other > 0 {
            all.push(Message::Content(Event::Packet(packet(1, n as i64, flood.other))).encode(0).concat());
        }
        all.push(Message::Content(Event::Packet(waits)).encode(0).concat());
        all
    })
}

/// The sum of headers.
fn crc32c(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0u32, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| (crc >> 1) ^ (0x82f6_3b78 & (crc & 1).wrapping_neg()))
    })
}

/// Reads a flood in blocks, and gives its packets on.
fn pour(flood: Flood, mut give: impl FnMut(Packet)) {
    let (mut input, mut parser) = (Input::new(), Parser::new());
    let (mut waiting, mut messages) = (Vec::new(), messages(flood));
    loop {
        while waiting.len() < BLOCK
            && let Some(message) = messages.next()
        {
            waiting.extend(message);
        }
        if waiting.is_empty() {
            return;
        }
        let taken = waiting.len().min(BLOCK);
        input
            .fill(BLOCK, |_, buffer| Ok::<_, ()>((buffer[..taken].copy_from_slice(&waiting[..taken]), taken).1))
            .unwrap();
        waiting.drain(..taken);
        while let Ok(Poll::Ready(Found::Message(_, message))) = parser.poll(&mut input) {
            if let Message::Content(Event::Packet(packet)) = message {
                give(packet);
            }
        }
    }
}

/// Pours a flood into a queue and compares what is held with what the queue says, as it fills and when it is full.
fn check<Q>(name: &str, flood: Flood, mut queue: Q, put: impl Fn(&mut Q, Packet), held: impl Fn(&mut Q) -> usize) {
    let before = PEAK.current_usage();
    let mut most = 0;
    pour(flood, |packet| {
        put(&mut queue, packet);
        let (measured, said) = (PEAK.current_usage().saturating_sub(before), held(&mut queue));
        most = most.max(measured);
        // The message under way and the one that waits to be read are of the flood, not of the queue.
        let under_way = 4 * (flood.unknown + flood.config + flood.opaque + flood.other);
        assert!(measured <= said * 2 + SLACK + under_way, "{name}, {flood:?}: {measured} bytes held, {said} said");
    });
    let (measured, said) = (PEAK.current_usage().saturating_sub(before), held(&mut queue));
    assert!(measured <= said + said / 2 + SLACK, "{name}, {flood:?}: {measured} bytes held at the end, {said} said");
    assert!(said > 0, "{name}: nothing waits");
}

fn streams() -> [StreamInfo; 2] {
    let base = TimeBase::MICROS;
    [
        StreamInfo::audio(Codec::Mp3, 44_100, 2).with_time_base(base),
        StreamInfo::video(Codec::Mjpeg, 16, 16).with_time_base(base),
    ]
}

/// Takes everything, in order.
static ORDERED: Format = Format { rules: Rules { equal_dts: true, ..Rules::STRICT }, ..formats::null::FORMAT };

fn order(flood: Flood) {
    let mut out = Output::new(Reach::Append);
    let writer = PacketWriter::start(&ORDERED, &[("max_interleave_delta", "0")], &streams(), &mut out).unwrap();
    check(
        "order",
        flood,
        (writer, out),
        |(writer, out), packet| writer.write_interleaved(packet, out).unwrap(),
        |(writer, _)| writer.waiting().1,
    );
}

fn sender(flood: Flood, mode: Mode) {
    let limits = LiveLimits::new(8 << 20, Duration::from_secs(100));
    let mut sender = Sender::new(SenderOptions::new("q", 1, mode).with_limits(limits));
    for (index, info) in streams().into_iter().enumerate() {
        sender.push(Event::Stream(index, Box::new(info)));
    }
    let name = if mode == Mode::Live { "live" } else { "reliable" };
    // A live queue drops video first: its buffers are shared with sound that stays.
    check(name, flood, sender, |sender, packet| sender.push(Event::Packet(packet)), |sender| sender.stats().waiting.1);
}

fn recorder(flood: Flood) {
    let mut recorder = Recorder::new(&ORDERED, Memory::new(), Options::default());
    for (index, info) in streams().into_iter().enumerate() {
        recorder.push(Event::Stream(index, Box::new(info))).unwrap();
    }
    check(
        "recorder",
        flood,
        recorder,
        |recorder, packet| recorder.push(Event::Packet(packet)).unwrap(),
        Recorder::waiting,
    );
}

/// Events of a batch, as `send` counts them.
fn batch(flood: Flood) {
    check(
        "batch",
        flood,
        (Vec::<Event>::new(), 0),
        |(events, bytes), packet| {
            let event = Event::Packet(packet);
            // A batch is handed over when it is large.
            if *bytes > 4 << 20 {
                *events = Vec::new();
                *bytes = 0;
            }
            *bytes += event.weight();
            events.push(event);
        },
        |(_, bytes)| *bytes,
    );
}

/// Tags and descriptions weigh what they take.
fn descriptions() {
    for (count, key, value) in [(1000, 1, 1), (1000, 8, 1000), (10, 20, 100_000)] {
        let before = PEAK.current_usage();
        let mut tags = Metadata::default();
        for n in 0..count {
            tags.set(format!("{n:0key$}"), "v".repeat(value));
        }
        let mut info = StreamInfo::audio(Codec::Mp3, 44_100, 2);
        info.config = Bytes::from(vec![1; 5000]);
        info.metadata = tags.clone();
        let events = [Event::Metadata(Box::new(tags)), Event::Stream(0, Box::new(info))];
        let (measured, said) = (PEAK.current_usage() - before, events.iter().map(Weigh::weight).sum::<usize>());
        assert!(measured <= said && said <= 4 * measured, "{count} tags: {measured} bytes held, {said} said");
    }
}

/// One test, so that nothing else allocates while it measures.
#[test]
fn queues_hold_what_they_say() {
    descriptions();
    for flood in FLOODS {
        order(flood);
        sender(flood, Mode::Reliable);
        sender(flood, Mode::Live);
        recorder(flood);
        batch(flood);
    }
}
