//! The shape of a layout's TOML text, with the place of every value.

use serde::Deserialize;
use toml::Spanned;

/// The whole text.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LayoutText {
    pub name: String,
    #[serde(default)]
    pub about: String,
    #[serde(default)]
    pub preamble: Vec<Spanned<FieldText>>,
    pub head: Option<Spanned<String>>,
    pub first: Option<Spanned<String>>,
    #[serde(default)]
    pub header: Vec<Spanned<FieldText>>,
    #[serde(default)]
    pub inside: Vec<Spanned<FieldText>>,
    #[serde(default)]
    pub body: Option<Spanned<BodyText>>,
    #[serde(default)]
    pub tail: Vec<Spanned<FieldText>>,
    #[serde(default)]
    pub limits: Option<Spanned<LimitsText>>,
}

/// One field.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FieldText {
    pub name: Spanned<String>,
    #[serde(rename = "type")]
    pub kind: Spanned<String>,
    pub value: Option<Spanned<Scalar>>,
    pub range: Option<Spanned<(i64, i64)>>,
    pub steady: Option<Spanned<toml::Value>>,
    pub when: Option<Spanned<String>>,
    pub role: Option<Spanned<String>>,
    pub map: Option<Spanned<toml::Table>>,
    #[serde(default)]
    pub default: Option<Spanned<i64>>,
    pub otherwise: Option<Spanned<String>>,
    pub clock: Option<Spanned<Scalar>>,
    pub per: Option<Spanned<String>>,
    pub first: Option<Spanned<i64>>,
    pub shift: Option<Spanned<i64>>,
    pub unit: Option<Spanned<i64>>,
    pub plus: Option<Spanned<i64>>,
    pub from: Option<Spanned<String>>,
    pub after: Option<Spanned<String>>,
    pub to: Option<Spanned<String>>,
    #[serde(default)]
    pub tail: bool,
    pub align: Option<Spanned<i64>>,
    pub algorithm: Option<Spanned<AlgorithmText>>,
}

/// A checksum by its name or its parameters.
#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum AlgorithmText {
    Name(String),
    Crc(CrcText),
}

/// Parameters of a cyclic redundancy check; numbers of 64 bits are texts.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CrcText {
    pub width: u8,
    pub poly: Scalar,
    pub init: Option<Scalar>,
    #[serde(default)]
    pub refin: bool,
    #[serde(default)]
    pub refout: bool,
    pub xorout: Option<Scalar>,
}

/// A constant: a number or a text.
#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum Scalar {
    Number(i64),
    Text(String),
}

/// Kinds of bodies.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct BodyText {
    #[serde(default)]
    pub kind: Option<Spanned<String>>,
    pub codec: Option<Spanned<String>>,
    pub length: Option<Spanned<i64>>,
    pub until: Option<Spanned<String>>,
    #[serde(default)]
    pub rest: bool,
    pub coding: Option<Spanned<String>>,
    pub config: Option<Spanned<String>>,
    pub sample_rate: Option<Spanned<i64>>,
    pub channels: Option<Spanned<i64>>,
    pub frame_rate: Option<Spanned<Scalar>>,
    pub layout: Option<Box<LayoutText>>,
}

/// Bounds of a connection.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LimitsText {
    pub body: Option<Spanned<Scalar>>,
    pub part: Option<Spanned<i64>>,
    pub on_violation: Option<Spanned<String>>,
}
