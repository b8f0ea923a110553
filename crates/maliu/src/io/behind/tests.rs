//! Order, errors and the end of a sink that works behind.

use std::{
    sync::{Arc, Mutex},
    thread,
};

use super::*;
use bytes::Bytes;
use maliu_core::output::{Mark, Piece};

/// Notes what reaches it; fails at one edit; says "not yet" to each, if shy; takes its time, if slow.
#[derive(Default)]
struct Noting {
    got: Arc<Mutex<Vec<u8>>>,
    fail_at: Option<usize>,
    shy: bool,
    slow: bool,
    calls: usize,
    /// Calls on a thread of its own.
    away: Arc<Mutex<usize>>,
}

impl Sink for Noting {
    fn reach(&self) -> Reach {
        Reach::Append
    }
    fn apply(&mut self, edit: Edit) -> io::Result<()> {
        self.calls += 1;
        *self.away.lock().unwrap() += usize::from(thread::current().name() == Some("writer"));
        if self.slow {
            thread::sleep(Duration::from_micros(200));
        }
        if self.fail_at == Some(self.calls) {
            return Err(io::ErrorKind::StorageFull.into());
        }
        let Edit::Append(piece) = edit else { return Ok(()) };
        self.got.lock().unwrap().extend(piece.parts.concat());
        if self.shy { Err(io::ErrorKind::WouldBlock.into()) } else { Ok(()) }
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
    fn finish(&mut self) -> io::Result<()> {
        self.got.lock().unwrap().push(b'!');
        Ok(())
    }
}

fn piece(bytes: Vec<u8>) -> Edit {
    Edit::Append(Piece { mark: Mark::Header, parts: vec![Bytes::from(bytes)] })
}

fn behind(sink: Noting) -> (Behind, Arc<Mutex<Vec<u8>>>) {
    let got = Arc::clone(&sink.got);
    (Behind::new(sink), got)
}

#[test]
fn steps_keep_their_order_and_a_flush_waits_for_all() {
    for (shy, slow) in [(false, false), (true, false), (false, true), (true, true)] {
        let (mut sink, got) = behind(Noting { shy, slow, ..Noting::default() });
        (0..100u8).for_each(|n| sink.apply(piece(vec![n; 30_000])).unwrap());
        sink.flush().unwrap();
        assert!(got.lock().unwrap().iter().enumerate().all(|(at, byte)| at / 30_000 == usize::from(*byte)));
        sink.finish().unwrap();
        let got = got.lock().unwrap();
        assert_eq!((got.len(), got.last()), (3_000_001, Some(&b'!')));
    }
}

#[test]
fn a_slow_sink_gets_a_thread() {
    let sink = Noting { slow: true, ..Noting::default() };
    let away = Arc::clone(&sink.away);
    let (mut sink, _) = behind(sink);
    (0..100).for_each(|_| sink.apply(piece(vec![0; 30_000])).unwrap());
    sink.flush().unwrap();
    let away = *away.lock().unwrap();
    assert!((1..=100 - AFTER / 30_000).contains(&away), "{away}");
}

#[test]
fn the_first_error_comes_up_and_nothing_is_written_behind_it() {
    for (slow, good) in [(false, 2), (false, 500), (true, 2), (true, 500)] {
        let (mut sink, got) = behind(Noting { fail_at: Some(good + 1), slow, ..Noting::default() });
        let failed = (0..10_000).find_map(|_| sink.apply(piece(vec![1; 5000])).err());
        assert_eq!(failed.unwrap().kind(), io::ErrorKind::StorageFull);
        assert_eq!(sink.flush().unwrap_err().kind(), io::ErrorKind::StorageFull);
        assert_eq!(sink.finish().unwrap_err().kind(), io::ErrorKind::StorageFull);
        assert_eq!(got.lock().unwrap().len(), good * 5000);
    }
}

#[test]
fn the_sink_is_gone_when_its_front_is() {
    for pieces in [0, 600] {
        let (mut sink, got) = behind(Noting { slow: true, ..Noting::default() });
        (0..pieces).for_each(|_| sink.apply(piece(vec![0; 5000])).unwrap());
        drop(sink);
        assert_eq!(Arc::strong_count(&got), 1);
    }
}
