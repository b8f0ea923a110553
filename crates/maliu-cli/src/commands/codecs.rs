//! `maliu codecs`: which codecs are known, and which of them can be decoded.

use maliu::stream::Codec;

use crate::{context::Context, failure::Result, output};

/// Lists the codecs that can be demuxed and those that can be decoded (D), to audio or to video frames.
#[derive(clap::Args)]
pub(crate) struct Args {}

/// Prints the list.
pub(super) fn run(_: Args, context: &Context) -> Result {
    output::print(context, |out| {
        for codec in Codec::ALL.iter().filter(|codec| codec.name() != "unknown") {
            let mark = if maliu_decode::decodes(*codec) || maliu_decode::pictures::decodes(*codec) { 'D' } else { '.' };
            writeln!(out, "{mark} {:<9} {:<16} {}", codec.kind().name(), codec.name(), codec.long_name())?;
        }
        Ok(())
    })
}
