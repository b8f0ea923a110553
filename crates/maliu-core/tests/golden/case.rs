//! One recorded case: its input as the crate's own types, its results as they were recorded.

use std::num::NonZeroU32;

use std::path::{Path, PathBuf};

use bytes::Bytes;
use maliu_core::{
    packet::{Flags, Packet},
    stream::{Audio, Codec, Kind, Media, Metadata, StreamInfo, Video},
    time::{Ticks, TimeBase},
    timing::Rules,
};
use serde_json::{Value, json};

/// A case of write_frame.jsonl or flv_mux.jsonl.
pub(crate) struct Case {
    pub id: String,
    pub muxer: String,
    pub folder: PathBuf,
    pub json: Value,
    pub steps: Vec<Step>,
}

/// One operation with its recorded result.
pub(crate) struct Step {
    pub op: Value,
    pub result: Value,
}

impl Case {
    pub(crate) fn new(json: Value, folder: &Path) -> Self {
        let results = json["res"].as_array().unwrap();
        let ops = json["ops"].as_array().unwrap();
        let steps = ops.iter().zip(results).map(|(op, result)| Step { op: op.clone(), result: result.clone() });
        Self {
            id: json["id"].as_str().unwrap().into(),
            muxer: json["muxer"].as_str().unwrap().into(),
            folder: folder.into(),
            steps: steps.collect(),
            json,
        }
    }

    /// The rules of the recorded muxer, from its flags.
    pub(crate) fn rules(&self) -> Rules {
        let flags: Vec<&str> = self.json["fmt_flags"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
        let has = |flag| flags.contains(&flag);
        Rules {
            equal_dts: has("TS_NONSTRICT"),
            negative: has("TS_NEGATIVE"),
            no_timestamps: has("NOTIMESTAMPS"),
            flush: has("ALLOW_FLUSH"),
            no_dimensions: has("NODIMENSIONS"),
            no_streams: has("NOSTREAMS"),
            no_output: has("NOFILE"),
            shift_by_pts: self.muxer == "matroska" && !self.explicit_shift(),
            no_order: self.json["own_interleaver"] == 1,
            other_codecs: false,
            codec_tags: &[],
        }
    }

    fn explicit_shift(&self) -> bool {
        self.json["options"]
            .get("avoid_negative_ts")
            .is_some_and(|value| !matches!(value.as_str(), Some("auto" | "-1")))
    }

    /// The value of an option; empty when it is not set.
    pub(crate) fn option(&self, name: &str) -> &str {
        self.json["options"].get(name).and_then(Value::as_str).unwrap_or_default()
    }

    /// The time bases in force after the header, if it succeeded.
    pub(crate) fn bases(&self) -> Vec<TimeBase> {
        let header = self.header();
        let list = header["tb"].as_array().cloned().unwrap_or_default();
        list.iter().filter_map(base).collect()
    }

    /// `avoid_negative_ts` as the header resolved it.
    pub(crate) fn shift(&self) -> Option<i64> {
        self.header()["avoid_negative_ts"].as_i64()
    }

    pub(crate) fn header(&self) -> &Value {
        &self.steps.iter().find(|step| step.op["op"] == "header").unwrap().result
    }

    /// The tags set before the header.
    pub(crate) fn metadata(&self) -> Metadata {
        let mut metadata = Metadata::default();
        for pair in self.json["metadata"].as_array().into_iter().flatten() {
            metadata.set(pair[0].as_str().unwrap(), pair[1].as_str().unwrap());
        }
        metadata
    }

    /// The streams; `None` when one cannot be expressed: a time base that is not positive.
    pub(crate) fn streams(&self) -> Option<Vec<StreamInfo>> {
        self.json["streams"].as_array().into_iter().flatten().map(stream).collect()
    }

    /// Whether it was recorded what reached the muxer.
    pub(crate) fn has_events(&self) -> bool {
        self.steps.iter().any(|step| step.result.get("ev").is_some())
    }

    /// Whether there is an output at all.
    pub(crate) fn has_output(&self) -> bool {
        self.json["io"]["none"] != 1
    }

    /// Whether a write to the recorded output failed.
    pub(crate) fn output_fails(&self) -> bool {
        self.json["io"].get("fail_after").is_some()
    }

    /// Whether the recorded output could be patched.
    pub(crate) fn seekable(&self) -> bool {
        self.json["io"]["seekable"] == 1
    }
}

/// The names that this reader understands; a vector with any other one is not to be compared in part.
const KNOWN: [(&str, &[&str]); 5] = [
    (
        "case",
        &[
            "id",
            "title",
            "rules",
            "muxer",
            "fmt_flags",
            "own_interleaver",
            "note",
            "options",
            "metadata",
            "duration",
            "io",
            "streams",
            "ops",
            "res",
            "nb_frames",
            "size",
            "sha256",
            "file",
        ],
    ),
    (
        "io",
        &[
            "none",
            "bufsize",
            "seekable",
            "typed",
            "ignore_boundary",
            "min_packet",
            "max_packet",
            "direct",
            "fail_after",
            "fail_err",
        ],
    ),
    (
        "stream",
        &[
            "type",
            "codec",
            "tb",
            "rate",
            "ch",
            "bits_per_coded_sample",
            "frame_size",
            "block_align",
            "w",
            "h",
            "delay",
            "fps",
            "bitrate",
            "profile",
            "codec_tag",
            "disposition",
            "extradata",
        ],
    ),
    ("operation", &["op", "s", "pts", "dts", "dur", "size", "g", "pre", "flags", "nodata", "new_extradata", "k", "v"]),
    ("result", &["ret", "skipped", "after", "end_pts", "tb", "avoid_negative_ts", "ev"]),
];

/// Kinds of events.
const EVENTS: &[&str] = &["init", "hdr", "trl", "mux", "muxnull", "uncoded", "out", "seek"];

impl Case {
    /// Fails on anything that would not be looked at.
    pub(crate) fn check_known(&self) {
        self.check_object("case", &self.json);
        self.check_object("io", &self.json["io"]);
        self.json["streams"].as_array().into_iter().flatten().for_each(|stream| self.check_object("stream", stream));
        let counts = [&self.json["ops"], &self.json["res"]].map(|list| list.as_array().unwrap().len());
        assert_eq!(counts[0], counts[1], "{}: a result for each operation", self.id);
        for step in &self.steps {
            self.check_object("operation", &step.op);
            self.check_object("result", &step.result);
            for event in step.result["ev"].as_array().into_iter().flatten() {
                assert!(EVENTS.contains(&event[0].as_str().unwrap()), "{}: event {event}", self.id);
            }
        }
    }

    fn check_object(&self, what: &str, object: &Value) {
        let (_, known) = KNOWN.iter().find(|(name, _)| *name == what).unwrap();
        for name in object.as_object().into_iter().flat_map(|object| object.keys()) {
            assert!(known.contains(&name.as_str()), "{}: a {what} has {name}, which is not understood", self.id);
        }
    }
}

fn base(value: &Value) -> Option<TimeBase> {
    TimeBase::new(u32::try_from(value[0].as_i64()?).ok()?, u32::try_from(value[1].as_i64()?).ok()?)
}

fn unsigned(value: &Value) -> u32 {
    value.as_i64().and_then(|v| u32::try_from(v).ok()).unwrap_or(0)
}

fn stream(json: &Value) -> Option<StreamInfo> {
    let kind = json["type"].as_str().unwrap();
    let media = match kind {
        "audio" => {
            let mut audio = Audio::new(unsigned(&json["rate"]), unsigned(&json["ch"]) as u16);
            audio.frame_size = unsigned(&json["frame_size"]);
            audio.bits_per_sample = unsigned(&json["bits_per_coded_sample"]) as u16;
            audio.block_align = unsigned(&json["block_align"]);
            Media::Audio(audio)
        }
        "video" => {
            let mut video = Video::new(unsigned(&json["w"]), unsigned(&json["h"]));
            video.reorder = unsigned(&json["delay"]) as u8;
            let rate = (unsigned(&json["fps"][0]), unsigned(&json["fps"][1]));
            video.frame_rate = Some(rate).filter(|(n, d)| *n > 0 && *d > 0);
            Media::Video(video)
        }
        "subtitle" => Media::Subtitle,
        "data" => Media::Data,
        "attachment" => Media::Attachment,
        other => panic!("media type {other}"),
    };
    // A numerator of 0 asks for the default of the kind of media (WF-7).
    let unset = json.get("tb").is_none_or(|tb| tb[0] == 0);
    let time_base = if unset { media.default_time_base() } else { base(&json["tb"])? };
    let mut info = StreamInfo::new(codec(json["codec"].as_str().unwrap(), media.kind()), time_base, media);
    info.codec_tag = NonZeroU32::new(unsigned(&json["codec_tag"]));
    info.bit_rate = json["bitrate"].as_u64();
    info.profile = json["profile"].as_i64().and_then(|profile| u8::try_from(profile).ok());
    info.config = json["extradata"].as_str().map(hex).unwrap_or_default();
    Some(info)
}

/// A codec the crate does not name counts as an unknown one of its kind.
fn codec(name: &str, kind: Kind) -> Codec {
    let known = Codec::ALL.iter().copied().find(|codec| codec.name() == name && codec.kind() == kind);
    known.unwrap_or(match (kind, name) {
        (Kind::Audio, _) => Codec::UnknownAudio,
        (Kind::Video, _) => Codec::UnknownVideo,
        (Kind::Subtitle, _) => Codec::Srt,
        (Kind::Data, "text") => Codec::Text,
        (Kind::Data, "none") => Codec::Data,
        (Kind::Data, _) => Codec::BinData,
        (Kind::Attachment, _) => Codec::Ttf,
    })
}

impl Step {
    pub(crate) fn name(&self) -> &str {
        self.op["op"].as_str().unwrap()
    }

    pub(crate) fn skipped(&self) -> bool {
        self.result["skipped"] == 1
    }

    /// The packet this operation writes.
    pub(crate) fn packet(&self) -> Packet {
        let time = |key: &str| self.op[key].as_i64().map(Ticks);
        let mut packet = Packet::of(
            self.op["s"].as_i64().and_then(|s| usize::try_from(s).ok()).unwrap_or(usize::MAX),
            self.payload(),
        )
        .with_pts(time("pts"))
        .with_dts(time("dts"))
        .with_duration(time("dur").filter(|duration| duration.0 != 0))
        .with_flags(Flags::from_bits(self.op["flags"].as_u64().unwrap_or(0) as u8));
        if let Some(config) = self.op["new_extradata"].as_str() {
            packet.side.set_new_config(hex(config));
        }
        packet
    }

    fn payload(&self) -> Bytes {
        let (size, g) = (self.op["size"].as_u64().unwrap_or(0), self.op["g"].as_u64().unwrap_or(0));
        let mut data: Vec<u8> = (0..size).map(|i| (g * 37 + i * 11 + i / 16 * 5) as u8).collect();
        let start = self.op["pre"].as_str().map(hex).unwrap_or_default();
        for (byte, fixed) in data.iter_mut().zip(start) {
            *byte = fixed;
        }
        data.into()
    }

    /// Returned numbers that say what our `Ok(())` says: how far the initialisation was (WF-11), what the muxer's own
    /// callback returned (WF-20, WF-58), 1 where a flush had nothing to do (WF-17).
    pub(crate) fn successes(&self) -> Vec<i64> {
        let answers =
            self.events(&["mux", "muxnull", "uncoded", "trl"]).filter_map(|event| event.as_array()?.last()?.as_i64());
        let numbers: &[i64] = match self.name() {
            "init" | "header" => &[0, 1],
            "write_null" => &[1],
            _ => &[0],
        };
        numbers.iter().copied().chain(answers.filter(|answer| *answer > 0)).collect()
    }

    /// The caller's packet after the call: moved away by an interleaved write (WF-18), else the caller's copy (WF-16).
    pub(crate) fn caller_packet_after(&self) -> Value {
        if self.name().starts_with('i') {
            return json!([null, null, 0, 0]);
        }
        let packet = self.packet();
        json!([
            packet.pts.map(|pts| pts.0),
            packet.dts.map(|dts| dts.0),
            packet.duration.unwrap_or_default().0,
            packet.data.len()
        ])
    }

    /// Recorded events of these kinds.
    pub(crate) fn events<'a>(&'a self, kinds: &'a [&str]) -> impl Iterator<Item = &'a Value> {
        let events = self.result["ev"].as_array().into_iter().flatten();
        events.filter(move |event| kinds.contains(&event[0].as_str().unwrap()))
    }
}

pub(crate) fn hex(text: &str) -> Bytes {
    (0..text.len() / 2).map(|i| u8::from_str_radix(&text[2 * i..2 * i + 2], 16).unwrap()).collect()
}
