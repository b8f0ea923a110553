//! Decoded sound on its way into one file of PCM, with or without a WAV head.

use maliu::{
    MediaError,
    format::Muxer,
    formats::wav,
    output::Mark,
    packet::Packet,
    stream::{Audio, Media, Metadata, StreamInfo},
    time::{Ticks, TimeBase},
};
use maliu_decode::{AudioFrame, Converter, SampleFormat};

use crate::{
    failure::{Failure, Result},
    output::Target,
};

/// Container of the samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Container {
    /// Nothing.
    Pcm,
    /// RIFF/WAVE, RF64 past 4 GiB.
    Wav,
}

/// A file of PCM being written.
pub struct PcmFile {
    target: Target,
    container: Container,
    format: SampleFormat,
    started: Option<Started>,
    buffer: Vec<u8>,
    /// Samples per channel in the buffer.
    buffered: i64,
}

/// State that the first frame has decided.
struct Started {
    converter: Converter,
    /// What writes around the samples, if anything does.
    muxer: Option<Box<dyn Muxer>>,
}

impl PcmFile {
    /// A file in which nothing stands yet; the first frame decides on rate and channels.
    pub fn new(target: Target, container: Container, format: SampleFormat) -> Self {
        Self { target, container, format, started: None, buffer: Vec::new(), buffered: 0 }
    }

    /// Whether anything was written.
    pub fn is_started(&self) -> bool {
        self.started.is_some()
    }

    /// Writes the head for sound like that of `frame`, with tags.
    pub fn start(&mut self, frame: &AudioFrame, tags: &Metadata) -> Result {
        let muxer = match self.container {
            Container::Pcm => None,
            Container::Wav => Some(self.wav(frame, tags).map_err(failed)?),
        };
        self.started = Some(Started { converter: Converter::to_those_of(frame), muxer });
        Ok(())
    }

    fn wav(&mut self, frame: &AudioFrame, tags: &Metadata) -> std::result::Result<Box<dyn Muxer>, MediaError> {
        let make = wav::FORMAT.muxer.ok_or_else(|| MediaError::unsupported("writing WAV"))?;
        let mut muxer = make(&[])?;
        let AudioFrame { sample_rate, channels, channel_mask, .. } = *frame;
        let audio = {
            let mut audio = Audio::new(sample_rate, channels);
            audio.channel_mask = channel_mask;
            Media::Audio(audio)
        };
        let mut streams = [StreamInfo::new(self.format.codec(), TimeBase::hz(sample_rate), audio)];
        muxer.start(&mut streams, tags, self.target.output())?;
        Ok(muxer)
    }

    /// Writes a frame; one of another rate or other channels than the first is converted.
    pub fn write(&mut self, frame: AudioFrame, tags: &Metadata) -> Result {
        if self.started.is_none() {
            self.start(&frame, tags)?;
        }
        let Some(started) = &mut self.started else { return Ok(()) };
        for frame in started.converter.convert(frame).map_err(failed)? {
            self.put(&frame)?;
        }
        Ok(())
    }

    /// Whether `frame` has to be converted.
    pub fn differs(&self, frame: &AudioFrame) -> bool {
        self.started.as_ref().is_some_and(|started| !started.converter.fits(frame))
    }

    /// Writes what waits, for a listener who waits for it.
    pub fn pause(&mut self) -> Result {
        if !self.buffer.is_empty() {
            self.flush()?;
        }
        self.target.flush()
    }

    /// Writes what is held back and completes the head.
    pub fn finish(mut self) -> Result {
        if let Some(frame) = self.started.as_mut().and_then(|started| started.converter.finish()) {
            self.put(&frame)?;
        }
        self.flush()?;
        if let Some(muxer) = self.started.as_mut().and_then(|started| started.muxer.as_mut()) {
            muxer.finish(self.target.output()).map_err(failed)?;
        }
        self.target.finish()
    }

    fn put(&mut self, frame: &AudioFrame) -> Result {
        self.format.write(frame, &mut self.buffer);
        self.buffered += frame.len() as i64;
        if self.buffer.len() >= BLOCK { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> Result {
        let bytes = std::mem::replace(&mut self.buffer, Vec::with_capacity(BLOCK + BLOCK / 4));
        let duration = Ticks(std::mem::take(&mut self.buffered));
        match self.started.as_mut().and_then(|started| started.muxer.as_mut()) {
            Some(muxer) => {
                let packet = Packet { data: bytes.into(), duration: Some(duration), ..Packet::default() };
                muxer.packet(&packet, self.target.output()).map_err(failed)?;
            }
            None => self.target.output().append(Mark::Body { time: None }, [bytes.into()]),
        }
        self.target.pump()
    }
}

fn failed(error: MediaError) -> Failure {
    Failure::Failed(error.to_string())
}

/// Bytes that are written at once.
const BLOCK: usize = 64 << 10;
