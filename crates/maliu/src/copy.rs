//! Copies packets of one or more inputs into another container, without decoding.
//!
//! ```text
//!   Reader ─▶ Feed ─┐ the feed that is       ┌▶ window, zero, order of dts ─▶ PacketWriter ─▶ Sink
//!   Reader ─▶ Feed ─┴ earliest in time goes ─┘
//! ```
//!
//! [`run`] does it in one call. To show progress, or to stop early, take the steps one by one: [`Inputs::open`] reads
//! until the streams are known and chooses among them, [`Inputs::start`] writes what stands before the first packet,
//! [`Copy::step`] writes one packet and [`Copy::finish`] completes the output. [`Recorder`] takes events that are pushed.
//!
//! ```
//! use maliu::{blocking::Reader, copy, formats, io::AtomicFile};
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let path = std::env::temp_dir().join(format!("maliu-copy-{}.flv", std::process::id()));
//! let video = Reader::open("samples/h264/b_frames.h264")?;
//! let audio = Reader::open("samples/adts/stereo_44100.aac")?;
//! let out = AtomicFile::create(&path)?;
//! let report = copy::run([video, audio], &formats::flv::FORMAT, out, copy::Options::default())?;
//! assert_eq!(report.streams.len(), 2);
//! assert!(report.lines().is_empty(), "the copy is exact");
//! # std::fs::remove_file(path)?;
//! # Ok(()) }
//! ```

use maliu_core::{
    format::{Format, Muxer},
    stream::Metadata,
    time::Ticks,
    writer::Plan,
};

use crate::io::Sink;

mod facts;
mod feed;
mod job;
mod lead;
mod map;
mod pace;
mod recorder;
mod report;
mod times;

pub use feed::Feed;
pub use job::{Copy, Inputs, Step};
pub use maliu_core::timing::jumps::{JUMP, Jumps, Timeline};
pub use map::Map;
pub use pace::Pace;
pub use recorder::{Completion, Recorder};
pub use report::{Error, Report, StreamReport};

/// How packets are copied.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Options {
    /// The name of the output in warnings.
    pub name: String,
    /// Settings of the writer ([`SETTINGS`](crate::writer::SETTINGS)) and of the output format.
    pub settings: Vec<(String, String)>,
    /// The streams to take, in this order. Empty: video, then audio; or the first stream of its kind for a format that
    /// carries one kind only.
    pub map: Vec<Map>,
    /// Leave out what comes before this time, in µs from the first time of each input (from 0 when that is negative).
    /// Video begins at the keyframe before it.
    pub start: Option<Ticks>,
    /// Stop after this much time of each input, in µs.
    pub duration: Option<Ticks>,
    /// Keep the times of the inputs; otherwise each input begins at 0.
    pub copy_times: bool,
    /// Policy where the times of a stream step back, or ahead of all streams of its input, by more than 3 s. Smaller
    /// steps back are moved as far as the output needs it. `None`: [`Jumps::Restamp`], but [`Jumps::Pass`] where the times
    /// of the inputs are kept.
    pub jumps: Option<Jumps>,
    /// Write packets in the order of their dts; otherwise in the order in which they are read.
    pub interleave: bool,
    /// Write packets when their time has come, not as fast as possible.
    pub pace: bool,
    /// Read ahead no more than one second, and flush the sink after every packet.
    pub low_latency: bool,
    /// Note which rule changed or refused which packet, and why; fetch the notes with [`Copy::take_notes`].
    pub explain: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            name: "output".to_owned(),
            settings: Vec::new(),
            map: Vec::new(),
            start: None,
            duration: None,
            copy_times: false,
            jumps: None,
            interleave: true,
            pace: false,
            low_latency: false,
            explain: false,
        }
    }
}

/// The container to write: a format of [`formats::ALL`](crate::formats::ALL), or messages of a layout.
pub struct To {
    format: &'static Format,
    /// The muxer; made by the format when there is none.
    muxer: Option<Box<dyn Muxer>>,
    /// A packet that cannot be carried is the end: it would go missing in a protocol that does not say so.
    strict: bool,
}

impl To {
    /// A muxer of the caller's own, presented as `format`.
    pub fn muxer(format: &'static Format, muxer: Box<dyn Muxer>) -> Self {
        Self { format, muxer: Some(muxer), strict: false }
    }

    /// Whether these settings are known and fit, which is known before the inputs are.
    ///
    /// # Errors
    /// [`Error::Write`].
    pub fn check(&self, settings: &[(String, String)]) -> Result<(), Error> {
        if self.muxer.is_some() {
            return Ok(());
        }
        let settings: Vec<_> = settings.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let metadata = Metadata::default();
        Plan::new(self.format, &settings, &metadata).check().map_err(|error| Error::Write(error.into()))
    }
}

impl From<&'static Format> for To {
    fn from(format: &'static Format) -> Self {
        Self { format, muxer: None, strict: false }
    }
}

#[cfg(feature = "layout")]
impl From<crate::layout::Writer> for To {
    fn from(writer: crate::layout::Writer) -> Self {
        Self { strict: true, ..Self::muxer(&crate::layout::FORMAT, Box::new(writer)) }
    }
}

/// Copies `inputs` to `sink` and completes it. When reading an input fails, what was good before is still written.
///
/// # Errors
/// See [`Inputs::open`], [`Inputs::start`], [`Copy::step`] and [`Copy::finish`].
pub fn run<S: Sink>(
    inputs: impl IntoIterator<Item = impl Into<Feed>>,
    to: impl Into<To>,
    sink: S,
    options: Options,
) -> Result<Report, Error> {
    let mut copy = Inputs::open(inputs, to, options)?.start(sink)?;
    let end = loop {
        match copy.step() {
            Ok(Step::End) => break Ok(()),
            Ok(_) => {}
            Err(error) => break Err(error),
        }
    };
    let (report, end) = copy.finish(end);
    end.map(|_| report)
}
