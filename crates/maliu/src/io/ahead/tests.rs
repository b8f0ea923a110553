//! A source read ahead against the same source read plainly.

use std::{
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

use super::*;
use crate::blocking::Reader;

/// Byte n is a function of n; gives odd amounts, fails once at an offset.
#[derive(Clone)]
struct Pattern {
    size: u64,
    /// Fails once from this offset on, itself or its twin.
    fail_at: Arc<Mutex<Option<u64>>>,
    /// It can be read by two.
    twin: bool,
    /// Bytes of a read, at most.
    most: usize,
}

impl Pattern {
    fn new(size: u64) -> Self {
        Self { size, fail_at: Arc::default(), twin: false, most: 100_003 }
    }
}

fn byte(at: u64) -> u8 {
    ((at * 31) >> 3) as u8
}

impl Source for Pattern {
    fn seekable(&self) -> bool {
        true
    }
    fn read_at(&mut self, at: u64, buf: &mut [u8]) -> io::Result<usize> {
        if self.fail_at.lock().unwrap().take_if(|fail| at >= *fail).is_some() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        let got = (self.size.saturating_sub(at) as usize).min(buf.len()).min(self.most);
        (at..).zip(&mut buf[..got]).for_each(|(at, to)| *to = byte(at));
        Ok(got)
    }
    fn tuning(&mut self, _: Seal) -> Option<&mut dyn Tuning> {
        Some(self)
    }
}

impl Tuning for Pattern {
    fn share(&mut self, _: u64) -> Option<Bytes> {
        None
    }
    fn reads_blocks(&mut self) -> bool {
        false
    }

    fn read_block(&mut self, at: u64, block: &mut Block) -> io::Result<usize> {
        self.read_at(at, block.room())
    }
    fn twin(&mut self) -> Option<Box<dyn Source + Send>> {
        self.twin.then(|| Box::new(self.clone()) as Box<dyn Source + Send>)
    }
    fn settle(&mut self) {}
}

/// Reads from `at` on as a reader does; the bytes, and the first error.
fn read<S: Source + Send + 'static>(source: &mut Ahead<S>, mut at: u64, most: u64) -> (u64, Option<io::ErrorKind>) {
    let (mut block, end) = (Block::new(1 << 18), at + most);
    while at < end {
        let got =
            if source.reads_blocks() { source.read_block(at, &mut block) } else { source.read_at(at, block.room()) };
        match got {
            Ok(0) => break,
            Ok(got) => {
                assert!((at..).zip(&block.room()[..got]).all(|(at, found)| *found == byte(at)), "at {at}");
                at += got as u64;
            }
            Err(error) => return (at, Some(error.kind())),
        }
    }
    (at, None)
}

#[test]
fn bytes_errors_and_the_end_come_where_they_would_without_it() {
    let size = AFTER + 3_000_001;
    for (twin, most) in [(false, 100_003), (true, 100_003), (false, usize::MAX), (true, usize::MAX)] {
        let fail_at = Arc::new(Mutex::new(Some(AFTER + 1_000_000)));
        let mut source = Ahead::new(Pattern { fail_at, twin, most, ..Pattern::new(size) });
        assert_eq!(read(&mut source, 0, AFTER - 600_000).1, None);
        assert!(!source.reads_blocks(), "no thread yet");
        let from = source.next;
        let (mut at, error) = read(&mut source, from, size);
        // Where two read and reads are short, a block that is not wanted any more may be the one that fails.
        if error.is_some() || !twin || most == usize::MAX {
            assert_eq!(error, Some(io::ErrorKind::TimedOut));
            assert!(at + (512 << 10) > AFTER + 1_000_000);
        } else {
            at = from;
        }
        assert_eq!(read(&mut source, at, size), (size, None), "the next call asks again");
        for start in [5, AFTER, 77, size - 1, size + 5] {
            let (end, error) = read(&mut source, start, 700_000);
            assert_eq!((end >= (start + 700_000).min(size).max(start), error), (true, None), "after going to {start}");
        }
    }
}

#[test]
fn whoever_waits_reads_too() {
    /// Takes its time, and notes which threads read.
    struct Slow(Pattern, Arc<Mutex<Vec<thread::ThreadId>>>);
    impl Source for Slow {
        fn seekable(&self) -> bool {
            true
        }
        fn read_at(&mut self, at: u64, buf: &mut [u8]) -> io::Result<usize> {
            self.1.lock().unwrap().push(thread::current().id());
            thread::sleep(Duration::from_millis(2));
            self.0.read_at(at, buf)
        }
        fn tuning(&mut self, _: Seal) -> Option<&mut dyn Tuning> {
            Some(self)
        }
    }

    impl Tuning for Slow {
        fn share(&mut self, _: u64) -> Option<Bytes> {
            None
        }
        fn reads_blocks(&mut self) -> bool {
            false
        }

        fn read_block(&mut self, at: u64, block: &mut Block) -> io::Result<usize> {
            self.read_at(at, block.room())
        }
        fn twin(&mut self) -> Option<Box<dyn Source + Send>> {
            Some(Box::new(Self(self.0.clone(), Arc::clone(&self.1))))
        }
        fn settle(&mut self) {}
    }
    let who = Arc::new(Mutex::new(Vec::new()));
    let size = 20 << 20;
    let pattern = Pattern { most: usize::MAX, ..Pattern::new(size) };
    let mut source = Ahead::new(Slow(pattern, who.clone()));
    assert_eq!(read(&mut source, 0, size), (size, None));
    let (here, all) = (thread::current().id(), who.lock().unwrap().clone());
    let behind = &all[(AFTER >> 19) as usize + 1..];
    assert!(behind.contains(&here) && behind.iter().any(|id| *id != here));
}

#[test]
fn a_source_that_panics_is_an_error() {
    struct Broken;
    impl Source for Broken {
        fn seekable(&self) -> bool {
            true
        }
        fn read_at(&mut self, at: u64, buf: &mut [u8]) -> io::Result<usize> {
            assert!(at < AFTER + 1_000_000, "a fault of the caller's own");
            Ok(buf.len())
        }
    }
    let (mut source, mut block, mut at) = (Ahead::new(Broken), Block::new(1 << 19), 0);
    while at < AFTER {
        at += source.read_at(at, block.room()).unwrap() as u64;
    }
    let mut next = || source.read_block(at, &mut block).inspect(|got| at += *got as u64);
    let error = std::iter::repeat_with(&mut next).take(100).find_map(Result::err).unwrap();
    assert!(error.to_string().contains("has ended"), "{error}");
    assert!(next().is_err());
}

#[test]
fn a_caller_that_settles_reads_on_by_itself() {
    for settle_at in [0, AFTER / 2, AFTER + 500_000] {
        let size = AFTER + 3_000_001;
        let mut source = Ahead::new(Pattern { twin: settle_at > AFTER, ..Pattern::new(size) });
        let (at, _) = read(&mut source, 0, settle_at);
        source.settle();
        assert_eq!(read(&mut source, at, size), (size, None));
        assert!(!source.reads_blocks() && matches!(source.place, Place::Here(_)));
    }
}

#[test]
fn a_reader_gets_the_same_packets() {
    let one = std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/../../samples/adts/stereo_44100.aac")).unwrap();
    let data = bytes::Bytes::from(one.repeat((AFTER as usize + (4 << 20)) / one.len()));
    let file = |data: &bytes::Bytes| crate::io::Seekable::new(io::Cursor::new(data.clone()));
    let plain = Reader::new(file(&data)).map(Result::unwrap);
    let ahead = Reader::new(Ahead::new(file(&data))).map(Result::unwrap);
    assert!(plain.eq(ahead));
}
