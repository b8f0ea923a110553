//! PCM as a WAV file that is handed out while it grows, for sockets and HTTP responses that cannot be sought.

use maliu_core::{
    error::Result,
    formats::wav,
    output::{Edit, Output, Reach},
    packet::Packet,
    stream::StreamInfo,
    writer::PacketWriter,
};

use crate::{AudioFrame, Converter, SampleFormat};

/// Takes frames of any rate and channels, gives the bytes of one WAV file of a fixed rate. The head declares no length,
/// as it does for every stream.
///
/// ```
/// use maliu_decode::{AudioFrame, SampleFormat, Samples, WavStream};
///
/// let mut wav = WavStream::new(8000, 1, SampleFormat::S16Le)?;
/// let (samples, time) = (Samples::F32(vec![0.25; 80]), None);
/// wav.push(AudioFrame::new(8000, 1, samples).at(time))?;
/// let mut file = wav.take();
/// file.extend(wav.finish()?);
/// assert!(file.starts_with(b"RIFF") && file.len() == 44 + 160);
/// # Ok::<(), maliu_core::error::Error>(())
/// ```
pub struct WavStream {
    format: SampleFormat,
    converter: Converter,
    writer: PacketWriter,
    output: Output,
}

impl WavStream {
    /// A file of this rate in Hz, number of channels and form of samples. The head can be taken at once.
    ///
    /// # Errors
    /// [`maliu_core::error::Error::Mux`] for what WAV cannot hold.
    pub fn new(sample_rate: u32, channels: u16, format: SampleFormat) -> Result<Self> {
        let mut output = Output::new(Reach::Append);
        let info = StreamInfo::audio(format.codec(), sample_rate, channels);
        let writer = PacketWriter::start(&wav::FORMAT, &[("bitexact", "1")], &[info], &mut output)?;
        Ok(Self { format, converter: Converter::new(sample_rate, channels), writer, output })
    }

    /// Puts a frame behind the others, converted where it differs.
    ///
    /// # Errors
    /// As [`Converter::convert`].
    pub fn push(&mut self, frame: AudioFrame) -> Result<()> {
        for frame in self.converter.convert(frame)? {
            self.put(&frame)?;
        }
        Ok(())
    }

    /// The bytes that are ready; empty when there is nothing new.
    pub fn take(&mut self) -> Vec<u8> {
        appended(&mut self.output)
    }

    /// The last bytes.
    ///
    /// # Errors
    /// As [`WavStream::push`].
    pub fn finish(mut self) -> Result<Vec<u8>> {
        if let Some(frame) = self.converter.finish() {
            self.put(&frame)?;
        }
        let Self { writer, mut output, .. } = self;
        writer.finish(&mut output)?;
        Ok(appended(&mut output))
    }

    fn put(&mut self, frame: &AudioFrame) -> Result<()> {
        let mut data = Vec::new();
        self.format.write(frame, &mut data);
        let packet = Packet::of(0, data);
        self.writer.write(packet, &mut self.output)
    }
}

/// All that was appended to an output that can only be appended to.
fn appended(output: &mut Output) -> Vec<u8> {
    let mut bytes = Vec::new();
    while let Some(edit) = output.next_edit() {
        if let Edit::Append(piece) = edit {
            piece.parts.iter().for_each(|part| bytes.extend_from_slice(part));
        }
    }
    bytes
}
