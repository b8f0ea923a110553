//! Rules of the buffered I/O contexts, one by one, where the golden vectors hold them only among others (IO-6…IO-36).

use std::sync::{Arc, Mutex};

use maliu::{
    avio::{BufferedReader, BufferedWriter, Code, Label, Whence},
    io::{Memory, Sink},
};
use maliu_core::output::{Edit, Mark, Piece};

/// Calls of the callbacks: `r4` a read of up to 4 bytes, `s8` a seek to 8, `w"ab"` a write.
type Log = Arc<Mutex<Vec<String>>>;

fn taken(log: &Log) -> Vec<String> {
    std::mem::take(&mut *log.lock().unwrap())
}

/// A reader over the bytes 0, 1, 2… `len`, at most `step` a read.
fn reader(capacity: usize, len: usize, step: usize, seekable: bool) -> (BufferedReader, Log) {
    let (log, at) = (Log::default(), Arc::new(Mutex::new(0)));
    let (note, place) = (log.clone(), at.clone());
    let reader = BufferedReader::new(capacity, move |into| {
        note.lock().unwrap().push(format!("r{}", into.len()));
        let mut at = place.lock().unwrap();
        let got = into.len().min(step).min(len - *at);
        into[..got].iter_mut().zip(*at..).for_each(|(byte, value)| *byte = value as u8);
        *at += got;
        Ok(got)
    });
    let note = log.clone();
    let seek = move |offset: i64, whence: Whence| match whence {
        Whence::Set => {
            note.lock().unwrap().push(format!("s{offset}"));
            *at.lock().unwrap() = usize::try_from(offset).unwrap();
            Ok(offset)
        }
        _ => Err(Code::ENOSYS),
    };
    (if seekable { reader.with_seek(seek) } else { reader }, log)
}

/// IO-6: one fill is one call; after the end nothing is asked until a seek or the question for the end allows it.
#[test]
fn io_6_one_fill_is_one_call_and_the_end_is_asked_once() {
    let (mut reader, log) = reader(8, 6, 4, true);
    assert_eq!([(); 4].map(|()| reader.r8()), [0, 1, 2, 3]);
    assert_eq!(taken(&log), ["r8"]);
    assert_eq!(reader.rb32(), 0x0405_0000, "bytes beyond the end are 0");
    assert_eq!(taken(&log), ["r8", "r8"], "two bytes, then the end");
    assert_eq!((reader.r8(), reader.r8(), taken(&log).len()), (0, 0, 0));
    assert!(reader.feof());
    assert_eq!(taken(&log), ["r8"]);
    reader.seek(6, Whence::Set).unwrap();
    assert_eq!((reader.r8(), taken(&log)), (0, vec!["r8".into()]));
}

/// IO-12: a seek inside the buffer, its very end included, makes no call and needs no seek callback.
#[test]
fn io_12_seeks_inside_the_buffer_call_nobody() {
    let (mut reader, log) = reader(16, 100, 16, false);
    reader.r8();
    taken(&log);
    for target in [15, 0, 16, 7] {
        assert_eq!(reader.seek(target, Whence::Set), Ok(target));
    }
    assert_eq!((taken(&log), reader.r8()), (vec![], 7));
}

/// IO-12, for a writer: inside the pending bytes.
#[test]
fn io_12_writers_seek_inside_what_is_pending() {
    let log = Log::default();
    let note = log.clone();
    let mut writer = BufferedWriter::new(16, move |bytes| {
        note.lock().unwrap().push(String::from_utf8(bytes.to_vec()).unwrap());
        Ok(())
    });
    writer.write(b"abcdef").unwrap();
    assert_eq!(writer.seek(2, Whence::Set), Ok(2));
    writer.write(b"XY").unwrap();
    assert_eq!((writer.seek(6, Whence::Set), taken(&log)), (Ok(6), vec![]));
    assert_eq!(writer.seek(7, Whence::Set), Err(Code::EPIPE), "behind what is pending it would be a real seek");
    writer.close().unwrap();
    assert_eq!(taken(&log), ["abXYef"]);
}

/// IO-14: a small step back seeks to half a buffer before the buffer and reads once.
#[test]
fn io_14_a_small_step_back_lands_half_a_buffer_earlier() {
    let (mut reader, log) = reader(16, 200, 16, true);
    reader.seek(100, Whence::Set).unwrap();
    assert_eq!((reader.r8(), reader.buffered()), (100, (5, 11)), "the buffer begins at 96");
    taken(&log);
    assert_eq!((reader.seek(95, Whence::Set), reader.r8()), (Ok(95), 95));
    assert_eq!(taken(&log), ["s88", "r16"]);
    assert_eq!((reader.seek(93, Whence::Set), reader.r8(), taken(&log)), (Ok(93), 93, vec![]));
    assert_eq!((reader.seek(70, Whence::Set), taken(&log)), (Ok(70), vec!["s70".into()]), "a large one goes there");
}

/// IO-18: the end does not discard what is buffered.
#[test]
fn io_18_the_end_keeps_the_buffer() {
    let (mut reader, log) = reader(16, 10, 16, false);
    assert_eq!(reader.read(&mut [0; 16]), Ok(10));
    assert_eq!(reader.read(&mut [0; 1]), Err(Code::EOF));
    taken(&log);
    assert_eq!((reader.seek(4, Whence::Set), reader.r8(), taken(&log)), (Ok(4), 4, vec![]));
}

/// IO-27: the packet size decides whether a fill goes behind what is buffered; a flush point waits for the smallest
/// packet; no call gets more than the buffer holds.
#[test]
fn io_27_packet_sizes() {
    let (mut reader, log) = reader(16, 100, 4, false);
    reader.set_max_packet(4);
    reader.read(&mut [0; 14]).unwrap();
    assert_eq!(taken(&log), ["r16", "r12", "r8", "r4"], "behind the older bytes while a packet has room");
    assert_eq!(reader.buffered(), (14, 2));
    let log = Log::default();
    let note = log.clone();
    let mut writer = BufferedWriter::new(4, move |bytes| {
        note.lock().unwrap().push(bytes.len().to_string());
        Ok(())
    });
    writer.set_min_packet(3);
    writer.write(b"ab").unwrap();
    writer.flush_point().unwrap();
    assert_eq!(taken(&log), [""; 0]);
    writer.write(b"c").unwrap();
    writer.flush_point().unwrap();
    writer.write(b"0123456789").unwrap();
    assert_eq!(taken(&log), ["3", "4", "4"]);
}

/// IO-32: no range is empty, headers merge, one sync point splits from the next, and what a label's block does not hold
/// follows as unknown; so do patches.
#[test]
fn io_32_what_labels_come_to() {
    let log = Log::default();
    let note = log.clone();
    let mut writer = BufferedWriter::typed(8, move |bytes, label, time| {
        note.lock().unwrap().push(format!("{label:?} {time:?} {}", String::from_utf8(bytes.to_vec()).unwrap()));
        Ok(())
    })
    .with_seek(|offset, _| Ok(offset));
    let mut piece = |label, time, bytes: &str| {
        writer.marker(label, time).unwrap();
        writer.write(bytes.as_bytes()).unwrap();
    };
    piece(Label::Header, None, "he");
    piece(Label::Header, None, "ad");
    piece(Label::Sync, Some(1), "");
    piece(Label::Sync, Some(2), "key");
    piece(Label::Sync, Some(3), "0123456789");
    writer.seek(1, Whence::Set).unwrap();
    writer.write(b"EA").unwrap();
    writer.close().unwrap();
    assert_eq!(
        taken(&log),
        ["Header None head", "Sync Some(2) key", "Sync Some(3) 01234567", "Unknown None 89", "Unknown None EA"]
    );
}

/// IO-34: what a dynamic buffer is there, [`Memory`] is here: any written place can be written again, growth has a
/// limit. No padding follows, and there are no gaps: a place behind the end does not exist.
#[test]
fn io_34_memory_in_the_place_of_a_dynamic_buffer() {
    let append = |text: &'static str| {
        Edit::Append(Piece { mark: Mark::Header, parts: vec![bytes::Bytes::from_static(text.as_bytes())] })
    };
    let overwrite = |at, text: &'static str| Edit::Overwrite { at, bytes: bytes::Bytes::from_static(text.as_bytes()) };
    let mut memory = Memory::bounded(9);
    memory.apply(append("abcdef")).unwrap();
    memory.apply(overwrite(4, "EFGH")).unwrap();
    assert_eq!(memory.bytes(), b"abcdEFGH");
    assert_eq!(memory.apply(overwrite(9, "x")).unwrap_err().kind(), std::io::ErrorKind::InvalidInput);
    assert_eq!(memory.apply(append("ij")).unwrap_err().kind(), std::io::ErrorKind::StorageFull);
    assert_eq!(memory.into_bytes(), b"abcdEFGH");
}

/// IO-35, IO-36: each flush is one call with all that is pending, so a closure that puts the length in front is the
/// packetised buffer, and one that counts is the null sink.
#[test]
fn io_35_a_closure_packetises_and_io_36_another_only_counts() {
    let (packets, count) = (Arc::new(Mutex::new(Vec::new())), Arc::new(Mutex::new(0)));
    let (kept, counted) = (packets.clone(), count.clone());
    let mut packetised = BufferedWriter::new(1024, move |bytes| {
        let mut kept = kept.lock().unwrap();
        kept.extend(u32::try_from(bytes.len()).unwrap().to_be_bytes());
        kept.extend_from_slice(bytes);
        Ok(())
    });
    let mut null = BufferedWriter::new(1024, move |bytes| {
        *counted.lock().unwrap() += bytes.len();
        Ok(())
    });
    for packet in [&b"one"[..], b"", b"three"] {
        packetised.write(packet).unwrap();
        packetised.flush().unwrap();
        null.write(packet).unwrap();
    }
    assert_eq!(packetised.seek(0, Whence::Set), Err(Code::EPIPE));
    assert_eq!(*packets.lock().unwrap(), b"\0\0\0\x03one\0\0\0\x05three");
    null.close().unwrap();
    assert_eq!(*count.lock().unwrap(), 8);
}
