//! Behaviours of a sink, and their outcome for a writer (IO-20…IO-22, IO-30 and their row in differences.md).

use std::{
    io::{Error, ErrorKind},
    sync::{Arc, Mutex},
};

use bytes::Bytes;
use maliu::{
    Result, Ticks,
    blocking::{Pump, Writer},
    formats,
    io::{AtomicFile, Editable, File, Forward, Memory, Seekable, Sink, WriteCallbacks},
    output::{Edit, Mark, Output, Piece},
    packet::Packet,
    stream::{Codec, Media, StreamInfo},
    time::TimeBase,
};

/// Calls of the write closure: its bytes as text, and its mark.
type Calls = Arc<Mutex<Vec<(String, Option<Mark>)>>>;

fn noting(calls: &Calls) -> impl FnMut(&[u8], Option<Mark>) -> std::io::Result<usize> + use<> {
    let calls = calls.clone();
    move |bytes, mark| {
        calls.lock().unwrap().push((String::from_utf8(bytes.to_vec()).unwrap(), mark));
        Ok(bytes.len())
    }
}

fn piece(mark: Mark, parts: &[&'static str]) -> Edit {
    Edit::Append(Piece { mark, parts: parts.iter().map(|part| Bytes::from_static(part.as_bytes())).collect() })
}

const KEY: Mark = Mark::Key { time: Some(Ticks(40)) };
const BODY: Mark = Mark::Body { time: None };

#[test]
fn every_piece_reaches_the_callback_with_its_mark() {
    let calls = Calls::default();
    let mut sink = WriteCallbacks::new(noting(&calls));
    sink.apply(piece(Mark::Header, &["FLV", "!"])).unwrap();
    sink.apply(piece(KEY, &["key"])).unwrap();
    let got = std::mem::take(&mut *calls.lock().unwrap());
    assert_eq!(got, [("FLV!".into(), Some(Mark::Header)), ("key".into(), Some(KEY))]);
}

#[test]
fn fixed_blocks_carry_the_mark_of_their_first_byte() {
    let calls = Calls::default();
    let mut sink = WriteCallbacks::new(noting(&calls)).with_block_size(4);
    for edit in [piece(Mark::Header, &["hh"]), piece(KEY, &["kkkkkkk"]), piece(BODY, &["b"])] {
        sink.apply(edit).unwrap();
    }
    sink.finish().unwrap();
    let got = std::mem::take(&mut *calls.lock().unwrap());
    assert_eq!(
        got,
        [("hhkk".into(), Some(Mark::Header)), ("kkkk".into(), Some(KEY)), ("kb".into(), Some(KEY))],
        "the last block is short"
    );
}

#[test]
fn patches_go_through_the_seek_callback() {
    let calls = Calls::default();
    let sought = calls.clone();
    let mut sink = WriteCallbacks::new(noting(&calls)).with_seek(move |to| {
        sought.lock().unwrap().push((format!("{to:?}"), None));
        match to {
            std::io::SeekFrom::Start(at) => Ok(at),
            _ => Err(ErrorKind::Unsupported.into()),
        }
    });
    sink.apply(piece(Mark::Header, &["abcd"])).unwrap();
    sink.apply(Edit::Overwrite { at: 1, bytes: Bytes::from_static(b"BC") }).unwrap();
    let texts: Vec<String> = calls.lock().unwrap().iter().map(|(text, _)| text.clone()).collect();
    assert_eq!(texts, ["abcd", "Start(1)", "BC", "Start(4)"]);
}

/// A sink whose closure answers from a list, then takes everything. Shows what arrived.
fn answering(answers: Vec<std::io::Result<usize>>) -> (impl Sink, Arc<Mutex<Vec<u8>>>) {
    let got = Arc::new(Mutex::new(Vec::new()));
    let (note, mut answers) = (got.clone(), answers.into_iter());
    let write = move |bytes: &[u8], _: Option<Mark>| {
        let wrote = answers.next().unwrap_or(Ok(bytes.len()))?;
        note.lock().unwrap().extend_from_slice(&bytes[..wrote.min(bytes.len())]);
        Ok(wrote)
    };
    (WriteCallbacks::new(write), got)
}

#[test]
fn short_counts_are_honoured() {
    let (mut sink, got) = answering(vec![Ok(1), Err(ErrorKind::Interrupted.into()), Ok(2)]);
    sink.apply(piece(Mark::Header, &["abcdef"])).unwrap();
    assert_eq!(*got.lock().unwrap(), b"abcdef");
}

#[test]
fn zero_and_more_than_given_are_final_errors() {
    for (answer, kind) in [(0, ErrorKind::WriteZero), (7, ErrorKind::InvalidData)] {
        let (mut sink, _) = answering(vec![Ok(answer)]);
        assert_eq!(sink.apply(piece(Mark::Header, &["abcdef"])).unwrap_err().kind(), kind);
        assert_eq!(sink.apply(piece(Mark::Header, &["abcdef"])).unwrap_err().kind(), kind, "no later call succeeds");
        assert_eq!(sink.flush().unwrap_err().kind(), kind);
    }
}

#[test]
fn a_final_error_keeps_its_code_and_ends_the_calls() {
    let (mut sink, got) = answering(vec![Ok(2), Err(Error::from_raw_os_error(28))]);
    assert_eq!(sink.apply(piece(Mark::Header, &["abcdef"])).unwrap_err().raw_os_error(), Some(28));
    assert_eq!(sink.finish().unwrap_err().raw_os_error(), Some(28));
    assert_eq!(*got.lock().unwrap(), b"ab");
}

#[test]
fn not_yet_keeps_order_and_loses_nothing() -> Result<()> {
    let shy = || Err(ErrorKind::WouldBlock.into());
    let (sink, got) = answering(vec![Ok(2), shy(), shy(), Ok(1), shy()]);
    let mut pump = Pump::new(sink);
    let put = |out: &mut Output, text| out.append(BODY, [Bytes::from_static(text)]);
    put(pump.output(), b"abcd");
    put(pump.output(), b"efgh");
    pump.pump()?;
    assert_eq!(*got.lock().unwrap(), b"ab");
    put(pump.output(), b"ij");
    assert!(pump.flush().unwrap_err().is_not_yet());
    assert!(pump.flush().unwrap_err().is_not_yet());
    pump.finish()?;
    assert_eq!(*got.lock().unwrap(), b"abcdefghij");
    Ok(())
}

#[test]
fn small_pieces_reach_a_stream_in_few_writes() {
    struct Counting(Vec<usize>);
    impl std::io::Write for Counting {
        fn write(&mut self, buf: &[u8]) -> std::io::Result<usize> {
            self.0.push(buf.len());
            Ok(buf.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let mut sink = Forward::new(Counting(Vec::new()));
    (0..10_000).for_each(|_| sink.apply(piece(BODY, &["0123456789", "0123456789", "0123456789"])).unwrap());
    sink.finish().unwrap();
    assert!(sink.inner().0.len() <= 2, "{:?}", sink.inner().0);
}

#[test]
fn files_devices_and_memory_end_up_equal() -> Result<()> {
    let folder = Folder::new("equal");
    let edits = || {
        let patch = Edit::Overwrite { at: 1, bytes: Bytes::from_static(b"XY") };
        [piece(Mark::Header, &["head", "er"]), piece(KEY, &["key"]), patch, piece(Mark::Trailer, &["tail"])]
    };
    let write = |sink: &mut dyn Sink| -> Result<()> {
        edits().into_iter().try_for_each(|edit| sink.apply(edit))?;
        Ok(sink.finish()?)
    };
    let mut memory = Memory::new();
    write(&mut memory)?;
    assert_eq!(memory.bytes(), b"hXYderkeytail");
    let mut cursor = Seekable::new(std::io::Cursor::new(Vec::new()));
    write(&mut cursor)?;
    assert_eq!(cursor.into_inner().into_inner(), memory.bytes());
    let mut cursor = Editable::new(std::io::Cursor::new(Vec::new())).with_block_size(0);
    write(&mut cursor)?;
    assert_eq!(cursor.into_inner().into_inner(), memory.bytes());
    write(&mut File::create(folder.path("a"))?)?;
    assert_eq!(std::fs::read(folder.path("a"))?, memory.bytes());
    write(&mut AtomicFile::create(folder.path("b"))?)?;
    assert_eq!(std::fs::read(folder.path("b"))?, memory.bytes());
    Ok(())
}

#[test]
fn an_atomic_file_appears_whole_or_not_at_all() -> Result<()> {
    let folder = Folder::new("atomic");
    std::fs::write(folder.path("out"), "before")?;
    let mut file = AtomicFile::create(folder.path("out"))?;
    file.apply(piece(Mark::Header, &["half"]))?;
    file.flush()?;
    assert_eq!(std::fs::read(folder.path("out"))?, b"before");
    drop(file);
    assert_eq!(std::fs::read(folder.path("out"))?, b"before");
    assert_eq!(std::fs::read_dir(&folder.0)?.count(), 1, "nothing is left beside it");
    let mut file = AtomicFile::create(folder.path("out"))?.durable();
    file.apply(piece(Mark::Header, &["whole"]))?;
    file.finish()?;
    drop(file);
    assert_eq!(std::fs::read(folder.path("out"))?, b"whole");
    Ok(())
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_told_at_once_and_every_time() -> Result<()> {
    let mut file = File::create("/dev/full")?;
    file.apply(piece(Mark::Header, &["x"]))?;
    assert_eq!(file.flush().unwrap_err().kind(), ErrorKind::StorageFull);
    assert_eq!(file.apply(piece(Mark::Header, &["y"])).unwrap_err().kind(), ErrorKind::StorageFull);
    assert_eq!(file.finish().unwrap_err().kind(), ErrorKind::StorageFull);
    let mut null = AtomicFile::create("/dev/null")?;
    null.apply(piece(Mark::Header, &["x"]))?;
    Ok(null.finish()?)
}

/// A folder of its own for one test, removed with it.
struct Folder(std::path::PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("maliu-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.0.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[test]
fn a_writer_gives_its_packets_to_the_sink_and_the_sink_back() -> Result<()> {
    use maliu::{Codec, Packet, StreamInfo, TimeBase, blocking::Writer, formats, stream};
    let audio = stream::Audio::new(8000, 1);
    let streams = [StreamInfo::new(Codec::PcmS16Le, TimeBase::hz(8000), stream::Media::Audio(audio))];
    let mut writer = Writer::start(Memory::new(), &formats::pcm::S16LE, &[], &streams)?;
    for i in 0..3i64 {
        let data = Bytes::from(vec![i as u8; 4]);
        writer.write(Packet::of(0, data).at(Ticks(i * 2)))?;
    }
    assert_eq!(writer.position(), 12);
    assert!(writer.write(Packet::of(7, Bytes::new())).is_err(), "refused, and the rest intact");
    assert_eq!(writer.finish()?.bytes(), [0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2]);
    Ok(())
}

#[test]
fn flush_packets_hands_each_packet_on() {
    let streams = [StreamInfo::new(Codec::Data, TimeBase::MILLIS, Media::Data)];
    let lines = |setting: &str| {
        let calls = Calls::default();
        let sink = WriteCallbacks::new(noting(&calls)).with_block_size(1 << 20);
        let mut writer =
            Writer::start(sink, &formats::frame_hash::FRAMECRC, &[("flush_packets", setting)], &streams).unwrap();
        writer.write(Packet::of(0, Bytes::new()).at(Ticks(1))).unwrap();
        calls.lock().unwrap().len()
    };
    assert_eq!(["1", "0", "-1"].map(lines), [1, 0, 0]);
}
