//! Streams that go wrong at a chosen call, lent to commands in the place of files.

use std::{
    io::{self, ErrorKind, Read, Write},
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

use bytes::Bytes;
use maliu::{
    io::{Editable, Forward, Seekable, Sink, Source},
    output::{Edit, Reach},
};
use maliu_cli::{End, Places, run};

/// The failure to inject.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Fault {
    /// An error of the device, from that call on.
    Breaks,
    /// An error of the device, once; later calls work.
    Hiccup,
    /// The reader of the output has gone.
    Closed,
    /// "Not yet", once at each such call.
    NotYet,
    /// Interrupted by a signal, once at each such call.
    Interrupted,
    /// One byte only.
    Short,
    /// The answer takes its time.
    Stalls,
    /// The end, from that call on, though there is more.
    Ends,
    /// More bytes than there was room or data for.
    Lies,
    /// Nothing is taken.
    Zero,
}

/// A fault and when it strikes: at calls `first`, `first + every`, …; only once when `every` is 0.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    pub fault: Fault,
    pub first: usize,
    pub every: usize,
}

impl Plan {
    /// Whether the fault strikes at this call, the first of which is 1.
    fn strikes(&self, call: usize) -> bool {
        match (call.checked_sub(self.first), self.fault) {
            (None, _) => false,
            (Some(_), Fault::Breaks | Fault::Ends | Fault::Closed) => true,
            (Some(behind), _) if self.every > 0 => behind % self.every == 0,
            (Some(behind), _) => behind == 0,
        }
    }
}

/// A stream whose calls are counted, some of which go wrong.
pub(crate) struct Faulty<T> {
    inner: T,
    plan: Option<Plan>,
    pub calls: Arc<Mutex<usize>>,
}

impl<T> Faulty<T> {
    pub(crate) fn new(inner: T, plan: Option<Plan>) -> Self {
        Self { inner, plan, calls: Arc::default() }
    }

    /// Counts a call of `size` bytes; how many of them it may move, or what comes of it instead.
    fn call(&mut self, size: usize) -> Result<usize, io::Result<usize>> {
        let mut calls = self.calls.lock().unwrap();
        *calls += 1;
        let Some(plan) = self.plan.filter(|plan| plan.strikes(*calls)) else { return Ok(size) };
        match plan.fault {
            Fault::Breaks | Fault::Hiccup => Err(Err(io::Error::other("the device is broken"))),
            Fault::Closed => Err(Err(ErrorKind::BrokenPipe.into())),
            Fault::NotYet => Err(Err(ErrorKind::WouldBlock.into())),
            Fault::Interrupted => Err(Err(ErrorKind::Interrupted.into())),
            Fault::Ends | Fault::Zero => Err(Ok(0)),
            Fault::Lies => Err(Ok(size + 1)),
            Fault::Short => Ok(size.min(1)),
            Fault::Stalls => {
                thread::sleep(Duration::from_millis(2));
                Ok(size)
            }
        }
    }
}

impl<T: Read> Read for Faulty<T> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        match self.call(buf.len()) {
            Ok(size) => self.inner.read(&mut buf[..size]),
            Err(instead) => instead,
        }
    }
}

impl<T: Write> Write for Faulty<T> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self.call(bytes.len()) {
            Ok(size) => self.inner.write(&bytes[..size]),
            Err(instead) => instead,
        }
    }

    fn write_vectored(&mut self, slices: &[io::IoSlice<'_>]) -> io::Result<usize> {
        let whole = slices.iter().flat_map(|slice| slice.iter().copied()).collect::<Vec<u8>>();
        self.write(&whole)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

impl<T: io::Seek> io::Seek for Faulty<T> {
    fn seek(&mut self, to: io::SeekFrom) -> io::Result<u64> {
        match self.call(0) {
            Ok(_) => self.inner.seek(to),
            Err(Ok(lie)) => Ok(self.inner.seek(to)?.wrapping_add(lie as u64)),
            Err(Err(error)) => Err(error),
        }
    }
}

/// Bytes that several hold.
#[derive(Clone, Default)]
pub(crate) struct Shared(pub Arc<Mutex<io::Cursor<Vec<u8>>>>);

impl Shared {
    pub(crate) fn content(&self) -> Vec<u8> {
        self.0.lock().unwrap().get_ref().clone()
    }
}

impl Read for Shared {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.0.lock().unwrap().read(buf)
    }
}

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl io::Seek for Shared {
    fn seek(&mut self, to: io::SeekFrom) -> io::Result<u64> {
        self.0.lock().unwrap().seek(to)
    }
}

/// A sink that is committed when it is finished, as a file that takes its place is.
struct Committing {
    sink: Box<dyn Sink>,
    committed: Arc<Mutex<bool>>,
}

impl Sink for Committing {
    fn reach(&self) -> Reach {
        self.sink.reach()
    }
    fn apply(&mut self, edit: Edit) -> io::Result<()> {
        self.sink.apply(edit)
    }
    fn flush(&mut self) -> io::Result<()> {
        self.sink.flush()
    }
    fn finish(&mut self) -> io::Result<()> {
        self.sink.finish()?;
        *self.committed.lock().unwrap() = true;
        Ok(())
    }
}

/// A source of small blocks, so that there are many calls.
struct Blocks<S>(S, Option<u64>);

impl<S: Source> Source for Blocks<S> {
    fn seekable(&self) -> bool {
        self.0.seekable()
    }
    fn read_at(&mut self, at: u64, buf: &mut [u8]) -> io::Result<usize> {
        self.0.read_at(at, buf)
    }
    fn size(&mut self) -> Option<u64> {
        self.1
    }
    fn block_size(&self) -> usize {
        BLOCK
    }
}

pub(crate) const BLOCK: usize = 2000;

/// One run of a command on faulty streams.
#[derive(Default)]
pub(crate) struct Case {
    pub input: Bytes,
    /// The input can be sought.
    pub seekable: bool,
    /// The output can be sought and read back.
    pub editable: bool,
    pub reading: Option<Plan>,
    pub writing: Option<Plan>,
    /// The size that the input declares; its own otherwise.
    pub size: Option<u64>,
}

/// The outcome.
pub(crate) struct Outcome {
    pub end: End,
    pub bytes: Vec<u8>,
    pub committed: bool,
    pub reads: usize,
    pub writes: usize,
}

struct Lent {
    case: Case,
    written: Shared,
    committed: Arc<Mutex<bool>>,
    reads: Arc<Mutex<usize>>,
    writes: Arc<Mutex<usize>>,
}

impl Places for Lent {
    fn source(&mut self, path: &str) -> Option<io::Result<Box<dyn Source + Send>>> {
        let mut faulty = Faulty::new(io::Cursor::new(self.case.input.clone()), self.case.reading);
        faulty.calls = self.reads.clone();
        let size = self.case.size.unwrap_or(self.case.input.len() as u64);
        let source: Box<dyn Source + Send> = match self.case.seekable {
            true => Box::new(Blocks(Seekable::new(faulty), Some(size))),
            false => Box::new(Blocks(Forward::new(faulty), None)),
        };
        (path == "IN").then_some(Ok(source))
    }

    fn sink(&mut self, _: &str) -> Option<io::Result<Box<dyn Sink>>> {
        let mut faulty = Faulty::new(self.written.clone(), self.case.writing);
        faulty.calls = self.writes.clone();
        let sink: Box<dyn Sink> = match self.case.editable {
            true => Box::new(Editable::new(faulty).with_block_size(BLOCK)),
            false => Box::new(Forward::new(faulty).with_block_size(BLOCK)),
        };
        Some(Ok(Box::new(Committing { sink, committed: self.committed.clone() })))
    }

    fn text(&mut self) -> Option<Box<dyn Write>> {
        let mut faulty = Faulty::new(self.written.clone(), self.case.writing);
        faulty.calls = self.writes.clone();
        Some(Box::new(faulty))
    }
}

impl Case {
    /// Runs the command line on it.
    pub(crate) fn run(self, line: &[&str]) -> Outcome {
        let (written, committed) = (Shared::default(), Arc::new(Mutex::new(false)));
        let (reads, writes) = (Arc::default(), Arc::default());
        let lent = Lent {
            case: self,
            written: written.clone(),
            committed: committed.clone(),
            reads: Arc::clone(&reads),
            writes: Arc::clone(&writes),
        };
        let end = run(line, lent);
        let (committed, reads, writes) = (*committed.lock().unwrap(), *reads.lock().unwrap(), *writes.lock().unwrap());
        Outcome { end, bytes: written.content(), committed, reads, writes }
    }
}
