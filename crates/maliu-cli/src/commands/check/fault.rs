//! One fault: a stable code, where it stands, the rule, and what helps.

use std::{fmt, io};

use maliu::plain::plain;

use crate::json;

/// What kinds of faults there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kind {
    /// Does not change between versions.
    pub code: &'static str,
    /// Whether it makes a file faulty.
    pub severity: Severity,
    /// The rule that is broken.
    pub rule: &'static str,
    /// What helps.
    pub fix: &'static str,
}

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// Something is lost, refused or shown at a wrong time.
    Fault,
    /// All can be read and shown; something that would help is missing or superfluous.
    Notice,
}

const fn fault(code: &'static str, rule: &'static str, fix: &'static str) -> Kind {
    Kind { code, severity: Severity::Fault, rule, fix }
}

const fn notice(code: &'static str, rule: &'static str, fix: &'static str) -> Kind {
    Kind { code, severity: Severity::Notice, rule, fix }
}

const REWRITE: &str = "maliu repair (FLV), or maliu remux into the same format";

/// Bytes that belong to nothing.
pub const JUNK: Kind = fault("junk", "format", REWRITE);
/// Something ends too early.
pub const CUT: Kind = fault("cut", "format", "maliu repair drops the part; fetch the file again to have it");
/// Nothing but zeros behind the last tag.
pub const ZERO_TAIL: Kind = fault("zero-tail", "format", "maliu repair drops it");
/// The size behind a tag is not the tag's.
pub const PREVIOUS_SIZE: Kind = fault("previous-size", "FLV-18", "maliu repair");
/// A tag of no known type.
pub const UNKNOWN_TAG: Kind = fault("unknown-tag", "FLV-31", "maliu repair leaves it out");
/// A size that was never written.
pub const NO_SIZE: Kind = fault("no-size", "format", REWRITE);
/// A configuration that cannot be read.
pub const BAD_CONFIG: Kind = fault("bad-config", "format", "encode again; no tool can guess it");
/// A stream without the configuration that its codec needs.
pub const NO_CONFIG: Kind = fault("no-config", "FLV-19", "maliu repair makes one for AAC");
/// Packets before the configuration of their stream.
pub const LATE_CONFIG: Kind = fault("late-config", "FLV-19", "maliu repair moves it to the start");
/// A configuration that was there already.
pub const REPEATED_CONFIG: Kind = notice("repeated-config", "FLV-25", "maliu repair keeps the first");
/// A dts below the one before.
pub const DTS_BACK: Kind = fault("dts-back", "WF-35", "maliu repair, or maliu remux");
/// A picture that is shown before it is decoded.
pub const PTS_BEFORE_DTS: Kind = fault("pts-before-dts", "WF-36", "maliu repair, or maliu remux");
/// A pause that nobody means.
pub const JUMP: Kind = fault("jump", "WF-46", "maliu repair closes it");
/// Pictures that cannot be decoded, at the start.
pub const NO_KEY: Kind = fault("no-key", "WF-61", "maliu remux leaves them out");
/// A header that does not say how long the file is.
pub const NO_DURATION: Kind = notice("no-duration", "FLV-44", "maliu repair");
/// A header that says a wrong duration.
pub const BAD_DURATION: Kind = fault("bad-duration", "FLV-44", "maliu repair");
/// A header that says a wrong size.
pub const BAD_FILESIZE: Kind = notice("bad-filesize", "FLV-44", "maliu repair");
/// No index of the key pictures.
pub const NO_INDEX: Kind = notice("no-index", "FLV-45", "maliu repair");
/// An index that leads to wrong places or says wrong times.
pub const BAD_INDEX: Kind = fault("bad-index", "FLV-45", "maliu repair");
/// The rest cannot be read.
pub const UNREADABLE: Kind = fault("unreadable", "format", "maliu repair keeps what comes before");
/// Anything else that the reader remarks.
pub const REMARK: Kind = fault("remark", "format", "see docs/differences.md");

/// A fault of a file.
#[derive(Debug)]
pub struct Fault {
    /// What it is.
    pub kind: Kind,
    /// The byte where it stands.
    pub at: Option<u64>,
    /// The time where it stands, in seconds.
    pub time: Option<f64>,
    /// The stream it is in.
    pub stream: Option<usize>,
    /// What was found and what was expected.
    pub what: String,
}

/// Texts of the readers' remarks and the kinds they are of; the first that fits counts.
const REMARKS: &[(&str, Kind)] = &[
    ("PreviousTagSize", PREVIOUS_SIZE),
    ("unknown type", UNKNOWN_TAG),
    ("without a size", NO_SIZE),
    ("parameter set", BAD_CONFIG),
    ("junk", JUNK),
    ("no tag", JUNK),
    ("before the first start code", JUNK),
    ("skipped", JUNK),
    ("passed over", JUNK),
    ("cut short", CUT),
    ("input ends", CUT),
];

impl Severity {
    fn name(self) -> &'static str {
        match self {
            Self::Fault => "fault",
            Self::Notice => "notice",
        }
    }
}

impl Kind {
    /// The kind of a reader's remark.
    pub fn of_remark(what: &str) -> Self {
        REMARKS.iter().find(|(text, _)| what.contains(text)).map_or(REMARK, |(_, kind)| *kind)
    }
}

impl Fault {
    /// The members of its JSON object.
    pub fn json(&self, item: &mut json::Open) -> io::Result<()> {
        item.string("code", self.kind.code)?;
        item.string("severity", self.kind.severity.name())?;
        if let Some(at) = self.at {
            item.bare("offset", at)?;
        }
        if let Some(time) = self.time {
            item.plain("time", format_args!("{time:.3}"))?;
        }
        if let Some(stream) = self.stream {
            item.bare("stream", stream)?;
        }
        item.string("rule", self.kind.rule)?;
        item.string("what", &self.what)?;
        item.string("fix", self.kind.fix)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.kind.severity == Severity::Notice {
            write!(f, "notice: ")?;
        }
        write!(f, "{}", self.kind.code)?;
        if let Some(at) = self.at {
            write!(f, " at byte {at}")?;
        }
        if let Some(time) = self.time {
            write!(f, ", {time:.3} s")?;
        }
        if let Some(stream) = self.stream {
            write!(f, ", stream {stream}")?;
        }
        write!(f, ": {} ({}; {})", plain(&self.what), self.kind.rule, self.kind.fix)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn remarks_of_readers_have_stable_codes() {
        for (what, code) in [
            ("PreviousTagSize 0 after a tag of 12", "previous-size"),
            ("a tag of the unknown type 7 is passed over", "unknown-tag"),
            ("no tag: its size of 9 passes the end", "junk"),
            ("tag cut short by the end of the input", "cut"),
            ("something new", "remark"),
        ] {
            assert_eq!(Kind::of_remark(what).code, code, "{what}");
        }
    }

    /// All kinds, in the order of docs/check.md.
    const ALL: &[Kind] = &[
        JUNK,
        CUT,
        ZERO_TAIL,
        PREVIOUS_SIZE,
        UNKNOWN_TAG,
        NO_SIZE,
        UNREADABLE,
        BAD_CONFIG,
        NO_CONFIG,
        LATE_CONFIG,
        REPEATED_CONFIG,
        NO_KEY,
        DTS_BACK,
        PTS_BEFORE_DTS,
        JUMP,
        NO_DURATION,
        BAD_DURATION,
        BAD_FILESIZE,
        NO_INDEX,
        BAD_INDEX,
        REMARK,
    ];

    #[test]
    fn every_code_is_documented_in_order() {
        let page = include_str!("../../../../../docs/check.md");
        let codes: Vec<&str> = page.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next()).collect();
        assert_eq!(codes, ALL.iter().map(|kind| kind.code).collect::<Vec<_>>());
    }
}
