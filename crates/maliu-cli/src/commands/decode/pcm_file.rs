//! Decoded audio on its way into one file of PCM, bare or in a container.

use maliu::{
    MediaError,
    format::Format,
    formats,
    output::Mark,
    pcm::PcmWriter,
    stream::{Audio, Metadata},
};
use maliu_decode::{AudioFrame, Converter, SampleFormat};

use crate::{
    failure::{Failure, Result},
    output::Target,
};

/// Container of the samples.
#[derive(Clone, Copy, Debug)]
pub(super) enum Container {
    /// The samples alone.
    Bare,
    /// A format that takes PCM.
    Of(&'static Format),
}

impl Container {
    /// RIFF/WAVE, RF64 past 4 GiB.
    pub(super) const WAV: Self = Self::Of(&formats::wav::FORMAT);

    /// The container of a name or extension, for samples stored in `format`.
    pub(super) fn named(name: &str, format: SampleFormat) -> std::result::Result<Self, String> {
        let name = name.to_ascii_lowercase();
        if matches!(name.as_str(), "pcm" | "raw") {
            return Ok(Self::Bare);
        }
        let mut formats = PcmWriter::formats(format.codec());
        let wanted = formats::named(if name == "wave" { "wav" } else { &name });
        wanted
            .filter(|wanted| formats.any(|format| format.name == wanted.name))
            .map(Self::Of)
            .ok_or_else(|| format!("takes no {} samples; pcm and {} do", format.name(), names(format)))
    }

    /// The usual extension of a file of it.
    pub(super) fn extension(self) -> &'static str {
        match self {
            Self::Bare => "pcm",
            Self::Of(format) => format.extensions.first().copied().unwrap_or(format.name),
        }
    }
}

/// The names of all formats that take samples stored in `format`.
fn names(format: SampleFormat) -> String {
    PcmWriter::formats(format.codec()).map(|format| format.name).collect::<Vec<_>>().join(", ")
}

/// A file of PCM being written.
pub(super) struct PcmFile {
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
    /// Writes the container, if there is one.
    writer: Option<PcmWriter>,
}

impl PcmFile {
    /// A file in which nothing stands yet; the first frame decides on rate and channels.
    pub(super) fn new(target: Target, container: Container, format: SampleFormat) -> Self {
        Self { target, container, format, started: None, buffer: Vec::new(), buffered: 0 }
    }

    /// Whether anything was written.
    pub(super) fn is_started(&self) -> bool {
        self.started.is_some()
    }

    /// Writes the head for sound like that of `frame`, with tags.
    pub(super) fn start(&mut self, frame: &AudioFrame, tags: &Metadata) -> Result {
        let writer = match self.container {
            Container::Bare => None,
            Container::Of(format) => {
                let mut audio = Audio::new(frame.sample_rate, frame.channels);
                audio.channel_mask = frame.channel_mask;
                let writer = PcmWriter::start(format, self.format.codec(), audio, tags, self.target.output());
                Some(writer.map_err(failed)?)
            }
        };
        self.started = Some(Started { converter: Converter::to_those_of(frame), writer });
        Ok(())
    }

    /// Writes a frame; one of another rate or other channels than the first is converted.
    pub(super) fn write(&mut self, frame: AudioFrame, tags: &Metadata) -> Result {
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
    pub(super) fn differs(&self, frame: &AudioFrame) -> bool {
        self.started.as_ref().is_some_and(|started| !started.converter.fits(frame))
    }

    /// Writes what waits, for a listener who waits for it.
    pub(super) fn pause(&mut self) -> Result {
        if !self.buffer.is_empty() {
            self.flush()?;
        }
        self.target.flush()
    }

    /// Writes what is held back and completes the head.
    pub(super) fn finish(mut self) -> Result {
        if let Some(frame) = self.started.as_mut().and_then(|started| started.converter.finish()) {
            self.put(&frame)?;
        }
        self.flush()?;
        if let Some(writer) = self.started.and_then(|started| started.writer) {
            writer.finish(self.target.output()).map_err(failed)?;
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
        let samples = std::mem::take(&mut self.buffered);
        match self.started.as_mut().and_then(|started| started.writer.as_mut()) {
            Some(_) if samples == 0 => {}
            Some(writer) => writer.write(bytes, samples, self.target.output()).map_err(failed)?,
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
