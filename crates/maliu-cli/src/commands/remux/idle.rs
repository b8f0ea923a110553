//! Options that change nothing, or not what they seem to: refused, or remarked.

use maliu::{
    copy::{Inputs, Jumps},
    formats,
    stream::{Codec, StreamInfo},
};

use super::{Args, is_hls};
use crate::failure::{Failure, Result};

impl Args {
    /// The format of all inputs, where the options name one: segments behind an initialization segment are MP4.
    pub(super) fn format_of_inputs(&self) -> Result<Option<String>> {
        const SEGMENTS: &str = formats::mp4::FORMAT.name;
        match (&self.init, &self.from) {
            (Some(_), Some(other)) if other != SEGMENTS => {
                Err(Failure::Usage(format!("--init joins segments of {SEGMENTS}, not of {other}")))
            }
            (Some(_), None) => Ok(Some(SEGMENTS.to_owned())),
            (_, from) => Ok(from.clone()),
        }
    }

    /// Refuses options that change nothing in this output.
    pub(super) fn refuse_idle(&self, output: &str) -> Result {
        let refused = |option: &str, why: &str| Err(Failure::Usage(format!("{option}: {output} {why}")));
        if self.write_layout.is_some() {
            return if self.settings.is_empty() {
                Ok(())
            } else {
                refused("-o", "is of a layout, which has no settings")
            };
        }
        let format = self.output_format(output)?;
        let without = |what| format!("has no {what}: {} stores packets only", format.name);
        match (format.rules.no_timestamps, self.copy_times, self.jumps) {
            (true, true, _) => refused("--copy-times", &without("times")),
            (true, _, Some(Jumps::Pass | Jumps::Restamp)) => refused("--jumps", &without("times")),
            _ => Ok(()),
        }
    }

    /// Refuses a playlist where packets are pushed into one file.
    pub(super) fn refuse_playlist(&self, output: &str) -> Result {
        match self.write_layout.is_none() && self.output_format(output).is_ok_and(is_hls) {
            true => {
                Err(Failure::Usage(format!("{output}: a playlist is written by remux; receive a file, then remux it")))
            }
            false => Ok(()),
        }
    }

    /// Compressed audio in a container that players expect PCM in.
    pub(super) fn hint(&self, inputs: &Inputs, output: &str) {
        let is_wav = self.write_layout.is_none() && self.output_format(output).is_ok_and(|format| format.name == "wav");
        let coded = |stream: &&StreamInfo| matches!(stream.codec, Codec::Aac | Codec::Ac3 | Codec::Eac3 | Codec::Dts);
        if let Some(stream) = inputs.streams().iter().find(coded).filter(|_| is_wav) {
            let codec = stream.codec;
            tracing::warn!("{output} holds {codec}, which many players do not expect; `maliu decode` writes PCM");
        }
    }
}
