//! Chunks in odd orders, of odd sizes, and missing ones.

use core::task::Poll;

use alloc::{string::String, vec, vec::Vec};

use super::*;

fn chunk(id: &[u8; 4], size: u32, body: &[u8]) -> Vec<u8> {
    [id, &size.to_le_bytes()[..], body, &[0][..body.len() % 2]].concat()
}

fn sized(id: &[u8; 4], body: &[u8]) -> Vec<u8> {
    chunk(id, body.len() as u32, body)
}

/// A file of these chunks.
fn file(mark: &[u8; 4], chunks: &[Vec<u8>]) -> Vec<u8> {
    [&mark[..], &[0; 4], b"WAVE", &chunks.concat()].concat()
}

/// 8 bits, mono.
fn fmt() -> Vec<u8> {
    sized(b"fmt ", b"\x01\0\x01\0\x40\x1f\0\0\x40\x1f\0\0\x01\0\x08\0")
}

/// Events that are read, one line per event.
fn read(bytes: &[u8], seekable: bool) -> Vec<String> {
    let mut input = if seekable { Input::seekable(Some(bytes.len() as u64)) } else { Input::new() };
    let (mut lines, mut wav) = (vec![], Wav::new());
    loop {
        match wav.poll(&mut input) {
            Ok(Poll::Ready(Event::Stream(_, info))) => {
                lines.push(alloc::format!("{} {:?}", info.codec, info.duration.map(|d| d.0)))
            }
            Ok(Poll::Ready(Event::Metadata(tags))) => lines.push(alloc::format!("{:?}", tags.entries())),
            Ok(Poll::Ready(Event::Packet(p))) => {
                lines.push(alloc::format!("{} {}", p.pts.unwrap(), String::from_utf8_lossy(&p.data)));
            }
            Ok(Poll::Pending) => {
                let at = (input.next_read() as usize).min(bytes.len());
                let block = &bytes[at..bytes.len().min(at + 5)];
                if block.is_empty() { input.end() } else { input.push(block) }
            }
            Ok(Poll::Ready(Event::End)) => return lines,
            Err(error) => {
                lines.push(alloc::format!("{error}"));
                return lines;
            }
        }
    }
}

#[test]
fn tags_behind_the_data_come_first_where_the_input_can_seek() {
    let list = sized(b"LIST", b"INFOINAM\x02\0\0\0hi");
    let bytes = file(b"RIFF", &[sized(b"odd ", b"123"), fmt(), sized(b"data", b"abc"), list]);
    let [tags, stream, packet] = ["[(\"title\", \"hi\")]", "pcm_u8 Some(3)", "0 abc"];
    assert_eq!(read(&bytes, true), [tags, stream, packet]);
    assert_eq!(read(&bytes, false), [stream, packet, tags]);
}

#[test]
fn of_two_data_chunks_the_last_counts_or_both_do() {
    let bytes = file(b"RIFF", &[fmt(), sized(b"data", b"abcd"), sized(b"data", b"ef")]);
    assert_eq!(read(&bytes, true), ["pcm_u8 Some(2)", "0 ef"]);
    assert_eq!(read(&bytes, false), ["pcm_u8 Some(4)", "0 abcd", "4 ef"]);
}

#[test]
fn sizes_of_recordings_under_way_mean_all_there_is() {
    let long = |size: u64| sized(b"ds64", &[&[0; 8][..], &size.to_le_bytes(), &[0; 12]].concat());
    let cases = [
        (file(b"RIFF", &[fmt(), chunk(b"data", 0, b"abcd")]), "pcm_u8 None"),
        (file(b"RIFF", &[fmt(), chunk(b"data", u32::MAX, b"abcd")]), "pcm_u8 None"),
        (file(b"RF64", &[long(0), fmt(), chunk(b"data", u32::MAX, b"abcd")]), "pcm_u8 None"),
        (file(b"BW64", &[long(4), fmt(), chunk(b"data", u32::MAX, b"abcd")]), "pcm_u8 Some(4)"),
    ];
    for (bytes, stream) in cases {
        assert_eq!(read(&bytes, false), [stream, "0 abcd"]);
        assert_eq!(read(&bytes, true), [stream, "0 abcd"]);
    }
}

#[test]
fn what_is_missing_is_said_with_its_place() {
    let cases = [
        (file(b"RIFF", &[fmt()]), "wav: no data chunk at byte 36"),
        (file(b"RIFF", &[sized(b"data", b"abcd")]), "wav: no fmt chunk before the data at byte 20"),
        (
            file(b"RIFF", &[sized(b"fmt ", &[0; 16])]),
            "wav: a fmt chunk that is cut, or without rate or channels at byte 20",
        ),
        (b"RIFF0000AVI ".to_vec(), "wav: no RIFF, RF64 or Wave64 mark at byte 0"),
    ];
    for (bytes, error) in cases {
        assert_eq!(read(&bytes, false), [error]);
        assert_eq!(read(&bytes, true), [error]);
    }
    let unread = Wav::new().seek(Ticks(0), TimeBase::SECONDS, &mut Input::new());
    assert!(matches!(unread, Err(Error::Unsupported(_))));
}

#[test]
fn twenty_four_bits_in_four_bytes_are_integers() {
    let fmt = sized(b"fmt ", b"\x01\0\x01\0\x40\x1f\0\0\0\x7d\0\0\x04\0\x18\0");
    let bytes = file(b"RIFF", &[fmt, sized(b"data", b"ab!\0cd?\0")]);
    for seekable in [false, true] {
        assert_eq!(read(&bytes, seekable), ["pcm_s24le Some(2)", "0 ab!cd?"]);
    }
}

#[test]
fn aac_has_times() {
    let fmt = sized(b"fmt ", b"\xff\0\x01\0\x80\x3e\0\0\0\x7d\0\0\x01\0\x10\0");
    // Two ADTS frames at 8 kHz, in a file whose rate is the doubled one.
    let frame = [0xff, 0xf1, 0x6c, 0x40, 0x01, 0x3f, 0xfc, b'x', b'y'];
    let lines = read(&file(b"RIFF", &[fmt, sized(b"data", &frame.repeat(2))]), true);
    let times: Vec<_> = lines[1..].iter().map(|line| line.split(' ').next().unwrap()).collect();
    assert_eq!((&lines[0][..3], times), ("aac", vec!["0", "2048"]));
}
