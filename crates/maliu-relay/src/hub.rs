//! Names → channels: who may publish, what can be watched, and what is removed.

use std::{
    collections::HashMap,
    io,
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError, RwLock,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Instant,
};

use maliu::{
    hls::Container,
    live::{Epoch, Limits, Takeover},
};
use tokio::runtime::Handle;

use crate::{
    channel::Channel,
    config::{self, Config, Pull},
    gate::Gate,
    hls::{self, Live},
    hooks::{Desk, Event},
    metrics::Metrics,
    name::Name,
    pattern, pull, push, record,
    settings::Settings,
    wire::Transfers,
};

/// Fewest bytes that a stream may keep: where they would be fewer, no further publisher is let in.
const MIN_SHARE: usize = 2 << 20;

/// The reason for a peer that shows nothing right.
pub(crate) const DENIED: &str = "the token or signature is missing, wrong, or too old";

/// Most streams that are fetched at a time: viewers can ask for any name.
const MAX_PULLS: usize = 100;

/// All streams of a relay.
#[derive(Debug)]
pub(crate) struct Hub {
    /// Its settings, which may be replaced.
    settings: RwLock<Arc<Settings>>,
    /// A token that was made for publishers at the start.
    pub(crate) made: Option<String>,
    /// Answers of hooks, and events for them.
    pub(crate) desk: Desk,
    /// Its counters.
    pub(crate) metrics: Metrics,
    /// Its connections.
    pub(crate) gate: Gate,
    /// Transfers of maliu's wire that may go on.
    pub(crate) transfers: Transfers,
    channels: Mutex<HashMap<Name, Arc<Channel>>>,
    draining: AtomicBool,
    /// Recordings and pushes that are under way.
    working: AtomicUsize,
    /// Streams that are fetched.
    pulls: AtomicUsize,
    /// Where tasks of its own run.
    handle: Handle,
    begun: Instant,
    /// Reads the settings again, where they come from a file.
    pub(crate) reader: OnceLock<Reader>,
}

/// Reads settings.
pub(crate) struct Reader(pub(crate) Box<dyn Fn() -> Result<Config, String> + Send + Sync>);

impl std::fmt::Debug for Reader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Reader").finish_non_exhaustive()
    }
}

/// A recording or a push that is counted.
pub(crate) struct Worker(pub(crate) Arc<Hub>);

impl Worker {
    fn new(hub: &Arc<Hub>) -> Self {
        hub.working.fetch_add(1, Ordering::AcqRel);
        Self(Arc::clone(hub))
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.0.working.fetch_sub(1, Ordering::AcqRel);
    }
}

/// Why nothing can be published or watched: the code of RTMP, and words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// The code of a status.
    pub(crate) code: &'static str,
    /// For the user of the encoder or player.
    pub(crate) why: &'static str,
}

/// A publisher that was let in; it leaves when this is dropped.
#[derive(Debug)]
pub(crate) struct Publisher {
    /// Where its tags go.
    pub(crate) channel: Arc<Channel>,
    /// Its session.
    pub(crate) epoch: Epoch,
    hub: Arc<Hub>,
}

impl Drop for Publisher {
    fn drop(&mut self) {
        self.channel.leave(self.epoch);
        self.hub.metrics.publishers.fetch_sub(1, Ordering::Relaxed);
        self.hub.report(Event { action: "unpublish", name: self.channel.name.to_string(), path: None });
    }
}

impl Hub {
    /// A hub without streams, whose tasks run in this runtime.
    pub(crate) fn new(settings: Arc<Settings>, made: Option<String>, handle: Handle) -> Self {
        let (settings, desk, gate) = (RwLock::new(settings), Desk::default(), Gate::default());
        let (channels, draining) = (Mutex::default(), AtomicBool::new(false));
        let (metrics, transfers) = (Metrics::default(), Transfers::default());
        let (working, pulls, begun) = (AtomicUsize::new(0), AtomicUsize::new(0), Instant::now());
        Self {
            settings,
            made,
            desk,
            metrics,
            gate,
            transfers,
            channels,
            draining,
            working,
            pulls,
            handle,
            begun,
            reader: OnceLock::new(),
        }
    }

    /// The settings in force.
    pub(crate) fn settings(&self) -> Arc<Settings> {
        Arc::clone(&self.settings.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Puts other settings in force: for connections and streams that begin from here on, and for limits. Returns remarks on
    /// what takes a restart.
    ///
    /// # Errors
    /// A file that they name cannot be used; then nothing has changed.
    pub(crate) fn replace(&self, mut config: Config) -> io::Result<Vec<String>> {
        let old = self.settings();
        let remarks = config.keep_ports(&old);
        // A token that was made at the start holds.
        let made = self.made.iter().filter(|_| config.lacks_token()).cloned();
        config.publish_tokens.extend(made.collect::<Vec<_>>());
        let new = Settings::of(config)?;
        *self.settings.write().unwrap_or_else(PoisonError::into_inner) = new;
        self.share(&self.channels());
        Ok(remarks)
    }

    /// Reads the settings again and puts them in force; returns remarks.
    ///
    /// # Errors
    /// They cannot be read, or there is no file; then nothing has changed.
    pub(crate) fn reload(&self) -> Result<Vec<String>, String> {
        let Reader(read) = self.reader.get().ok_or("the settings do not come from a file")?;
        let config = read()?;
        self.replace(config).map_err(|error| error.to_string())
    }

    fn channels(&self) -> MutexGuard<'_, HashMap<Name, Arc<Channel>>> {
        self.channels.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets a publisher in whose token is known to be right.
    ///
    /// # Errors
    /// [`Refusal`].
    pub(crate) fn publish_known(self: &Arc<Self>, name: Option<Name>) -> Result<Publisher, Refusal> {
        let bad = |why| Refusal { code: "NetStream.Publish.BadName", why };
        let over = |why| Err(Refusal { code: "NetStream.Publish.Failed", why });
        let name = name.ok_or(bad("the name is empty, too long, or has characters that names must not have"))?;
        if self.is_draining() {
            return over("the server is shutting down");
        }
        let settings = self.settings();
        if self.metrics.publishers.load(Ordering::Relaxed) >= settings.max_publishers {
            return over("too many streams are published");
        }
        let takeover = match settings.takeover {
            config::Takeover::Stale => Takeover::Stale,
            config::Takeover::Never => Takeover::Never,
            config::Takeover::Always => Takeover::Always,
        };
        // Under the lock of the map: the channel must not be removed before it is claimed.
        let mut channels = self.channels();
        let more = usize::from(!channels.contains_key(&name));
        if settings.memory / (channels.len() + more) < MIN_SHARE {
            return over("the memory for streams is used up");
        }
        let channel = self.open(&mut channels, name);
        let epoch = channel.claim(takeover).map_err(|_| bad("another publisher is sending this stream"))?;
        drop(channels);
        self.metrics.publishers.fetch_add(1, Ordering::Relaxed);
        if !channel.followed.swap(true, Ordering::AcqRel) {
            self.follow(&channel);
        }
        Ok(Publisher { channel, epoch, hub: Arc::clone(self) })
    }

    /// Records and pushes a channel, where the settings say so.
    fn follow(self: &Arc<Self>, channel: &Arc<Channel>) {
        let (name, settings) = (channel.name.to_string(), self.settings());
        let fits = |pattern: &String| pattern::matches(pattern, &name);
        for record in settings.record.iter().filter(|record| record.matches.iter().any(fits)) {
            let work = record::run(Arc::clone(self), Arc::clone(channel), record.clone());
            let worker = Worker::new(self);
            self.handle.spawn(async move {
                work.await;
                drop(worker);
            });
        }
        if !settings.hls.dvr.is_zero() {
            // Viewers may go back to the beginning.
            self.hls(channel, Container::Fmp4);
        }
        for push in settings.push.iter().filter(|push| fits(&push.matches)) {
            let (hub, channel, push) = (Arc::clone(self), Arc::clone(channel), push.clone());
            let worker = Worker::new(self);
            self.handle.spawn_blocking(move || {
                push::run(&hub, &channel, &push, &hub.handle);
                drop(worker);
            });
        }
    }

    /// A stream to watch, if it is there: published, waiting for its publisher, or to be fetched.
    pub(crate) fn find(self: &Arc<Self>, name: &Name) -> Option<Arc<Channel>> {
        let channel = self.channels().get(name).cloned().filter(|channel| channel.has_begun());
        match self.pull_of(name) {
            Some(_) => self.expect(name.clone()),
            None => channel,
        }
    }

    fn pull_of(&self, name: &Name) -> Option<Pull> {
        let (settings, name) = (self.settings(), name.to_string());
        settings.pull.iter().find(|pull| pattern::matches(&pull.matches, &name)).cloned()
    }

    /// A stream to watch, which may begin later; `None` when there are too many of them.
    pub(crate) fn expect(self: &Arc<Self>, name: Name) -> Option<Arc<Channel>> {
        let channel = {
            let mut channels = self.channels();
            let full = channels.len() >= self.settings().max_publishers.saturating_mul(2);
            match channels.get(&name) {
                None if full || self.is_draining() => return None,
                _ => self.open(&mut channels, name),
            }
        };
        if let Some(pull) = self.pull_of(&channel.name)
            && !channel.lock().stream.is_live()
            && !channel.pulled.swap(true, Ordering::AcqRel)
        {
            if self.pulls.fetch_add(1, Ordering::AcqRel) >= MAX_PULLS {
                self.pulls.fetch_sub(1, Ordering::AcqRel);
                channel.pulled.store(false, Ordering::Release);
                return None;
            }
            let (hub, channel, pull) = (Arc::clone(self), Arc::clone(&channel), pull);
            self.handle.spawn_blocking(move || {
                pull::run(&hub, &channel, &pull);
                hub.pulls.fetch_sub(1, Ordering::AcqRel);
            });
        }
        Some(channel)
    }

    /// The channel of a name. A new one takes its share of the memory from the others.
    fn open(&self, channels: &mut HashMap<Name, Arc<Channel>>, name: Name) -> Arc<Channel> {
        if let Some(channel) = channels.get(&name) {
            return Arc::clone(channel);
        }
        let channel = Arc::new(Channel::new(name.clone(), Limits::default(), self.begun));
        channels.insert(name, Arc::clone(&channel));
        self.share(channels);
        channel
    }

    /// Gives every channel its share of the memory.
    fn share(&self, channels: &HashMap<Name, Arc<Channel>>) {
        let share = Limits::default().bytes.min(self.settings().memory / channels.len().max(1));
        channels.values().for_each(|channel| channel.limit(share));
    }

    /// A stream that is here, whether or not it is to be fetched.
    pub(crate) fn known(&self, name: &Name) -> Option<Arc<Channel>> {
        self.channels().get(name).cloned()
    }

    /// Counts a recording or a push.
    pub(crate) fn worker(self: &Arc<Self>) -> Worker {
        Worker::new(self)
    }

    /// The segments of a channel, which are made from here on if they were not.
    pub(crate) fn hls(self: &Arc<Self>, channel: &Arc<Channel>, container: Container) -> Option<Arc<Live>> {
        let settings = self.settings();
        let make = || {
            let (mut epoch, mut key) = ([0; 12], [0; 16]);
            getrandom::fill(&mut epoch).ok()?;
            getrandom::fill(&mut key).ok()?;
            Some(Live::new(container, &settings.hls, epoch, key, MIN_SHARE / 2))
        };
        let (live, is_new) = channel.hls_or(container, make)?;
        if is_new {
            self.share(&self.channels());
            self.handle.spawn(hls::run(Arc::clone(self), Arc::clone(channel), Arc::clone(&live)));
        }
        Some(live)
    }

    /// The streams that have begun, by name.
    pub(crate) fn all(&self) -> Vec<Arc<Channel>> {
        let mut all: Vec<_> = self.channels().values().filter(|channel| channel.has_begun()).cloned().collect();
        all.sort_by(|a, b| a.name.cmp(&b.name));
        all
    }

    /// The counters, for Prometheus.
    pub(crate) fn metrics_text(&self) -> String {
        let hls = self.channels().values().map(|channel| channel.hls_viewers()).sum();
        self.metrics.text(self.gate.len(), hls)
    }

    /// Removes what is over, and counts what is kept; to be called from time to time.
    pub(crate) fn sweep(&self) {
        self.transfers.sweep(self.linger());
        let mut kept = 0;
        let mut channels = self.channels();
        let before = channels.len();
        channels.retain(|_, channel| {
            // A stream that is expected stays while a viewer holds it.
            let expected = !channel.has_begun() && Arc::strong_count(channel) > 1 && !self.is_draining();
            let stays = expected || !channel.end_if_over(self.linger());
            kept += if stays { channel.bytes() } else { 0 };
            stays
        });
        if channels.len() < before {
            self.share(&channels);
        }
        self.metrics.kept.store(kept, Ordering::Relaxed);
    }

    fn linger(&self) -> std::time::Duration {
        if self.is_draining() { std::time::Duration::ZERO } else { self.settings().linger }
    }

    /// Ends all streams; recordings and pushes then end, too.
    pub(crate) fn end_all(&self) {
        self.channels().values().for_each(|channel| channel.end());
    }

    /// Whether recordings or pushes are under way.
    pub(crate) fn is_working(&self) -> bool {
        self.working.load(Ordering::Acquire) > 0
    }

    /// Wakes viewers of all streams that have something new.
    pub(crate) fn ring(&self) {
        self.channels().values().for_each(|channel| channel.ring());
    }

    /// Lets no publisher in from here on; streams that have no publisher end.
    pub(crate) fn drain(&self) {
        self.draining.store(true, Ordering::Release);
    }

    /// Whether no publisher is let in any more.
    pub(crate) fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Acquire)
    }
}
