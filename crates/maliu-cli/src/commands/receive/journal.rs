//! Received content, kept beside the output until it is complete: a file of wire messages that survives a kill.
//!
//! ```text
//!   Hello (id of the transfer)   content 0, 1, 2, …            under way
//!   Hello                        Ack(number behind the last)   complete, but the sender may not know
//! ```
//!
//! Others may write into the folder, too: no link is followed, nothing is waited for, and a file that is no journal is
//! renamed, with a warning, and never read on.

use std::{
    ffi::OsStr,
    fs, io,
    path::{Path, PathBuf},
    task::Poll,
};

use bytes::Bytes;
use maliu::{
    format::Event,
    input::Input,
    io::{File, Sink, Source},
    output::{Edit, Mark, Piece},
    wire::message::{Found, Hello, Message, Mode, Parser, Role},
};

mod place;

pub(super) use place::{id_of, left_in, place, set_aside, sweep};

/// Bytes that are gathered before a write.
const GATHER: usize = 64 << 10;

/// The journal of one transfer.
pub(super) struct Journal {
    out: PathBuf,
    path: PathBuf,
    file: File,
    /// Which transfer it is.
    pub id: u64,
    /// The first message that was not in it when it was opened.
    pub next: u64,
    /// Whether the output stood in its place then.
    pub complete: bool,
    /// Whether the end of the content was in it then.
    pub ended: bool,
}

/// Facts from the messages of a journal.
#[derive(Default)]
struct State {
    id: Option<u64>,
    next: u64,
    complete: bool,
    ended: bool,
}

impl State {
    /// Takes the next message; false when a journal has no such message there.
    fn take(&mut self, sequence: u64, message: &Message) -> bool {
        match message {
            Message::Hello(hello) if self.id.is_none() => self.id = Some(hello.id),
            Message::Ack(next) if self.id.is_some() && self.next == 0 => (self.next, self.complete) = (*next, true),
            Message::Content(event) if self.id.is_some() && sequence == self.next && !self.is_over() => {
                self.next += 1;
                self.ended = *event == Event::End;
            }
            _ => return false,
        }
        true
    }

    fn is_over(&self) -> bool {
        self.complete || self.ended
    }
}

impl Journal {
    /// The journal of an output that an earlier run has left, cut back to its last whole message; `None` when there is
    /// none, or one that was begun and holds nothing.
    ///
    /// # Errors
    /// Those of the system; `InvalidData` for what is no journal: it is to be [set aside](set_aside).
    pub(super) fn reopen(out: &Path) -> io::Result<Option<Self>> {
        let path = place(out);
        let file = match place::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        if file.metadata()?.len() == 0 {
            fs::remove_file(&path)?;
            return Ok(None);
        }
        let mut source = File::reading(file.try_clone()?)?;
        let (mut input, mut parser, mut state, mut whole) = (Input::new(), Parser::new(), State::default(), 0);
        // Behind damage nothing can be gone on from.
        while parser.skipping() == 0 {
            match parser.poll(&mut input) {
                Ok(Poll::Pending) => {
                    if input.fill(maliu::io::BLOCK_SIZE, |at, buf| source.read_at(at, buf))? == 0 {
                        break;
                    }
                }
                Ok(Poll::Ready(Found::Message(sequence, message))) if state.take(sequence, &message) => {
                    whole = input.offset()
                }
                _ => break,
            }
        }
        let State { id: Some(id), next, complete, ended } = state else {
            return Err(place::foreign());
        };
        let mut file = file;
        file.set_len(whole)?;
        io::Seek::seek(&mut file, io::SeekFrom::End(0))?;
        let file = File::appending(file).with_block_size(GATHER);
        Ok(Some(Self { out: out.into(), path, file, id, next, complete, ended }))
    }

    /// Starts a journal for a transfer into an output. A foreign file in its place is set aside.
    pub(super) fn create(out: &Path, hello: &Hello) -> io::Result<Self> {
        let path = place(out);
        let file = match place::create(&path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                set_aside(&path, "it is not of this transfer");
                place::create(&path)?
            }
            file => file?,
        };
        let file = File::appending(file).with_block_size(GATHER);
        let (id, next, complete, ended) = (hello.id, 0, false, false);
        let mut journal = Self { out: out.into(), path, file, id, next, complete, ended };
        let name = out.file_name().and_then(OsStr::to_str).unwrap_or_default().to_owned();
        let hello = Hello::new(hello.role, hello.mode, hello.id, name);
        journal.append(Message::Hello(hello).encode(0))?;
        // From here on the transfer is known after a kill.
        journal.flush()?;
        Ok(journal)
    }

    /// Keeps a message as it came; kept safely after the next [`Journal::flush`].
    pub(super) fn keep(&mut self, message: Bytes) -> io::Result<()> {
        self.append(vec![message])
    }

    fn append(&mut self, parts: Vec<Bytes>) -> io::Result<()> {
        self.file.apply(Edit::Append(Piece { mark: Mark::Body { time: None }, parts }))
    }

    /// Makes all kept content safe from a kill of this process.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }

    /// The output stands in its place: only the number behind the last message is needed still.
    pub(super) fn complete(&mut self, next: u64) -> io::Result<()> {
        let hello = Hello::new(Role::Sender, Mode::Reliable, self.id, "");
        let bytes = [Message::Hello(hello).encode(0).concat(), Message::Ack(next).encode(0).concat()].concat();
        place::replace(&self.out, &bytes)
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The sender knows that all is kept: nothing is needed any more.
    pub(super) fn remove(self) -> io::Result<()> {
        fs::remove_file(&self.path)
    }
}
