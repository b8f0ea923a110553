//! The output of a case: what our muxers append and patch goes through the buffered writing context with the recorded
//! buffer, labels and flush policy (WF-54, WF-60, WF-61), so that its calls can be compared one by one.

use std::sync::{Arc, Mutex, MutexGuard};

use maliu::avio::{BufferedWriter, Code, Errors, Label, Whence};
use maliu_core::output::{Edit, Mark, Output};
use serde_json::json;

use super::{
    case::Case,
    recorder::{Log, adler32},
};

/// Bytes that the callbacks were given, and where the next ones go.
#[derive(Default)]
struct Store {
    bytes: Vec<u8>,
    at: usize,
}

/// When the buffer is written (WF-54).
#[derive(Clone, Copy, PartialEq)]
enum Policy {
    /// Only when it is full.
    Never,
    /// At every flush point, if enough is pending.
    Points,
    /// At every flush point.
    Always,
}

pub(crate) struct Sink {
    writer: BufferedWriter,
    store: Arc<Mutex<Store>>,
    policy: Policy,
    /// Whether the muxer of the reference marks its tags.
    marks: bool,
    /// The edits stay in the output, where they can be amended, until a number of bytes wait (FLV-44, IO-23).
    hold: Option<usize>,
    end: i64,
}

impl Sink {
    pub(crate) fn new(case: &Case, log: &Log) -> Self {
        let (io, store) = (&case.json["io"], Arc::new(Mutex::new(Store::default())));
        let (typed, size) = (io["typed"] == 1, io["bufsize"].as_u64().unwrap_or(32768) as usize);
        let mut write = writes(case, &store, log);
        let mut writer = match typed {
            true => BufferedWriter::typed(size, write),
            false => BufferedWriter::new(size, move |bytes| write(bytes, Label::Unknown, None)),
        };
        if case.seekable() {
            writer = writer.with_seek(seeks(&store, log));
        }
        writer.set_errors(Errors::Sticky);
        writer.set_ignore_boundary(io["ignore_boundary"] == 1);
        writer.set_min_packet(io["min_packet"].as_u64().unwrap_or(0) as usize);
        writer.set_direct(io["direct"] == 1);
        let policy = match case.option("flush_packets") {
            _ if case.option("fflags").contains("+flush_packets") => Policy::Always,
            "1" => Policy::Always,
            "0" => Policy::Never,
            _ => Policy::Points,
        };
        let hold = (policy == Policy::Never && !typed && !case.seekable()).then_some(size);
        Self { writer, store, policy, marks: case.muxer == "flv", hold, end: 0 }
    }

    /// Says what follows, as the generic code does (WF-60).
    pub(crate) fn label(&mut self, label: Label) {
        let _ = self.writer.marker(label, None);
    }

    /// Takes what a muxer's call left in the output and flushes as the policy wants it.
    pub(crate) fn flush_point(&mut self, out: &mut Output) {
        if self.hold.is_none_or(|size| out.waiting() >= size) {
            self.take(out);
        }
        let _ = match self.policy {
            Policy::Never => Ok(()),
            Policy::Points => self.writer.flush_point(),
            Policy::Always => self.writer.flush(),
        };
    }

    /// Takes what the end left in the output, and flushes.
    pub(crate) fn finish(&mut self, out: &mut Output) {
        self.take(out);
        let _ = self.writer.flush();
    }

    /// All bytes that were written.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        self.store().bytes.clone()
    }

    fn store(&self) -> MutexGuard<'_, Store> {
        self.store.lock().unwrap()
    }

    fn take(&mut self, out: &mut Output) {
        while let Some(edit) = out.next_edit() {
            match edit {
                Edit::Append(piece) => {
                    if self.writer.tell() != self.end {
                        let _ = self.writer.seek(self.end, Whence::Set);
                    }
                    let _ = match piece.mark {
                        Mark::Key { time } if self.marks => self.writer.marker(Label::Sync, time.map(|time| time.0)),
                        Mark::Body { time } if self.marks => {
                            self.writer.marker(Label::Boundary, time.map(|time| time.0))
                        }
                        _ => Ok(()),
                    };
                    self.end += piece.len() as i64;
                    for part in &piece.parts {
                        let _ = self.writer.write(part);
                    }
                }
                Edit::Overwrite { at, bytes } => {
                    let _ = self.writer.seek(at as i64, Whence::Set);
                    let _ = self.writer.write(&bytes);
                }
                Edit::Insert { at, bytes } => {
                    let _ = self.writer.flush();
                    let at = at as usize;
                    self.end += bytes.len() as i64;
                    self.store().bytes.splice(at..at, bytes);
                }
            }
        }
    }
}

/// The recorded write callback: it takes everything, or fails beyond `fail_after` bytes in all.
fn writes(
    case: &Case,
    store: &Arc<Mutex<Store>>,
    log: &Log,
) -> impl FnMut(&[u8], Label, Option<i64>) -> Result<(), Code> + Send + 'static {
    let io = &case.json["io"];
    let (typed, limit) = (io["typed"] == 1, io["fail_after"].as_u64());
    let failure = Code(io["fail_err"].as_i64().unwrap_or(-5) as i32);
    let (store, log, mut accepted) = (Arc::clone(store), Arc::clone(log), 0);
    move |bytes, label, time| {
        let mut store = store.lock().unwrap();
        let at = store.at;
        let fails = limit.is_some_and(|limit| accepted + bytes.len() as u64 > limit);
        let kind = if typed { format!("{label:?}").to_lowercase() } else { "plain".into() };
        let ret = if fails { i64::from(failure.0) } else { bytes.len() as i64 };
        log.lock().unwrap().push(json!(["out", kind, time, bytes.len(), at, adler32(bytes), ret]));
        if fails {
            return Err(failure);
        }
        accepted += bytes.len() as u64;
        let needed = store.bytes.len().max(at + bytes.len());
        store.bytes.resize(needed, 0);
        store.bytes[at..at + bytes.len()].copy_from_slice(bytes);
        store.at += bytes.len();
        Ok(())
    }
}

fn seeks(
    store: &Arc<Mutex<Store>>,
    log: &Log,
) -> impl FnMut(i64, Whence) -> Result<i64, Code> + Send + 'static + use<> {
    let (store, log) = (Arc::clone(store), Arc::clone(log));
    move |offset, whence| {
        let mut store = store.lock().unwrap();
        let (number, result) = match (whence, usize::try_from(offset)) {
            (Whence::Size, _) => (65536, Ok(store.bytes.len() as i64)),
            (_, Ok(at)) => {
                store.at = at;
                (0, Ok(offset))
            }
            (_, Err(_)) => (0, Err(Code::EINVAL)),
        };
        let answer = result.unwrap_or_else(|code| code.0.into());
        log.lock().unwrap().push(json!(["seek", offset, number, answer]));
        result
    }
}
