//! Reads a whole file and notes every fault: what the reader remarks, and what the times and streams break.

use std::task::Poll;

use maliu::{
    MediaError,
    format::{Event, Rules},
    formats,
    input::Input,
    io::Source,
    packet::Packet,
    reader::PacketReader,
    stream::{Codec, Kind as MediaKind, StreamInfo},
    time::Ticks,
    timing::{
        explain::Notes,
        fill::{Fill, Path},
    },
};

use super::{
    fault::{self, Fault, Kind},
    tags::Tags,
};
use crate::{
    failure::{Failure, Result},
    input,
};

/// What was found.
pub struct Survey {
    /// As the user called the file.
    pub name: String,
    /// The format's short name.
    pub format: &'static str,
    /// Packets read.
    pub packets: u64,
    /// All faults.
    pub count: u64,
    /// All notices.
    pub notices: u64,
    /// The first of both.
    pub faults: Vec<Fault>,
    lanes: Vec<Lane>,
    latest: Option<f64>,
}

/// One stream.
struct Lane {
    info: StreamInfo,
    fill: Fill,
    packets: u64,
    last: Option<f64>,
    key_seen: bool,
    key_missed: bool,
}

/// Pauses up to this many seconds are believed.
const MAX_GAP: f64 = 10.0;

impl Survey {
    /// Reads `path` to its end.
    pub fn of(path: &str, from: Option<&str>) -> Result<Self> {
        let (name, mut source) = input::source(path)?;
        let mut input = if source.seekable() { Input::seekable(source.size()) } else { Input::new() };
        let mut reader = reader(from)?;
        let mut survey = Self {
            name,
            format: "",
            packets: 0,
            count: 0,
            notices: 0,
            faults: Vec::new(),
            lanes: Vec::new(),
            latest: None,
        };
        let mut tags = Tags::default();
        loop {
            let polled = reader.poll(&mut input);
            survey.remarks(&mut input);
            match polled {
                Ok(Poll::Pending) => {
                    input::feed(&survey.name, &mut source, &mut input, |at, bytes| tags.see(at, bytes))?;
                }
                Ok(Poll::Ready(Event::Stream(index, info))) => {
                    survey.meet(index, *info, reader.format().map(|format| format.rules))
                }
                Ok(Poll::Ready(Event::Metadata(_))) => {}
                Ok(Poll::Ready(Event::Packet(packet))) => survey.packet(&packet),
                Ok(Poll::Ready(Event::End)) => break,
                Err(error) if survey.packets == 0 => return Err(Failure::while_("reading", &survey.name, error)),
                Err(error) => {
                    survey.add(unreadable(&error, input.offset()));
                    break;
                }
            }
        }
        survey.format = reader.format().map_or("", |format| format.name);
        survey.close(&tags, input.next_read());
        Ok(survey)
    }

    fn remarks(&mut self, input: &mut Input) {
        let (warnings, more) = input.take_warnings();
        for warning in warnings {
            let kind = Kind::of_remark(&warning.what);
            self.add(Fault { kind, at: Some(warning.at), time: self.latest, stream: None, what: warning.what.into() });
        }
        self.count += more;
    }

    fn meet(&mut self, index: usize, info: StreamInfo, rules: Option<Rules>) {
        match self.lanes.get_mut(index) {
            Some(lane) => lane.info = info,
            None => self.lanes.resize_with(index + 1, || Lane::new(&info, rules)),
        }
    }

    fn packet(&mut self, packet: &Packet) {
        self.packets += 1;
        let latest = self.latest;
        let Some(lane) = self.lanes.get_mut(packet.stream) else { return };
        let time = packet.dts.or(packet.pts).map(|time| lane.info.time_base.seconds(time));
        let found = lane.check(packet, time, latest);
        lane.last = time.or(lane.last);
        if time > self.latest {
            self.latest = time;
        }
        for (kind, what) in found {
            self.add(Fault { kind, at: packet.position, time, stream: Some(packet.stream), what });
        }
    }

    fn close(&mut self, tags: &Tags, size: u64) {
        let found = if self.format == "flv" { tags.judge(size) } else { Vec::new() };
        for fault in found {
            // What the reader took for junk is known better.
            let tail = fault.at.filter(|_| fault.kind == fault::ZERO_TAIL);
            let taken = |other: &Fault| tail.is_some_and(|tail| other.at >= Some(tail)) && other.kind == fault::JUNK;
            let before = self.faults.len();
            self.faults.retain(|other| !taken(other));
            self.count = self.count.saturating_sub((before - self.faults.len()) as u64);
            self.add(fault);
        }
        let bare = |lane: &Lane| matches!(lane.info.codec, Codec::Aac | Codec::H264) && lane.info.config.is_empty();
        let missing: Vec<usize> =
            (0..).zip(&self.lanes).filter(|(_, lane)| lane.packets > 0 && bare(lane)).map(|(i, _)| i).collect();
        for index in missing {
            let what = "packets without any decoder configuration".to_owned();
            self.add(Fault { kind: fault::NO_CONFIG, at: None, time: None, stream: Some(index), what });
        }
    }
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
        }
    }

    fn check(&mut self, packet: &Packet, time: Option<f64>, latest: Option<f64>) -> Vec<(Kind, String)> {
        let mut found = Vec::new();
        self.packets += 1;
        self.key_seen |= packet.is_key();
        if !self.key_seen && !std::mem::replace(&mut self.key_missed, true) {
            found.push((fault::NO_KEY, "the stream begins with a picture that is no key".to_owned()));
        }
        let mut alone =
            Packet { stream: 0, duration: packet.duration.map(|duration| Ticks(duration.0.max(0))), ..packet.clone() };
        if let Err(why) = self.fill.complete(&mut alone, None, Path::Direct, &mut Notes::default()) {
            let kind = match why {
                maliu::error::PacketError::PtsBeforeDts { .. } => fault::PTS_BEFORE_DTS,
                _ => fault::DTS_BACK,
            };
            found.push((kind, why.to_string()));
        }
        if let (Some(time), Some(last), Some(latest)) = (time, self.last, latest)
            && time - last.max(latest) > MAX_GAP
        {
            found.push((fault::JUMP, format!("{:.3} s without anything", time - last.max(latest))));
        }
        found
    }
}

fn reader(from: Option<&str>) -> Result<PacketReader> {
    let Some(name) = from else { return Ok(PacketReader::detect(formats::ALL)) };
    let format = formats::named(name).ok_or_else(|| Failure::Usage(format!("no format is called {name}")))?;
    PacketReader::of(format, &[]).map_err(|error| Failure::Usage(error.to_string()))
}

fn unreadable(error: &MediaError, offset: u64) -> Fault {
    let at = match error {
        MediaError::Malformed { at, .. } => *at,
        _ => offset,
    };
    Fault { kind: fault::UNREADABLE, at: Some(at), time: None, stream: None, what: error.to_string() }
}
