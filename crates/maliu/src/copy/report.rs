//! The result of a copy: what was left out or changed, or why it failed.

use super::Map;
use crate::error;

/// Why a copy failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An input cannot be read; what came before may have been written.
    #[error("input {index}: {error}")]
    Read {
        /// The number of the input, from 0.
        index: usize,
        /// The cause.
        error: error::Error,
    },
    /// The output cannot be written.
    #[error(transparent)]
    Write(error::Error),
    /// A choice of streams chooses no stream that was not chosen before.
    #[error("{0} selects no further stream")]
    Map(Map),
    /// No stream of the inputs fits the output format.
    #[error("there is no stream that {format} can carry")]
    NoStream {
        /// The short name of the output format.
        format: &'static str,
    },
    /// The output takes no stream of an input.
    #[error("nothing of it goes into the output: {format} takes other streams, or those that --map names")]
    Unused {
        /// The number of the input, from 0.
        index: usize,
        /// The short name of the output format.
        format: &'static str,
    },
    /// Every packet was refused or left out.
    #[error("no packet could be written")]
    NoPacket,
    /// No packet lies in the wanted part.
    #[error("no packet lies between the start and the end of the wanted part")]
    EmptyWindow,
}

/// Packets that were left out or changed on the way.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Report {
    /// The name of the output in the lines.
    pub name: String,
    /// By output stream.
    pub streams: Vec<StreamReport>,
    /// Packets that the output format cannot carry and that were left out.
    pub refused: u64,
    /// Whether a jump of time has ended an input: [`Jumps::Cut`](super::Jumps::Cut).
    pub cut: bool,
}

/// Packets of one stream that were left out or changed.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct StreamReport {
    /// Packets that came before the first keyframe and were left out.
    pub leading: u64,
    /// Packets whose times were moved to keep dts rising and not above pts.
    pub moved: u64,
    /// Jumps of time that were closed, or that ended the input.
    pub jumps: u64,
}

impl Report {
    /// The report as sentences; none when the copy is exact.
    pub fn lines(&self) -> Vec<String> {
        let name = &self.name;
        let mut lines = Vec::new();
        for (index, stream) in self.streams.iter().enumerate() {
            let StreamReport { leading, moved, jumps } = stream;
            if *leading > 0 {
                lines.push(format!("{name}: stream {index}: {leading} packets before the first keyframe left out"));
            }
            if *moved > 0 {
                lines.push(format!("{name}: stream {index}: {moved} packets moved to keep dts rising and below pts"));
            }
            if *jumps > 0 && self.cut {
                lines.push(format!("{name}: stream {index}: the times jump: what follows is left out (--jumps cut)"));
            } else if *jumps > 0 {
                let plural = if *jumps == 1 { "" } else { "s" };
                lines.push(format!("{name}: stream {index}: closed {jumps} jump{plural} of time (--jumps restamp)"));
            }
        }
        lines
    }
}
