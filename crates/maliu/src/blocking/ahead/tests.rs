//! A reader read ahead against the same reader read plainly.

use std::{
    path::Path,
    sync::{Arc, Mutex, mpsc},
};

use bytes::Bytes;
use maliu_core::{formats, packet::Packet};

use super::{thread::MAX_BYTES, *};
use crate::io::{Callbacks, Forward, Seekable};

fn sample(name: &str) -> Bytes {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../samples").join(name);
    std::fs::read(path).unwrap().into()
}

/// Calls until the end, three errors in a row or `most` of them: every event, every error.
fn calls(mut next: impl FnMut() -> Result<Event>, most: usize) -> Vec<Result<Event, String>> {
    let mut said = Vec::new();
    while said.len() < most
        && !matches!(said.last(), Some(Ok(Event::End)))
        && !matches!(said.as_slice(), [.., Err(_), Err(_), Err(_)])
    {
        said.push(next().map_err(|error| error.to_string()));
    }
    said
}

fn boxed(source: impl Source + Send + 'static) -> Reader<Box<dyn Source + Send>> {
    Reader::new(Box::new(source))
}

fn same(make: impl Fn() -> Reader<Box<dyn Source + Send>>, what: &str) {
    let (mut plain, mut ahead) = (make(), ReadAhead::at_once(make()));
    let expected = calls(|| plain.next_event(), 20_000);
    assert!(calls(|| ahead.next_event(), 20_000) == expected, "{what}");
    assert_eq!(ahead.offset(), plain.offset(), "{what}");
}

#[test]
fn all_samples_give_the_same_events() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../samples");
    let mut seen = 0;
    for folder in std::fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_dir()) {
        for path in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            let data = Bytes::from(std::fs::read(&path).unwrap());
            let name = path.display().to_string();
            same(|| boxed(data.clone()), &name);
            same(|| boxed(Forward::new(io::Cursor::new(data.clone()))).with_block_size(700), &name);
            same(|| boxed(Seekable::new(io::Cursor::new(data.clone()))).with_block_size(9000), &name);
            seen += 1;
        }
    }
    assert!(seen > 20);
}

#[test]
fn errors_surface_once_where_they_are_and_the_next_call_asks_again() {
    let data = sample("flv/h264_aac.flv");
    for failing in 1..60 {
        let make = || {
            let (data, mut at, mut call) = (data.clone(), 0, 0);
            let source = Callbacks::new(move |buf: &mut [u8]| {
                call += 1;
                if call == failing {
                    let kinds = [io::ErrorKind::TimedOut, io::ErrorKind::WouldBlock, io::ErrorKind::Interrupted];
                    return Err(kinds[call % 3].into());
                }
                let got = (data.len() - at).min(buf.len()).min(777);
                buf[..got].copy_from_slice(&data[at..at + got]);
                at += got;
                Ok(got)
            });
            boxed(source)
        };
        same(make, &format!("call {failing} fails"));
    }
}

/// Keeps count of what is logged on this thread.
struct Count(Arc<Mutex<usize>>);

impl tracing::Subscriber for Count {
    fn enabled(&self, _: &tracing::Metadata<'_>) -> bool {
        true
    }
    fn new_span(&self, _: &tracing::span::Attributes<'_>) -> tracing::span::Id {
        tracing::span::Id::from_u64(1)
    }
    fn record(&self, _: &tracing::span::Id, _: &tracing::span::Record<'_>) {}
    fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}
    fn event(&self, _: &tracing::Event<'_>) {
        *self.0.lock().unwrap() += 1;
    }
    fn enter(&self, _: &tracing::span::Id) {}
    fn exit(&self, _: &tracing::span::Id) {}
}

/// How much was logged when each event came.
fn remarks_before(mut next: impl FnMut() -> Result<Event>) -> Vec<usize> {
    let count = Arc::new(Mutex::new(0));
    tracing::subscriber::with_default(Count(count.clone()), || {
        let mut seen = Vec::new();
        while next().unwrap() != Event::End {
            seen.push(*count.lock().unwrap());
        }
        seen
    })
}

#[test]
fn remarks_are_logged_by_the_caller_when_their_turn_comes() {
    for name in ["adts/junk_between_frames.aac", "flv/cut_in_tag.flv", "mp3/cut_in_frame.mp3"] {
        let make = || boxed(Seekable::new(io::Cursor::new(sample(name)))).with_block_size(3000);
        let (mut plain, mut ahead) = (make(), ReadAhead::at_once(make()));
        let expected = remarks_before(|| plain.next_event());
        assert_eq!(remarks_before(|| ahead.next_event()), expected, "{name}");
        assert!(name.starts_with("flv") || expected.last() > Some(&0), "{name}");
    }
}

#[test]
fn what_is_held_by_the_reader_comes_first() {
    let data = sample("flv/h264_aac.flv");
    let make = || {
        let mut reader = boxed(data.clone());
        reader.start().unwrap();
        reader
    };
    same(make, "started");
}

#[test]
fn packets_come_before_the_source_is_asked_for_more() {
    let data = sample("adts/stereo_44100.aac");
    let (give, take) = mpsc::channel::<Bytes>();
    let source = Callbacks::new(move |buf: &mut [u8]| {
        let Ok(bytes) = take.recv() else { return Ok(0) };
        buf[..bytes.len()].copy_from_slice(&bytes);
        Ok(bytes.len())
    });
    let mut ahead = ReadAhead::at_once(Reader::of(source, formats::named("adts").unwrap(), &[]).unwrap());
    let mut packets = 0;
    for chunk in data.chunks(5000) {
        let before = packets;
        give.send(Bytes::copy_from_slice(chunk)).unwrap();
        // Frames of this sample are far shorter than 2500 bytes: of each read one is whole.
        while packets == before {
            packets += usize::from(matches!(ahead.next_event().unwrap(), Event::Packet(_)));
        }
    }
    drop(give);
    let rest = calls(|| ahead.next_event(), 10_000);
    assert_eq!(rest.last(), Some(&Ok(Event::End)));
}

#[test]
fn nothing_is_read_behind_an_end_before_it_was_seen() {
    let data = sample("adts/stereo_44100.aac");
    let (calls_made, mut at) = (Arc::new(Mutex::new(0)), 0);
    let count = calls_made.clone();
    let source = Callbacks::new(move |buf: &mut [u8]| {
        *count.lock().unwrap() += 1;
        let got = (data.len() - at).min(buf.len());
        buf[..got].copy_from_slice(&data[at..at + got]);
        at += got;
        Ok(got)
    });
    let mut ahead = ReadAhead::at_once(Reader::new(source));
    let first = calls(|| ahead.next_event(), 10_000);
    let made = *calls_made.lock().unwrap();
    assert!(first.len() > 10 && made <= 3, "{} events of {made} calls", first.len());
    for _ in 0..5 {
        assert_eq!(ahead.next_event().unwrap(), Event::End);
    }
}

#[test]
fn a_source_that_panics_is_an_error() {
    let mut turn = 0;
    let source = Callbacks::new(move |buf: &mut [u8]| {
        turn += 1;
        assert!(turn < 3, "a fault of the caller's own");
        buf.fill(0xff);
        Ok(buf.len())
    });
    let mut ahead = ReadAhead::at_once(Reader::of(source, formats::named("mp3").unwrap(), &[]).unwrap());
    let error = std::iter::repeat_with(|| ahead.next_event()).find_map(Result::err).unwrap();
    assert!(error.to_string().contains("has ended"), "{error}");
    assert!(ahead.next_event().is_err());
}

#[test]
fn few_large_packets_are_read_ahead() {
    /// FLV of video tags of 3 MB each; counts what was asked for.
    fn tags(asked: Arc<Mutex<u64>>) -> impl FnMut(&mut [u8]) -> io::Result<usize> {
        let mut tag = vec![9, 0x30, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x22];
        tag.resize(11 + 0x30_0000, 0);
        tag.extend((11u32 + 0x30_0000).to_be_bytes());
        let mut whole = b"FLV\x01\x01\0\0\0\x09\0\0\0\0".to_vec();
        whole.extend(tag.repeat(16));
        let mut at = 0;
        move |buf| {
            let got = (whole.len() - at).min(buf.len());
            buf[..got].copy_from_slice(&whole[at..at + got]);
            at += got;
            *asked.lock().unwrap() = at as u64;
            Ok(got)
        }
    }
    let asked = Arc::new(Mutex::new(0));
    let mut ahead = ReadAhead::at_once(Reader::new(Callbacks::new(tags(asked.clone()))));
    let mut taken = 0;
    while let Event::Packet(_) | Event::Stream(..) | Event::Metadata(_) = ahead.next_event().unwrap() {
        taken = taken.max(ahead.offset());
        let ahead_by = asked.lock().unwrap().saturating_sub(taken);
        // Those that wait, one that is being read, and what the last read brought beside it.
        assert!(ahead_by <= MAX_BYTES + 2 * 0x30_0100 + (2 << 20), "{ahead_by} bytes at {taken}");
    }
    assert_eq!(taken, 13 + 16 * (11 + 0x30_0000 + 4));
}

#[test]
fn a_long_input_is_the_same_wherever_it_is_read() {
    let one = sample("adts/stereo_44100.aac");
    let data = Bytes::from(one.repeat((14 << 20) / one.len()));
    let file = || crate::io::Ahead::new(Seekable::new(io::Cursor::new(data.clone())));
    let plain: Vec<Packet> = Reader::new(file()).map(Result::unwrap).collect();
    for works in [false, true] {
        let (mut ahead, mut count) = (ReadAhead::new(Reader::new(file())), 0);
        loop {
            match ahead.next_event().unwrap() {
                Event::Packet(packet) => {
                    assert_eq!(plain.get(count), Some(&packet));
                    count += 1;
                    // Far longer than reading takes, also beside others.
                    if works && count % 20 == 0 && !matches!(ahead.place, Place::There(_)) {
                        std::thread::sleep(std::time::Duration::from_millis(1));
                    }
                }
                Event::End => break,
                _ => {}
            }
        }
        assert_eq!(count, plain.len());
        assert!(!works || matches!(ahead.place, Place::There(_)));
    }
}
