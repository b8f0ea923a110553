//! How far the viewer of a live transfer lags when the connection is slower than the media: bounded whatever the buffers of
//! the transport hold, and reported as it is. A simulated connection, in simulated time.

use std::{collections::VecDeque, time::Duration};

use maliu_core::{
    format::Event,
    packet::Packet,
    stream::{Audio, Codec, Media, StreamInfo, Video},
    time::{Ticks, TimeBase},
    wire::{
        message::Mode,
        session::{LiveLimits, Received, Receiver, ReceiverOptions, Sender, SenderOptions},
    },
};

const SECONDS: i64 = 10;
const VIDEO: usize = 0;
const AUDIO: usize = 1;

/// 9 Mbit/s: a keyframe every 2 s, and audio of 128 kbit/s; dts in ms, and bytes.
fn media() -> Vec<(usize, i64, usize, bool)> {
    let video = (0..25 * SECONDS).map(|n| match n % 50 {
        0 => (VIDEO, n * 40, 200_000, true),
        _ => (VIDEO, n * 40, 41_800, false),
    });
    let audio = (0..).map(|n| (AUDIO, n * 1024 / 44, 370, true)).take_while(|(_, time, ..)| *time < SECONDS * 1000);
    let mut all: Vec<_> = video.chain(audio).collect();
    all.sort_by_key(|(_, time, ..)| *time);
    all
}

/// Packets that arrived: stream, dts and the time of arrival in ms.
struct Seen {
    arrived: Vec<(usize, i64, i64)>,
    /// By how many ms the reported delay was too small at most.
    wrong: i64,
}

/// Sends over a connection of `rate` bytes per ms whose buffers hold `buffers` bytes and which takes `way` ms to answer.
fn sent(limit: Duration, rate: usize, buffers: usize, way: i64) -> Seen {
    let options = SenderOptions::new("camera", 1, Mode::Live).with_limits(LiveLimits::new(8 << 20, limit));
    let mut sender = Sender::new(options);
    let stream = |codec, media| Box::new(StreamInfo::new(codec, TimeBase::MILLIS, media));
    sender.push(Event::Stream(VIDEO, stream(Codec::H264, Media::Video(Video::new(1920, 1080)))));
    sender.push(Event::Stream(AUDIO, stream(Codec::Aac, Media::Audio(Audio::new(44_100, 2)))));
    sender.connect(Duration::ZERO);
    let mut receiver = Receiver::new(ReceiverOptions::default(), [1; 16], Duration::ZERO);
    let (mut source, mut channel, mut kernel) = (VecDeque::from(media()), VecDeque::new(), VecDeque::new());
    let mut answers: VecDeque<(i64, Vec<u8>)> = VecDeque::new();
    let mut seen = Seen { arrived: Vec::new(), wrong: 0 };
    let (mut newest, mut shown) = (0, 0);
    for ms in 0..SECONDS * 1000 + 10_000 {
        let now = Duration::from_millis(ms as u64);
        while source.front().is_some_and(|(_, time, ..)| *time <= ms) {
            let Some((stream, time, size, key)) = source.pop_front() else { break };
            let packet = Packet::of(stream, vec![0; size]).at(Ticks(time)).with_key(key);
            sender.push(Event::Packet(packet));
            newest = time;
        }
        if source.is_empty() {
            sender.finish();
        }
        while answers.front().is_some_and(|(at, _)| *at <= ms) {
            let Some((_, bytes)) = answers.pop_front() else { break };
            sender.input().unwrap().push(&bytes);
        }
        sender.poll(now).unwrap();
        while channel.len() < 64 << 10 {
            let Some(parts) = sender.next(now) else { break };
            channel.extend(parts.iter().flatten().copied());
        }
        let room = (buffers - kernel.len()).min(channel.len());
        kernel.extend(channel.drain(..room));
        let part: Vec<u8> = kernel.drain(..rate.min(kernel.len())).collect();
        receiver.input().push(&part);
        while let Some(received) = receiver.poll(now).unwrap() {
            match received {
                Received::Hello(_) => receiver.welcome(0),
                Received::Content(number, Event::End) => receiver.acknowledge(number + 1),
                Received::Content(_, Event::Packet(packet)) => {
                    let time = packet.dts.unwrap().0;
                    seen.arrived.push((packet.stream, time, ms));
                    shown = time;
                }
                Received::Content(..) => {}
            }
        }
        while let Some(parts) = receiver.next(now) {
            answers.push_back((ms + way, parts.concat()));
        }
        // The viewer lags by what it has not got.
        let reported = sender.stats().delay.as_millis() as i64;
        seen.wrong = seen.wrong.max(newest - shown - reported);
    }
    assert!(sender.is_done(), "{limit:?} {rate} {buffers}");
    seen
}

#[test]
fn a_viewer_lags_no_more_than_the_limit_whatever_the_buffers_hold() {
    for (limit, rate, buffers, way) in [
        (1000, 250, 64 << 10, 1),
        (1000, 250, 6 << 20, 1),
        (3000, 250, 64 << 10, 20),
        (3000, 250, 6 << 20, 20),
        (2000, 600, 6 << 20, 100),
        (1000, 12_000, 6 << 20, 50),
    ] {
        let seen = sent(Duration::from_millis(limit), rate, buffers, way);
        let what = format!("{limit} ms, {rate} bytes per ms, {buffers} bytes, {way} ms");
        let lag = seen.arrived.iter().map(|(_, time, at)| at - time).max().unwrap();
        let count = |stream| seen.arrived.iter().filter(|(of, ..)| *of == stream).count();
        let all = |stream| media().iter().filter(|(of, ..)| *of == stream).count();
        println!("{what}: lag {lag} ms, {} of {} video frames", count(VIDEO), all(VIDEO));
        assert!(lag <= limit as i64 + 500, "{what}: lag {lag} ms");
        assert_eq!(count(AUDIO), all(AUDIO), "{what}: audio");
        // At least the keyframe of every 2 s comes through a slow connection, and everything through a quick one.
        let least = if rate > 1200 { all(VIDEO) } else { SECONDS as usize / 2 };
        assert!(count(VIDEO) >= least, "{what}: {} video frames", count(VIDEO));
        assert!(seen.wrong <= 100, "{what}: the delay reported was {} ms too small", seen.wrong);
    }
}
