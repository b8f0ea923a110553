//! One fault: a stable code, where it stands, the rule, and what helps.

use std::fmt;

use maliu_core::{formats::mpegts::Indicator, plain::plain, remark::Remark};

/// A kind of fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Kind {
    /// Does not change between versions.
    pub code: &'static str,
    /// Whether it makes a file faulty.
    pub severity: Severity,
    /// The rule that is broken.
    pub rule: &'static str,
    /// Remedy for an FLV file.
    pub(super) fix_flv: &'static str,
    /// Remedy for any other.
    pub(super) fix_other: &'static str,
}

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// Something is lost, refused or shown at a wrong time.
    Fault,
    /// All can be read and shown; something that would help is missing or superfluous.
    Notice,
}

/// The kinds of faults, in the order of docs/check.md.
pub mod kinds {
    use super::{Kind, Severity};

    const fn fault(code: &'static str, rule: &'static str, fix: (&'static str, &'static str)) -> Kind {
        Kind { code, severity: Severity::Fault, rule, fix_flv: fix.0, fix_other: fix.1 }
    }

    const fn notice(code: &'static str, rule: &'static str, fix: (&'static str, &'static str)) -> Kind {
        Kind { severity: Severity::Notice, ..fault(code, rule, fix) }
    }

    pub(super) const REWRITTEN: &str = "maliu remux into the same format";
    const REWRITE: (&str, &str) = ("maliu repair", REWRITTEN);
    const ENCODE: (&str, &str) = ("encode again; no tool can guess it", "encode again; no tool can guess it");
    const DROPS: (&str, &str) = (
        "maliu repair drops the part; fetch the file again to have it",
        "maliu remux drops the part; fetch the file again to have it",
    );
    const KEEPS: (&str, &str) = ("maliu repair keeps what comes before", "maliu remux keeps what comes before");
    const CONFIG: (&str, &str) = ("maliu repair makes one for AAC", "encode again, or find the missing start");
    const LEADING: (&str, &str) = ("maliu remux leaves them out", "maliu remux leaves them out");
    const REBUILD: (&str, &str) = (
        "maliu repair; --like names a good file of the same recorder where the configuration is lost, too",
        "maliu repair; --like names a good file of the same recorder where the configuration is lost, too",
    );
    const FRONT: (&str, &str) = ("maliu remux IN OUT.mp4 -o faststart=1", "maliu remux IN OUT.mp4 -o faststart=1");
    const HOLES: (&str, &str) =
        ("fetch the missing fragments again", "fetch the missing fragments again; the others keep their times");
    const FETCH: (&str, &str) = ("fetch or encode the file again", "fetch or encode the file again");
    const NOTED: (&str, &str) = ("see docs/differences.md", "see docs/differences.md");
    const RATE: (&str, &str) =
        ("none is needed; --option frame_rate= sets it", "none is needed; --option frame_rate= sets it");

    const REPAIR: (&str, &str) = ("maliu repair", "maliu repair");
    const RETIME: (&str, &str) = ("maliu remux writes the clock anew", "maliu remux writes the clock anew");
    const LEAVES_OUT: (&str, &str) = ("maliu remux leaves it out", "maliu remux leaves it out");
    const UNKEYED: (&str, &str) = ("none is known", "none is known");

    /// Bytes that belong to nothing.
    pub const JUNK: Kind = fault("junk", "format", REWRITE);
    /// Something ends too early.
    pub const CUT: Kind = fault("cut", "format", DROPS);
    /// Nothing but zeros at the end.
    pub const ZERO_TAIL: Kind = fault("zero-tail", "format", REWRITE);
    /// The size behind a tag is not the tag's.
    pub const PREVIOUS_SIZE: Kind = fault("previous-size", "FLV-18", REWRITE);
    /// A unit of no known type.
    pub const UNKNOWN_TAG: Kind = fault("unknown-tag", "FLV-31", REWRITE);
    /// A size that was never written.
    pub const NO_SIZE: Kind = fault("no-size", "format", REWRITE);
    /// The rest cannot be read.
    pub const UNREADABLE: Kind = fault("unreadable", "format", KEEPS);
    /// A configuration that cannot be read.
    pub const BAD_CONFIG: Kind = fault("bad-config", "format", ENCODE);
    /// A configuration of another form than the format's.
    pub const FOREIGN_CONFIG: Kind = fault("foreign-config", "FLV-19", REWRITE);
    /// A stream without the configuration that its codec needs.
    pub const NO_CONFIG: Kind = fault("no-config", "FLV-19", CONFIG);
    /// Packets before the configuration of their stream.
    pub const LATE_CONFIG: Kind = fault("late-config", "FLV-19", REWRITE);
    /// A configuration that was there already.
    pub const REPEATED_CONFIG: Kind = notice("repeated-config", "FLV-25", REWRITE);
    /// Video packets that cannot be decoded, at the start.
    pub const NO_KEY: Kind = fault("no-key", "WF-61", LEADING);
    /// A dts below the one before.
    pub const DTS_BACK: Kind = fault("dts-back", "WF-35", REWRITE);
    /// A video frame that is shown before it is decoded.
    pub const PTS_BEFORE_DTS: Kind = fault("pts-before-dts", "WF-36", REWRITE);
    /// An unintended pause.
    pub const JUMP: Kind = fault("jump", "WF-46", REWRITE);
    /// A raw stream without a frame rate, which is optional.
    pub const NO_FRAME_RATE: Kind = notice("no-frame-rate", "format", RATE);
    /// A header that does not declare how long the file is.
    pub const NO_DURATION: Kind = notice("no-duration", "FLV-44", REWRITE);
    /// A header that declares a wrong duration.
    pub const BAD_DURATION: Kind = fault("bad-duration", "FLV-44", REWRITE);
    /// A header that declares a wrong size.
    pub const BAD_FILESIZE: Kind = notice("bad-filesize", "FLV-44", REWRITE);
    /// No index of the keyframes.
    pub const NO_INDEX: Kind = notice("no-index", "FLV-45", REWRITE);
    /// An index that leads to wrong places or declares wrong times.
    pub const BAD_INDEX: Kind = fault("bad-index", "FLV-45", REWRITE);
    /// Bytes between packets that are not packets.
    pub const SYNC_LOSS: Kind = fault("sync-loss", "TR 101 290 1.1", REPAIR);
    /// A packet that does not begin with its sync byte.
    pub const SYNC_BYTE: Kind = fault("sync-byte", "TR 101 290 1.2", REPAIR);
    /// No program association table, or other sections on its PID.
    pub const NO_PAT: Kind = fault("no-pat", "TR 101 290 1.3", REPAIR);
    /// No PAT for more than 0.5 s.
    pub const PAT_INTERVAL: Kind = notice("pat-interval", "TR 101 290 1.3", REPAIR);
    /// A continuity counter that does not go on.
    pub const CONTINUITY: Kind = fault("continuity", "TR 101 290 1.4", REPAIR);
    /// A program without a map.
    pub const NO_PMT: Kind = fault("no-pmt", "TR 101 290 1.5", REPAIR);
    /// No PMT for more than 0.5 s.
    pub const PMT_INTERVAL: Kind = notice("pmt-interval", "TR 101 290 1.5", REPAIR);
    /// A PID of a map without any packet.
    pub const NO_PACKETS: Kind = notice("no-packets", "TR 101 290 1.6", LEAVES_OUT);
    /// A packet that the receiver has marked as damaged.
    pub const TRANSPORT_ERROR: Kind = fault("transport-error", "TR 101 290 2.1", REPAIR);
    /// A section with a wrong checksum.
    pub const CRC: Kind = fault("crc", "TR 101 290 2.2", REPAIR);
    /// No clock reference for more than 0.1 s.
    pub const PCR_INTERVAL: Kind = notice("pcr-interval", "TR 101 290 2.3a", RETIME);
    /// A jump of the clock that is not marked.
    pub const PCR_JUMP: Kind = fault("pcr-jump", "TR 101 290 2.3b", REPAIR);
    /// A clock reference off by more than 500 ns at a constant rate.
    pub const PCR_ACCURACY: Kind = notice("pcr-accuracy", "TR 101 290 2.4", RETIME);
    /// No PTS for more than 0.7 s.
    pub const PTS_INTERVAL: Kind = notice("pts-interval", "TR 101 290 2.5", RETIME);
    /// Scrambled packets without a conditional access table.
    pub const NO_CAT: Kind = notice("no-cat", "TR 101 290 2.6", UNKEYED);
    /// An MP4 file without its index.
    pub const NO_MOOV: Kind = fault("no-moov", "format", REBUILD);
    /// An index behind the media.
    pub const INDEX_BEHIND: Kind = notice("index-behind", "format", FRONT);
    /// Tables that contradict each other.
    pub const BAD_TABLES: Kind = fault("bad-tables", "format", REWRITE);
    /// Samples that do not stand where the tables say.
    pub const BAD_OFFSET: Kind = fault("bad-offset", "format", REWRITE);
    /// Time between fragments that is missing.
    pub const HOLE: Kind = fault("hole", "format", HOLES);
    /// Tracks that stand far from each other in the file.
    pub const FAR_APART: Kind = notice("far-apart", "format", REWRITE);
    /// Packets that are presented before the time 0.
    pub const NEGATIVE_START: Kind = notice("negative-start", "format", REWRITE);
    /// Samples that do not have the checksum that their header declares.
    pub const CHECKSUM: Kind = fault("checksum", "RFC 9639 8.2", FETCH);
    /// Anything else that the reader remarks.
    pub const REMARK: Kind = fault("remark", "format", NOTED);

    /// All of them.
    pub const ALL: &[Kind] = &[
        JUNK,
        CUT,
        ZERO_TAIL,
        PREVIOUS_SIZE,
        UNKNOWN_TAG,
        NO_SIZE,
        UNREADABLE,
        BAD_CONFIG,
        FOREIGN_CONFIG,
        NO_CONFIG,
        LATE_CONFIG,
        REPEATED_CONFIG,
        NO_KEY,
        DTS_BACK,
        PTS_BEFORE_DTS,
        JUMP,
        NO_FRAME_RATE,
        NO_DURATION,
        BAD_DURATION,
        BAD_FILESIZE,
        NO_INDEX,
        BAD_INDEX,
        SYNC_LOSS,
        SYNC_BYTE,
        NO_PAT,
        PAT_INTERVAL,
        CONTINUITY,
        NO_PMT,
        PMT_INTERVAL,
        NO_PACKETS,
        TRANSPORT_ERROR,
        CRC,
        PCR_INTERVAL,
        PCR_JUMP,
        PCR_ACCURACY,
        PTS_INTERVAL,
        NO_CAT,
        NO_MOOV,
        INDEX_BEHIND,
        BAD_TABLES,
        BAD_OFFSET,
        HOLE,
        FAR_APART,
        NEGATIVE_START,
        CHECKSUM,
        REMARK,
    ];
}

/// A fault of a file; one that comes again in the same stream is counted.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Fault {
    /// The kind of fault.
    pub kind: Kind,
    /// The offset where it stands first, in bytes.
    pub at: Option<u64>,
    /// The time where it stands first, in seconds.
    pub time: Option<f64>,
    /// The stream it is in.
    pub stream: Option<usize>,
    /// The first finding and the value expected.
    pub what: String,
    /// The rule that is broken, in a file of this format.
    pub rule: &'static str,
    /// Remedy in a file of this format.
    pub fix: &'static str,
    /// How often it was found.
    pub times: u64,
}

impl Severity {
    /// `fault` or `notice`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Fault => "fault",
            Self::Notice => "notice",
        }
    }
}

impl Kind {
    /// The kind of a reader's remark.
    pub fn of(remark: Remark) -> Self {
        match remark {
            Remark::Junk { .. } => kinds::JUNK,
            Remark::ZeroTail { .. } => kinds::ZERO_TAIL,
            Remark::Cut { .. } => kinds::CUT,
            Remark::TrailingSize { .. } => kinds::PREVIOUS_SIZE,
            Remark::NoSize => kinds::NO_SIZE,
            Remark::UnknownType { .. } => kinds::UNKNOWN_TAG,
            Remark::BadConfig(_) => kinds::BAD_CONFIG,
            Remark::ForeignConfig => kinds::FOREIGN_CONFIG,
            Remark::NoConfig(_) => kinds::NO_CONFIG,
            Remark::LateConfig { .. } => kinds::LATE_CONFIG,
            Remark::RepeatedConfig => kinds::REPEATED_CONFIG,
            Remark::NoFrameRate { .. } => kinds::NO_FRAME_RATE,
            Remark::Hole { .. } => kinds::HOLE,
            _ => kinds::REMARK,
        }
    }

    /// The kind of an indicator of TR 101 290.
    pub fn of_indicator(indicator: Indicator) -> Self {
        match indicator {
            Indicator::SyncLoss => kinds::SYNC_LOSS,
            Indicator::SyncByte => kinds::SYNC_BYTE,
            Indicator::Pat => kinds::NO_PAT,
            Indicator::PatInterval => kinds::PAT_INTERVAL,
            Indicator::Continuity => kinds::CONTINUITY,
            Indicator::Pmt => kinds::NO_PMT,
            Indicator::PmtInterval => kinds::PMT_INTERVAL,
            Indicator::Pid => kinds::NO_PACKETS,
            Indicator::Transport => kinds::TRANSPORT_ERROR,
            Indicator::Crc => kinds::CRC,
            Indicator::PcrInterval => kinds::PCR_INTERVAL,
            Indicator::PcrJump => kinds::PCR_JUMP,
            Indicator::PcrAccuracy => kinds::PCR_ACCURACY,
            Indicator::PtsInterval => kinds::PTS_INTERVAL,
            Indicator::Cat => kinds::NO_CAT,
            _ => kinds::REMARK,
        }
    }

    /// The rule in a file of the format of this short name: those of FLV are about FLV.
    pub fn rule(&self, format: &str) -> &'static str {
        if format != "flv" && self.rule.starts_with("FLV-") { "format" } else { self.rule }
    }

    /// Remedy in a file of the format of this short name.
    pub fn fix(&self, format: &str) -> &'static str {
        match format {
            "flv" => self.fix_flv,
            "mp4" if self.fix_flv.starts_with("maliu repair") && *self != kinds::NO_CONFIG => self.fix_flv,
            "mp4" | "mpegts" | "matroska" | "webm" | "ogg" | "flac" if self.fix_other == kinds::REWRITTEN => {
                "maliu repair"
            }
            _ => self.fix_other,
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.kind.severity == Severity::Notice {
            write!(f, "notice: ")?;
        }
        write!(f, "{}", self.kind.code)?;
        if let Some(at) = self.at {
            write!(f, " at offset {at}")?;
        }
        if let Some(time) = self.time {
            write!(f, ", {time:.3} s")?;
        }
        if let Some(stream) = self.stream {
            write!(f, ", stream {stream}")?;
        }
        write!(f, ": {}", plain(&self.what))?;
        if self.times > 1 {
            write!(f, "; {} times in all", self.times)?;
        }
        write!(f, " ({}; {})", self.rule, self.fix)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_come_from_kinds_of_remarks_not_from_their_words() {
        for (remark, code) in [
            (Remark::TrailingSize { found: 0, expected: 12 }, "previous-size"),
            (Remark::UnknownType { number: 7 }, "unknown-tag"),
            (Remark::Junk { bytes: None }, "junk"),
            (Remark::Cut { missing: Some(3) }, "cut"),
            (Remark::Other, "remark"),
        ] {
            assert_eq!(Kind::of(remark).code, code, "{remark:?}");
        }
    }

    #[test]
    fn every_code_is_documented_in_order() {
        let page = include_str!("../../../../docs/check.md");
        let codes: Vec<&str> = page.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next()).collect();
        assert_eq!(codes, kinds::ALL.iter().map(|kind| kind.code).collect::<Vec<_>>());
    }

    #[test]
    fn advice_fits_the_format() {
        assert_eq!(kinds::JUNK.fix("flv"), "maliu repair");
        // Of a transport stream, and of an index that only MP4 has.
        let elsewhere = |kind: &Kind| kind.rule.starts_with("TR") || *kind == kinds::NO_MOOV;
        assert!(kinds::ALL.iter().all(|kind| elsewhere(kind) || !kind.fix("wav").contains("repair")));
        assert!(kinds::ALL.iter().all(|kind| !kind.rule("h264").contains("FLV")));
        assert_eq!(kinds::NO_CONFIG.rule("flv"), "FLV-19");
    }
}
