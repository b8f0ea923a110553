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

/// Bytes that are gathered before a write.
const GATHER: usize = 64 << 10;

/// The journal of one transfer.
pub struct Journal {
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

/// Where the journal of an output is.
pub fn place(out: &Path) -> PathBuf {
    let name = out.file_name().unwrap_or_default().to_string_lossy();
    out.with_file_name(format!("{BEFORE}{name}{BEHIND}"))
}

/// The outputs in a folder of which a journal is left, by the id of their transfer.
pub fn left_in(folder: &Path) -> io::Result<Vec<(u64, PathBuf)>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let Some(name) = name.strip_prefix(BEFORE).and_then(|name| name.strip_suffix(BEHIND)) else { continue };
        match id_of(&path)? {
            Some(id) => found.push((id, folder.join(name))),
            // It was begun and not a word written: nothing was promised to anybody.
            None => fs::remove_file(&path)?,
        }
    }
    Ok(found)
}

const BEFORE: &str = ".";
const BEHIND: &str = ".maliu-journal";

/// Removes what killed runs have written of an output: its journal has all of it.
pub fn sweep(out: &Path) -> io::Result<()> {
    let name = format!(".{}.", out.file_name().unwrap_or_default().to_string_lossy());
    let number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let folder = out.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let found = path.file_name().unwrap_or_default().to_string_lossy();
        let middle = found.strip_prefix(&name).and_then(|rest| rest.strip_suffix(".part"));
        let unfinished = middle.and_then(|numbers| numbers.split_once('-'));
        if unfinished.is_some_and(|(process, count)| number(process) && number(count)) {
            fs::remove_file(path)?;
        }
    }
    Ok(())
}

/// The transfer that a journal is of.
fn id_of(path: &Path) -> io::Result<Option<u64>> {
    let mut begin = Vec::new();
    io::Read::read_to_end(&mut io::Read::take(fs::File::open(path)?, MAX_BEGIN), &mut begin)?;
    let (mut input, mut parser) = (Input::new(), Parser::new());
    input.push(&begin);
    match parser.poll(&mut input) {
        Ok(Event::Message(_, Message::Hello(hello))) => Ok(Some(hello.id)),
        _ => Ok(None),
    }
}

/// Bytes at the beginning of a journal in which its first message is.
const MAX_BEGIN: u64 = 2 * maliu::wire::session::MAX_HANDSHAKE_BODY as u64;

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
        let file = File::appending(file).with_block_size(GATHER);
        Ok(Some(Self { path: path.into(), file, id, next, complete, ended }))
    }

    /// Starts a journal for a transfer.
    pub fn create(path: &Path, hello: &Hello) -> io::Result<Self> {
        let file = File::appending(fs::File::create(path)?).with_block_size(GATHER);
        let mut journal = Self { path: path.into(), file, id: hello.id, next: 0, complete: false, ended: false };
        let hello = Hello { proof: [0; 32], ..hello.clone() };
        journal.append(Message::Hello(hello).encode(0))?;
        // From here on the transfer is known after a kill.
        journal.flush()?;
        Ok(journal)
    }

    /// Keeps a message as it came; kept safely after the next [`Journal::flush`].
    pub fn keep(&mut self, message: Bytes) -> io::Result<()> {
        self.append(vec![message])
    }

    fn append(&mut self, parts: Vec<Bytes>) -> io::Result<()> {
        self.file.apply(Edit::Append(Piece { mark: Mark::Body { time: None }, parts }))
    }

    /// What was kept is safe from a kill of this process.
    pub fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }

    /// The output stands in its place: only the number behind the last message is needed still.
    pub fn complete(&mut self, next: u64) -> io::Result<()> {
        let beside = self.path.with_extension("done");
        let hello = Hello {
            role: maliu::wire::message::Role::Sender,
            mode: maliu::wire::message::Mode::Reliable,
            id: self.id,
            name: String::new(),
            proof: [0; 32],
        };
        let bytes = [Message::Hello(hello).encode(0).concat(), Message::Ack(next).encode(0).concat()].concat();
        fs::write(&beside, bytes)?;
        fs::rename(&beside, &self.path)
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
