//! Completes and checks the times of one packet after the other (WF-21…WF-22, WF-27…WF-40).
//!
//! ```text
//!   duration? ─▶ pts := dts ─▶ both := clock ─▶ dts from the reorder buffer ─▶ order checks ─▶ commit
//! ```

use alloc::{format, vec::Vec};

use super::{
    Rules,
    clock::Clock,
    explain::{At, Notes},
    samples::samples,
};
use crate::{
    error::PacketError,
    packet::{Flags, Packet},
    stream::{Codec, Kind, Media, StreamInfo},
    time::{Rounding, Ticks, TimeBase, scale},
};

/// Most pictures that may be decoded before one that is shown earlier.
pub(super) const MAX_REORDER: usize = 16;

/// An unknown time sorts before every known one.
const UNKNOWN: i64 = i64::MIN;

/// The state of all streams of one output.
#[derive(Debug)]
pub struct Fill {
    rules: Rules,
    streams: Vec<Stream>,
    warned: bool,
}

#[derive(Debug)]
struct Stream {
    info: StreamInfo,
    attachment: bool,
    all_key: bool,
    reorder: usize,
    last_dts: i64,
    clock: Clock,
    window: [i64; MAX_REORDER + 1],
    given: u64,
}

/// How a packet reaches the muxer, as far as its times are concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Path {
    /// At once, in the caller's order.
    Direct,
    /// Through the queue, which needs a dts to sort by (WF-40).
    Interleaved,
}

impl Fill {
    /// For streams whose time bases are the muxer's.
    pub fn new(rules: Rules, streams: &[StreamInfo]) -> Self {
        Self { rules, streams: streams.iter().map(Stream::new).collect(), warned: false }
    }

    /// Whether a packet may name this stream at all (WF-21).
    ///
    /// # Errors
    /// [`PacketError::NoSuchStream`], [`PacketError::Attachment`].
    pub fn admit(&self, stream: usize) -> Result<(), PacketError> {
        match self.streams.get(stream) {
            None => Err(PacketError::NoSuchStream),
            Some(stream) if stream.attachment => Err(PacketError::Attachment),
            Some(_) => Ok(()),
        }
    }

    /// Which packet of its stream comes next, for notes.
    pub fn at(&self, stream: usize) -> At {
        At { stream, packet: self.streams.get(stream).map_or(0, |stream| stream.given) }
    }

    /// Completes the packet's times, or refuses it. `frame` is the samples per channel of an uncoded frame (WF-23).
    /// A refused packet leaves only the reorder buffer behind (WF-37).
    ///
    /// # Errors
    /// The rule that the packet breaks.
    pub fn complete(
        &mut self,
        packet: &mut Packet,
        frame: Option<u32>,
        path: Path,
        notes: &mut Notes,
    ) -> Result<(), PacketError> {
        self.admit(packet.stream)?;
        let (rules, at) = (self.rules, self.at(packet.stream));
        let Some(stream) = self.streams.get_mut(packet.stream) else { return Err(PacketError::NoSuchStream) };
        stream.given = stream.given.saturating_add(1);
        if stream.all_key && frame.is_none() && !packet.is_key() {
            packet.flags |= Flags::KEY;
            notes.fire("WF-22", at, || format!("marked as key: every {} packet is one", stream.info.codec));
        }
        stream.guess_duration(packet, frame, at, notes);
        if (packet.pts.is_none() || packet.dts.is_none()) && !rules.no_timestamps && !self.warned {
            self.warned = true;
            notes.fire("WF-31", at, || "pts or dts is not set; said once, what is missing is derived".into());
        }
        stream.derive(packet, at, notes);
        match stream.check(packet, rules) {
            Ok(()) => stream.commit(packet, frame),
            Err(why) if rules.no_timestamps => {
                notes.fire("WF-39", at, || format!("{why}; passed on, the format stores no times"));
                return Ok(());
            }
            Err(why) => {
                notes.fire(rule(&why), at, || format!("refused: {why}"));
                return Err(why);
            }
        }
        if path == Path::Interleaved && packet.dts.is_none() && !rules.no_timestamps {
            notes.fire("WF-40", at, || "refused: no dts to interleave by".into());
            return Err(PacketError::NoDts);
        }
        Ok(())
    }

    /// When the stream's next packet is expected, in its time base (WF-38). `None` without such a stream, or when the
    /// last packet had no dts.
    pub fn end(&self, stream: usize) -> Option<Ticks> {
        let value = self.streams.get(stream)?.clock.value();
        (value != UNKNOWN).then_some(Ticks(value))
    }

    /// Whether times were missing so far, and had to be derived or left out (WF-31).
    pub fn warned(&self) -> bool {
        self.warned
    }
}

impl Stream {
    fn new(info: &StreamInfo) -> Self {
        let clock = match &info.media {
            Media::Audio(audio) => Clock::audio(info.time_base, audio.rate()),
            Media::Video(_) => Clock::video(info.time_base),
            _ => Clock::still(),
        };
        Self {
            attachment: info.takes_no_packets(),
            all_key: all_key(info.codec),
            reorder: info.as_video().map_or(0, |video| usize::from(video.reorder)),
            last_dts: UNKNOWN,
            clock,
            window: [UNKNOWN; MAX_REORDER + 1],
            given: 0,
            info: info.clone(),
        }
    }

    /// WF-28…WF-30.
    fn guess_duration(&self, packet: &mut Packet, frame: Option<u32>, at: At, notes: &mut Notes) {
        let kind = self.info.media.kind();
        if let Some(Ticks(negative @ ..0)) = packet.duration
            && kind != Kind::Subtitle
        {
            notes.fire("WF-28", at, || format!("duration {negative} := 0, it is negative"));
            packet.duration = None;
        }
        if packet.duration.is_some_and(|duration| duration.0 != 0) {
            return;
        }
        let (rule, guess) = match kind {
            Kind::Video => ("WF-29", self.picture_duration()),
            Kind::Audio => ("WF-30", self.samples_duration(packet, frame)),
            _ => return,
        };
        if guess != 0 {
            packet.duration = Some(Ticks(guess));
            notes.fire(rule, at, || format!("duration := {guess}"));
        }
    }

    fn picture_duration(&self) -> i64 {
        let base = self.info.time_base;
        match self.info.as_video().and_then(|video| video.frame_rate) {
            Some((num, den)) if num > 0 && den > 0 => {
                let num = u64::from(num) * u64::from(base.num.get());
                i64::try_from(u64::from(den) * u64::from(base.den.get()))
                    .map_or(0, |ticks| scale(ticks, 1, num, Rounding::Near))
            }
            _ => i64::from(u64::from(base.num.get()) * 1000 > u64::from(base.den.get())),
        }
    }

    fn samples_duration(&self, packet: &Packet, frame: Option<u32>) -> i64 {
        let rate = self.info.as_audio().map_or(0, |audio| audio.rate());
        match TimeBase::new(1, rate) {
            Some(base) => base.rescale(Ticks(self.samples(packet, frame)), self.info.time_base, Rounding::Near).0,
            None => 0,
        }
    }

    fn samples(&self, packet: &Packet, frame: Option<u32>) -> i64 {
        match (frame, self.info.as_audio()) {
            (Some(samples), _) => i64::from(samples),
            (None, Some(audio)) => samples(self.info.codec, audio, self.info.bit_rate, packet.data.len()),
            (None, None) => 0,
        }
    }

    /// WF-32…WF-34.
    fn derive(&mut self, packet: &mut Packet, at: At, notes: &mut Notes) {
        let reorder = self.reorder;
        if let (None, Some(dts), 0) = (packet.pts, packet.dts, reorder) {
            packet.pts = Some(dts);
            notes.fire("WF-32", at, || format!("pts := dts {dts}"));
        }
        if packet.dts.is_none() && reorder == 0 && packet.pts.unwrap_or_default().0 == 0 {
            let next = Ticks(self.clock.value());
            (packet.pts, packet.dts) = (Some(next), Some(next));
            notes.fire("WF-33", at, || format!("pts := dts := {next}, where the packet before ends"));
        }
        if let (Some(pts), None) = (packet.pts, packet.dts)
            && reorder <= MAX_REORDER
        {
            let dts = Ticks(self.slide(pts, packet.duration.unwrap_or_default()));
            packet.dts = Some(dts);
            notes.fire("WF-34", at, || format!("dts := {dts}, the lowest of the last {} pts", reorder + 1));
        }
    }

    /// Puts `pts` into the reorder buffer and takes the lowest value out of it (WF-34).
    fn slide(&mut self, pts: Ticks, duration: Ticks) -> i64 {
        let delay = self.reorder as i64;
        let slots = self.window.get_mut(..=self.reorder).unwrap_or_default();
        let mut missing = 0i64;
        for slot in slots.iter_mut().skip(1).take_while(|slot| **slot == UNKNOWN) {
            missing += 1;
            *slot = pts.0.saturating_add(duration.0.saturating_mul(missing - delay - 1));
        }
        let Some(first) = slots.first_mut() else { return pts.0 };
        *first = pts.0;
        let mut rest = slots;
        while let [a, b, ..] = rest
            && *a > *b
        {
            core::mem::swap(a, b);
            rest = rest.get_mut(1..).unwrap_or_default();
        }
        self.window.first().copied().unwrap_or(pts.0)
    }

    /// WF-35, WF-36. The order is not checked after a dts of 0 either: that hole is the reference's.
    fn check(&self, packet: &Packet, rules: Rules) -> Result<(), PacketError> {
        let (last, dts) = (self.last_dts, packet.dts.map_or(UNKNOWN, |dts| dts.0));
        let strict = !rules.equal_dts && !matches!(self.info.media.kind(), Kind::Subtitle | Kind::Data);
        if last != UNKNOWN && last != 0 && (last > dts || (strict && last == dts)) {
            return Err(PacketError::DtsOrder { last: Some(last), dts: packet.dts.map(|dts| dts.0) });
        }
        match (packet.pts, packet.dts) {
            (Some(pts), Some(dts)) if pts < dts => Err(PacketError::PtsBeforeDts { pts: pts.0, dts: dts.0 }),
            _ => Ok(()),
        }
    }

    /// WF-37, WF-38.
    fn commit(&mut self, packet: &Packet, frame: Option<u32>) {
        self.last_dts = packet.dts.map_or(UNKNOWN, |dts| dts.0);
        self.clock.set(self.last_dts);
        match self.info.media.kind() {
            Kind::Audio if packet.data.is_empty() && frame.is_none() && self.clock.untouched() => {}
            Kind::Audio => {
                let samples = self.samples(packet, frame);
                self.clock.advance(i128::from(samples) * i128::from(self.info.time_base.den.get()));
            }
            Kind::Video => self.clock.tick(),
            _ => {}
        }
    }
}

fn rule(why: &PacketError) -> &'static str {
    match why {
        PacketError::NoSuchStream | PacketError::Attachment => "WF-21",
        PacketError::DtsOrder { .. } => "WF-35",
        PacketError::PtsBeforeDts { .. } => "WF-36",
        PacketError::NoDts => "WF-40",
    }
}

/// Whether every packet of a codec can be decoded alone (WF-22). Unknown codecs are not.
fn all_key(codec: Codec) -> bool {
    match codec.kind() {
        Kind::Video => matches!(codec, Codec::Mjpeg | Codec::RawVideo),
        _ => !matches!(codec, Codec::UnknownAudio | Codec::Data),
    }
}
