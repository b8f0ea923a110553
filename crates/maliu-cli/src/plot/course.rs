//! The course of an input: bit rates, groups of pictures, level and spectrum over time.

use std::sync::Arc;

use maliu::{
    format::Event,
    packet::Packet,
    stream::{Kind, StreamInfo},
};
use maliu_decode::AudioFrame;
use rustfft::{Fft, FftPlanner, num_complex::Complex};

use super::bins::{Bins, Extent, Most, ROWS, Spectrum, Sum};
use crate::{
    failure::{Failure, Result},
    hear::Ear,
    input::Opened,
    loudness::{Facts, Loudness},
};

/// Everything that is drawn of an input.
#[derive(Default)]
pub(crate) struct Course {
    /// By stream.
    pub tracks: Vec<Track>,
    /// The first audio stream, if it can be decoded.
    pub sound: Option<Sound>,
    /// Length in seconds, of the longest stream.
    pub length: f64,
    /// Why the audio is not drawn.
    pub unheard: Option<String>,
}

/// The packets of one stream.
pub(crate) struct Track {
    pub kind: Kind,
    pub codec: &'static str,
    /// Bits by time in seconds.
    pub bits: Bins<Sum>,
    /// Frames of the group that begins at a time in seconds; video only.
    pub groups: Bins<Most>,
    group: Option<(f64, u32)>,
}

/// Decoded audio.
pub(crate) struct Sound {
    pub rate: u32,
    /// Samples of all channels by time in seconds.
    pub wave: Bins<Extent>,
    /// Power by time in seconds and frequency.
    pub spectra: Bins<Spectrum>,
    loudness: Loudness,
    held: Vec<f32>,
    samples: u64,
    /// Lowest and highest sample since `samples` was a multiple of `run`, which is a millisecond.
    extent: Extent,
    run: u64,
    fft: Arc<dyn Fft<f32>>,
    window: Vec<f32>,
}

/// Samples of a spectrum.
const WINDOW: usize = 2048;

/// Most streams that are drawn.
const MOST_STREAMS: usize = 64;

impl Course {
    /// Reads an input to its end. Audio is decoded with `listens`.
    pub(crate) fn of(opened: &mut Opened, listens: bool) -> Result<Self> {
        let mut course = Self::default();
        let mut ear = listens.then(|| Ear::new(None, 0));
        let mut start = None;
        while let Some(event) = opened.next()? {
            match &event {
                Event::Stream(index, info) => course.describe(*index, info),
                Event::Packet(packet) => course.packet(packet, &mut start),
                _ => {}
            }
            course.hear(&mut ear, |ear, put| ear.event(event, &opened.name, &mut |frame, _| put(frame)).map(|_| ()));
        }
        course.hear(&mut ear, |ear, put| ear.finish(&opened.name, &mut |frame, _| put(frame)));
        for track in &mut course.tracks {
            if let Some((time, frames)) = track.group.take() {
                track.groups.add(time, Most(frames));
            }
        }
        Ok(course)
    }

    /// The loudness of what was heard.
    pub(crate) fn loudness(&mut self) -> Option<Facts> {
        Some(std::mem::take(&mut self.sound.as_mut()?.loudness).facts())
    }

    fn describe(&mut self, index: usize, info: &StreamInfo) {
        if index >= MOST_STREAMS {
            return;
        }
        while self.tracks.len() <= index {
            let (bits, groups) = (Bins::new(0.1), Bins::new(0.01));
            self.tracks.push(Track { kind: Kind::Data, codec: "unknown", bits, groups, group: None });
        }
        (self.tracks[index].kind, self.tracks[index].codec) = (info.media.kind(), info.codec.name());
    }

    fn packet(&mut self, packet: &Packet, start: &mut Option<f64>) {
        let Some(track) = self.tracks.get_mut(packet.stream) else { return };
        let Some(time) = packet.dts.or(packet.pts).map(|time| packet.time_base.seconds(time)) else { return };
        let time = time - *start.get_or_insert(time);
        track.bits.add(time, Sum(packet.data.len() as f64 * 8.0));
        let lasts = packet.duration.map_or(0.0, |duration| packet.time_base.seconds(duration));
        self.length = self.length.max(time + lasts);
        if track.kind != Kind::Video {
            return;
        }
        match &mut track.group {
            Some((_, frames)) if !packet.is_key() => *frames += 1,
            group if packet.is_key() => {
                if let Some((begun, frames)) = group.replace((time, 1)) {
                    track.groups.add(begun, Most(frames));
                }
            }
            _ => {}
        }
    }

    /// Lets the ear work; audio that cannot be decoded is not drawn, and said.
    fn hear(
        &mut self,
        ear: &mut Option<Ear>,
        work: impl FnOnce(&mut Ear, &mut dyn FnMut(AudioFrame) -> Result<bool>) -> Result,
    ) {
        let Some(listening) = ear else { return };
        let sound = &mut self.sound;
        let mut put = |frame: AudioFrame| {
            if sound.is_none() {
                *sound = Some(Sound::new(&frame));
            }
            sound.iter_mut().try_for_each(|sound| sound.add(&frame)).map(|()| true)
        };
        if let Err(failure) = work(listening, &mut put) {
            self.unheard = Some(match failure {
                Failure::Failed(why) | Failure::Unread(why) | Failure::Usage(why) | Failure::Stopped(why) => why,
                Failure::BrokenPipe => String::new(),
            });
            *ear = None;
        }
    }
}

/// The weight of a sample of a spectrum.
fn hann(at: usize) -> f32 {
    0.5 - 0.5 * (at as f32 * std::f32::consts::TAU / WINDOW as f32).cos()
}

impl Sound {
    fn new(frame: &AudioFrame) -> Self {
        Self {
            rate: frame.sample_rate.max(1),
            wave: Bins::new(0.001),
            spectra: Bins::new(WINDOW as f64 / f64::from(frame.sample_rate.max(1))),
            loudness: Loudness::default(),
            held: Vec::with_capacity(WINDOW),
            samples: 0,
            extent: Extent::default(),
            run: u64::from(frame.sample_rate / 1000).max(1),
            fft: FftPlanner::new().plan_fft_forward(WINDOW),
            window: (0..WINDOW).map(hann).collect(),
        }
    }

    fn add(&mut self, frame: &AudioFrame) -> Result {
        self.loudness.add(frame)?;
        let channels = usize::from(frame.channels.max(1));
        let (seconds, share) = (1.0 / f64::from(self.rate), 1.0 / channels as f32);
        for set in frame.to_f32().chunks_exact(channels) {
            let Extent(low, high) = self.extent;
            let (low, high) = set.iter().fold((low, high), |(low, high), s| (low.min(*s), high.max(*s)));
            self.extent = Extent(low, high);
            self.held.push(set.iter().sum::<f32>() * share);
            self.samples += 1;
            if self.samples.is_multiple_of(self.run) {
                self.wave.add((self.samples - self.run) as f64 * seconds, std::mem::take(&mut self.extent));
            }
            if self.held.len() == WINDOW {
                self.transform((self.samples - 1) as f64 * seconds);
            }
        }
        Ok(())
    }

    fn transform(&mut self, time: f64) {
        let shaped = self.held.iter().zip(&self.window).map(|(sample, window)| Complex::new(sample * window, 0.0));
        let mut wave: Vec<Complex<f32>> = shaped.collect();
        self.held.clear();
        self.fft.process(&mut wave);
        let each = WINDOW / 2 / ROWS;
        // A full-scale sine has power 1.
        let scale = (4.0 / WINDOW as f32).powi(2);
        let power =
            |row: usize| wave[row * each..(row + 1) * each].iter().map(Complex::norm_sqr).fold(0.0, f32::max) * scale;
        self.spectra.add(time, Spectrum(std::array::from_fn(power), 1));
    }
}
