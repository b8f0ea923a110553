//! Ten thousand connections on one thread: what a reader and its input hold while nothing comes.

use std::task::Poll;

use peak_alloc::PeakAlloc;

#[path = "formats/samples.rs"]
mod samples;
use maliu_core::{
    format::{Event, Format},
    formats,
    input::Input,
    reader::PacketReader,
};
use samples::samples;

#[global_allocator]
static PEAK: PeakAlloc = PeakAlloc;

/// Readers at once.
const READERS: usize = 10_000;

/// Most bytes that each holds when idle, beside those that it was given and could not use yet.
const IDLE: usize = 4096;

/// The same for formats of audio and video: of a transport stream the state by PID and stream alone is more than [`IDLE`].
/// Measured, 183 of about 11 KiB are bytes of an unfinished unit. It does not grow with the input.
const IDLE_MULTIPLEX: usize = 12 << 10;

/// Formats of audio and video that hold less.
const IDLE_OF: &[(&str, usize)] = &[("flv", IDLE), ("mp4", 5 << 10), ("mpegps", 9 << 10)];

/// Bytes of a sample that are looked through for a place to be idle at.
const LOOK: usize = 20_000;

/// Bytes of a push: what a packet of a network carries.
const PUSH: usize = 1400;

type Connection = (Input, PacketReader);

fn new() -> Connection {
    (Input::new(), PacketReader::detect(formats::ALL))
}

/// Pushes bytes and takes everything that they bring; how many packets, or `None` at an error.
fn feed((input, reader): &mut Connection, bytes: &[u8]) -> Option<usize> {
    let mut packets = 0;
    for slice in bytes.chunks(PUSH) {
        input.push(slice);
        loop {
            match reader.poll(input) {
                Ok(Poll::Pending) => break,
                Ok(Poll::Ready(Event::Packet(_))) => packets += 1,
                Ok(_) => {}
                Err(_) => return None,
            }
        }
        drop(input.take_warnings());
    }
    Some(packets)
}

/// How many bytes of a sample bring packets and leave the fewest unread, and how many those are.
fn resting_place(bytes: &[u8]) -> Option<(usize, usize)> {
    let (mut connection, mut packets, mut best) = (new(), 0, None);
    for (at, byte) in bytes.iter().enumerate().take(LOOK) {
        packets += feed(&mut connection, std::slice::from_ref(byte))?;
        let unread = connection.0.peek().len();
        if packets >= 2 && best.is_none_or(|(_, least)| unread <= least) {
            best = Some((at + 1, unread));
        }
    }
    best
}

fn idle_of(format: &Format) -> usize {
    let usual = if matches!(format.default_codecs, (Some(_), Some(_))) { IDLE_MULTIPLEX } else { IDLE };
    IDLE_OF.iter().find(|(name, _)| *name == format.name).map_or(usual, |(_, most)| *most)
}

/// One test, so that nothing else allocates while it measures.
#[test]
fn ten_thousand_idle_readers_hold_few_kilobytes_each() {
    let mut tried = Vec::new();
    for (format, path, bytes) in samples() {
        let Some((rest, unread)) = resting_place(&bytes) else { continue };
        // The first sample of a format that has such a place stands for it: states differ by format, not by content.
        if tried.contains(&format.name) {
            continue;
        }
        tried.push(format.name);
        for (fed, unread) in [(0, 0), (7, 7), (rest, unread)] {
            let mut connections = Vec::with_capacity(READERS);
            let before = PEAK.current_usage();
            for _ in 0..READERS {
                let mut connection = new();
                feed(&mut connection, &bytes[..fed]);
                connections.push(connection);
            }
            let each = (PEAK.current_usage() - before) / READERS + size_of::<Connection>();
            let own = idle_of(format);
            let most = own + 2 * unread;
            println!("{}: {each} bytes after {fed}, {unread} of them unread", path.display());
            assert!(each <= most, "{}: each holds {each} bytes after {fed}, {unread} of them unread", path.display());
        }
    }
    assert_eq!(tried.len(), formats::ALL.iter().filter(|format| format.demuxer.is_some()).count(), "{tried:?}");
}
