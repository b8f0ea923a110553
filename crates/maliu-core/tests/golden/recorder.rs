//! A muxer between the writer and the muxer under test: it notes what reaches it, and either passes it on to a muxer of
//! ours, with the recorded output behind it, or answers as the recorded one did.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};

use maliu::avio::Label;
use maliu_core::{
    error::{Error, Result},
    format::{Muxer, Packaging},
    output::Output,
    packet::{Flags, Packet},
    stream::{Codec, Metadata, StreamInfo},
    time::TimeBase,
};
use serde_json::{Value, json};

use super::{case::Case, sink::Sink};

/// Calls of the muxer and the output, in the vectors' own form.
pub(crate) type Log = Arc<Mutex<Vec<Value>>>;

/// A muxer of ours and its output.
pub(crate) struct Ours {
    pub muxer: Box<dyn Muxer>,
    /// `None` for a case without output.
    pub sink: Option<Arc<Mutex<Sink>>>,
}

pub(crate) struct Recorder {
    ours: Option<Ours>,
    muxer: String,
    bases: Vec<TimeBase>,
    /// Whose answers are given: a muxer that is not ours, or one whose output fails.
    answers: Option<Answers>,
    log: Log,
    /// Packets taken, by stream.
    taken: Arc<Mutex<Vec<u64>>>,
}

impl Recorder {
    pub(crate) fn new(case: &Case, ours: Option<Ours>, log: &Log, taken: &Arc<Mutex<Vec<u64>>>) -> Self {
        let answers = (ours.is_none() || case.output_fails()).then(|| answers(case));
        let (log, taken) = (Arc::clone(log), Arc::clone(taken));
        Self { ours, muxer: case.muxer.clone(), bases: case.bases(), answers, log, taken }
    }

    /// Notes an event, runs it on our muxer, and flushes the output as the generic code does (WF-53, WF-54).
    fn call(
        &mut self,
        event: Value,
        stream: Option<usize>,
        out: &mut Output,
        run: impl FnOnce(&mut dyn Muxer, &mut Output) -> Result<()>,
    ) -> Result<()> {
        let result = match &mut self.ours {
            Some(ours) => run(&mut *ours.muxer, out),
            None => Ok(()),
        };
        let answer = self.answers.as_mut().and_then(|answers| answers.packets.pop_front());
        let failed = answer.is_some_and(|answer| answer.muxer < 0) || result.is_err();
        let mut event = event;
        event.as_array_mut().unwrap().push(if failed { json!("error") } else { json!(0) });
        self.log.lock().unwrap().push(event);
        if let Some(sink) = self.ours.as_ref().and_then(|ours| ours.sink.as_ref())
            && result.is_ok()
        {
            sink.lock().unwrap().flush_point(out);
        }
        result.and(replayed(answer.map_or(0, |answer| answer.in_all)))?;
        if let (Some(stream), Ok(mut taken)) = (stream, self.taken.lock()) {
            taken[stream] += 1;
        }
        Ok(())
    }
}

/// The recorded muxer's results.
struct Answers {
    start: i64,
    packets: VecDeque<Answer>,
    finish: i64,
}

/// Result of one call of the muxer, and the sum of that and its output (WF-55).
#[derive(Clone, Copy)]
struct Answer {
    muxer: i64,
    in_all: i64,
}

const PACKETS: &[&str] = &["mux", "muxnull", "uncoded"];

fn answers(case: &Case) -> Answers {
    let (mut packets, mut broken, mut finish) = (VecDeque::<Answer>::new(), 0, 0);
    for step in &case.steps {
        let trailer = step.name() == "trailer";
        for event in step.result["ev"].as_array().into_iter().flatten() {
            let kind = event[0].as_str().unwrap();
            let ret = event.as_array().unwrap().last().unwrap().as_i64().unwrap_or(0);
            if PACKETS.contains(&kind) {
                packets.push_back(Answer { muxer: ret, in_all: if ret < 0 { ret } else { broken } });
            } else if kind == "out" && ret < 0 {
                broken = ret;
                if !trailer && let Some(last) = packets.back_mut().filter(|last| last.in_all >= 0) {
                    last.in_all = ret;
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
    json!([
        kind,
        packet.stream,
        pts,
        dts,
        packet.duration.unwrap_or_default().0,
        packet.data.len(),
        bits + chunk,
        side,
        adler
    ])
}

pub(crate) fn adler32(data: &[u8]) -> u32 {
    let (mut a, mut b) = (1u32, 0u32);
    for byte in data {
        a = (a + u32::from(*byte)) % 65521;
        b = (b + a) % 65521;
    }
    b << 16 | a
}

impl Muxer for Recorder {
    fn start(&mut self, streams: &mut [StreamInfo], metadata: &Metadata, out: &mut Output) -> Result<()> {
        self.taken.lock().unwrap().resize(streams.len(), 0);
        if let Some(ours) = &mut self.ours {
            let sink = ours.sink.as_ref().map(|sink| sink.lock().unwrap());
            match sink {
                Some(mut sink) => {
                    sink.label(Label::Header);
                    ours.muxer.start(streams, metadata, out)?;
                    sink.flush_point(out);
                    sink.label(Label::Unknown);
                }
                None => ours.muxer.start(streams, metadata, out)?,
            }
        }
        replayed(self.answers.as_ref().map_or(0, |answers| answers.start))?;
        if self.ours.is_none() {
            for (stream, base) in streams.iter_mut().zip(&self.bases) {
                stream.time_base = *base;
            }
        }
        Ok(())
    }

    fn packet(&mut self, packet: &Packet, out: &mut Output) -> Result<()> {
        self.call(event("mux", packet), Some(packet.stream), out, |muxer, out| muxer.packet(packet, out))
    }

    fn frame(&mut self, packet: &Packet, samples: u32, out: &mut Output) -> Result<()> {
        self.call(event("uncoded", packet), Some(packet.stream), out, |muxer, out| muxer.frame(packet, samples, out))
    }

    fn takes_frames(&self) -> bool {
        match &self.ours {
            Some(ours) => ours.muxer.takes_frames(),
            None => self.muxer == "uncodedframecrc",
        }
    }

    fn flush(&mut self, out: &mut Output) -> Result<()> {
        self.call(json!(["muxnull"]), None, out, |muxer, out| muxer.flush(out))
    }

    fn finish(&mut self, out: &mut Output) -> Result<()> {
        let mut result = Ok(());
        if let Some(ours) = &mut self.ours {
            let mut sink = ours.sink.as_ref().map(|sink| sink.lock().unwrap());
            // Muxers without anything behind the last packet have no trailer callback (WF-57).
            let before = out.position();
            result = ours.muxer.finish(out);
            if let Some(sink) = &mut sink {
                if self.muxer == "flv" || out.position() != before {
                    sink.label(Label::Trailer);
                }
                sink.finish(out);
            }
        }
        result.and(replayed(self.answers.as_ref().map_or(0, |answers| answers.finish)))
    }

    fn metadata(&mut self, metadata: &Metadata) {
        if let Some(ours) = &mut self.ours {
            ours.muxer.metadata(metadata);
        }
    }

    /// Rules of the recorded muxers (WF-25).
    fn packaging(&self, stream: &StreamInfo) -> Packaging {
        if let Some(ours) = &self.ours {
            return ours.muxer.packaging(stream);
        }
        match (self.muxer.as_str(), stream.codec) {
            ("flv" | "mp4" | "matroska" | "latm", Codec::Aac) => Packaging::RawAac,
            ("mpegts", Codec::H264 | Codec::H265) | ("h264", Codec::H264) | ("hevc", Codec::H265) => Packaging::AnnexB,
            _ => Packaging::AsIs,
        }
    }
}
