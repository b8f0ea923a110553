//! Shell of all decoders: silence for damaged packets, gapless trim, times, changes of configuration.

use std::{ops::Range, time::Duration};

use maliu_core::{
    error::{Error, Result},
    packet::Packet,
    stream::{Media, StreamInfo},
    time::{Rounding, Ticks, TimeBase},
};

use crate::{
    AudioFrame, Decoder, Fault, Options, Profile, Report, Samples, Unit, mpeg_audio, outcome::Outcome, unit_for,
};

/// One stream being decoded.
pub(crate) struct Track {
    stream: Stream,
    unit: Box<dyn Unit>,
    finish: Finish,
}

/// Facts that a stream declares of itself, followed from packet to packet.
pub(crate) struct Stream(pub(crate) StreamInfo);

/// The way from outcomes to frames: trim, silence for damage, times, and the report.
pub(crate) struct Finish {
    options: Options,
    report: Report,
    /// Samples per channel still to be dropped.
    trim: usize,
    /// The only span of time whose sound is wanted.
    keep: Option<Range<Ticks>>,
    /// Its end was reached.
    past: bool,
    /// The last good frame without its samples, and how many it had per channel.
    last: Option<(AudioFrame, usize)>,
}

impl Track {
    pub(crate) fn new(info: &StreamInfo, options: Options) -> Result<Self> {
        let unit = unit_for(info, options)?;
        Ok(Self { stream: Stream(info.clone()), unit, finish: Finish::new(options) })
    }
}

impl Stream {
    /// Takes over what the packet says about itself and those after it; true when they need another decoder.
    pub(crate) fn follow(&mut self, packet: &Packet) -> bool {
        // Live streams repeat their configuration; only another one starts anew.
        let config = packet.side.new_config().filter(|config| **config != self.0.config);
        let known = self.0.as_audio().map(|audio| (audio.rate(), audio.channel_count()));
        let audio = packet.side.new_audio().filter(|audio| Some(*audio) != known);
        if config.is_none() && audio.is_none() {
            return false;
        }
        if let Some(config) = config {
            self.0.config = config.clone();
        }
        if let (Some((sample_rate, channels)), Media::Audio(known)) = (audio, &mut self.0.media) {
            known.set_sample_rate(sample_rate);
            known.set_channels(channels);
        }
        // Every MPEG audio frame says what it is, and later ones may need the data of those before the change.
        !mpeg_audio::CODECS.contains(&self.0.codec)
    }
}

impl Finish {
    pub(crate) fn new(options: Options) -> Self {
        Self { options, report: Report::default(), trim: 0, keep: None, past: false, last: None }
    }

    /// The frame of a packet, or silence in its place.
    pub(crate) fn frame(&mut self, info: &StreamInfo, packet: &Packet, outcome: Outcome) -> Result<Option<AudioFrame>> {
        let Outcome { sound, concealed, length, delay, overshoots, .. } = outcome;
        let mut frame = match sound {
            Ok(frame) if frame.is_empty() => return Ok(None),
            Ok(frame) => {
                let shell = AudioFrame { samples: Samples::F32(Vec::new()), ..frame };
                self.last = Some((shell, frame.len()));
                frame
            }
            Err(Fault::Unsupported(what)) => return Err(Error::unsupported(what)),
            Err(Fault::Damaged(why)) => {
                self.report.damaged += 1;
                self.report.first_damage.get_or_insert(why);
                match concealed.or_else(|| self.silence(info, packet, length)) {
                    Some(frame) => frame,
                    None => return Ok(None),
                }
            }
        };
        frame.time = packet.pts.or(packet.dts);
        if self.options.gapless {
            self.cut(info, packet, delay, &mut frame);
        }
        self.confine(info, &mut frame);
        if overshoots {
            self.report.clamped += frame.clamp();
        }
        Ok(if frame.is_empty() { None } else { Some(frame) })
    }

    pub(crate) fn reset(&mut self) {
        (self.trim, self.keep, self.past) = (0, None, false);
    }

    pub(crate) fn keep(&mut self, span: Range<Ticks>) {
        (self.keep, self.past) = (Some(span), false);
    }

    /// Drops what is outside the span to keep.
    fn confine(&mut self, info: &StreamInfo, frame: &mut AudioFrame) {
        let (Some(span), Some(time)) = (&self.keep, frame.time) else { return };
        let rate = TimeBase::hz(frame.sample_rate);
        let samples =
            |to: Ticks| usize::try_from(info.time_base.rescale(to - time, rate, Rounding::Near).0).unwrap_or(0);
        let (start, end) = (samples(span.start), samples(span.end));
        self.past |= end <= frame.len();
        frame.truncate(end);
        frame.drop_front(start);
        frame.time = Some(time.max(span.start));
    }

    pub(crate) fn report(&self) -> Report {
        self.report.clone()
    }

    /// Silence as long as the packet would have been; `None` when that length is not known.
    fn silence(&self, info: &StreamInfo, packet: &Packet, length: Option<usize>) -> Option<AudioFrame> {
        let audio = info.as_audio().cloned().unwrap_or_default();
        let mut frame = match &self.last {
            Some((last, _)) => last.clone(),
            None if audio.rate() == 0 || audio.channel_count() == 0 => return None,
            None => AudioFrame::new(audio.rate(), audio.channel_count(), Samples::F32(Vec::new()))
                .with_channel_mask(audio.channel_mask),
        };
        let base = TimeBase::hz(frame.sample_rate);
        let lasts = info.time_base.rescale(packet.duration.unwrap_or_default(), base, Rounding::Near).0;
        let lasts = usize::try_from(lasts).ok().filter(|samples| (1..=MAX_SILENCE).contains(samples));
        let fixed = usize::try_from(audio.frame_size).ok().filter(|size| (1..=MAX_SILENCE).contains(size));
        let before = self.last.as_ref().map(|(_, len)| *len);
        let channels = usize::from(frame.channels);
        let len = length.or(lasts).or(fixed).or(before)?.min(MAX_SILENT_SAMPLES / channels.max(1));
        frame.samples = Samples::F32(vec![0.0; len * channels]);
        Some(frame)
    }

    fn cut(&mut self, info: &StreamInfo, packet: &Packet, delay: usize, frame: &mut AudioFrame) {
        let trim = packet.side.trim();
        self.trim = self.trim.saturating_add(trim.start as usize).saturating_add(delay);
        frame.truncate(frame.len().saturating_sub(trim.end as usize));
        let dropped = self.trim.min(frame.len());
        frame.drop_front(dropped);
        self.trim -= dropped;
        let base = TimeBase::hz(frame.sample_rate);
        let late = base.rescale(Ticks(dropped as i64), info.time_base, Rounding::Near);
        frame.time = frame.time.map(|time| time + late);
    }
}

impl Decoder for Track {
    fn decode(&mut self, packet: &Packet) -> Result<Option<AudioFrame>> {
        if self.stream.follow(packet) {
            self.unit = unit_for(&self.stream.0, self.finish.options)?;
        }
        let outcome = Outcome::of(&mut *self.unit, packet);
        self.finish.frame(&self.stream.0, packet, outcome)
    }

    fn reset(&mut self) {
        self.unit.reset();
        self.finish.reset();
    }

    fn keep(&mut self, span: Range<Duration>) {
        let time = |time| Ticks::from_duration(time, self.stream.0.time_base);
        self.finish.keep(time(span.start)..time(span.end));
    }

    fn is_past(&self) -> bool {
        self.finish.past
    }

    fn report(&self) -> Report {
        self.finish.report()
    }

    fn profile(&self) -> Option<Profile> {
        self.unit.profile()
    }
}

/// Most samples per channel of silence in place of one packet; longer ones are not believed.
const MAX_SILENCE: usize = 1 << 16;

/// Most samples of all channels together of silence in place of one packet.
const MAX_SILENT_SAMPLES: usize = 1 << 22;

#[cfg(test)]
mod tests {
    use maliu_core::stream::{Audio, Codec};

    use super::*;

    fn track(codec: Codec, gapless: bool) -> Track {
        let mut audio = Audio::new(8000, 1);
        audio.block_align = 36;
        let options = Options { gapless, ..Options::default() };
        Track::new(&StreamInfo::new(codec, TimeBase::MILLIS, Media::Audio(audio)), options).unwrap()
    }

    fn packet(data: &[u8], pts: i64, trim: (u32, u32)) -> Packet {
        let mut packet = Packet::of(0, data.to_vec()).with_pts(Ticks(pts));
        packet.side.set_trim(maliu_core::packet::Trim { start: trim.0, end: trim.1 });
        packet
    }

    #[test]
    fn trim_goes_on_through_packets_and_moves_the_time() {
        let mut track = track(Codec::PcmU8, true);
        assert_eq!(track.decode(&packet(&[128; 80], 0, (120, 0))), Ok(None));
        let frame = track.decode(&packet(&[128; 80], 10, (0, 8))).unwrap().unwrap();
        assert_eq!((frame.len(), frame.time), (32, Some(Ticks(15))));
        let whole = track_off().decode(&packet(&[128; 80], 0, (120, 8))).unwrap().unwrap();
        assert_eq!(whole.len(), 80);
    }

    fn track_off() -> Track {
        track(Codec::PcmU8, false)
    }

    #[test]
    fn damage_becomes_silence_of_the_length_before_and_is_counted() {
        let mut track = track(Codec::AdpcmImaWav, true);
        let good = track.decode(&packet(&[0; 36], 0, (0, 0))).unwrap().unwrap();
        let bad = track.decode(&packet(&[0, 0, 89, 0, 0, 0, 0, 0], 8, (0, 0))).unwrap().unwrap();
        assert_eq!((good.len(), bad.len(), bad.time), (65, 65, Some(Ticks(8))));
        assert_eq!(bad.samples, Samples::F32(vec![0.0; 65]));
        let report = track.report();
        assert_eq!((report.damaged, report.first_damage.as_deref()), (1, Some("adpcm: step index over 88")));
    }

    #[test]
    fn silence_is_bounded_for_all_channels_together() {
        let described = |channels| {
            let mut audio = Audio::new(44_100, channels);
            audio.block_align = 36;
            StreamInfo::new(Codec::AdpcmMs, TimeBase::MILLIS, Media::Audio(audio))
        };
        assert!(matches!(Track::new(&described(65_535), Options::default()), Err(Error::Limit { limit: 512, .. })));
        let mut track = Track::new(&described(512), Options::default()).unwrap();
        let damaged = packet(&[7], 0, (0, 0)).with_duration(Ticks(1_400));
        let frame = track.decode(&damaged).unwrap().unwrap();
        assert_eq!(frame.samples.len(), MAX_SILENT_SAMPLES);
        // On the way, too.
        let mut wider = packet(&[0; 36], 0, (0, 0));
        wider.side.set_new_audio(44_100, 65_535);
        assert!(matches!(track.decode(&wider), Err(Error::Limit { .. })));
    }

    #[test]
    fn a_packet_of_any_size_does_not_become_any_number_of_samples() {
        let mut audio = Audio::new(8000, 1);
        audio.bits_per_sample = 2;
        let info = StreamInfo::new(Codec::G726, TimeBase::MILLIS, Media::Audio(audio));
        let mut track = Track::new(&info, Options::default()).unwrap();
        let huge = packet(&vec![0; crate::MAX_PACKET + 1], 0, (0, 0)).with_duration(Ticks(20));
        assert_eq!(track.decode(&huge).unwrap().map(|frame| frame.len()), Some(160));
        assert_eq!(track.report().damaged, 1);
    }
}
