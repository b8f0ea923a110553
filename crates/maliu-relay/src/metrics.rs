//! Counters of a relay, and their text for Prometheus.

use std::{
    fmt::Write,
    sync::atomic::{AtomicU64, AtomicUsize, Ordering},
};

/// A protocol of viewers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protocol {
    /// RTMP.
    Rtmp,
    /// FLV over HTTP.
    HttpFlv,
    /// FLV over WebSocket.
    WsFlv,
    /// Playlists and segments.
    Hls,
    /// The parts of HLS as one body, over HTTP or WebSocket.
    Mp4,
}

impl Protocol {
    /// All of them, in the order of their numbers.
    pub(crate) const ALL: [Self; 5] = [Self::Rtmp, Self::HttpFlv, Self::WsFlv, Self::Hls, Self::Mp4];

    /// Its name in metrics and reports.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Rtmp => "rtmp",
            Self::HttpFlv => "http-flv",
            Self::WsFlv => "ws-flv",
            Self::Hls => "hls",
            Self::Mp4 => "mp4",
        }
    }
}

/// Counters, shared by everything that runs.
#[derive(Debug, Default)]
pub(crate) struct Metrics {
    /// Connections that were refused because there were too many.
    pub(crate) refused: AtomicU64,
    /// Streams that are published.
    pub(crate) publishers: AtomicUsize,
    /// Bytes of media that were received.
    pub(crate) received: AtomicU64,
    /// Items that slow viewers went without.
    pub(crate) skipped: AtomicU64,
    /// Viewers that were cut because they took nothing.
    pub(crate) stalled: AtomicU64,
    /// Connections that ended with a fault of the peer.
    pub(crate) faults: AtomicU64,
    /// Recordings that stopped because a file could not be written.
    pub(crate) recordings_failed: AtomicU64,
    /// Connections to other servers for publishing that failed.
    pub(crate) pushes_failed: AtomicU64,
    /// Connections to other servers for fetching that failed.
    pub(crate) pulls_failed: AtomicU64,
    /// Bytes of media that are kept.
    pub(crate) kept: AtomicUsize,
    /// Peers that were refused because of their tokens, or by a hook.
    pub(crate) denied: AtomicU64,
    /// Connections that an administrator ended.
    pub(crate) kicked: AtomicU64,
    /// Requests to hooks, the milliseconds that they took, and those that failed.
    pub(crate) hooks: AtomicU64,
    pub(crate) hook_millis: AtomicU64,
    pub(crate) hooks_failed: AtomicU64,
    /// Viewers that have got a keyframe, and the milliseconds that the first one took.
    pub(crate) first_keyframes: AtomicU64,
    pub(crate) first_keyframe_millis: AtomicU64,
    /// Requests of HLS that wait for what comes next.
    pub(crate) hls_waiting: AtomicUsize,
    viewers: [AtomicUsize; Protocol::ALL.len()],
    sent: [AtomicU64; Protocol::ALL.len()],
}

impl Metrics {
    /// Viewers of a protocol.
    pub(crate) fn viewers(&self, protocol: Protocol) -> &AtomicUsize {
        &self.viewers[protocol as usize]
    }

    /// Counts bytes that were given to viewers of a protocol.
    pub(crate) fn sent(&self, protocol: Protocol, bytes: usize) {
        self.sent[protocol as usize].fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// The text for Prometheus. Names of streams are not in it. Viewers of HLS have no connection that could be counted.
    pub(crate) fn text(&self, connections: usize, hls: usize) -> String {
        let mut text = String::new();
        let mut metric = |name: &str, kind: &str, help: &str, values: &[(&str, u64)]| {
            let _ = writeln!(text, "# HELP maliu_{name} {help}\n# TYPE maliu_{name} {kind}");
            for (label, value) in values {
                let label = if label.is_empty() { String::new() } else { format!("{{protocol=\"{label}\"}}") };
                let _ = writeln!(text, "maliu_{name}{label} {value}");
            }
        };
        let number = |count: &AtomicU64| [("", count.load(Ordering::Relaxed))];
        let size = |count: &AtomicUsize| [("", count.load(Ordering::Relaxed) as u64)];
        metric("connections", "gauge", "Open connections.", &[("", connections as u64)]);
        metric("connections_refused_total", "counter", "Connections beyond the limit.", &number(&self.refused));
        metric("publishers", "gauge", "Streams that are published.", &size(&self.publishers));
        let viewers = Protocol::ALL.map(|one| match one {
            Protocol::Hls => (one.name(), hls as u64),
            _ => (one.name(), self.viewers(one).load(Ordering::Relaxed) as u64),
        });
        metric("viewers", "gauge", "Viewers.", &viewers);
        metric("received_bytes_total", "counter", "Bytes of media from publishers.", &number(&self.received));
        let sent = Protocol::ALL.map(|one| (one.name(), self.sent[one as usize].load(Ordering::Relaxed)));
        metric("sent_bytes_total", "counter", "Bytes of media for viewers.", &sent);
        metric("skipped_items_total", "counter", "Items that slow viewers went without.", &number(&self.skipped));
        metric("stalled_viewers_total", "counter", "Viewers cut because they took nothing.", &number(&self.stalled));
        metric("faults_total", "counter", "Connections that ended with a fault of the peer.", &number(&self.faults));
        let failed = "Recordings that stopped because a file could not be written.";
        metric("recordings_failed_total", "counter", failed, &number(&self.recordings_failed));
        metric(
            "pushes_failed_total",
            "counter",
            "Pushes that failed and are tried again.",
            &number(&self.pushes_failed),
        );
        metric("pulls_failed_total", "counter", "Pulls that failed and are tried again.", &number(&self.pulls_failed));
        metric("denied_total", "counter", "Peers without the right to publish or watch.", &number(&self.denied));
        metric("kicked_total", "counter", "Connections that an administrator ended.", &number(&self.kicked));
        metric("hooks_total", "counter", "Requests to hooks.", &number(&self.hooks));
        metric("hook_milliseconds_total", "counter", "Time that hooks took.", &number(&self.hook_millis));
        metric(
            "hooks_failed_total",
            "counter",
            "Hooks without an answer, and events lost.",
            &number(&self.hooks_failed),
        );
        let first = "Viewers that have got a keyframe.";
        metric("first_keyframes_total", "counter", first, &number(&self.first_keyframes));
        let waited = "Time from the start of viewers to their first keyframe.";
        metric("first_keyframe_milliseconds_total", "counter", waited, &number(&self.first_keyframe_millis));
        metric("hls_waiting", "gauge", "Requests of HLS that wait for what comes next.", &size(&self.hls_waiting));
        metric("kept_bytes", "gauge", "Bytes of media that are kept for viewers.", &size(&self.kept));
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_has_every_counter_with_its_labels() {
        let metrics = Metrics::default();
        metrics.viewers(Protocol::WsFlv).fetch_add(2, Ordering::Relaxed);
        metrics.sent(Protocol::Rtmp, 9);
        let text = metrics.text(3, 7);
        assert!(text.contains("# TYPE maliu_viewers gauge\nmaliu_viewers{protocol=\"rtmp\"} 0\n"));
        assert!(text.contains("maliu_viewers{protocol=\"ws-flv\"} 2\n"));
        assert!(text.contains("maliu_viewers{protocol=\"hls\"} 7\n"));
        assert!(text.contains("maliu_sent_bytes_total{protocol=\"rtmp\"} 9\n"));
    }
}
