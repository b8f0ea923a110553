//! Replays one case through a [`PacketWriter`] and lists where it behaves otherwise than recorded.

use maliu_core::{
    error::{Error, Result},
    format::{Format, Muxer, Score},
    formats,
    output::{Mark, Output, Reach},
    packet::Frame,
    stream::Metadata,
    time::Ticks,
    writer::{PacketWriter, Plan, SETTINGS},
};
use serde_json::{Value, json};

use super::{
    case::{Case, Step},
    file::File,
    recorder::{Log, Recorder},
};

/// What came of a case.
pub struct Outcome {
    /// Whether the bytes were made by a muxer of ours.
    pub real: bool,
    /// Whether the header was written.
    pub started: bool,
    /// Differences from the recording.
    pub faults: Vec<String>,
    /// What was written.
    pub file: File,
    /// Everything that reached the muxer, in order.
    pub reached: Vec<Value>,
}

/// Replays a case.
pub fn run(case: &Case) -> Outcome {
    let real = formats::named(&case.muxer).filter(|format| format.muxer.is_some() && !case.output_fails());
    let mut outcome = Outcome {
        real: real.is_some(),
        started: false,
        faults: Vec::new(),
        file: File::default(),
        reached: Vec::new(),
    };
    let mut run = Run { case, log: Log::default(), outcome: &mut outcome };
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
    outcome: &'a mut Outcome,
}

impl Run<'_> {
    fn start(&mut self, real: Option<&'static Format>, out: &mut Output) -> Result<PacketWriter> {
        let case = self.case;
        let settings = settings(case, real);
        let pairs: Vec<(&str, &str)> = settings.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let inner = match real {
            Some(format) => Some(own_muxer(format, &pairs)?),
            None => None,
        };
        let format = stand_in(case, real);
        if real.is_some() {
            let (ours, theirs) = (maliu_core::timing::Rules { codec_tags: &[], ..format.rules }, case.rules());
            if ours != theirs {
                self.fault("rules", &format!("{ours:?}, not {theirs:?}"));
            }
        }
        let streams = case.streams().ok_or(Error::unsupported("a time base that is not positive"))?;
        let muxer = Box::new(Recorder::new(case, inner, &self.log));
        let plan = Plan { format, settings: &pairs, metadata: &case.metadata() };
        let writer = plan.start_muxer(muxer, &streams, out)?;
        let bases: Vec<_> = writer.streams().iter().map(|stream| stream.time_base).collect();
        if bases != case.bases() {
            self.fault("header", &format!("time bases {bases:?}, not {:?}", case.bases()));
        }
        Ok(writer)
    }

    fn steps(&mut self, mut writer: PacketWriter, out: &mut Output) {
        let mut metadata = self.case.metadata();
        let mut ended = None;
        for (number, step) in self.case.steps.iter().enumerate() {
            if step.skipped() || matches!(step.name(), "init" | "header") {
                self.outcome.file.apply(out);
                continue;
            }
            let name = format!("op {number} {}", step.name());
            if step.name() == "trailer" {
                ended = Some((name, step));
                break;
            }
            let result = operate(&mut writer, step, &mut metadata, out);
            self.outcome.file.apply(out);
            self.compare(&name, step, result);
            self.compare_end(&name, step, &writer);
        }
        let Some((name, step)) = ended else { return };
        // The frame counters of the trailer's own packets are read from the log: finish takes the writer.
        let mut counts = writer.written().to_vec();
        let result = writer.finish(out);
        self.outcome.file.apply(out);
        let drained = self.log.lock().unwrap().clone();
        if !self.case.has_events() {
            self.compare(&name, step, result);
            return;
        }
        for (ours, theirs) in drained.iter().zip(step.events(&["mux", "uncoded"])) {
            if theirs.as_array().unwrap().last().unwrap().as_i64().unwrap() >= 0 && !self.case.output_fails() {
                counts[ours[1].as_u64().unwrap() as usize] += 1;
            }
        }
        self.compare(&name, step, result);
        let recorded: Vec<u64> =
            self.case.json["nb_frames"].as_array().unwrap().iter().filter_map(Value::as_u64).collect();
        if counts != recorded && !self.case.output_fails() {
            self.fault("nb_frames", &format!("{counts:?}, not {recorded:?}"));
        }
    }

    fn compare(&mut self, name: &str, step: &Step, result: Result<()>) {
        let recorded = step.result["ret"].as_i64().unwrap_or(0);
        let fits = match &result {
            Ok(()) => recorded >= 0,
            Err(error) => recorded < 0 && code(error).is_none_or(|code| code == recorded),
        };
        if !fits {
            self.fault(name, &format!("{result:?}, not {recorded}"));
        }
        let ours: Vec<Value> = std::mem::take(&mut *self.log.lock().unwrap());
        self.outcome.reached.extend(ours.iter().cloned());
        let theirs: Vec<Value> = step.events(&["mux", "muxnull", "uncoded"]).map(without_result).collect();
        if ours != theirs && self.case.has_events() {
            self.fault(name, &format!("\n   ours {}\n   them {}", json!(ours), json!(theirs)));
        }
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
        let (ours, size) = (&self.outcome.file, self.case.json["size"].as_u64().unwrap());
        if ours.sha256() != self.case.json["sha256"].as_str().unwrap() {
            let at = self.first_difference();
            self.fault("file", &format!("{} bytes, not {size}, different{at}", self.outcome.file.bytes.len()));
        }
        self.compare_marks();
    }

    fn first_difference(&self) -> String {
        let Some(name) = self.case.json["file"].as_str() else { return String::new() };
        let theirs = std::fs::read(self.case.folder.join(name))
            .or_else(|_| std::fs::read(self.case.folder.join("flv").join(name)));
        let (Ok(theirs), ours) = (theirs, &self.outcome.file.bytes) else { return String::new() };
        let at = ours.iter().zip(&theirs).position(|(a, b)| a != b).unwrap_or(ours.len().min(theirs.len()));
        let end = |bytes: &[u8]| format!("{:02x?}", &bytes[at..bytes.len().min(at + 12)]);
        format!(" from byte {at}: {} not {}", end(ours), end(&theirs))
    }

    /// Where a typed callback got a key or body label, a piece with that mark and time begins (WF-61). Labels are only
    /// comparable while nothing was patched or cut by a small buffer.
    fn compare_marks(&mut self) {
        let mut faults = Vec::new();
        for (number, step) in self.case.steps.iter().enumerate() {
            for event in step.events(&["out"]) {
                let time = event[2].as_i64().map(Ticks);
                let wanted = match event[1].as_str() {
                    Some("sync") => Mark::Key { time },
                    Some("boundary") => Mark::Body { time },
                    _ => continue,
                };
                let at = event[4].as_u64().unwrap();
                let mark = self.outcome.file.mark(at);
                if mark != Some(wanted) {
                    faults.push((number, format!("mark {mark:?} at {at}, not {wanted:?}")));
                }
            }
        }
        faults.iter().for_each(|(number, fault)| self.fault(&format!("op {number}"), fault));
    }

    fn fault(&mut self, name: &str, what: &str) {
        self.outcome.faults.push(format!("{name}: {what}"));
    }
}

fn operate(writer: &mut PacketWriter, step: &Step, metadata: &mut Metadata, out: &mut Output) -> Result<()> {
    match step.name() {
        "write" => writer.write(step.packet(), out),
        "iwrite" => writer.write_interleaved(step.packet(), out),
        "write_null" => writer.flush(out),
        "iwrite_null" => writer.drain(out),
        "uncoded" => writer.write_frame(frame(step), out),
        "iuncoded" => writer.write_frame_interleaved(frame(step), out),
        "metadata" => {
            metadata.set(step.op["k"].as_str().unwrap(), step.op["v"].as_str().unwrap());
            writer.update_metadata(metadata);
            Ok(())
        }
        other => panic!("operation {other}"),
    }
}

fn frame(step: &Step) -> Frame {
    let packet = step.packet();
    Frame {
        stream: packet.stream,
        pts: packet.pts,
        duration: packet.duration,
        samples: step.op["size"].as_u64().unwrap_or(0) as u32,
        data: packet.data,
    }
}

fn without_result(event: &Value) -> Value {
    let mut list = event.as_array().unwrap().clone();
    list.pop();
    Value::Array(list)
}

/// The number the reference has for this error; `None` where ours says more than a number.
fn code(error: &Error) -> Option<i64> {
    match error {
        Error::Packet { .. } => Some(-22),
        Error::Mux { format: "replayed", why } => why.parse().ok(),
        _ => None,
    }
}

/// The case's options as settings of ours. What only a muxer that we do not have would read is left out.
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
                        _ => {}
                    }
                }
            }
            "flvflags" => flags(value).for_each(|(flag, on)| set(flag, on)),
            name if SETTINGS.iter().any(|help| help.name == name) => set(name, value),
            name if real.is_some_and(|format| format.settings.iter().any(|help| help.name == name)) => set(name, value),
            _ => {}
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

/// The format the writer is told to write: ours, or one with the recorded muxer's rules.
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
