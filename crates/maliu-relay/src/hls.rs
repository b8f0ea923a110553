//! HLS of one stream: the segments that are kept, and those who wait for the next part.
//!
//! ```text
//!   Channel ─ tags ─▶ Work: FLV → packets → Packager ─▶ Window ─▶ bell ─▶ requests
//! ```
//!
//! It begins with the first request and lasts until the stream ends.

use std::{
    collections::HashMap,
    hash::{BuildHasher, RandomState},
    net::IpAddr,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use bytes::Bytes;
use maliu::{
    hls::{Container, Date, Limits, Made, Multivariant, Reload, Variant, Window, codec_string},
    stream::StreamInfo,
};
use tokio::sync::watch;

use crate::{access::hexadecimal, config::Hls};

mod shelf;
mod work;

pub(crate) use shelf::folder;
pub(crate) use work::run;

/// The segments of a stream, in one container.
#[derive(Debug)]
pub(crate) struct Live {
    pub(crate) container: Container,
    /// The settings at its start.
    pub(crate) settings: Hls,
    /// The names of its files begin with this.
    epoch: String,
    /// The key of its segments, where they are encrypted.
    key: Option<[u8; 16]>,
    window: Mutex<Window>,
    streams: Mutex<Vec<StreamInfo>>,
    /// Counts changes.
    changes: watch::Sender<u64>,
    /// Nothing follows: the stream has ended, or cannot be carried.
    over: AtomicBool,
    /// When that was found, in seconds since 1970.
    ended: AtomicU64,
    /// When it was asked for last, in seconds since 1970.
    asked: AtomicU64,
    /// Those who asked, and when they did last.
    askers: Mutex<HashMap<u64, u64>>,
    hasher: RandomState,
    /// The moment that the media under way came in, in ms since 1970.
    arrival: AtomicI64,
}

/// The wall clock, in ms since 1970.
fn now() -> Date {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Date(i64::try_from(since.as_millis()).unwrap_or(0))
}

fn seconds() -> u64 {
    now().0.unsigned_abs() / 1000
}

impl Live {
    /// Nothing yet. Names of segments begin with `epoch`, at random, and so is `key`.
    pub(crate) fn new(container: Container, settings: &Hls, epoch: [u8; 12], key: [u8; 16], bytes: usize) -> Self {
        let epoch = hexadecimal(&epoch);
        let mut limits = Limits::default();
        (limits.bytes, limits.segments) = (bytes, settings.window);
        let settings = Hls {
            // Only segments of one kind are kept.
            dvr: if container == Container::Fmp4 { settings.dvr } else { Duration::ZERO },
            ..settings.clone()
        };
        limits.history = settings.dvr;
        let with_parts = container == Container::Fmp4 && !settings.encrypt;
        let mut window = Window::new(epoch.clone(), seconds(), container, with_parts, limits);
        let key = settings.encrypt.then_some(key);
        if let Some(key) = key {
            window = window.encrypted(key, format!("{epoch}.key"));
        }
        Self {
            container,
            settings,
            epoch,
            key,
            window: Mutex::new(window),
            streams: Mutex::default(),
            changes: watch::Sender::new(0),
            over: AtomicBool::new(false),
            ended: AtomicU64::new(0),
            asked: AtomicU64::new(seconds()),
            askers: Mutex::default(),
            hasher: RandomState::new(),
            arrival: AtomicI64::new(now().0),
        }
    }

    /// The segments. Never held across a wait.
    pub(crate) fn window(&self) -> MutexGuard<'_, Window> {
        self.window.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn streams(&self) -> MutexGuard<'_, Vec<StreamInfo>> {
        self.streams.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Subscribes to changes.
    pub(crate) fn changes(&self) -> watch::Receiver<u64> {
        self.touch();
        self.changes.subscribe()
    }

    /// Notes that it is watched.
    pub(crate) fn touch(&self) {
        self.asked.store(seconds(), Ordering::Relaxed);
    }

    /// Notes that a viewer asked, who is known by its address and its program.
    pub(crate) fn is_asked_by(&self, address: IpAddr, program: Option<&str>) {
        let (mut askers, now) = (self.askers.lock().unwrap_or_else(PoisonError::into_inner), seconds());
        if askers.len() >= MAX_ASKERS {
            askers.retain(|_, last| now.saturating_sub(*last) < WATCHED);
        }
        if askers.len() < MAX_ASKERS {
            askers.insert(self.hasher.hash_one((address, program)), now);
        }
    }

    /// Viewers that asked a moment ago.
    pub(crate) fn viewers(&self) -> usize {
        let (mut askers, now) = (self.askers.lock().unwrap_or_else(PoisonError::into_inner), seconds());
        askers.retain(|_, last| now.saturating_sub(*last) < WATCHED);
        askers.len()
    }

    /// Whether it was asked for a moment ago.
    pub(crate) fn is_watched(&self) -> bool {
        seconds().saturating_sub(self.asked.load(Ordering::Relaxed)) < WATCHED
    }

    /// Whether nothing follows.
    pub(crate) fn is_over(&self) -> bool {
        self.over.load(Ordering::Acquire)
    }

    /// Whether it has ended, or failed long enough ago for another try.
    pub(crate) fn is_stale(&self) -> bool {
        self.is_over() && seconds().saturating_sub(self.ended.load(Ordering::Relaxed)) >= RETRY
    }

    /// Nothing follows.
    fn end(&self) {
        self.window().take(Made::End, now());
        self.ended.store(seconds(), Ordering::Relaxed);
        self.over.store(true, Ordering::Release);
        self.announce();
    }

    fn announce(&self) {
        self.changes.send_modify(|count| *count = count.wrapping_add(1));
    }

    /// The multivariant playlist; `None` before the first segment has ended. `query` goes on to the playlists.
    pub(crate) fn multivariant(&self, query: &str) -> Option<String> {
        let (peak, mean, independent) = {
            let window = self.window();
            window.target()?;
            let (peak, mean) = window.bit_rates();
            (peak, mean, window.is_independent())
        };
        let streams = self.streams();
        let video = streams.iter().find_map(StreamInfo::as_video);
        let mut codecs: Vec<String> = streams.iter().filter_map(codec_string).collect();
        if codecs.len() < streams.len() {
            // A list that lacks one is worse than none.
            codecs.clear();
        }
        codecs.dedup();
        let name = if self.container == Container::Ts { "ts.m3u8" } else { "media.m3u8" };
        let mut all = Multivariant::default();
        all.independent = independent;
        all.variants.push(Variant {
            uri: if query.is_empty() { name.to_owned() } else { format!("{name}?{query}") },
            bandwidth: peak.max(1),
            average_bandwidth: Some(mean.max(1)),
            codecs: codecs.join(","),
            resolution: video.map(|video| video.size()).filter(|(width, height)| *width > 0 && *height > 0),
            ..Variant::default()
        });
        Some(all.to_string())
    }

    /// How long a request may wait: three times the length of a segment.
    pub(crate) fn patience(&self) -> Duration {
        let target = self.window().target().unwrap_or(4);
        Duration::from_secs(u64::from(target) * 3)
    }

    /// The key of a name, if it is that of these segments.
    pub(crate) fn key(&self, name: &str) -> Option<[u8; 16]> {
        self.key.filter(|_| name.strip_suffix(".key") == Some(&self.epoch))
    }

    /// A playlist whose key is asked for as the playlist was. Files ask for nothing.
    pub(crate) fn with_query(&self, text: Bytes, query: &str) -> Bytes {
        let kept: Vec<&str> =
            query.split('&').filter(|pair| !pair.starts_with("_HLS_") && !pair.starts_with("from=")).collect();
        let query = kept.join("&");
        if self.key.is_none() || query.is_empty() || query.contains('"') {
            return text;
        }
        let name = format!("{}.key", self.epoch);
        let text = String::from_utf8_lossy(&text).replace(&format!("\"{name}\""), &format!("\"{name}?{query}\""));
        text.into()
    }

    /// Answers a request for the playlist from a time before now on.
    pub(crate) fn ask_since(&self, before: Duration) -> maliu::hls::Ask {
        let before = i64::try_from(before.as_millis()).unwrap_or(i64::MAX);
        self.window().ask_since(Date(now().0.saturating_sub(before)))
    }

    /// Answers a request for the media playlist.
    pub(crate) fn ask(&self, reload: Reload) -> maliu::hls::Ask {
        self.window().ask(reload)
    }
}

/// Seconds after which a stream that could not be carried is tried again.
const RETRY: u64 = 5;

/// Most viewers that are told apart.
const MAX_ASKERS: usize = 100_000;

/// Seconds after a request during which a stream counts as watched.
const WATCHED: u64 = 15;
