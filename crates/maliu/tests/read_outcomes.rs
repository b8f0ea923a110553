//! Behaviours of a source, and their outcome for a reader (IO-4, IO-19 and their row in differences.md).

mod quads;

use std::{
    collections::VecDeque,
    io::{Error, ErrorKind, Read, Seek, SeekFrom},
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use maliu::{
    Result, Ticks, TimeBase,
    blocking::Reader,
    io::{BLOCK_SIZE, Callbacks, Follow, Forward, MAX_INTERRUPTS, Seekable, Source},
};

type Answers = Vec<std::result::Result<&'static [u8], ErrorKind>>;

/// A reader over a callback that gives these answers, then 0.
fn answering(answers: Answers) -> Reader<impl Source> {
    let mut answers = VecDeque::from(answers);
    let read = move |buf: &mut [u8]| match answers.pop_front() {
        None => Ok(0),
        Some(Err(kind)) => Err(Error::from(kind)),
        Some(Ok(bytes)) => {
            buf[..bytes.len()].copy_from_slice(bytes);
            Ok(bytes.len())
        }
    };
    Reader::with(Callbacks::new(read), quads::reader())
}

/// The next calls, as text: the packet's data, the kind of an error, or `.` at the end.
fn calls<S: Source>(reader: &mut Reader<S>, count: usize) -> Vec<String> {
    let mut call = || match reader.next_packet() {
        Ok(Some(packet)) => String::from_utf8(packet.data.to_vec()).unwrap(),
        Ok(None) => ".".into(),
        Err(maliu::Error::Io(error)) => format!("{:?}", error.kind()),
        Err(error) => error.to_string(),
    };
    (0..count).map(|_| call()).collect()
}

#[test]
fn short_reads_are_no_end() {
    assert_eq!(calls(&mut answering(vec![Ok(b"a"), Ok(b"bc"), Ok(b"de")]), 3), ["abcd", "e", "."]);
}

#[test]
fn zero_is_the_end_and_stays_it() {
    assert_eq!(calls(&mut answering(vec![Ok(b"abcd"), Ok(b"")]), 3), ["abcd", ".", "."]);
}

/// IO-46: "not yet" comes through and the call can be repeated.
#[test]
fn not_yet_surfaces_and_is_resumed() {
    let answers = vec![Ok(&b"ab"[..]), Err(ErrorKind::WouldBlock), Err(ErrorKind::WouldBlock), Ok(b"cd")];
    assert_eq!(calls(&mut answering(answers), 4), ["WouldBlock", "WouldBlock", "abcd", "."]);
}

#[test]
fn interruptions_are_passed_over_but_not_for_ever() {
    let answers = vec![Err(ErrorKind::Interrupted), Ok(&b"abcd"[..]), Err(ErrorKind::Interrupted)];
    assert_eq!(calls(&mut answering(answers), 2), ["abcd", "."]);
    let mut reader = Reader::with(Callbacks::new(|_: &mut [u8]| Err(ErrorKind::Interrupted.into())), quads::reader());
    assert_eq!(calls(&mut reader, 1), ["Interrupted"]);
    const { assert!(MAX_INTERRUPTS < 1_000_000) };
}

/// IO-46: an error of the source is returned as that error, not as the end.
#[test]
fn an_error_surfaces_once_and_data_goes_on() {
    let answers = vec![Ok(&b"ab"[..]), Err(ErrorKind::ConnectionReset), Ok(b"cdef")];
    assert_eq!(calls(&mut answering(answers), 4), ["ConnectionReset", "abcd", "ef", "."]);
}

#[test]
fn more_than_asked_is_refused_and_nothing_taken() {
    let mut lies = true;
    let read = move |buf: &mut [u8]| match std::mem::take(&mut lies) {
        true => Ok(buf.len() + 1),
        false => {
            buf[..4].copy_from_slice(b"abcd");
            Ok(4)
        }
    };
    assert_eq!(calls(&mut Reader::with(Callbacks::new(read), quads::reader()), 2), ["InvalidData", "abcd"]);
    struct Liar;
    impl Source for Liar {
        fn seekable(&self) -> bool {
            false
        }
        fn read_at(&mut self, _: u64, buf: &mut [u8]) -> std::io::Result<usize> {
            Ok(buf.len() + 1)
        }
    }
    assert_eq!(calls(&mut Reader::with(Liar, quads::reader()), 1), ["InvalidData"]);
}

#[test]
fn reads_ask_for_the_block_size() {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let note = asked.clone();
    let read = move |buf: &mut [u8]| {
        note.lock().unwrap().push(buf.len());
        Ok(buf.len().min(3))
    };
    let mut reader = Reader::with(Callbacks::new(read).with_block_size(188), quads::reader());
    calls(&mut reader, 5);
    assert!(asked.lock().unwrap().iter().all(|asked| *asked == 188));
    let mut reader = Reader::with(Forward::new(&b"abcd"[..]), quads::reader()).with_block_size(1);
    assert_eq!(calls(&mut reader, 2), ["abcd", "."]);
    assert_eq!(Source::block_size(&Bytes::new()), BLOCK_SIZE);
}

#[test]
fn seeks_reach_the_callback_and_wrong_arrivals_are_errors() {
    let file = Arc::new(Mutex::new(std::io::Cursor::new(b"0000111122223333")));
    let (reads, seeks) = (file.clone(), file);
    let source = Callbacks::new(move |buf: &mut [u8]| reads.lock().unwrap().read(buf))
        .with_seek(move |to| seeks.lock().unwrap().seek(to));
    let mut reader = Reader::with(source, quads::reader());
    reader.seek_to(Ticks(2), TimeBase::SECONDS).unwrap();
    assert_eq!(calls(&mut reader, 3), ["2222", "3333", "."]);
    reader.seek_to(Ticks(1), TimeBase::SECONDS).unwrap();
    assert_eq!(calls(&mut reader, 1), ["1111"]);

    let lost = Callbacks::new(|buf: &mut [u8]| Ok(buf.len().min(4))).with_seek(|to| match to {
        SeekFrom::Start(at) => Ok(at + 1),
        _ => Err(ErrorKind::Unsupported.into()),
    });
    let mut reader = Reader::with(lost, quads::reader());
    assert_eq!(calls(&mut reader, 1), ["InvalidData"], "asking for the size moved it");
}

#[test]
fn a_forward_source_refuses_to_go_back() {
    let mut reader = Reader::with(Forward::new(&b"0000111122223333"[..]), quads::reader());
    assert_eq!(calls(&mut reader, 3), ["0000", "1111", "2222"]);
    assert!(matches!(
        reader.seek_to(Ticks(0), TimeBase::SECONDS),
        Err(maliu::Error::Media(maliu::MediaError::NotSeekable { .. }))
    ));
    assert_eq!(calls(&mut reader, 2), ["3333", "."], "a refused seek loses nothing");
}

#[test]
fn memory_is_shared_not_copied() {
    let bytes = Bytes::from(vec![b'x'; 4096]);
    let range = bytes.as_ptr_range();
    let packets: Result<Vec<_>> = Reader::with(bytes.clone(), quads::reader()).collect();
    let packets = packets.unwrap();
    assert_eq!(packets.len(), 1024);
    assert!(packets.iter().all(|packet| range.contains(&packet.data.as_ptr())));
}

#[test]
fn all_adapters_give_the_same_packets() {
    let bytes: Vec<u8> = (0..1_000_003u32).map(|i| (i * 31) as u8).collect();
    let all = |source: Box<dyn Source>| -> Vec<_> {
        Reader::with(source, quads::reader()).map(|packet| packet.unwrap()).collect()
    };
    let shared = Bytes::from(bytes.clone());
    let expected = all(Box::new(shared));
    assert_eq!(expected.len(), 250_001);
    assert!(all(Box::new(Forward::new(std::io::Cursor::new(bytes.clone())))) == expected);
    assert!(all(Box::new(Seekable::new(std::io::Cursor::new(bytes)))) == expected);
}

#[test]
fn starting_reads_ahead_and_loses_nothing() {
    let mut reader = answering(vec![Ok(b"abcdefgh")]);
    assert_eq!(reader.streams().len(), 0);
    reader.start().unwrap();
    assert_eq!(reader.streams().len(), 1);
    assert!(matches!(reader.next_event(), Ok(maliu::Event::Stream(0, _))));
    assert_eq!(calls(&mut reader, 3), ["abcd", "efgh", "."]);
}

#[test]
fn a_growing_source_is_followed_until_it_is_quiet() {
    let (mut turn, mut left) = (0, 3);
    let growing = Callbacks::new(move |buf: &mut [u8]| {
        turn += 1;
        if turn % 3 > 0 || left == 0 {
            return Ok(0);
        }
        left -= 1;
        buf[..4].copy_from_slice(b"grow");
        Ok(4)
    });
    let follow = Follow::new(growing).every(Duration::from_millis(1)).until_quiet(Duration::from_millis(50));
    assert_eq!(calls(&mut Reader::with(follow, quads::reader()), 4), ["grow", "grow", "grow", "."]);
}

#[test]
fn the_iterator_ends_after_an_error_of_the_media() {
    let mut reader = Reader::new(Bytes::from_static(b"no media at all, whatever one tries to see in it"));
    assert!(matches!(reader.next(), Some(Err(maliu::Error::Media(_)))));
    assert!(reader.next().is_none());
}
