//! Messages of a live sender that the receiver has not confirmed: how many bytes, how fast they arrive, and how many more
//! may follow them.
//!
//! ```text
//!   sent ─▶ │ kernel, network, kernel: of any size │ ─▶ receiver        window = rate × (TARGET + quickest answer)
//!   confirm ◀──────────── Ack, or Pong to a ping behind the message ──┘
//! ```
//!
//! Buffers of the transport are not trusted: they may hold seconds of media.

use alloc::collections::VecDeque;
use core::time::Duration;

/// How long messages may take to arrive because others are under way.
const TARGET: Duration = Duration::from_millis(200);

/// Bytes that may be under way at least, before the rate is known, and at most.
const LEAST: u64 = 16 << 10;
const FIRST: u64 = 64 << 10;
const MOST: u64 = 8 << 20;

/// Most messages under way.
const MAX_SENT: usize = 1 << 14;

/// The bit that tells pings behind messages from those that keep a connection alive.
const PROBE: u64 = 1 << 63;

/// Messages under way, oldest first.
#[derive(Debug, Default)]
pub(super) struct Flight {
    sent: VecDeque<Sent>,
    bytes: u64,
    /// Bytes that have arrived on this connection.
    arrived: u64,
    /// Until `arrived` is beyond this the source, not the connection, sets the pace.
    idle_until: u64,
    /// In bytes per second.
    rate: Option<u64>,
    quickest: Option<Duration>,
    /// The message in front of which the last probe stands, and whether its answer is awaited.
    probed: u64,
    is_probing: bool,
}

/// A message under way.
#[derive(Debug)]
struct Sent {
    sequence: u64,
    bytes: u64,
    /// Of a packet, in µs.
    time: Option<i64>,
    at: Duration,
    /// Bytes that had arrived when it was sent, and whether the source set the pace.
    arrived: u64,
    idle: bool,
}

impl Flight {
    /// A new connection: its rate is unknown, and messages under way are lost.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    /// Whether nothing more may be sent before something arrives.
    pub(super) fn is_full(&self) -> bool {
        self.bytes >= self.window() || self.sent.len() >= MAX_SENT
    }

    fn window(&self) -> u64 {
        let (Some(rate), Some(quickest)) = (self.rate, self.quickest) else { return FIRST };
        let span = TARGET.saturating_add(quickest).as_millis() as u64;
        (rate.saturating_mul(span) / 1000).clamp(LEAST, MOST)
    }

    /// The time of the oldest packet under way, in µs.
    pub(super) fn oldest(&self) -> Option<i64> {
        self.sent.iter().find_map(|sent| sent.time)
    }

    /// When a message of this many bytes would have arrived, sent now; zero when the rate is unknown.
    pub(super) fn arrival(&self, bytes: u64) -> Duration {
        let Some(rate) = self.rate else { return Duration::ZERO };
        Duration::from_micros(self.bytes.saturating_add(bytes).saturating_mul(1_000_000) / rate.max(1))
    }

    /// A message is sent; `last`: nothing waits behind it.
    pub(super) fn send(&mut self, sequence: u64, bytes: u64, time: Option<i64>, last: bool, now: Duration) {
        // Of a message that is alone under way the source has set the pace.
        let idle = self.sent.is_empty() || self.idle_until >= self.arrived;
        self.sent.push_back(Sent { sequence, bytes, time, at: now, arrived: self.arrived, idle });
        self.bytes = self.bytes.saturating_add(bytes);
        if last && !self.is_full() {
            self.idle_until = self.arrived.saturating_add(self.bytes);
        }
    }

    /// The number of a ping that should follow the messages sent so far: one is answered at a time.
    pub(super) fn probe(&mut self, next: u64) -> Option<u64> {
        let due = !self.is_probing && next > self.probed && !self.sent.is_empty();
        due.then(|| {
            (self.probed, self.is_probing) = (next, true);
            PROBE | next
        })
    }

    /// The message in front of which this ping stood, if it was a probe.
    pub(super) fn answered(&mut self, ping: u64) -> Option<u64> {
        let next = (ping & PROBE != 0).then_some(ping & !PROBE)?;
        self.is_probing &= next < self.probed;
        Some(next)
    }

    /// All messages before `next` have arrived.
    pub(super) fn confirm(&mut self, next: u64, now: Duration) {
        let mut last = None;
        while self.sent.front().is_some_and(|sent| sent.sequence < next) {
            let Some(sent) = self.sent.pop_front() else { break };
            self.bytes = self.bytes.saturating_sub(sent.bytes);
            self.arrived = self.arrived.saturating_add(sent.bytes);
            last = Some(sent);
        }
        let Some(sent) = last else { return };
        let took = now.saturating_sub(sent.at).max(Duration::from_millis(1));
        self.quickest = Some(self.quickest.map_or(took, |quickest| quickest.min(took)));
        let bytes = self.arrived.saturating_sub(sent.arrived);
        self.measure(bytes, took, sent.idle);
    }

    /// A connection that is not always busy may be faster than what it shows.
    fn measure(&mut self, bytes: u64, took: Duration, idle: bool) {
        let sample = bytes.saturating_mul(1_000_000) / (took.as_micros() as u64).max(1);
        let heavy = bytes.saturating_mul(2) >= self.window();
        self.rate = match self.rate {
            None if idle && !heavy => None,
            None => Some(sample),
            Some(rate) if idle && (!heavy || sample < rate) => Some(rate),
            Some(rate) => Some((rate.saturating_mul(3).saturating_add(sample)) / 4),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    /// Sends `count` messages of 10 kB, all at once, over a connection of 10 kB in `each`.
    fn busy(each: Duration, count: u64) -> Flight {
        let mut flight = Flight::default();
        let (mut now, mut sent) = (Duration::ZERO, 0);
        for arrived in 0..count {
            while sent < count && !flight.is_full() {
                flight.send(sent, 10_000, Some(sent as i64), sent + 1 == count, now);
                sent += 1;
            }
            now += each;
            flight.confirm(arrived + 1, now);
        }
        flight
    }

    #[test]
    fn bytes_under_way_follow_the_rate() {
        let slow = busy(40 * MS, 50);
        assert!((240_000..260_000).contains(&slow.rate.unwrap()), "{slow:?}");
        assert!((50_000..70_000).contains(&slow.window()), "{}", slow.window());
        assert_eq!(slow.arrival(250_000).as_millis() / 100, 10);
        let fast = busy(MS / 10, 5000);
        assert!(fast.window() > 1 << 20, "{}", fast.window());
    }

    #[test]
    fn a_source_that_has_little_says_nothing_of_the_rate() {
        let mut flight = busy(MS, 1000);
        let rate = flight.rate;
        for n in 1000..1100 {
            let now = Duration::from_millis(10 * n);
            flight.send(n, 500, None, true, now);
            flight.confirm(n + 1, now + 5 * MS);
        }
        assert_eq!(flight.rate, rate);
    }

    #[test]
    fn one_probe_is_answered_at_a_time_and_others_are_no_probes() {
        let mut flight = Flight::default();
        assert_eq!(flight.probe(0), None);
        flight.send(0, 10, None, true, MS);
        let probe = flight.probe(1).unwrap();
        flight.send(1, 10, None, true, MS);
        assert_eq!((flight.probe(2), flight.answered(77)), (None, None));
        assert_eq!(flight.answered(probe), Some(1));
        flight.confirm(1, 2 * MS);
        assert_eq!((flight.bytes, flight.sent.len()), (10, 1));
        assert!(flight.probe(2).is_some());
    }
}
