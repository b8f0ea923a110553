//! A muxer between the writer and the muxer under test: it notes what reaches it, and either passes it on to a muxer of
//! ours or answers as the recorded one did.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};

use maliu_core::{
    error::{Error, Result},
    format::{Muxer, Packaging},
    output::Output,
    packet::{Flags, Packet},
    stream::{Codec, Metadata, StreamInfo},
    time::TimeBase,
};
use serde_json::{Value, json};

use super::case::Case;

/// What reached the muxer, in the vectors' own form.
pub type Log = Arc<Mutex<Vec<Value>>>;

pub struct Recorder {
    inner: Option<Box<dyn Muxer>>,
    muxer: String,
    bases: Vec<TimeBase>,
    answers: Answers,
    log: Log,
}

/// The recorded muxer's results, with the failures of its output (WF-55) counted as its own.
pub struct Answers {
    start: i64,
    packets: VecDeque<i64>,
    finish: i64,
}

impl Recorder {
    pub fn new(case: &Case, inner: Option<Box<dyn Muxer>>, log: &Log) -> Self {
        Self { inner, muxer: case.muxer.clone(), bases: case.bases(), answers: answers(case), log: Arc::clone(log) }
    }

    fn answer(&mut self) -> Result<()> {
        replayed(self.answers.packets.pop_front().unwrap_or(0))
    }

    fn note(&self, event: Value) {
        self.log.lock().unwrap().push(event);
    }
}

const PACKETS: &[&str] = &["mux", "muxnull", "uncoded"];

fn answers(case: &Case) -> Answers {
    let (mut packets, mut broken, mut finish) = (VecDeque::new(), 0, 0);
    for step in &case.steps {
        let trailer = step.name() == "trailer";
        for event in step.result["ev"].as_array().into_iter().flatten() {
            let kind = event[0].as_str().unwrap();
            let ret = event.as_array().unwrap().last().unwrap().as_i64().unwrap_or(0);
            if PACKETS.contains(&kind) {
                packets.push_back(if ret < 0 { ret } else { broken });
            } else if kind == "out" && ret < 0 {
                broken = ret;
                if !trailer && let Some(last) = packets.back_mut().filter(|last| **last >= 0) {
                    *last = ret;
                }
            } else if kind == "trl" {
                finish = ret.min(0);
            }
        }
        if step.name() == "header" {
            packets.clear();
        }
    }
    let header = case.header();
    let called = header["ev"].as_array().into_iter().flatten().any(|event| event[0] == "init" || event[0] == "hdr");
    let start = if called { header["ret"].as_i64().unwrap_or(0).min(0) } else { 0 };
    Answers { start, packets, finish: if finish < 0 { finish } else { broken } }
}

fn replayed(ret: i64) -> Result<()> {
    if ret < 0 { Err(Error::mux("replayed", ret.to_string())) } else { Ok(()) }
}

fn event(kind: &str, packet: &Packet) -> Value {
    let bits = i64::from(packet.flags.bits());
    let chunk = if packet.flags.has(Flags::CHUNK) { 0x1000 - 8 } else { 0 };
    let (pts, dts) = (packet.pts.map(|t| t.0), packet.dts.map(|t| t.0));
    if kind == "uncoded" {
        return json!([kind, packet.stream, pts, bits + chunk]);
    }
    let side = usize::from(packet.side.new_config().is_some());
    let adler = adler32(&packet.data);
    json!([kind, packet.stream, pts, dts, packet.duration.0, packet.data.len(), bits + chunk, side, adler])
}

pub fn adler32(data: &[u8]) -> u32 {
    let (mut a, mut b) = (1u32, 0u32);
    for byte in data {
        a = (a + u32::from(*byte)) % 65521;
        b = (b + a) % 65521;
    }
    b << 16 | a
}

impl Muxer for Recorder {
    fn start(&mut self, streams: &mut [StreamInfo], metadata: &Metadata, out: &mut Output) -> Result<()> {
        if let Some(inner) = &mut self.inner {
            return inner.start(streams, metadata, out);
        }
        replayed(self.answers.start)?;
        for (stream, base) in streams.iter_mut().zip(&self.bases) {
            stream.time_base = *base;
        }
        Ok(())
    }

    fn packet(&mut self, packet: &Packet, out: &mut Output) -> Result<()> {
        self.note(event("mux", packet));
        match &mut self.inner {
            Some(inner) => inner.packet(packet, out),
            None => self.answer(),
        }
    }

    fn frame(&mut self, packet: &Packet, samples: u32, out: &mut Output) -> Result<()> {
        self.note(event("uncoded", packet));
        match &mut self.inner {
            Some(inner) => inner.frame(packet, samples, out),
            None => self.answer(),
        }
    }

    fn takes_frames(&self) -> bool {
        match &self.inner {
            Some(inner) => inner.takes_frames(),
            None => self.muxer == "uncodedframecrc",
        }
    }

    fn flush(&mut self, out: &mut Output) -> Result<()> {
        self.note(json!(["muxnull"]));
        match &mut self.inner {
            Some(inner) => inner.flush(out),
            None => self.answer(),
        }
    }

    fn finish(&mut self, out: &mut Output) -> Result<()> {
        match &mut self.inner {
            Some(inner) => inner.finish(out),
            None => replayed(self.answers.finish),
        }
    }

    fn metadata(&mut self, metadata: &Metadata) {
        if let Some(inner) = &mut self.inner {
            inner.metadata(metadata);
        }
    }

    /// What the recorded muxers ask for (WF-25).
    fn packaging(&self, stream: &StreamInfo) -> Packaging {
        if let Some(inner) = &self.inner {
            return inner.packaging(stream);
        }
        match (self.muxer.as_str(), stream.codec) {
            ("flv" | "mp4" | "matroska" | "latm", Codec::Aac) => Packaging::RawAac,
            ("mpegts", Codec::H264 | Codec::H265) | ("h264", Codec::H264) | ("hevc", Codec::H265) => Packaging::AnnexB,
            _ => Packaging::AsIs,
        }
    }
}
