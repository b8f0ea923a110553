//! The reading of a whole input, with every fault noted as it shows.

use std::{collections::HashMap, task::Poll};

use maliu_core::{
    error::{Error as MediaError, PacketError},
    format::{Event, Rules},
    formats::mpegts::Breach,
    input::{Input, Warning},
    packet::{Flags, Packet},
    reader::PacketReader,
    stream::{Codec, Kind as MediaKind, StreamInfo},
    time::Ticks,
    timing::{Fill, Notes, Path},
};

use super::{
    Fault, Kind, Severity,
    fault::kinds,
    found::{Found, Place},
    mp4,
};
use crate::{
    blocking,
    error::{Error, Result},
    io::{Source, is_not_yet, patiently},
    mp4::{is_chain, length_size},
    streams::Streams,
};

/// Everything that was found in an input.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Report {
    /// The format's short name; empty when it was not recognised.
    pub format: &'static str,
    /// Packets read.
    pub packets: u64,
    /// How many faults there are, each occurrence counted.
    pub faults: u64,
    /// How many notices there are, each occurrence counted.
    pub notices: u64,
    /// One entry for each kind of fault and stream, in the order in which they were first found; at most
    /// [`MAX_LISTED`].
    pub list: Vec<Fault>,
}

impl Report {
    /// Adds a fault that the caller has found in a stream, such as samples of a wrong checksum.
    pub fn add(&mut self, kind: Kind, stream: Option<usize>, what: String) {
        match kind.severity {
            Severity::Fault => self.faults += 1,
            Severity::Notice => self.notices += 1,
        }
        if self.list.len() < MAX_LISTED {
            let (rule, fix) = (kind.rule(self.format), kind.fix(self.format));
            self.list.push(Fault { kind, at: None, time: None, stream, what, rule, fix, times: 1 });
        }
    }
}

/// Most entries of a report; others are counted only.
pub const MAX_LISTED: usize = 1000;

/// So many pauses make a show of slides.
const MIN_SLIDES: u64 = 3;

/// Pauses up to this many seconds are believed.
const MAX_GAP: f64 = 10.0;

/// Reads `source` to its end with `reader` and reports what is wrong with it.
///
/// # Errors
/// Those of the source; and those of the reader when it fails before the first packet. A later one is a fault.
pub fn run<S: Source>(mut source: S, reader: PacketReader) -> Result<Report> {
    let mut input = if source.seekable() { Input::seekable(source.size()) } else { Input::new() };
    let (block, mut reader) = (source.block_size(), reader.auditing());
    let mut survey = Survey::default();
    loop {
        let polled = reader.poll(&mut input);
        survey.format = reader.format().map_or("", |format| format.name);
        survey.remarks(&mut input);
        match polled {
            Ok(Poll::Pending) => {
                let mut read = |at: u64, buf: &mut [u8]| source.read_at(at, buf);
                patiently(|| blocking::feed(&mut input, block, &mut read), is_not_yet)?;
            }
            Ok(Poll::Ready(Event::Stream(index, info))) => {
                let rules = reader.format().map(|format| format.rules);
                survey.lanes.describe(index, *info, |info| Lane::new(info, rules), |lane, info| lane.info = info);
            }
            Ok(Poll::Ready(Event::Metadata(_))) => {}
            Ok(Poll::Ready(Event::Packet(packet))) => survey.packet(&packet),
            Ok(Poll::Ready(Event::End)) => break,
            Err(error) if survey.packets == 0 => {
                let faults = survey.boxes(&mut source)?;
                if !faults.iter().any(|(kind, ..)| *kind == kinds::NO_MOOV) {
                    return Err(Error::Media(error));
                }
                survey.note_all(faults);
                return Ok(survey.close());
            }
            Err(error) => {
                survey.unreadable(&error, input.offset());
                break;
            }
        }
    }
    if let Some(declared) = reader.declared() {
        let header = if survey.format == "flv" { "onMetaData" } else { "Info" };
        let found = std::mem::take(&mut survey.found).judge(declared, input.next_read(), header);
        survey.note_all(found);
    }
    if let Some(whole) = reader.multiplex() {
        survey.breaches(whole.breaches, reader.streams());
    }
    let faults = survey.boxes(&mut source)?;
    survey.note_all(faults);
    Ok(survey.close())
}

/// A reading under way.
#[derive(Default)]
struct Survey {
    format: &'static str,
    packets: u64,
    faults: u64,
    notices: u64,
    list: Vec<Fault>,
    /// Where in the list a kind of fault of a stream stands.
    places: HashMap<(&'static str, Option<usize>), usize>,
    lanes: Streams<Lane>,
    found: Found,
    latest: Option<f64>,
}

impl Survey {
    fn note(&mut self, kind: Kind, place: Place, what: String) {
        self.note_many(kind, place, what, 1);
    }

    fn note_many(&mut self, kind: Kind, place: Place, what: String, times: u64) {
        match kind.severity {
            Severity::Fault => self.faults += times,
            Severity::Notice => self.notices += times,
        }
        let Place { at, time, stream } = place;
        if let Some(known) = self.places.get(&(kind.code, stream)).and_then(|index| self.list.get_mut(*index)) {
            known.times += times;
        } else if self.list.len() < MAX_LISTED {
            self.places.insert((kind.code, stream), self.list.len());
            let (rule, fix) = (kind.rule(self.format), kind.fix(self.format));
            self.list.push(Fault { kind, at, time, stream, what, rule, fix, times });
        }
    }

    /// Notes the breaches of TR 101 290 in a transport stream.
    fn breaches(&mut self, breaches: Vec<Breach>, streams: &[StreamInfo]) {
        for breach in breaches {
            let stream = breach.pid.and_then(|pid| streams.iter().position(|info| info.id == Some(pid.into())));
            let what = match breach.pid {
                Some(pid) => format!("PID {pid:#x}: {}", breach.what),
                None => breach.what,
            };
            let place = Place { at: Some(breach.at), stream, ..Place::default() };
            self.note_many(Kind::of_indicator(breach.indicator), place, what, breach.times);
        }
    }

    fn note_all(&mut self, faults: Vec<(Kind, Place, String)>) {
        faults.into_iter().for_each(|(kind, place, what)| self.note(kind, place, what));
    }

    /// Wrong declarations in the boxes of an MP4 file, where the source can be read once more.
    fn boxes(&self, source: &mut impl Source) -> Result<Vec<(Kind, Place, String)>> {
        let may = self.format == "mp4" && source.seekable() && source.size().is_some();
        Ok(if may { mp4::judge(source)? } else { Vec::new() })
    }

    fn remarks(&mut self, input: &mut Input) {
        let (warnings, more) = input.take_warnings();
        for Warning { at, stream, kind, what, .. } in warnings {
            let kind = Kind::of(kind);
            self.found.whole &= ![kinds::JUNK, kinds::CUT].contains(&kind);
            self.note(kind, Place { at: Some(at), time: self.latest, stream }, what.into());
        }
        self.faults += more;
    }

    fn packet(&mut self, packet: &Packet) {
        self.packets += 1;
        let latest = self.latest;
        let Some(lane) = self.lanes.get_mut(packet.stream) else { return };
        let seconds = |time: Option<Ticks>| time.map(|time| lane.info.time_base.seconds(time));
        let (time, shown) = (seconds(packet.dts.or(packet.pts)), seconds(packet.pts));
        let is_video = lane.info.media.kind() == MediaKind::Video;
        let mut found = lane.check(packet, time, latest);
        if self.format == "mp4" {
            found.extend(lane.check_sample(packet));
        }
        lane.last = time.or(lane.last);
        self.found.packet(packet, time, shown, is_video);
        if time > self.latest {
            self.latest = time;
        }
        for (kind, what) in found {
            self.note(kind, Place { at: packet.position, time, stream: Some(packet.stream) }, what);
        }
    }

    fn unreadable(&mut self, error: &MediaError, offset: u64) {
        let at = match error {
            MediaError::Malformed { at, .. } => *at,
            _ => offset,
        };
        self.note(kinds::UNREADABLE, Place { at: Some(at), ..Place::default() }, error.to_string());
    }

    fn close(mut self) -> Report {
        let bare = |lane: &Lane| matches!(lane.info.codec, Codec::Aac | Codec::H264) && lane.info.config.is_empty();
        let missing: Vec<usize> =
            (0..).zip(&*self.lanes).filter(|(_, lane)| lane.packets > 0 && bare(lane)).map(|(i, _)| i).collect();
        for stream in missing {
            if self.has(kinds::NO_CONFIG, stream) {
                continue;
            }
            let place = Place { stream: Some(stream), ..Place::default() };
            self.note(kinds::NO_CONFIG, place, "packets without any decoder configuration".to_owned());
        }
        self.forget_what_came_late();
        self.forget_slides();
        let Self { format, packets, faults, notices, list, .. } = self;
        Report { format, packets, faults, notices, list }
    }

    fn has(&self, kind: Kind, stream: usize) -> bool {
        self.places.contains_key(&(kind.code, Some(stream)))
    }

    /// A stream in which most pauses are long is a show of slides.
    fn forget_slides(&mut self) {
        let is_show = |lane: &Lane| lane.packets > MIN_SLIDES && lane.jumps * 2 > lane.packets - 1;
        let shows: Vec<_> = (0..).zip(&*self.lanes).filter(|(_, lane)| is_show(lane)).map(|(i, _)| Some(i)).collect();
        self.forget(|fault| fault.kind == kinds::JUMP && shows.contains(&fault.stream));
    }

    fn forget(&mut self, gone: impl Fn(&Fault) -> bool) {
        self.faults -= self.list.iter().filter(|fault| gone(fault)).map(|fault| fault.times).sum::<u64>();
        self.list.retain(|fault| !gone(fault));
    }

    /// A configuration that came late was there after all.
    fn forget_what_came_late(&mut self) {
        let late: Vec<_> =
            self.list.iter().filter(|fault| fault.kind == kinds::LATE_CONFIG).map(|fault| fault.stream).collect();
        self.forget(|fault| fault.kind == kinds::NO_CONFIG && late.contains(&fault.stream));
    }
}

/// One stream.
struct Lane {
    info: StreamInfo,
    fill: Fill,
    packets: u64,
    last: Option<f64>,
    key_seen: bool,
    key_missed: bool,
    /// Unintended pauses.
    jumps: u64,
    /// Bytes of the lengths in front of NAL units.
    lengths: Option<u8>,
    /// A packet before the time 0 was met.
    early: bool,
}

impl Lane {
    fn new(info: &StreamInfo, rules: Option<Rules>) -> Self {
        let rules = Rules { equal_dts: true, negative: true, ..rules.unwrap_or_default() };
        let mut alone = info.clone();
        alone.attachment = false;
        Self {
            fill: Fill::new(rules, &[alone]),
            info: info.clone(),
            packets: 0,
            last: None,
            key_seen: info.media.kind() != MediaKind::Video,
            key_missed: false,
            jumps: 0,
            lengths: length_size(info),
            early: false,
        }
    }

    /// Faults of a sample of an MP4 file.
    fn check_sample(&mut self, packet: &Packet) -> Option<(Kind, String)> {
        // A cut sample has its remark already.
        if packet.flags.has(Flags::CORRUPT) {
            return None;
        }
        if self.lengths.is_some_and(|size| !is_chain(packet, size)) {
            return Some((kinds::BAD_OFFSET, "a sample that is no chain of NAL units".to_owned()));
        }
        let shown = packet.pts.filter(|_| !packet.flags.has(Flags::DISCARD))?;
        if shown.0 < 0 && !std::mem::replace(&mut self.early, true) {
            let seconds = self.info.time_base.seconds(shown);
            return Some((kinds::NEGATIVE_START, format!("the stream begins at {seconds:.3} s")));
        }
        None
    }

    fn check(&mut self, packet: &Packet, time: Option<f64>, latest: Option<f64>) -> Vec<(Kind, String)> {
        let mut found = Vec::new();
        self.packets += 1;
        self.key_seen |= packet.is_key();
        if !self.key_seen && !std::mem::replace(&mut self.key_missed, true) {
            found.push((kinds::NO_KEY, "the stream does not begin with a keyframe".to_owned()));
        }
        let duration = packet.duration.map(|duration| Ticks(duration.0.max(0)));
        let mut alone = packet.clone().with_stream(0).with_duration(duration);
        if let Err(why) = self.fill.complete(&mut alone, None, Path::Direct, &mut Notes::default()) {
            let kind = match why {
                PacketError::PtsBeforeDts { .. } => kinds::PTS_BEFORE_DTS,
                _ => kinds::DTS_BACK,
            };
            found.push((kind, why.to_string()));
        }
        if let (Some(time), Some(last), Some(latest)) = (time, self.last, latest)
            && time - last.max(latest) > MAX_GAP
        {
            self.jumps += 1;
            found.push((kinds::JUMP, format!("{:.3} s without any packet", time - last.max(latest))));
        }
        found
    }
}
