//! Order, errors and the end of a sink that works behind.

use super::*;
use bytes::Bytes;
use maliu_core::output::{Mark, Piece};

/// Notes what reaches it; fails at one edit; says "not yet" to each, if shy.
struct Noting {
    got: Arc<Mutex<Vec<u8>>>,
    fail_at: Option<usize>,
    shy: bool,
    calls: usize,
}

impl Sink for Noting {
    fn reach(&self) -> Reach {
        Reach::Append
    }
    fn apply(&mut self, edit: Edit) -> io::Result<()> {
        self.calls += 1;
        if self.fail_at == Some(self.calls) {
            return Err(io::ErrorKind::StorageFull.into());
        }
        let Edit::Append(piece) = edit else { return Ok(()) };
        self.got.lock().unwrap().extend(piece.parts.concat());
        if self.shy { Err(io::ErrorKind::WouldBlock.into()) } else { Ok(()) }
    }
    fn finish(&mut self) -> io::Result<()> {
        self.got.lock().unwrap().push(b'!');
        Ok(())
    }
}

fn piece(bytes: Vec<u8>) -> Edit {
    Edit::Append(Piece { mark: Mark::Header, parts: vec![Bytes::from(bytes)] })
}

fn behind(fail_at: Option<usize>, shy: bool) -> (Behind, Arc<Mutex<Vec<u8>>>) {
    let got = Arc::default();
    let sink = Noting { got: Arc::clone(&got), fail_at, shy, calls: 0 };
    (Behind::new(sink).unwrap(), got)
}

#[test]
fn steps_keep_their_order_and_a_flush_waits_for_all() {
    for shy in [false, true] {
        let (mut sink, got) = behind(None, shy);
        (0..100u8).for_each(|n| sink.apply(piece(vec![n; 30_000])).unwrap());
        sink.flush().unwrap();
        assert!(got.lock().unwrap().iter().enumerate().all(|(at, byte)| at / 30_000 == usize::from(*byte)));
        sink.finish().unwrap();
        let got = got.lock().unwrap();
        assert_eq!((got.len(), got.last()), (3_000_001, Some(&b'!')));
    }
}

#[test]
fn the_first_error_comes_up_and_nothing_is_written_behind_it() {
    let (mut sink, got) = behind(Some(3), false);
    let failed = (0..10_000).find_map(|_| sink.apply(piece(vec![1; 5000])).err());
    assert_eq!(failed.unwrap().kind(), io::ErrorKind::StorageFull);
    assert_eq!(sink.flush().unwrap_err().kind(), io::ErrorKind::StorageFull);
    assert_eq!(sink.finish().unwrap_err().kind(), io::ErrorKind::StorageFull);
    assert_eq!(got.lock().unwrap().len(), 10_000);
}

#[test]
fn the_sink_is_gone_when_its_front_is() {
    let (sink, got) = behind(None, false);
    drop(sink);
    assert_eq!(Arc::strong_count(&got), 1);
}
