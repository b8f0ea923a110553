//! One fault: a stable code, where it stands, the rule, and what helps.

use std::{fmt, io};

use crate::json;

/// What kinds of faults there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kind {
    /// Does not change between versions.
    pub code: &'static str,
    /// The rule that is broken.
    pub rule: &'static str,
    /// What helps.
    pub fix: &'static str,
}

const REWRITE: &str = "maliu repair (FLV), or maliu remux into the same format";

/// Bytes that belong to nothing.
pub const JUNK: Kind = Kind { code: "junk", rule: "format", fix: REWRITE };
/// Something ends too early.
pub const CUT: Kind =
    Kind { code: "cut", rule: "format", fix: "maliu repair drops the part; fetch the file again to have it" };
/// The size behind a tag is not the tag's.
pub const PREVIOUS_SIZE: Kind = Kind { code: "previous-size", rule: "FLV-18", fix: "maliu repair" };
/// A tag of no known type.
pub const UNKNOWN_TAG: Kind = Kind { code: "unknown-tag", rule: "FLV-31", fix: "maliu repair leaves it out" };
/// A size that was never written.
pub const NO_SIZE: Kind = Kind { code: "no-size", rule: "format", fix: REWRITE };
/// A configuration that cannot be read.
pub const BAD_CONFIG: Kind = Kind { code: "bad-config", rule: "format", fix: "encode again; no tool can guess it" };
/// A stream without the configuration that its codec needs.
pub const NO_CONFIG: Kind = Kind { code: "no-config", rule: "FLV-19", fix: "maliu repair makes one for AAC" };
/// A dts below the one before.
pub const DTS_BACK: Kind = Kind { code: "dts-back", rule: "WF-35", fix: "maliu repair, or maliu remux" };
/// A picture that is shown before it is decoded.
pub const PTS_BEFORE_DTS: Kind = Kind { code: "pts-before-dts", rule: "WF-36", fix: "maliu repair, or maliu remux" };
/// A pause that nobody means.
pub const JUMP: Kind = Kind { code: "jump", rule: "WF-46", fix: "maliu repair closes it" };
/// Pictures that cannot be decoded, at the start.
pub const NO_KEY: Kind = Kind { code: "no-key", rule: "WF-61", fix: "maliu remux leaves them out" };
/// A header that does not say how long the file is.
pub const NO_DURATION: Kind = Kind { code: "no-duration", rule: "FLV-44", fix: "maliu repair" };
/// The rest cannot be read.
pub const UNREADABLE: Kind = Kind { code: "unreadable", rule: "format", fix: "maliu repair keeps what comes before" };
/// Anything else that the reader remarks.
pub const REMARK: Kind = Kind { code: "remark", rule: "format", fix: "see docs/differences.md" };

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
        write!(f, ": {} ({}; {})", self.what, self.kind.rule, self.kind.fix)
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
}
