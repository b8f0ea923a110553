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

use super::shaping::{self, Shape};
use crate::{
    failure::{Failure, Result},
    flac::FlacWriter,
    output::Target,
};

/// Container of the samples.
#[derive(Clone, Copy, Debug)]
pub(super) enum Container {
    /// The samples alone.
    Bare,
    /// FLAC, which is encoded.
    Flac,
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
        if matches!(name.as_str(), "flac" | "fla") {
            return match format {
                other if other == SampleFormat::F32Le || other.name().ends_with("be") => {
                    Err("holds whole numbers; name u8, s16le, s24le or s32le with --format".to_owned())
                }
                _ => Ok(Self::Flac),
            };
        }
        let mut formats = PcmWriter::formats(format.codec()).chain(PcmWriter::formats(format.big_endian().codec()));
        let wanted = formats::named(if name == "wave" { "wav" } else { &name });
        wanted
            .filter(|wanted| formats.any(|format| format.name == wanted.name))
            .map(Self::Of)
            .ok_or_else(|| format!("takes no {} samples; pcm and flac, {} do", format.name(), names(format)))
    }

    /// The byte order of `format` that it takes: some take whole numbers as big-endian only.
    pub(super) fn order(self, format: SampleFormat) -> SampleFormat {
        let takes = |container: &'static Format, format: SampleFormat| {
            PcmWriter::formats(format.codec()).any(|known| known.name == container.name)
        };
        match self {
            Self::Of(container) if !takes(container, format) => format.big_endian(),
            _ => format,
        }
    }

    /// The usual extension of a file of it.
    pub(super) fn extension(self) -> &'static str {
        match self {
            Self::Bare => "pcm",
            Self::Flac => "flac",
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
    shaping: shaping::Args,
    started: Option<Started>,
    buffer: Vec<u8>,
    /// Samples per channel in the buffer.
    buffered: i64,
}

/// State that the first frame has decided.
struct Started {
    converter: Converter,
    shape: Shape,
    writer: Writer,
}

/// Writes the container.
enum Writer {
    Bare,
    Pcm(Box<PcmWriter>),
    Flac(Box<FlacWriter>),
}

impl PcmFile {
    /// A file in which nothing stands yet; the first frame decides on rate and channels.
    pub(super) fn new(target: Target, container: Container, format: SampleFormat, shaping: shaping::Args) -> Self {
        Self { target, container, format, shaping, started: None, buffer: Vec::new(), buffered: 0 }
    }

    /// Whether anything was written.
    pub(super) fn is_started(&self) -> bool {
        self.started.is_some()
    }

    /// Writes the head for sound like that of `frame`, with tags.
    pub(super) fn start(&mut self, frame: &AudioFrame, tags: &Metadata) -> Result {
        let shape = Shape::new(&self.shaping, self.format, frame, tags)?;
        let mut audio = Audio::new(shape.rate, shape.channels);
        audio.channel_mask = shape.mask;
        let out = self.target.output();
        let writer = match self.container {
            Container::Bare => Writer::Bare,
            Container::Flac => Writer::Flac(FlacWriter::start(self.format, audio, tags, out).map_err(failed)?.into()),
            Container::Of(format) => {
                Writer::Pcm(PcmWriter::start(format, self.format.codec(), audio, tags, out).map_err(failed)?.into())
            }
        };
        self.started = Some(Started { converter: Converter::to_those_of(frame), shape, writer });
        Ok(())
    }

    /// Writes a frame; one of another rate or other channels than the first is converted.
    pub(super) fn write(&mut self, frame: AudioFrame, tags: &Metadata) -> Result {
        if self.started.is_none() {
            self.start(&frame, tags)?;
        }
        let Some(started) = &mut self.started else { return Ok(()) };
        let frames = started.converter.convert(frame).map_err(failed)?;
        frames.into_iter().try_for_each(|frame| self.shape(frame))
    }

    /// Writes what a frame of the first rate and channels becomes.
    fn shape(&mut self, frame: AudioFrame) -> Result {
        let Some(mut started) = self.started.take() else { return Ok(()) };
        let Started { shape, writer, .. } = &mut started;
        let end = shape.push(frame, |frame| {
            self.format.write(frame, &mut self.buffer);
            self.buffered += frame.len() as i64;
            match self.buffer.len() >= BLOCK {
                true => flush(&mut self.target, writer, &mut self.buffer, std::mem::take(&mut self.buffered)),
                false => Ok(()),
            }
        });
        self.started = Some(started);
        end
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
            self.shape(frame)?;
        }
        if let Some(frame) = self.started.as_mut().and_then(|started| started.shape.finish()) {
            self.format.write(&frame, &mut self.buffer);
            self.buffered += frame.len() as i64;
        }
        self.flush()?;
        match self.started.map(|started| started.writer) {
            Some(Writer::Pcm(writer)) => writer.finish(self.target.output()).map_err(failed)?,
            Some(Writer::Flac(writer)) => writer.finish(self.target.output()).map_err(failed)?,
            Some(Writer::Bare) | None => {}
        }
        self.target.finish()
    }

    fn flush(&mut self) -> Result {
        let samples = std::mem::take(&mut self.buffered);
        match &mut self.started {
            Some(started) => flush(&mut self.target, &mut started.writer, &mut self.buffer, samples),
            None => Ok(()),
        }
    }
}

/// Writes the samples of a buffer; `samples` is their number per channel.
fn flush(target: &mut Target, writer: &mut Writer, buffer: &mut Vec<u8>, samples: i64) -> Result {
    let bytes = std::mem::replace(buffer, Vec::with_capacity(BLOCK + BLOCK / 4));
    match writer {
        _ if samples == 0 => {}
        Writer::Pcm(writer) => writer.write(bytes, samples, target.output()).map_err(failed)?,
        Writer::Flac(writer) => writer.write(&bytes, target.output()).map_err(failed)?,
        Writer::Bare => target.output().append(Mark::Body { time: None }, [bytes.into()]),
    }
    target.pump()
}

fn failed(error: MediaError) -> Failure {
    Failure::Failed(error.to_string())
}

/// Bytes that are written at once.
const BLOCK: usize = 64 << 10;
