//! PCM on its way into any container that takes it.

use bytes::Bytes;
use maliu_core::{
    error::Result,
    format::Format,
    formats,
    output::{Output, Reach},
    packet::Packet,
    stream::{Audio, Codec, Media, Metadata, StreamInfo},
    time::{Ticks, TimeBase},
    writer::{PacketWriter, Plan},
};

/// Writes interleaved samples, given in pieces of any length, as one stream of a container.
///
/// ```
/// use maliu::{Codec, formats::wav, output::Output, pcm::PcmWriter, stream::{Audio, Metadata}};
///
/// let mut out = Output::default();
/// let audio = Audio::new(8000, 1);
/// let mut writer = PcmWriter::start(&wav::FORMAT, Codec::PcmS16Le, audio, &Metadata::default(), &mut out)?;
/// writer.write(vec![0; 1600], 800, &mut out)?;
/// writer.finish(&mut out)?;
/// # Ok::<(), maliu::MediaError>(())
/// ```
pub struct PcmWriter {
    writer: PacketWriter,
    rate: TimeBase,
    /// Samples per channel that were written.
    at: i64,
}

impl PcmWriter {
    /// The formats that take `codec`, which is one of PCM, at 44.1 kHz in stereo, in the order of [`formats::ALL`].
    pub fn formats(codec: Codec) -> impl Iterator<Item = &'static Format> {
        let takes = move |format: &&&'static Format| {
            let (audio, tags) = (Audio::new(44_100, 2), Metadata::default());
            Self::start(format, codec, audio, &tags, &mut Output::new(Reach::Insert)).is_ok()
        };
        formats::ALL.iter().filter(takes).copied()
    }

    /// Begins a file of `format` with samples stored as `codec`, at the rate and in the channels of `audio`.
    /// The file does not name this program.
    ///
    /// # Errors
    /// As [`Plan::start`]: the format is only read, or takes no such samples.
    pub fn start(
        format: &'static Format,
        codec: Codec,
        audio: Audio,
        tags: &Metadata,
        out: &mut Output,
    ) -> Result<Self> {
        let rate = TimeBase::hz(audio.rate());
        let stream = StreamInfo::new(codec, rate, Media::Audio(audio));
        let plan = Plan::new(format, &[("bitexact", "1")], tags);
        Ok(Self { writer: plan.start(&[stream], out)?, rate, at: 0 })
    }

    /// Writes `samples` samples per channel.
    ///
    /// # Errors
    /// As [`PacketWriter::write`].
    pub fn write(&mut self, data: impl Into<Bytes>, samples: i64, out: &mut Output) -> Result<()> {
        let mut packet = Packet::new(0, Ticks(self.at), self.rate, data);
        packet.duration = Some(Ticks(samples));
        self.at = self.at.saturating_add(samples);
        self.writer.write(packet, out)
    }

    /// Completes the file.
    ///
    /// # Errors
    /// As [`PacketWriter::finish`].
    pub fn finish(self, out: &mut Output) -> Result<()> {
        self.writer.finish(out)
    }
}
