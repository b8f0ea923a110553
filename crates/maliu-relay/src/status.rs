//! Streams at a glance, as the page and `/api/streams` report them.

use std::sync::atomic::Ordering;

use maliu::{
    formats::flv::tag,
    live::{Item, Kind, Ring},
    wire::rtmp::Tag,
};
use serde_json::{Map, Value, json};

use crate::{channel::Channel, hub::Hub, metrics::Protocol};

/// The streams, in the order of their names.
pub(crate) fn streams(hub: &Hub) -> Value {
    hub.all().iter().map(|channel| Survey::of(channel).json(channel)).collect()
}

/// A stream at a glance. Rates are those of the media that is kept.
#[derive(Debug)]
pub(crate) struct Survey {
    pub(crate) name: String,
    pub(crate) live: bool,
    video: Option<String>,
    audio: Option<String>,
    video_rate: u64,
    audio_rate: u64,
    frame_rate: f64,
    /// Between the last two keyframes, in ms.
    keyframe_interval: Option<i64>,
    time: i64,
    kept: usize,
}

/// Sums of the items of one kind.
#[derive(Clone, Copy, Debug, Default)]
struct Sum {
    items: u64,
    bytes: u64,
    first: Option<i64>,
    last: i64,
}

impl Sum {
    fn add(&mut self, item: &Item) {
        self.items += 1;
        self.bytes += item.tag.body.len() as u64;
        self.first.get_or_insert(item.time);
        self.last = item.time;
    }

    /// Milliseconds from the first to the last, and one step more.
    fn span(&self) -> f64 {
        let span = self.last.saturating_sub(self.first.unwrap_or_default()).max(0) as f64;
        span * self.items as f64 / self.items.saturating_sub(1).max(1) as f64
    }

    /// So much for each second.
    fn rate(&self, count: f64) -> f64 {
        if self.span() > 0.0 { count * 1000.0 / self.span() } else { 0.0 }
    }
}

impl Survey {
    /// Looks at a stream.
    pub(crate) fn of(channel: &Channel) -> Self {
        let inner = channel.lock();
        let ring = inner.stream.ring();
        let (mut video, mut audio, mut keys) = (Sum::default(), Sum::default(), Vec::new());
        for item in (ring.first()..ring.end()).filter_map(|seq| ring.at(seq)) {
            match item.kind {
                Kind::Sound => audio.add(item),
                Kind::Key | Kind::Inter => video.add(item),
                Kind::Config | Kind::Data => {}
            }
            if item.kind == Kind::Key {
                keys.push(item.time);
            }
        }
        let interval = keys.windows(2).last().map(|two| two[1].saturating_sub(two[0]));
        let (has_video, has_audio) = ring.has();
        Self {
            name: channel.name.to_string(),
            live: inner.stream.is_live(),
            video: codec(ring, tag::Kind::Video).filter(|_| has_video),
            audio: codec(ring, tag::Kind::Audio).filter(|_| has_audio),
            video_rate: video.rate(video.bytes as f64 * 8.0) as u64,
            audio_rate: audio.rate(audio.bytes as f64 * 8.0) as u64,
            frame_rate: video.rate(video.items as f64),
            keyframe_interval: interval,
            time: ring.latest(),
            kept: ring.bytes(),
        }
    }

    fn json(&self, channel: &Channel) -> Value {
        let viewers = Protocol::ALL.map(|protocol| {
            let count = match protocol {
                Protocol::Hls => channel.hls_viewers(),
                _ => channel.viewers(protocol).load(Ordering::Relaxed),
            };
            (protocol.name().to_owned(), Value::from(count))
        });
        json!({
            "name": self.name,
            "live": self.live,
            "video": self.video,
            "audio": self.audio,
            "video_bits_per_second": self.video_rate,
            "audio_bits_per_second": self.audio_rate,
            "frames_per_second": self.frame_rate,
            "keyframe_interval_ms": self.keyframe_interval,
            "time_ms": self.time,
            "kept_bytes": self.kept,
            "viewers": viewers.into_iter().collect::<Map<_, _>>(),
        })
    }
}

/// The codec of the last configuration of a kind, or of the last item where there is none.
fn codec(ring: &Ring, kind: tag::Kind) -> Option<String> {
    let configs = ring.configs(ring.end());
    let config = configs.iter().find(|item| item.tag.kind == kind);
    let last = || (ring.first()..ring.end()).rev().filter_map(|seq| ring.at(seq)).find(|item| item.tag.kind == kind);
    name(&config.or_else(last)?.tag)
}

/// The codec of a tag: by its number, or by its FourCC.
fn name(tag: &Tag) -> Option<String> {
    let (first, rest) = tag.body.split_first()?;
    let (is_enhanced, several) = match tag.kind {
        tag::Kind::Video => (first & 0x80 != 0, 6),
        _ => (first >> 4 == 9, 5),
    };
    if !is_enhanced {
        let known = match (tag.kind, first & 0x0f, first >> 4) {
            (tag::Kind::Video, 7, _) => "H.264",
            (tag::Kind::Video, 12, _) => "H.265",
            (tag::Kind::Audio, _, 10) => "AAC",
            (tag::Kind::Audio, _, 2 | 14) => "MP3",
            (tag::Kind::Video, id, _) => return Some(format!("FLV video codec {id}")),
            (_, _, id) => return Some(format!("FLV audio format {id}")),
        };
        return Some(known.into());
    }
    // Of several tracks, the codec stands behind one byte more.
    let rest = if first & 0x0f == several { rest.get(1..)? } else { rest };
    let code = rest.get(..4)?;
    let known = match code {
        b"avc1" => "H.264",
        b"hvc1" => "H.265",
        b"vvc1" => "H.266",
        b"av01" => "AV1",
        b"vp08" => "VP8",
        b"vp09" => "VP9",
        b"mp4a" => "AAC",
        b".mp3" => "MP3",
        b"Opus" => "Opus",
        b"fLaC" => "FLAC",
        b"ac-3" => "AC-3",
        b"ec-3" => "E-AC-3",
        code => return Some(code.escape_ascii().to_string()),
    };
    Some(known.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codecs_have_names() {
        let name = |kind, body: &'static [u8]| name(&Tag { kind, time: 0, body: body.into() }).unwrap();
        for (body, expected) in [
            (&b"\x17\0"[..], "H.264"),
            (b"\x14\0", "FLV video codec 4"),
            (b"\x90hvc1x", "H.265"),
            (b"\x96\0av01\0x", "AV1"),
            (b"\x90\"<a>x", "\\\"<a>"),
        ] {
            assert_eq!(name(tag::Kind::Video, body), expected);
        }
        for (body, expected) in
            [(&b"\xaf\0"[..], "AAC"), (b"\x2f", "MP3"), (b"\x90Opus", "Opus"), (b"\x95\0mp4a", "AAC")]
        {
            assert_eq!(name(tag::Kind::Audio, body), expected);
        }
    }
}
