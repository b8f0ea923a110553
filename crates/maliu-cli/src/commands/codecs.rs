//! `maliu codecs`: which codecs are known, and which of them can be decoded.

use maliu::stream::Codec;
use serde_json::json;

use crate::{context::Context, failure::Result, output};

/// Lists the codecs that can be demuxed and those that can be decoded (D), to audio or to video frames.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// Prints the list.
pub(super) fn run(args: Args, context: &Context) -> Result {
    let known = || Codec::ALL.iter().filter(|codec| codec.name() != "unknown");
    let decodes = |codec: Codec| maliu_decode::decodes(codec) || maliu_decode::pictures::decodes(codec);
    if args.json {
        let one = |codec: &Codec| json!({ "name": codec.name(), "long_name": codec.long_name(), "type": codec.kind().name(), "decodes": decodes(*codec) });
        let list: Vec<_> = known().map(one).collect();
        return output::print(context, |out| Ok(writeln!(out, "{}", serde_json::Value::from(list))?));
    }
    output::print(context, |out| {
        for codec in known() {
            let mark = if decodes(*codec) { 'D' } else { '.' };
            writeln!(out, "{mark} {:<9} {:<16} {}", codec.kind().name(), codec.name(), codec.long_name())?;
        }
        Ok(())
    })
}
