//! What was received, kept beside the output until it is complete: a file of wire messages that survives a kill.
//!
//! ```text
//!   Hello (id of the transfer)   content 0, 1, 2, …            under way
//!   Hello                        Ack(number behind the last)   complete, but the sender may not know
//! ```

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use bytes::Bytes;
use maliu::{
    input::Input,
    io::{File, Sink, Source},
    output::{Edit, Mark, Piece},
    wire::message::{Event, Hello, Message, Parser},
};

/// The journal of one transfer.
pub struct Journal {
    path: PathBuf,
    file: File,
    /// Which transfer it is.
    pub id: u64,
    /// The first message that is not in it.
    pub next: u64,
    /// Whether the output stands in its place.
    pub complete: bool,
    /// Whether the end of the content is in it.
    pub ended: bool,
}

/// Where the journal of an output is.
pub fn place(out: &str) -> PathBuf {
    let out = Path::new(out);
    let name = out.file_name().unwrap_or_default().to_string_lossy();
    out.with_file_name(format!(".{name}.maliu-journal"))
}

impl Journal {
    /// The journal that an earlier run has left, cut back to its last whole message.
    pub fn reopen(path: &Path) -> io::Result<Option<Self>> {
        let mut source = match File::open(path) {
            Ok(source) => source,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let (mut input, mut parser) = (Input::new(), Parser::new());
        let (mut id, mut next, mut complete, mut ended, mut whole) = (None, 0, false, false, 0);
        loop {
            match parser.poll(&mut input).map_err(io::Error::other)? {
                Event::NeedBytes => {
                    let got = input.fill(maliu::io::BLOCK_SIZE, |at, buf| source.read_at(at, buf))?;
                    if got == 0 {
                        break;
                    }
                }
                Event::Message(_, Message::Hello(hello)) => id = Some(hello.id),
                Event::Message(_, Message::Ack(last)) => (next, complete) = (last, true),
                Event::Message(sequence, message) if message.is_content() && sequence == next => {
                    next += 1;
                    ended = message == Message::Bye;
                }
                // Behind damage nothing can be gone on from.
                _ => break,
            }
            whole = input.offset();
        }
        let Some(id) = id else { return Ok(None) };
        let mut file = fs::OpenOptions::new().write(true).open(path)?;
        file.set_len(whole)?;
        io::Seek::seek(&mut file, io::SeekFrom::End(0))?;
        Ok(Some(Self { path: path.into(), file: File::appending(file), id, next, complete, ended }))
    }

    /// Starts a journal for a transfer.
    pub fn create(path: &Path, hello: &Hello) -> io::Result<Self> {
        let file = File::appending(fs::File::create(path)?);
        let mut journal = Self { path: path.into(), file, id: hello.id, next: 0, complete: false, ended: false };
        let hello = Hello { proof: [0; 32], ..hello.clone() };
        journal.append(Message::Hello(hello).encode(0))?;
        Ok(journal)
    }

    /// Keeps a message as it came; kept safely after the next [`Journal::flush`].
    pub fn keep(&mut self, message: Bytes) -> io::Result<()> {
        self.append(vec![message])?;
        self.next += 1;
        Ok(())
    }

    fn append(&mut self, parts: Vec<Bytes>) -> io::Result<()> {
        self.file.apply(Edit::Append(Piece { mark: Mark::Body { time: None }, parts }))
    }

    /// What was kept is safe from a kill of this process.
    pub fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }

    /// The output stands in its place: only the number is needed still.
    pub fn complete(&mut self) -> io::Result<()> {
        let beside = self.path.with_extension("done");
        let hello = Hello {
            role: maliu::wire::message::Role::Sender,
            mode: maliu::wire::message::Mode::Reliable,
            id: self.id,
            name: String::new(),
            proof: [0; 32],
        };
        let bytes = [Message::Hello(hello).encode(0).concat(), Message::Ack(self.next).encode(0).concat()].concat();
        fs::write(&beside, bytes)?;
        fs::rename(&beside, &self.path)?;
        self.complete = true;
        Ok(())
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The sender knows that all is kept: nothing is needed any more.
    pub fn remove(self) -> io::Result<()> {
        fs::remove_file(&self.path)
    }
}
