//! A source read ahead against the same source read plainly.

use super::*;
use crate::blocking::Reader;

/// Byte n is a function of n; gives odd amounts, fails once at an offset.
struct Pattern {
    size: u64,
    fail_at: Option<u64>,
}

fn byte(at: u64) -> u8 {
    ((at * 31) >> 3) as u8
}

impl Source for Pattern {
    fn seekable(&self) -> bool {
        true
    }
    fn read_at(&mut self, at: u64, buf: &mut [u8]) -> io::Result<usize> {
        if self.fail_at.is_some_and(|fail| at >= fail) {
            self.fail_at = None;
            return Err(io::ErrorKind::TimedOut.into());
        }
        let got = (self.size.saturating_sub(at) as usize).min(buf.len()).min(100_003);
        (at..).zip(&mut buf[..got]).for_each(|(at, to)| *to = byte(at));
        Ok(got)
    }
}

/// Reads from `at` on as a reader does; the bytes, and the first error.
fn read(source: &mut Ahead<Pattern>, mut at: u64, most: u64) -> (u64, Option<io::ErrorKind>) {
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
    let mut source = Ahead::new(Pattern { size, fail_at: Some(AFTER + 1_000_000) });
    assert_eq!(read(&mut source, 0, AFTER - 200_000).1, None);
    assert!(!source.reads_blocks(), "no thread yet");
    let reached = source.next;
    let (at, error) = read(&mut source, reached, size);
    assert_eq!((at >= AFTER + 1_000_000, error), (true, Some(io::ErrorKind::TimedOut)));
    assert_eq!(read(&mut source, at, size), (size, None), "the next call asks again");
    for start in [5, AFTER, 77, size - 1, size + 5] {
        let (end, error) = read(&mut source, start, 700_000);
        assert_eq!((end >= (start + 700_000).min(size).max(start), error), (true, None), "after going to {start}");
    }
}

#[test]
fn a_caller_that_settles_reads_on_by_itself() {
    for settle_at in [0, AFTER / 2, AFTER + 500_000] {
        let size = AFTER + 3_000_001;
        let mut source = Ahead::new(Pattern { size, fail_at: None });
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
