//! Journals as files in a folder that others can write into: their names, and what stands in their place.

use std::{
    ffi::OsStr,
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
    process,
    sync::atomic::{AtomicU64, Ordering},
    task::Poll,
};

use maliu::{
    input::Input,
    io::hidden_beside,
    wire::message::{Found, Hello, Message, Parser},
};

const JOURNAL: &str = ".maliu-journal";

/// Where the journal of an output is.
pub(crate) fn place(out: &Path) -> PathBuf {
    hidden_beside(out, JOURNAL)
}

/// The outputs in a folder of which a journal is left, by the id of their transfer.
pub(crate) fn left_in(folder: &Path) -> io::Result<Vec<(u64, PathBuf)>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().and_then(OsStr::to_str).unwrap_or_default();
        let Some(short) = name.strip_prefix('.').and_then(|name| name.strip_suffix(JOURNAL)) else { continue };
        match hello_of(&path) {
            // The name of a long one is cut; its first message has the whole one.
            Ok(Some(hello)) => match [short, &*hello.name].map(|name| folder.join(name)) {
                [short, _] if place(&short) == path => found.push((hello.id, short)),
                [_, long] if long.parent() == Some(folder) && place(&long) == path => found.push((hello.id, long)),
                _ => set_aside(&path, "it is of no output"),
            },
            // The file was created and never written: no content was acknowledged.
            Ok(None) => drop(fs::remove_file(&path)),
            Err(error) => set_aside(&path, &error.to_string()),
        }
    }
    Ok(found)
}

/// The transfer that a journal is of, if there is one.
pub(crate) fn id_of(path: &Path) -> Option<u64> {
    hello_of(path).ok().flatten().map(|hello| hello.id)
}

/// The first message of a journal; `None` when it is empty.
fn hello_of(path: &Path) -> io::Result<Option<Hello>> {
    let mut begin = Vec::new();
    io::Read::read_to_end(&mut io::Read::take(open(path)?, MAX_BEGIN), &mut begin)?;
    let (mut input, mut parser) = (Input::new(), Parser::new());
    input.push(&begin);
    match parser.poll(&mut input) {
        Ok(Poll::Ready(Found::Message(_, Message::Hello(hello)))) => Ok(Some(hello)),
        _ if begin.is_empty() => Ok(None),
        _ => Err(foreign()),
    }
}

/// The error of a file that is no journal.
pub(super) fn foreign() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "it does not begin with the id of a transfer")
}

/// Bytes at the beginning of a journal in which its first message is.
const MAX_BEGIN: u64 = 2 * maliu::wire::session::MAX_HANDSHAKE_BODY as u64;

/// Removes what killed runs have written of an output: its journal has all of it.
pub(crate) fn sweep(out: &Path) -> io::Result<()> {
    let folder = out.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    for entry in fs::read_dir(folder)? {
        let found = entry?;
        let name = found.file_name();
        let is_of_out = [".part", DONE].iter().any(|end| {
            numbers(&name, end)
                .is_some_and(|numbers| hidden_beside(out, &format!(".{numbers}{end}")).file_name() == Some(&name))
        });
        // Anything but a regular file is not ours.
        if is_of_out && found.file_type()?.is_file() {
            fs::remove_file(found.path())?;
        }
    }
    Ok(())
}

/// The numbers of a process and of its file in `NAME.PROCESS-NUMBER.END`.
fn numbers(name: &OsStr, end: &str) -> Option<String> {
    let name = name.to_string_lossy();
    let (_, numbers) = name.strip_suffix(end)?.rsplit_once('.')?;
    let (process, number) = numbers.split_once('-')?;
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    (digits(process) && digits(number)).then(|| numbers.to_owned())
}

/// Renames a foreign file in the place of a journal, with a warning. Nothing is ever deleted or overwritten.
pub(crate) fn set_aside(path: &Path, why: &str) {
    let aside = |number: u32| match number {
        1 => path.with_extension("maliu-aside"),
        _ => path.with_extension(format!("maliu-aside-{number}")),
    };
    let free = (1..=MAX_ASIDE).map(aside).find(|aside| aside.symlink_metadata().is_err());
    let renamed = free.ok_or(io::ErrorKind::AlreadyExists.into()).and_then(|to| fs::rename(path, &to).map(|()| to));
    match renamed {
        Ok(to) => tracing::warn!("{}: set aside as {}: {why}", path.display(), to.display()),
        Err(error) => tracing::warn!("{}: passed over: {why}; it cannot be renamed: {error}", path.display()),
    }
}

/// Most files that are set aside for one output.
const MAX_ASIDE: u32 = 1000;

/// Opens a file to read and write. A link is not followed, and a pipe not waited for.
pub(super) fn open(path: &Path) -> io::Result<fs::File> {
    let is_file = |about: &fs::Metadata| match about.is_file() {
        true => Ok(()),
        false => Err(io::Error::new(io::ErrorKind::InvalidData, "it is not a regular file")),
    };
    is_file(&path.symlink_metadata()?)?;
    let mut options = fs::OpenOptions::new();
    options.read(true).write(true);
    // It may have been replaced meanwhile.
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::custom_flags(&mut options, {
        use rustix::fs::OFlags;
        (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed()
    });
    let file = options.open(path)?;
    is_file(&file.metadata()?)?;
    Ok(file)
}

/// A new file, which must not be there.
pub(super) fn create(path: &Path) -> io::Result<fs::File> {
    fs::OpenOptions::new().read(true).write(true).create_new(true).open(path)
}

const DONE: &str = ".done";

/// Puts a file with these bytes in the place of the journal of an output, at once.
pub(super) fn replace(out: &Path, bytes: &[u8]) -> io::Result<()> {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    loop {
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let beside = hidden_beside(out, &format!(".{}-{count}{DONE}", process::id()));
        let mut file = match create(&beside) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => continue,
            file => file?,
        };
        return file.write_all(bytes).and_then(|()| fs::rename(&beside, place(out))).inspect_err(|_| {
            let _ = fs::remove_file(&beside);
        });
    }
}
