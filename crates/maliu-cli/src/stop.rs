//! Ctrl-C: the first one ends reading, and what was read so far is written whole; a second one, or one that finds
//! nothing to be written or an input that gives nothing, ends everything at once and leaves no half file.

use std::{
    fs, io,
    path::{Path, PathBuf},
    process,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use maliu::io::Source;

use crate::failure::STOPPED;

static ASKED: AtomicBool = AtomicBool::new(false);
static NOTICED: AtomicBool = AtomicBool::new(false);
static HEARD: AtomicBool = AtomicBool::new(false);
/// Nothing is open yet, or what is open must not be ended as if it were whole.
static AT_ONCE: AtomicBool = AtomicBool::new(true);
static TRANSFER: AtomicBool = AtomicBool::new(false);
/// Files that are no use unless they are finished.
static LITTER: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

/// Listens from here on, to a polite request to end, too.
pub fn listen() {
    let asked = || {
        if AT_ONCE.load(Ordering::Relaxed) || ASKED.swap(true, Ordering::Relaxed) {
            exit();
        }
        // Where there is no thread to watch, it is the second request that ends an input that does not notice.
        let _ = thread::Builder::new().spawn(|| {
            thread::sleep(PATIENCE);
            if !NOTICED.load(Ordering::Relaxed) && !HEARD.load(Ordering::Relaxed) {
                exit();
            }
        });
    };
    // Without a handler Ctrl-C ends the program at once, as it would without this module. A handler that has got no thread
    // would swallow it instead, so whether there is one left is tried first.
    let thread = thread::Builder::new().spawn(|| ()).map(drop);
    let handled = thread.map_err(ctrlc::Error::System).and_then(|()| ctrlc::set_handler(asked));
    if let Err(error) = handled {
        tracing::debug!("Ctrl-C ends at once: {error}");
    }
    #[cfg(unix)]
    limits_are_errors();
}

/// A file that grows beyond what its user may write is an error of writing like a full disk, not the end of the program.
#[cfg(unix)]
fn limits_are_errors() {
    use std::sync::Arc;

    use signal_hook::{consts::SIGXFSZ, flag};

    if let Err(error) = flag::register(SIGXFSZ, Arc::default()) {
        tracing::debug!("a file that may not grow ends at once: {error}");
    }
}

/// How long an input that is being read may take to notice that it is to end.
const PATIENCE: Duration = Duration::from_secs(1);

fn exit() -> ! {
    for path in LITTER.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
        // It may have taken its place just now.
        let _ = fs::remove_file(path);
    }
    process::exit(STOPPED.into());
}

/// From here on the first Ctrl-C ends everything: a transfer that goes on later must not be ended as if it were whole.
pub fn at_once() {
    TRANSFER.store(true, Ordering::Relaxed);
    AT_ONCE.store(true, Ordering::Relaxed);
}

/// From here on the first Ctrl-C is left to [`asked`].
pub fn on_request() {
    AT_ONCE.store(false, Ordering::Relaxed);
}

/// Whether the user has asked to stop. Who asks this often ends in its own time.
pub fn asked() -> bool {
    let asked = ASKED.load(Ordering::Relaxed);
    HEARD.fetch_or(asked, Ordering::Relaxed);
    asked
}

/// Whether an input ended early because the user wanted it.
pub fn was_noticed() -> bool {
    NOTICED.load(Ordering::Relaxed)
}

/// A file that is removed when everything ends at once. Dropping this says that it is a file's own affair again.
pub struct Litter(PathBuf);

impl Litter {
    /// Notes the file.
    pub fn new(path: &Path) -> Self {
        LITTER.lock().unwrap_or_else(PoisonError::into_inner).push(path.into());
        Self(path.into())
    }
}

impl Drop for Litter {
    fn drop(&mut self) {
        LITTER.lock().unwrap_or_else(PoisonError::into_inner).retain(|path| *path != self.0);
    }
}

fn check() -> io::Result<()> {
    if !ASKED.load(Ordering::Relaxed) {
        return Ok(());
    }
    NOTICED.store(true, Ordering::Relaxed);
    Err(io::Error::other("stopped by the user"))
}

/// A source that fails once the user has asked to stop.
pub struct Stoppable<S>(S);

impl<S: Source> Stoppable<S> {
    /// A source that is open: from here on there may be something to be written whole.
    pub fn new(source: S) -> Self {
        AT_ONCE.store(TRANSFER.load(Ordering::Relaxed), Ordering::Relaxed);
        Self(source)
    }
}

impl<S: Source> Source for Stoppable<S> {
    fn seekable(&self) -> bool {
        self.0.seekable()
    }

    fn read_at(&mut self, at: u64, buf: &mut [u8]) -> io::Result<usize> {
        check()?;
        let got = self.0.read_at(at, buf)?;
        // A pipe may end because its writer was stopped, too.
        check()?;
        Ok(got)
    }

    fn size(&mut self) -> Option<u64> {
        self.0.size()
    }

    fn block_size(&self) -> usize {
        self.0.block_size()
    }

    fn twin(&mut self) -> Option<Box<dyn Source + Send>> {
        Some(Box::new(Stoppable(self.0.twin()?)))
    }
}
