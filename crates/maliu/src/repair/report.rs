//! Repairs, and streams that were left out with the reason.

use maliu_core::{
    formats::mpegts::mend,
    remark::{Remark, Warning},
};

/// Result of a repair.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Report {
    /// Streams that were left out whole.
    pub streams: Vec<LeftOut>,
    /// Steps back in time that were closed.
    pub back: u64,
    /// Jumps ahead in time that were closed.
    pub jumps: u64,
    /// Single times off their stream's line that were put back on it.
    pub strays: u64,
    /// Packets shown before they are decoded that were moved to their dts.
    pub below: u64,
    /// Video packets before the first keyframe that were left out.
    pub leading: u64,
    /// Packets that the end of the input cuts, left out.
    pub cut: u64,
    /// Of Matroska, WebM, Ogg and FLAC: packets that are damaged, left out.
    pub damaged: u64,
    /// Of these: whether the file ends inside an element, page or frame.
    pub ends_early: bool,
    /// Of these: whether the length was not stated, as of a recording that was not closed.
    pub unstated: bool,
    /// Packets that the format cannot carry, left out, and why the first of them.
    pub refused: (u64, String),
    /// Sizes behind tags that were wrong.
    pub sizes: u64,
    /// Bytes that are no tags, left out.
    pub junk: u64,
    /// Configurations of another form than the format's, made anew.
    pub forms: u64,
    /// Configurations that came again or late, written once where they belong.
    pub moved: u64,
    /// Other remarks of the reader.
    pub(super) remarks: Vec<String>,
    /// Configurations that cannot be read, left out.
    pub configs: u64,
    /// Video packets and sequence headers whose start codes became lengths.
    pub converted: u64,
    /// Number of bytes that was added to the offsets in the tables of an MP4 file.
    pub offsets: i64,
    /// Of an MP4 file: how far before the time 0 it began, in µs; all times were moved on until it begins at 0.
    pub early: i64,
    /// Of an MP4 file whose index was rebuilt: NAL units of video, units of audio, and bytes that belong to no stream.
    pub rebuilt: Option<(u64, u64, u64)>,
    /// Of a transport stream.
    pub transport: Option<mend::Report>,
    /// Why reading ended before the end of the input.
    pub stopped: Option<String>,
}

/// A stream that was left out.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LeftOut {
    /// Its number in the input.
    pub stream: usize,
    /// How many packets it has.
    pub packets: u64,
    /// Why.
    pub why: String,
}

/// Most remarks that are kept.
const MAX_REMARKS: usize = 64;

impl Report {
    /// Counts a remark of the reader as the repair that follows from it.
    pub(super) fn note(&mut self, warning: Warning) {
        match warning.kind {
            Remark::TrailingSize { .. } => self.sizes += 1,
            Remark::Junk { bytes } => self.junk += bytes.unwrap_or(0),
            Remark::ZeroTail { bytes } => self.junk += bytes,
            Remark::ForeignConfig => self.forms += 1,
            Remark::LateConfig { .. } | Remark::RepeatedConfig => self.moved += 1,
            // Packets and configurations are counted where they are left out.
            Remark::Cut { .. } => {}
            kind if kind.is_notice() => {}
            _ => {
                let remark = format!("{} at offset {}", warning.what, warning.at);
                if self.remarks.len() < MAX_REMARKS {
                    self.remarks.push(remark);
                }
            }
        }
    }

    /// The report as sentences; none when nothing was to be mended.
    pub fn lines(&self) -> Vec<String> {
        let mut lines: Vec<String> = self
            .streams
            .iter()
            .map(|LeftOut { stream, packets, why }| {
                format!("stream {stream} left out with {}: {why}", packed(*packets))
            })
            .collect();
        for (count, done, one, many) in self.counts().into_iter().filter(|(count, ..)| *count > 0) {
            lines.push(format!("{done} {count} {}", if count == 1 { one } else { many }));
        }
        if self.offsets != 0 {
            lines.push(format!("added {} to the offsets of the tables", self.offsets));
        }
        if self.early > 0 {
            lines.push(format!("moved all times on: the first was {:.3} s before 0", self.early as f64 / 1e6));
        }
        if let Some((nals, units, lost)) = self.rebuilt {
            lines.push(format!("rebuilt the index from {nals} NAL units of video and {units} units of audio"));
            if lost > 0 {
                lines.push(format!("passed over {lost} bytes that belong to neither"));
            }
        }
        lines.extend(self.transport.iter().flat_map(mend::Report::lines));
        if let (count @ 1.., why) = &self.refused {
            lines.push(format!("left out {} that the format cannot carry; the first: {why}", packed(*count)));
        }
        lines.extend(self.stopped.as_ref().map(|why| format!("{why}; what comes before it is kept")));
        lines
    }

    /// Packets and parts of each kind of repair: how many, the deed, one of them, several.
    fn counts(&self) -> [(u64, &'static str, &'static str, &'static str); 15] {
        [
            (self.sizes, "wrote anew", "size behind its tag", "sizes behind their tags"),
            (self.junk, "left out", "byte that belongs to nothing", "bytes that belong to nothing"),
            (
                self.forms,
                "made a configuration record of",
                "sequence header: parameter sets behind start codes",
                "sequence headers: parameter sets behind start codes",
            ),
            (
                self.moved,
                "written once, in front:",
                "configuration that came late or again",
                "configurations that came late or again",
            ),
            (self.back, "closed", "step back in time", "steps back in time"),
            (self.jumps, "closed", "jump ahead in time", "jumps ahead in time"),
            (self.strays, "put back on the line of their stream:", "stray time", "stray times"),
            (
                self.below,
                "moved to their dts:",
                "packet shown before it is decoded",
                "packets shown before they are decoded",
            ),
            (
                self.leading,
                "left out",
                "video packet before the first keyframe",
                "video packets before the first keyframe",
            ),
            (self.cut, "left out", "packet that the end of the input cuts", "packets that the end of the input cuts"),
            (self.damaged, "left out", "packet that is damaged", "packets that are damaged"),
            (self.ends_early.into(), "left out", "part that the end of the input cuts", ""),
            (self.unstated.into(), "stated", "length that was not known", ""),
            (self.configs, "left out", "configuration that cannot be read", "configurations that cannot be read"),
            (self.converted, "given lengths in place of start codes:", "video packet", "video packets"),
        ]
    }
}

fn packed(count: u64) -> String {
    if count == 1 { "1 packet".to_owned() } else { format!("{count} packets") }
}
