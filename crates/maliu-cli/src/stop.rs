//! Ctrl-C: the first one ends reading, and what was read so far is written whole; a second one, or one that finds
//! nothing to be written or a disk that gives nothing, ends everything at once and leaves no half file.

use std::{
    fs, io,
    path::{Path, PathBuf},
    process,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use maliu::io::{Checked, Source};

use crate::failure::STOPPED;

/// The signal to stop, shared by the handler of Ctrl-C and everything that a command runs.
#[derive(Clone, Default)]
pub(crate) struct Stop(Arc<State>);

#[derive(Default)]
struct State {
    asked: AtomicBool,
    /// When the first request came.
    first: Mutex<Option<Instant>>,
    noticed: AtomicBool,
    heard: AtomicBool,
    /// An input is open: the content that was read can be written whole.
    open: AtomicBool,
    /// A transfer that can be resumed must not be ended as if it were whole.
    transfer: AtomicBool,
    /// The command reads its settings again at SIGHUP.
    reloads: AtomicBool,
    hung_up: AtomicBool,
    /// Files that are useless unless they are finished.
    litter: Mutex<Vec<PathBuf>>,
}

impl Stop {
    /// Handles Ctrl-C and SIGTERM from here on.
    pub(crate) fn listen(&self) {
        let stop = self.clone();
        let asked = move || stop.ask();
        // Without a handler Ctrl-C ends the program at once, as it would without this module. A handler that has got no
        // thread would swallow it instead, so whether there is one left is tried first.
        let thread = thread::Builder::new().spawn(|| ()).map(drop);
        let handled = thread.map_err(ctrlc::Error::System).and_then(|()| ctrlc::set_handler(asked));
        if let Err(error) = handled {
            tracing::debug!("Ctrl-C ends at once: {error}");
        }
        #[cfg(unix)]
        {
            self.listen_to_others();
            limits_are_errors();
        }
    }

    /// Handles SIGTERM and SIGHUP, on a thread of their own.
    #[cfg(unix)]
    fn listen_to_others(&self) {
        use std::sync::mpsc;

        use signal_hook::{
            consts::{SIGHUP, SIGTERM},
            iterator::Signals,
        };

        let stop = self.clone();
        let (hand, handed) = mpsc::channel::<Signals>();
        // The thread comes first: signals that are handled on none would be swallowed.
        let thread = thread::Builder::new().spawn(move || {
            for signal in handed.recv().iter_mut().flat_map(|signals| signals.forever()) {
                if signal == SIGHUP && stop.0.reloads.load(Ordering::Relaxed) {
                    stop.0.hung_up.store(true, Ordering::Relaxed);
                } else {
                    stop.ask();
                }
            }
        });
        if let Err(error) = thread.and_then(|_| Signals::new([SIGTERM, SIGHUP])).map(|signals| hand.send(signals)) {
            tracing::debug!("SIGTERM and SIGHUP end at once: {error}");
        }
    }

    /// SIGHUP is no request to stop any more: see [`Stop::hung_up`].
    pub(crate) fn reload_on_hang_up(&self) {
        self.0.reloads.store(true, Ordering::Relaxed);
    }

    /// Whether SIGHUP came since the last call.
    pub(crate) fn hung_up(&self) -> bool {
        self.0.hung_up.swap(false, Ordering::Relaxed)
    }

    fn ask(&self) {
        let state = &*self.0;
        let at_once = state.transfer.load(Ordering::Relaxed) || !state.open.load(Ordering::Relaxed);
        if at_once {
            self.exit();
        }
        if state.asked.swap(true, Ordering::Relaxed) {
            if !self.is_echo() {
                self.exit();
            }
            return;
        }
        *state.first.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
        let stop = self.clone();
        // Without a thread to watch it, an input that does not notice is ended by the second request.
        let _ = thread::Builder::new().spawn(move || {
            thread::sleep(PATIENCE);
            if !stop.was_noticed() && !stop.0.heard.load(Ordering::Relaxed) {
                stop.exit();
            }
        });
    }

    /// Whether a request belongs to the first one: `timeout` signals its child, then the group that the child is of.
    fn is_echo(&self) -> bool {
        let first = *self.0.first.lock().unwrap_or_else(PoisonError::into_inner);
        first.is_none_or(|first| first.elapsed() < ECHO)
    }

    fn exit(&self) -> ! {
        for path in self.litter().drain(..) {
            // It may have been renamed a moment ago.
            let _ = fs::remove_file(path);
        }
        process::exit(STOPPED.into());
    }

    /// Guards an open source, which fails once the user has asked to stop; from here on there may be something to be
    /// written whole.
    pub(crate) fn guard<S: Source>(
        &self,
        source: S,
    ) -> Checked<S, impl Fn() -> io::Result<()> + Clone + Send + use<S>> {
        self.on_request();
        let stop = self.clone();
        Checked::new(source, move || stop.check())
    }

    /// Makes the first Ctrl-C end the program: a transfer that can be resumed must not be ended as if it were whole.
    pub(crate) fn at_once(&self) {
        self.0.transfer.store(true, Ordering::Relaxed);
    }

    /// Leaves the first Ctrl-C to [`Stop::asked`].
    pub(crate) fn on_request(&self) {
        self.0.open.store(true, Ordering::Relaxed);
    }

    /// Whether the user has asked to stop. A caller that polls this ends in its own time.
    pub(crate) fn asked(&self) -> bool {
        let asked = self.0.asked.load(Ordering::Relaxed);
        self.0.heard.fetch_or(asked, Ordering::Relaxed);
        asked
    }

    /// Whether an input ended early because the user wanted it.
    pub(crate) fn was_noticed(&self) -> bool {
        self.0.noticed.load(Ordering::Relaxed)
    }

    /// Notes a file that is removed when the program ends at once.
    pub(crate) fn litter_at(&self, path: &Path) -> Litter {
        self.litter().push(path.into());
        Litter { path: path.into(), stop: self.clone() }
    }

    fn litter(&self) -> MutexGuard<'_, Vec<PathBuf>> {
        self.0.litter.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Fails once the user has asked to stop.
    pub(crate) fn check(&self) -> io::Result<()> {
        if !self.0.asked.load(Ordering::Relaxed) {
            return Ok(());
        }
        self.0.noticed.store(true, Ordering::Relaxed);
        Err(io::Error::other("stopped by the user"))
    }
}

/// A file that grows beyond what its user may write is an error of writing like a full disk, not the end of the program.
#[cfg(unix)]
fn limits_are_errors() {
    use signal_hook::{consts::SIGXFSZ, flag};

    if let Err(error) = flag::register(SIGXFSZ, Arc::default()) {
        tracing::debug!("a file that may not grow ends at once: {error}");
    }
}

/// How soon behind the first request another one counts as the same.
const ECHO: Duration = Duration::from_millis(300);

/// How long an input that is being read may take to notice that it is to end.
const PATIENCE: Duration = Duration::from_secs(1);

/// A file that is removed when the program ends at once; dropping this leaves the file alone.
pub(crate) struct Litter {
    path: PathBuf,
    stop: Stop,
}

impl Drop for Litter {
    fn drop(&mut self) {
        self.stop.litter().retain(|path| *path != self.path);
    }
}
