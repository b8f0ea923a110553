//! Many transfers at a time, each into a file of its own in one folder.
//!
//! ```text
//!   hello ─▶ known id ─▶ its Transfer
//!         └▶ new id ──▶ Lobby ─ content ─▶ a name, a file, a new Transfer      or Busy when there are too many
//! ```

use std::{
    collections::HashMap,
    path::PathBuf,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use maliu::{
    formats,
    wire::message::{Mode, Reason},
};
use serde_json::json;
use tokio::{
    sync::mpsc::{self, error::TrySendError},
    task::{JoinError, JoinSet},
    time::{MissedTickBehavior, interval},
};

use super::{
    journal,
    lobby::Lobby,
    names::Names,
    output::Output,
    report::{EVERY, Lines, Report, Totals},
    strangers::Guest,
    transfer::{Terms, Transfer},
};
use crate::{
    failure::{Failure, Result},
    paths,
    progress::Meter,
};

/// Format to write unless set otherwise.
pub(super) const FORMAT: &str = "flv";

/// Most transfers at a time, unless set otherwise.
pub(super) const MAX_TRANSFERS: usize = 1024;

/// The extension of messages of a layout.
const LAYOUT: &str = "bin";

/// Most bytes that all transfers hold in memory, unless set otherwise.
pub(super) const MAX_MEMORY: usize = 256 << 20;

/// How many seconds a transfer waits for its sender to come back, unless set otherwise.
pub(super) const PATIENCE: f64 = 60.0;

/// Bytes that are gathered before each write of a file, and read from a connection at a time.
pub(super) const BLOCK: usize = 16 << 10;

/// The transfers of a folder.
pub(super) struct Many {
    folder: PathBuf,
    output: Output,
    terms: Terms,
    lines: Lines,
    most: usize,
    lobby: Lobby,
    /// Those of the lobby that have begun to send.
    ready: mpsc::Receiver<Guest>,
    names: Names,
    /// Files of which an earlier run has left a journal, by transfer.
    left: HashMap<u64, PathBuf>,
    running: HashMap<u64, mpsc::Sender<Guest>>,
    tasks: JoinSet<(u64, PathBuf, Result)>,
    totals: Arc<Totals>,
    meter: Meter,
}

impl Many {
    /// Transfers into `output.out`, a folder that is made if it is not there.
    pub(super) fn new(output: Output, terms: Terms, lines: Lines, most: usize) -> Result<Self> {
        let folder = paths::of(&output.out).into_owned();
        let failed = |error| Failure::while_("opening", &output.out, error);
        std::fs::create_dir_all(&folder).map_err(failed)?;
        let left = journal::left_in(&folder).map_err(failed)?.into_iter().collect();
        let (lobby, ready) = Lobby::new(terms.strangers.clone());
        Ok(Self {
            folder,
            output,
            terms,
            lines,
            most,
            lobby,
            ready,
            names: Names::default(),
            left,
            running: HashMap::new(),
            tasks: JoinSet::new(),
            totals: Arc::default(),
            meter: Meter::new(None),
        })
    }

    /// Receives until the user asks to stop.
    pub(super) async fn run(mut self, mut guests: mpsc::Receiver<Guest>) -> Result {
        let (mut second, mut blink) = (interval(EVERY), interval(BLINK));
        second.set_missed_tick_behavior(MissedTickBehavior::Delay);
        blink.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while !self.output.stop.asked() {
            tokio::select! {
                guest = guests.recv() => match guest {
                    Some(guest) => self.dispatch(guest),
                    None => break,
                },
                Some(guest) = self.ready.recv() => self.dispatch(guest),
                Some(ended) = self.tasks.join_next() => drop(self.ended(ended)),
                _ = second.tick() => self.tell(),
                _ = blink.tick() => self.show(),
            }
        }
        // Without senders, transfers end.
        self.running.clear();
        let mut unfinished = 0;
        while let Some(ended) = self.tasks.join_next().await {
            unfinished += u32::from(matches!(self.ended(ended), Err(Failure::Stopped(_))));
        }
        self.tell();
        match unfinished {
            0 => Ok(()),
            1 => Err(Failure::Stopped("stopped: 1 transfer is unfinished".into())),
            _ => Err(Failure::Stopped(format!("stopped: {unfinished} transfers are unfinished"))),
        }
    }

    /// Hands a connection to its transfer, which may be a new one.
    fn dispatch(&mut self, guest: Guest) {
        let id = guest.hello.id;
        let guest = match self.running.get(&id) {
            None => guest,
            Some(transfer) => match transfer.try_send(guest) {
                Ok(()) => return,
                // It has just ended.
                Err(TrySendError::Closed(guest)) => guest,
                Err(TrySendError::Full(guest)) => {
                    return guest.refuse(Reason::Connected, "too many connections of this transfer at once");
                }
            },
        };
        if self.running.len() >= self.most {
            let why = format!("limit: {} transfers are under way (--max-transfers)", self.most);
            return guest.refuse(Reason::Busy, &why);
        }
        if guest.first.is_none() && !self.is_left(&guest) {
            return self.lobby.seat(guest);
        }
        let Some(file) = self.file(&guest) else {
            return guest.refuse(Reason::Busy, "limit: too many files of this name");
        };
        let (send, guests) = mpsc::channel(CONNECTIONS);
        let output = self.output.to_file(paths::text(file.clone().into()));
        let report = Report::new(self.lines, self.totals.clone(), None, &output.out);
        let transfer = Transfer::new(guests, output, self.terms.clone(), report);
        self.tasks.spawn_local(async move { (id, file, transfer.run().await) });
        // The channel is empty: there is room for one.
        let _ = send.try_send(guest);
        self.running.insert(id, send);
    }

    /// Whether an earlier run has left a journal of this transfer: only reliable ones have one.
    fn is_left(&self, guest: &Guest) -> bool {
        let id = guest.hello.id;
        let file = self.left.get(&id).filter(|_| guest.hello.mode == Mode::Reliable);
        file.is_some_and(|file| journal::id_of(&journal::place(file)) == Some(id))
    }

    /// The file of a transfer: the one that an earlier run has begun, or a new one.
    fn file(&mut self, guest: &Guest) -> Option<PathBuf> {
        if self.is_left(guest)
            && let Some(file) = self.left.remove(&guest.hello.id)
            && self.names.claim(&file)
        {
            return Some(file);
        }
        let extension = extension(self.output.format.as_deref().unwrap_or(LAYOUT));
        self.names.choose(&self.folder, &guest.hello.name, extension)
    }

    fn ended(&mut self, ended: std::result::Result<(u64, PathBuf, Result), JoinError>) -> Result {
        let (id, file, result) = match ended {
            Ok(ended) => ended,
            Err(error) => {
                tracing::error!("a transfer ended in a panic: {error}");
                return Ok(());
            }
        };
        self.names.release(&file);
        if journal::id_of(&journal::place(&file)) == Some(id) {
            self.left.insert(id, file.clone());
        }
        if self.running.get(&id).is_some_and(mpsc::Sender::is_closed) {
            self.running.remove(&id);
        }
        if let Err(failure) = &result {
            tracing::warn!("{}: {failure}", file.display());
        }
        result
    }

    fn tell(&self) {
        let [bytes, begun, done, failed] = self.figures();
        self.lines.tell(&json!({
            "event": "total",
            "transfers": self.running.len(),
            "begun": begun,
            "done": done,
            "failed": failed,
            "bytes": bytes,
        }));
    }

    fn show(&mut self) {
        let [bytes, _, done, failed] = self.figures();
        let running = self.running.len();
        self.meter.show(bytes, || format!(", {running} transfers under way, {done} done, {failed} failed"));
    }

    fn figures(&self) -> [u64; 4] {
        let Totals { bytes, begun, done, failed } = &*self.totals;
        [bytes, begun, done, failed].map(|figure| figure.load(Ordering::Relaxed))
    }
}

/// Between two looks at what is to be shown, and at whether the user asks to stop.
const BLINK: Duration = Duration::from_millis(200);

/// Connections of one transfer that wait to be looked at.
const CONNECTIONS: usize = 4;

/// The usual extension of a format, or of decoded sound.
fn extension(format: &str) -> &str {
    let known = formats::named(format).and_then(|format| format.extensions.first());
    known.copied().unwrap_or(format)
}
