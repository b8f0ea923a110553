//! Takes everything and writes nothing: for measuring, and for checking timestamps.

use crate::{
    error::Result,
    format::{Format, Muxer, Rules, Score},
    output::Output,
    packet::Packet,
    settings::Settings,
    stream::{Metadata, StreamInfo},
};

/// The row.
pub const FORMAT: Format = Format {
    name: "null",
    long_name: "nothing is written",
    mime: &[],
    extensions: &[],
    probe: |_| Score::No("the null format is never read"),
    demuxer: None,
    muxer: Some(|pairs| {
        Settings::new(pairs, &[]).finish()?;
        Ok(alloc::boxed::Box::new(Null))
    }),
    settings: &[],
    rules: Rules { no_timestamps: true, no_output: true, no_order: true, other_codecs: true, ..Rules::STRICT },
    default_codecs: (None, None),
};

struct Null;

impl Muxer for Null {
    fn start(&mut self, _: &mut [StreamInfo], _: &Metadata, _: &mut Output) -> Result<()> {
        Ok(())
    }

    fn packet(&mut self, _: &Packet, _: &mut Output) -> Result<()> {
        Ok(())
    }

    fn takes_frames(&self) -> bool {
        true
    }

    fn finish(&mut self, _: &mut Output) -> Result<()> {
        Ok(())
    }
}
