//! Replays one case through a [`PacketWriter`] and lists where it behaves otherwise than recorded.

use std::sync::{Arc, Mutex};

use maliu_core::{
    error::{Error, Result},
    format::{Format, Muxer, Score},
    formats,
    output::{Output, Reach},
    packet::{Frame, Packet},
    stream::Metadata,
    writer::{PacketWriter, Plan, SETTINGS},
};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{
    case::{Case, Step},
    recorder::{Log, Ours, Recorder},
    sink::Sink,
};

/// Events of the muxer.
const MUXER: &[&str] = &["mux", "muxnull", "uncoded"];

/// Those of the output too.
const OUTPUT_TOO: &[&str] = &["mux", "muxnull", "uncoded", "out", "seek"];

/// Muxers that are replayed by their recorded answers: the bytes and options of ours are not the reference's.
const STAND_INS: &[&str] = &["mp4", "mov", "ipod", "matroska", "webm", "mpegts", "ogg"];

/// Outcome of a case.
pub(crate) struct Outcome {
    /// Whether the bytes were made by a muxer of ours.
    pub real: bool,
    /// Whether the header was written.
    pub started: bool,
    /// Differences from the recording in results, times and what reached the muxer.
    pub faults: Vec<String>,
    /// Those in bytes and calls of the output.
    pub output_faults: Vec<String>,
    /// Bytes that were written.
    pub bytes: Vec<u8>,
    /// Everything that reached the muxer, in order.
    pub reached: Vec<Value>,
}

/// Replays a case.
pub(crate) fn run(case: &Case) -> Outcome {
    case.check_known();
    let real = formats::named(&case.muxer).filter(|format| format.muxer.is_some() && !STAND_INS.contains(&format.name));
    let mut outcome = Outcome {
        real: real.is_some(),
        started: false,
        faults: Vec::new(),
        output_faults: Vec::new(),
        bytes: Vec::new(),
        reached: Vec::new(),
    };
    let mut run = Run { case, log: Log::default(), taken: Arc::default(), sink: None, outcome: &mut outcome };
    let reach = if case.seekable() { Reach::Insert } else { Reach::Append };
    let mut out = Output::new(reach);
    match (run.start(real, &mut out), case.header()["ret"].as_i64().unwrap() < 0) {
        (Ok(writer), false) => {
            run.outcome.started = true;
            run.steps(writer, &mut out);
            if run.outcome.real {
                run.compare_file();
            }
        }
        (Ok(_), true) => run.fault("header", "succeeded"),
        (Err(_), true) => {}
        (Err(error), false) => run.fault("header", &error.to_string()),
    }
    outcome
}

struct Run<'a> {
    case: &'a Case,
    log: Log,
    taken: Arc<Mutex<Vec<u64>>>,
    sink: Option<Arc<Mutex<Sink>>>,
    outcome: &'a mut Outcome,
}

impl Run<'_> {
    fn start(&mut self, real: Option<&'static Format>, out: &mut Output) -> Result<PacketWriter> {
        let case = self.case;
        let settings = settings(case, real);
        let pairs: Vec<(&str, &str)> = settings.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        self.sink = case.has_output().then(|| Arc::new(Mutex::new(Sink::new(case, &self.log))));
        let ours = match real {
            Some(format) => Some(Ours { muxer: own_muxer(format, &pairs)?, sink: self.sink.clone() }),
            None => None,
        };
        let format = stand_in(case, real);
        if real.is_some() {
            let ours = maliu_core::timing::Rules { codec_tags: &[], other_codecs: false, ..format.rules };
            let theirs = case.rules();
            if ours != theirs {
                self.fault("rules", &format!("{ours:?}, not {theirs:?}"));
            }
        }
        let streams = case.streams().ok_or(Error::unsupported("a time base that is not positive"))?;
        let muxer = Box::new(Recorder::new(case, ours, &self.log, &self.taken));
        let metadata = case.metadata();
        let plan = Plan::new(format, &pairs, &metadata);
        let writer = plan.start_muxer(muxer, &streams, out)?;
        let bases: Vec<_> = writer.streams().iter().map(|stream| stream.time_base).collect();
        if bases != case.bases() {
            self.fault("header", &format!("time bases {bases:?}, not {:?}", case.bases()));
        }
        Ok(writer)
    }

    fn steps(&mut self, writer: PacketWriter, out: &mut Output) {
        let (mut metadata, mut writer) = (self.case.metadata(), Some(writer));
        for (number, step) in self.case.steps.iter().enumerate().filter(|(_, step)| !step.skipped()) {
            let name = format!("op {number} {}", step.name());
            let result = match (step.name(), &mut writer) {
                // The work of both was one call of ours, before these steps.
                ("init" | "header", _) => Ok(()),
                ("trailer", writer) => writer.take().expect("one trailer").finish(out),
                (_, Some(writer)) => operate(writer, step, &mut metadata, out),
                (other, None) => panic!("{other} after the trailer"),
            };
            self.compare(&name, step, result);
            if let Some(writer) = &writer {
                self.compare_end(&name, step, writer);
            }
        }
        let recorded: Vec<u64> =
            self.case.json["nb_frames"].as_array().unwrap().iter().filter_map(Value::as_u64).collect();
        let counts = self.taken.lock().unwrap().clone();
        if counts != recorded {
            self.fault("nb_frames", &format!("{counts:?}, not {recorded:?}"));
        }
    }

    fn compare(&mut self, name: &str, step: &Step, result: Result<()>) {
        let recorded = step.result["ret"].as_i64().unwrap_or(0);
        let fits = match &result {
            Ok(()) => step.successes().contains(&recorded),
            Err(error) => recorded < 0 && code(error).is_none_or(|code| code == recorded),
        };
        if !fits {
            self.fault(name, &format!("{result:?}, not {recorded}"));
        }
        if step.result.get("after").is_some_and(|after| *after != step.caller_packet_after()) {
            self.fault(name, &format!("the caller's packet is {}", step.caller_packet_after()));
        }
        if step.name() == "init" {
            return;
        }
        let ours: Vec<Value> = std::mem::take(&mut *self.log.lock().unwrap());
        if self.case.has_events() {
            let differ = |kinds| {
                let theirs: Vec<Value> = step.events(kinds).map(any_error).collect();
                let ours: Vec<Value> = of_kinds(&ours, kinds).cloned().collect();
                (ours != theirs).then(|| format!("{name}: \n   ours {}\n   them {}", json!(ours), json!(theirs)))
            };
            self.outcome.faults.extend(differ(MUXER));
            self.outcome.output_faults.extend(differ(self.compared_kinds(step)));
        }
        self.outcome.reached.extend(of_kinds(&ours, MUXER).cloned());
    }

    /// The recorded events to compare: all that reached the muxer, and with muxers of ours the calls of the
    /// output. `init`, `hdr` and `trl` say that a callback was called; ours have one call for the first two.
    fn compared_kinds(&self, step: &Step) -> &'static [&'static str] {
        // FLV-18: the reference patches sizes and counts in its header, also where the buffer has let go of them.
        let patches = self.case.muxer == "flv" && matches!(step.name(), "header" | "metadata");
        let small = self.case.json["io"]["bufsize"].as_u64() < Some(1024);
        if self.outcome.real && !(patches && small) { OUTPUT_TOO } else { MUXER }
    }

    fn compare_end(&mut self, name: &str, step: &Step, writer: &PacketWriter) {
        let Some(recorded) = step.result.get("end_pts") else { return };
        let stream = step.op["s"].as_u64().unwrap() as usize;
        let ours = writer.end(stream).map(|end| end.0);
        if ours != recorded.as_i64() {
            self.fault(name, &format!("end {ours:?}, not {recorded}"));
        }
    }

    fn compare_file(&mut self) {
        let Some(sink) = &self.sink else { return };
        self.outcome.bytes = sink.lock().unwrap().bytes();
        let (ours, size) = (&self.outcome.bytes, self.case.json["size"].as_u64().unwrap());
        if sha256(ours) != self.case.json["sha256"].as_str().unwrap() {
            let at = self.first_difference();
            let fault = format!("file: {} bytes, not {size}, different{at}", self.outcome.bytes.len());
            self.outcome.output_faults.push(fault);
        }
    }

    fn first_difference(&self) -> String {
        let Some(name) = self.case.json["file"].as_str() else { return String::new() };
        let theirs = std::fs::read(self.case.folder.join(name))
            .or_else(|_| std::fs::read(self.case.folder.join("flv").join(name)));
        let (Ok(theirs), ours) = (theirs, &self.outcome.bytes) else { return String::new() };
        let at = ours.iter().zip(&theirs).position(|(a, b)| a != b).unwrap_or(ours.len().min(theirs.len()));
        let end = |bytes: &[u8]| format!("{:02x?}", &bytes[at..bytes.len().min(at + 12)]);
        format!(" from byte {at}: {} not {}", end(ours), end(&theirs))
    }

    fn fault(&mut self, name: &str, what: &str) {
        self.outcome.faults.push(format!("{name}: {what}"));
    }
}

fn operate(writer: &mut PacketWriter, step: &Step, metadata: &mut Metadata, out: &mut Output) -> Result<()> {
    match step.name() {
        "write" => writer.write(stamped(step, writer), out),
        "iwrite" => writer.write_interleaved(stamped(step, writer), out),
        "write_null" => writer.flush(out),
        "iwrite_null" => writer.drain(out),
        "uncoded" => writer.write_frame(frame(step, writer), out),
        "iuncoded" => writer.write_frame_interleaved(frame(step, writer), out),
        "metadata" => {
            metadata.set(step.op["k"].as_str().unwrap(), step.op["v"].as_str().unwrap());
            writer.update_metadata(metadata);
            Ok(())
        }
        other => panic!("operation {other}"),
    }
}

/// The step's packet, in the time base that the muxer chose.
fn stamped(step: &Step, writer: &PacketWriter) -> Packet {
    let packet = step.packet();
    let time_base = writer.streams().get(packet.stream).map(|stream| stream.time_base).unwrap_or_default();
    packet.with_time_base(time_base)
}

fn frame(step: &Step, writer: &PacketWriter) -> Frame {
    let packet = stamped(step, writer);
    let samples = step.op["size"].as_u64().unwrap_or(0) as u32;
    let frame = Frame::of(packet.stream, samples, packet.data).at(packet.pts).with_duration(packet.duration);
    frame.with_time_base(packet.time_base)
}

fn of_kinds<'a>(events: &'a [Value], kinds: &'a [&str]) -> impl Iterator<Item = &'a Value> {
    events.iter().filter(|event| kinds.contains(&event[0].as_str().unwrap()))
}

/// A recorded event; of the muxer's result only whether it is an error.
fn any_error(event: &Value) -> Value {
    let mut list = event.as_array().unwrap().clone();
    if let Some(last) = list.last_mut().filter(|_| MUXER.contains(&event[0].as_str().unwrap())) {
        *last = if last.as_i64() < Some(0) { json!("error") } else { json!(0) };
    }
    Value::Array(list)
}

pub(crate) fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The number the reference has for this error; `None` where ours says more than a number.
fn code(error: &Error) -> Option<i64> {
    match error {
        Error::Packet { .. } => Some(-22),
        Error::Mux { format: "replayed", why } => why.parse().ok(),
        _ => None,
    }
}

/// The case's options as settings of ours. An unknown one fails.
fn settings(case: &Case, real: Option<&'static Format>) -> Vec<(String, String)> {
    let mut settings = Vec::new();
    let mut set = |name: &str, value: &str| settings.push((name.to_owned(), value.to_owned()));
    for (name, value) in case.json["options"].as_object().into_iter().flatten() {
        let value = value.as_str().unwrap();
        match name.as_str() {
            "fflags" => {
                for (flag, on) in flags(value) {
                    match flag {
                        "bitexact" | "shortest" => set(flag, on),
                        "autobsf" => set("packaging", on),
                        // The output's, see sink.rs.
                        "flush_packets" => {}
                        other => panic!("{}: fflags {other}", case.id),
                    }
                }
            }
            "flvflags" => flags(value).for_each(|(flag, on)| set(flag, on)),
            name if SETTINGS.iter().any(|help| help.name == name) => set(name, value),
            name if real.is_some_and(|format| format.settings.iter().any(|help| help.name == name)) => set(name, value),
            // The output's, see sink.rs.
            "flush_packets" => {}
            // Options that only shape the bytes of muxers that are not ours.
            "movflags" | "write_index" if real.is_none() => {}
            other => panic!("{}: option {other}={value} of {}", case.id, case.muxer),
        }
    }
    if real.is_none() {
        settings.retain(|(name, _)| SETTINGS.iter().any(|help| help.name == name));
        if let Some(shift) = case.shift() {
            settings.retain(|(name, _)| name != "avoid_negative_ts");
            settings.push(("avoid_negative_ts".into(), shift.to_string()));
        }
    }
    if real.is_some_and(|format| format.settings.iter().any(|help| help.name == "compat")) {
        settings.push(("compat".into(), "5.1".into()));
    }
    if let (Some("flv"), Some(duration)) = (real.map(|format| format.name), case.json.get("duration")) {
        let micros = duration.as_i64().unwrap_or(i64::MIN);
        settings.push(("duration".into(), micros.to_string()));
    }
    settings
}

/// `+a+b-c` as names with `1` or `0`.
fn flags(text: &str) -> impl Iterator<Item = (&str, &'static str)> {
    let starts: Vec<usize> = text.match_indices(['+', '-']).map(|(at, _)| at).chain([text.len()]).collect();
    let pairs: Vec<_> = starts.windows(2).map(|pair| (pair[0], pair[1])).collect();
    pairs.into_iter().map(|(from, to)| (&text[from + 1..to], if text[from..].starts_with('+') { "1" } else { "0" }))
}

fn own_muxer(format: &'static Format, pairs: &[(&str, &str)]) -> Result<Box<dyn Muxer>> {
    let known = |name: &str| format.settings.iter().any(|help| help.name == name);
    let ours: Vec<_> = pairs.iter().copied().filter(|(name, _)| known(name)).collect();
    format.muxer.unwrap()(&ours)
}

/// The format to write: ours, or one with the recorded muxer's rules.
fn stand_in(case: &Case, real: Option<&'static Format>) -> &'static Format {
    real.unwrap_or_else(|| {
        Box::leak(Box::new(Format {
            name: "replayed",
            long_name: "replayed",
            mime: &[],
            extensions: &[],
            probe: |_| Score::No("replayed"),
            demuxer: None,
            muxer: None,
            settings: &[],
            rules: case.rules(),
            default_codecs: (None, None),
        }))
    })
}
