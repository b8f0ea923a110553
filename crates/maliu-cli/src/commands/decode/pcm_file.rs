//! Decoded sound on its way into one file of PCM, with or without a WAV head.

use maliu::output::{Mark, Reach};
use maliu_decode::{AudioFrame, Converter, SampleFormat};

use super::wav::Head;
use crate::{
    failure::{Failure, Result},
    output::Target,
};

/// What is around the samples.
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
    started: Option<(Converter, Head)>,
    data: u64,
    buffer: Vec<u8>,
    /// Whether each frame is written at once.
    live: bool,
}

impl PcmFile {
    /// A file in which nothing stands yet; the first frame decides on rate and channels.
    pub fn new(target: Target, container: Container, format: SampleFormat) -> Self {
        Self { target, container, format, started: None, data: 0, buffer: Vec::new(), live: false }
    }

    /// Writes each frame at once, for a listener who waits for it.
    pub fn live(mut self, live: bool) -> Self {
        self.live = live;
        self
    }

    /// Whether anything was written.
    pub fn is_started(&self) -> bool {
        self.started.is_some()
    }

    /// Writes the head for sound like that of `frame`.
    pub fn start(&mut self, frame: &AudioFrame) -> Result {
        let patched = self.target.output().reach() > Reach::Append;
        let head = Head::new(frame, self.format, patched);
        if self.container == Container::Wav {
            self.target.output().append(Mark::Header, [head.bytes(None).into()]);
        }
        self.started = Some((Converter::to_those_of(frame), head));
        Ok(())
    }

    /// Writes a frame; one of another rate or other channels than the first is converted.
    pub fn write(&mut self, frame: AudioFrame) -> Result {
        if self.started.is_none() {
            self.start(&frame)?;
        }
        let Some((converter, _)) = &mut self.started else { return Ok(()) };
        for frame in converter.convert(frame).map_err(|error| Failure::Failed(error.to_string()))? {
            self.put(&frame)?;
        }
        Ok(())
    }

    /// Whether `frame` has to be converted.
    pub fn differs(&self, frame: &AudioFrame) -> bool {
        self.started.as_ref().is_some_and(|(converter, _)| !converter.fits(frame))
    }

    /// Writes what is held back and completes the head.
    pub fn finish(mut self) -> Result {
        if let Some((mut converter, head)) = self.started.take() {
            if let Some(frame) = converter.finish() {
                self.put(&frame)?;
            }
            self.flush()?;
            if self.container == Container::Wav {
                let output = self.target.output();
                if self.data & 1 == 1 {
                    output.append(Mark::Trailer, [vec![0].into()]);
                }
                if output.reach() > Reach::Append {
                    output.overwrite(0, head.bytes(Some(self.data)).into());
                }
            }
        }
        self.target.finish()
    }

    fn put(&mut self, frame: &AudioFrame) -> Result {
        self.format.write(frame, &mut self.buffer);
        match self.live {
            true => {
                self.flush()?;
                self.target.flush()
            }
            false if self.buffer.len() >= BLOCK => self.flush(),
            false => Ok(()),
        }
    }

    fn flush(&mut self) -> Result {
        self.data += self.buffer.len() as u64;
        let bytes = std::mem::replace(&mut self.buffer, Vec::with_capacity(BLOCK + BLOCK / 4));
        self.target.output().append(Mark::Body { time: None }, [bytes.into()]);
        self.target.pump()
    }
}

/// Bytes that are written at once.
const BLOCK: usize = 64 << 10;
