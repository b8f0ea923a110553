//! Settings of streams that come from, or go to, other places: recordings, pushes, pulls.

use std::time::Duration;

use maliu::rtmp::Url;
use serde::{Deserialize, Deserializer, de::Error};

use super::values::Span;
use crate::{pattern, pull};

/// Streams that are recorded as FLV files.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Record {
    /// Path of a file, with `{app}`, `{stream}` and `{start}`, the time in UTC.
    pub path: String,
    /// Patterns of the names, in which `*` stands for any letters.
    pub matches: Vec<String>,
    /// A new file begins at the first keyframe behind this time; `None`: one file for a stream.
    pub split: Option<Duration>,
}

/// Streams that are published to another server.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Push {
    /// Pattern of the names, in which `*` stands for any letters.
    pub matches: String,
    /// URL of RTMP, with `{app}` and `{stream}`.
    pub to: String,
}

/// Streams that are fetched from another server while they have viewers.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Pull {
    /// Pattern of the names, in which `*` stands for any letters.
    pub matches: String,
    /// URL of RTMP, or of an FLV file by HTTP, with `{app}` and `{stream}`.
    pub from: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RecordText {
    path: Path,
    #[serde(rename = "match", default = "all")]
    matches: Vec<String>,
    split: Option<Span>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PushText {
    #[serde(rename = "match")]
    matches: String,
    to: To,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PullText {
    #[serde(rename = "match")]
    matches: String,
    from: Origin,
}

fn all() -> Vec<String> {
    vec!["*".into()]
}

struct Path(String);
struct To(String);
struct Origin(String);

/// A template with a name put in.
fn example(template: &str) -> String {
    pattern::filled(template, "app/stream", str::to_owned)
}

impl<'de> Deserialize<'de> for Path {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let path = String::deserialize(from)?;
        let differs = ["{stream}", "{app}"].iter().all(|part| path.contains(part));
        match differs && path.ends_with(".flv") {
            true => Ok(Self(path)),
            false => {
                let expected = "expected one with {app} and {stream} that ends in .flv";
                Err(D::Error::custom(format!("the files of streams cannot be told apart by this path, {expected}")))
            }
        }
    }
}

impl<'de> Deserialize<'de> for To {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let to = String::deserialize(from)?;
        match example(&to).parse::<Url>() {
            Ok(_) => Ok(Self(to)),
            Err(error) => Err(D::Error::custom(format!("{error}, expected rtmp://HOST/APP/NAME"))),
        }
    }
}

impl<'de> Deserialize<'de> for Origin {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let from = String::deserialize(from)?;
        match example(&from).parse::<Url>().is_ok() || pull::place(&example(&from)).is_some() {
            true => Ok(Self(from)),
            false => {
                let expected = "expected rtmp://HOST/APP/NAME or http://HOST/PATH";
                Err(D::Error::custom(format!("nothing can be fetched from this URL, {expected}")))
            }
        }
    }
}

impl From<RecordText> for Record {
    fn from(text: RecordText) -> Self {
        Self { path: text.path.0, matches: text.matches, split: text.split.map(|split| split.0) }
    }
}

impl From<PushText> for Push {
    fn from(text: PushText) -> Self {
        Self { matches: text.matches, to: text.to.0 }
    }
}

impl From<PullText> for Pull {
    fn from(text: PullText) -> Self {
        Self { matches: text.matches, from: text.from.0 }
    }
}
