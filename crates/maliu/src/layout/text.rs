//! TOML text → [`Layout`]. Every fault says where it is and what would help.

use std::{cell::RefCell, ops::Range};

use maliu_core::{
    layout::{
        Algorithm, Body, BodyKind, Clock, Constant, Fault, Field, Fragment, Kind, Layout, Limits, MAX_NESTING, Meaning,
        RangeEnd, RangeStart, Role,
    },
    stream::{self, Codec},
    time::TimeBase,
};
use toml::Spanned;

use super::{
    MAX_TEXT, TextFault, condition,
    schema::{BodyText, FieldText, LayoutText, LimitsText, Scalar},
};

/// The layout that `text` describes, sound by [`Layout::check`].
///
/// # Errors
/// The first [`TextFault`].
pub fn parse(text: &str) -> Result<Layout, TextFault> {
    if text.len() > MAX_TEXT {
        return Err(at(text, 0..0, format!("{} bytes of text", text.len()), format!("at most {MAX_TEXT}")));
    }
    let parsed: LayoutText = toml::from_str(text).map_err(|error| {
        let message = error.message().trim_end();
        let (what, hint) = message.split_once(", expected").unwrap_or((message, ""));
        let hint = if hint.is_empty() { String::new() } else { format!("expected{hint}") };
        at(text, error.span().unwrap_or_default(), what.to_owned(), hint)
    })?;
    let (layout, places) = Context { text, steady: RefCell::default() }.layout(&parsed, 0)?;
    layout.check().map_err(|fault| at(text, places.of(&fault), fault.what.clone(), fault.hint.clone()))?;
    Ok(layout)
}

fn at(text: &str, span: Range<usize>, what: String, hint: String) -> TextFault {
    let before = text.get(..span.start.min(text.len())).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    TextFault { line, column, what, hint }
}

/// Where the parts of a layout stand in its text.
#[derive(Default)]
struct Places {
    preamble: Vec<Range<usize>>,
    header: Vec<Range<usize>>,
    inside: Vec<Range<usize>>,
    tail: Vec<Range<usize>>,
    body: Range<usize>,
    limits: Range<usize>,
}

impl Places {
    fn of(&self, fault: &Fault) -> Range<usize> {
        let fields = match fault.part {
            "preamble" => &self.preamble,
            "header" => &self.header,
            "inside" => &self.inside,
            "tail" => &self.tail,
            "limits" => return self.limits.clone(),
            _ => return self.body.clone(),
        };
        fault.field.and_then(|index| fields.get(index)).or(fields.first()).cloned().unwrap_or_default()
    }
}

struct Context<'a> {
    text: &'a str,
    /// Names under which fields share their steady value, and fields that have one of their own.
    steady: RefCell<Vec<String>>,
}

/// Values of a field and what they mean.
type Map = Vec<(u64, Meaning)>;

type Parsed<T> = Result<T, TextFault>;

impl Context<'_> {
    fn fault<T>(&self, span: Range<usize>, what: impl Into<String>, hint: impl Into<String>) -> Parsed<T> {
        Err(at(self.text, span, what.into(), hint.into()))
    }

    fn layout(&self, parsed: &LayoutText, depth: usize) -> Parsed<(Layout, Places)> {
        let spans = |fields: &[Spanned<FieldText>]| fields.iter().map(Spanned::span).collect();
        let places = Places {
            preamble: spans(&parsed.preamble),
            header: spans(&parsed.header),
            inside: spans(&parsed.inside),
            tail: spans(&parsed.tail),
            body: parsed.body.as_ref().map(Spanned::span).unwrap_or_default(),
            limits: parsed.limits.as_ref().map(Spanned::span).unwrap_or_default(),
        };
        if depth > MAX_NESTING {
            return self.fault(places.body, "layouts nested too deep", format!("at most {MAX_NESTING} deep"));
        }
        let header = self.fields(&parsed.header, None)?;
        let mut layout = Layout::new(parsed.name.clone(), Vec::new());
        layout.about.clone_from(&parsed.about);
        layout.preamble = self.fields(&parsed.preamble, None)?;
        layout.inside = self.fields(&parsed.inside, Some(&header))?;
        layout.tail = self.fields(&parsed.tail, Some(&header))?;
        layout.header = header;
        if let Some(body) = &parsed.body {
            layout.body = self.body(body.get_ref(), depth)?;
        }
        if let Some(limits) = &parsed.limits {
            layout.limits = self.limits(limits.get_ref())?;
        }
        Ok((layout, places))
    }

    /// The fields of a part. Ranges of a tail name fields of `header`; those of a header its own.
    fn fields(&self, parsed: &[Spanned<FieldText>], header: Option<&[Field]>) -> Parsed<Vec<Field>> {
        let names: Vec<&str> = match header {
            Some(header) => header.iter().map(|field| field.name.as_str()).collect(),
            None => parsed.iter().map(|field| field.get_ref().name.get_ref().as_str()).collect(),
        };
        let mut fields = Vec::with_capacity(parsed.len());
        for field in parsed {
            let next = self.field(field.get_ref(), &fields, &names)?;
            fields.push(next);
        }
        Ok(fields)
    }

    fn field(&self, parsed: &FieldText, before: &[Field], names: &[&str]) -> Parsed<Field> {
        let mut field = Field::new(parsed.name.get_ref().clone(), self.kind(&parsed.kind, before)?);
        field.constant = match parsed.value.as_ref().map(|value| (value.get_ref(), field.kind)) {
            None => None,
            Some((Scalar::Number(number), _)) => Some(Constant::Number(number.cast_unsigned())),
            Some((Scalar::Text(text), Kind::Bytes { .. })) if delimiter(text).is_some() => {
                delimiter(text).map(Constant::Bytes)
            }
            Some((Scalar::Text(text), _)) => Some(Constant::Bytes(text.clone().into_bytes())),
        };
        field.range = parsed.range.as_ref().map(|range| *range.get_ref());
        field.steady = self.steady(parsed)?;
        if let Some(when) = &parsed.when {
            field.when =
                condition::parse(when.get_ref(), before).or_else(|(what, hint)| self.fault(when.span(), what, hint))?;
        }
        if let Some(role) = &parsed.role {
            field.role = Some(self.role(role, parsed, names)?);
        }
        if let Some(map) = &parsed.map {
            (field.map, field.others) = self.map(map)?;
        }
        field.otherwise = parsed.otherwise.as_ref().map(|otherwise| otherwise.get_ref().clone());
        field.default = parsed.default.as_ref().map_or(0, |default| default.get_ref().cast_unsigned());
        Ok(field)
    }

    /// `true`: a steady value of its own; a text: one that all fields with that text share.
    fn steady(&self, parsed: &FieldText) -> Parsed<Option<u8>> {
        let Some(steady) = &parsed.steady else { return Ok(None) };
        let name = match steady.get_ref() {
            toml::Value::Boolean(false) => return Ok(None),
            toml::Value::Boolean(true) => format!("field {}", parsed.name.get_ref()),
            toml::Value::String(name) => name.clone(),
            _ => return self.fault(steady.span(), "steady is neither true nor a name", "steady = true"),
        };
        let mut names = self.steady.borrow_mut();
        let group = names.iter().position(|known| *known == name).unwrap_or(names.len());
        if group == names.len() {
            names.push(name);
        }
        match u8::try_from(group) {
            Ok(group) => Ok(Some(group)),
            Err(_) => self.fault(steady.span(), "too many steady fields", "at most 256"),
        }
    }

    fn kind(&self, parsed: &Spanned<String>, before: &[Field]) -> Parsed<Kind> {
        const HINT: &str =
            "u1 … u64, i8 …, with le for little-endian; bcd N, text N, bytes N; bytes FIELD, which counts them";
        let text = parsed.get_ref().trim();
        let sized = |prefix: &str| text.strip_prefix(prefix).and_then(|n| n.trim().parse::<u16>().ok());
        if let Some(digits) = sized("bcd") {
            return Ok(Kind::Bcd { digits });
        }
        if let Some(len) = sized("text") {
            return Ok(Kind::Text { len });
        }
        if let Some(len) = sized("bytes") {
            return Ok(Kind::Bytes { len });
        }
        if let Some(name) = text.strip_prefix("bytes ").map(str::trim) {
            return match before.iter().position(|field| field.name == name) {
                Some(by) => Ok(Kind::Counted { by }),
                None => self.fault(parsed.span(), format!("no field {name} stands in front of this one"), HINT),
            };
        }
        let (number, little) = match text.strip_suffix("le") {
            Some(number) => (number, true),
            None => (text.strip_suffix("be").unwrap_or(text), false),
        };
        let signed = number.starts_with('i');
        let bits = number.strip_prefix(['u', 'i']).and_then(|bits| bits.parse::<u8>().ok());
        match bits {
            Some(bits @ 1..=64) => Ok(Kind::Number { bits, signed, little }),
            _ => self.fault(parsed.span(), format!("{text:?} is no type"), HINT),
        }
    }

    fn role(&self, role: &Spanned<String>, parsed: &FieldText, names: &[&str]) -> Parsed<Role> {
        const ROLES: &str = "length pts dts cts stream media codec key config skip sequence fragment checksum sample_rate channels width height";
        Ok(match role.get_ref().as_str() {
            "length" => Role::Length {
                unit: self.small(parsed.unit.as_ref(), 1, 1, 65_536)? as u32,
                plus: self.small(parsed.plus.as_ref(), 0, -65_536, 65_536)? as i32,
                from: self.from(parsed, names, RangeStart::Body)?,
                tail: parsed.tail,
                align: self.small(parsed.align.as_ref(), 1, 1, 65_536)? as u32,
            },
            "pts" => Role::Pts(self.clock(parsed)?),
            "dts" => Role::Dts(self.clock(parsed)?),
            "cts" => Role::Cts(self.clock(parsed)?),
            "stream" => Role::Stream,
            "media" => Role::Media,
            "codec" => Role::Codec,
            "key" => Role::Key,
            "config" => Role::Config,
            "skip" => Role::Skip,
            "sequence" => Role::Sequence,
            "fragment" => Role::Fragment,
            "sample_rate" => Role::SampleRate,
            "channels" => Role::Channels,
            "width" => Role::Width,
            "height" => Role::Height,
            "checksum" => {
                let names_of: Vec<&str> = Algorithm::NAMES.iter().map(|(name, _)| *name).collect();
                let hint = names_of.join(" ");
                let Some(name) = &parsed.algorithm else {
                    return self.fault(
                        role.span(),
                        "a checksum without an algorithm",
                        format!("algorithm = one of {hint}"),
                    );
                };
                let found = Algorithm::NAMES.iter().find(|(known, _)| *known == name.get_ref().as_str());
                let Some((_, algorithm)) = found else {
                    return self.fault(name.span(), format!("no algorithm is called {}", name.get_ref()), hint);
                };
                let to = match parsed.to.as_ref().map(|to| to.get_ref().as_str()) {
                    None | Some("body") => RangeEnd::Body,
                    Some("header") => RangeEnd::Header,
                    Some("here") => RangeEnd::Here,
                    Some(other) => {
                        let span = parsed.to.as_ref().map(Spanned::span).unwrap_or_default();
                        return self.fault(span, format!("a checksum does not end at {other}"), "header, body or here");
                    }
                };
                Role::Checksum { algorithm: *algorithm, from: self.from(parsed, names, RangeStart::Start)?, to }
            }
            other => return self.fault(role.span(), format!("no role is called {other}"), format!("roles: {ROLES}")),
        })
    }

    fn small(&self, value: Option<&Spanned<i64>>, default: i64, low: i64, high: i64) -> Parsed<i64> {
        match value {
            None => Ok(default),
            Some(value) if (low..=high).contains(value.get_ref()) => Ok(*value.get_ref()),
            Some(value) => {
                self.fault(value.span(), format!("{} is out of range", value.get_ref()), format!("{low} to {high}"))
            }
        }
    }

    fn clock(&self, parsed: &FieldText) -> Parsed<Clock> {
        let rate = self.small(parsed.clock.as_ref(), 1000, 1, 1_000_000_000)?;
        let shift = self.small(parsed.shift.as_ref(), 0, 0, 63)?;
        Ok(Clock { base: TimeBase::hz(rate as u32), shift: shift as u8 })
    }

    fn from(&self, parsed: &FieldText, names: &[&str], default: RangeStart) -> Parsed<RangeStart> {
        let field = |named: &Spanned<String>| match names.iter().position(|known| known == named.get_ref()) {
            Some(index) => Ok(index),
            None => {
                let hint = "start, body or a field of the header";
                self.fault(named.span(), format!("no field is called {}", named.get_ref()), hint)
            }
        };
        match (&parsed.from, &parsed.after) {
            (None, None) => Ok(default),
            (Some(_), Some(after)) => self.fault(after.span(), "both from and after", "keep one of them"),
            (None, Some(after)) => Ok(RangeStart::Behind(field(after)?)),
            (Some(from), None) => match from.get_ref().as_str() {
                "start" => Ok(RangeStart::Start),
                "body" => Ok(RangeStart::Body),
                _ => Ok(RangeStart::Field(field(from)?)),
            },
        }
    }

    /// The values of a map, and what `_`, all others, means.
    fn map(&self, parsed: &Spanned<toml::Table>) -> Parsed<(Map, Option<Meaning>)> {
        let (mut map, mut others) = (Vec::new(), None);
        for (key, value) in parsed.get_ref() {
            if key == "_" {
                others = Some(self.meaning(value, parsed.span())?);
                continue;
            }
            let Some(from) = condition::number(key) else {
                return self.fault(
                    parsed.span(),
                    format!("{key} is no number"),
                    "keys are values of the field, 7 or 0x1b, or _ for all others",
                );
            };
            map.push((from.cast_unsigned(), self.meaning(value, parsed.span())?));
        }
        map.sort_by_key(|(value, _)| *value);
        Ok((map, others))
    }

    fn meaning(&self, value: &toml::Value, span: Range<usize>) -> Parsed<Meaning> {
        let text = match value {
            toml::Value::Boolean(flag) => return Ok(Meaning::Flag(*flag)),
            toml::Value::Integer(number) => return Ok(Meaning::Number(number.cast_unsigned())),
            toml::Value::String(text) => text.as_str(),
            other => {
                return self.fault(span, format!("{other} means nothing"), "a codec, a part, true, false or a number");
            }
        };
        let part = match text {
            "whole" => Fragment::Whole,
            "first" => Fragment::First,
            "middle" => Fragment::Middle,
            "last" => Fragment::Last,
            "skip" => return Ok(Meaning::Skip),
            "audio" => return Ok(Meaning::Media(stream::Kind::Audio)),
            "video" => return Ok(Meaning::Media(stream::Kind::Video)),
            "data" => return Ok(Meaning::Media(stream::Kind::Data)),
            name => return Ok(Meaning::Codec(self.codec(name, span)?)),
        };
        Ok(Meaning::Fragment(part))
    }

    fn codec(&self, name: &str, span: Range<usize>) -> Parsed<Codec> {
        let name = if name == "h265" { "hevc" } else { name };
        match Codec::from_name(name) {
            Some(codec) => Ok(codec),
            None => self.fault(
                span,
                format!("no codec is called {name}"),
                "`maliu codecs` lists them; parts are whole, first, middle, last",
            ),
        }
    }

    fn body(&self, parsed: &BodyText, depth: usize) -> Parsed<Body> {
        let mut body = Body::default();
        if let Some(codec) = &parsed.codec {
            body.codec = Some(self.codec(codec.get_ref(), codec.span())?);
        }
        if let Some(length) = &parsed.length {
            body.length = Some(self.small(Some(length), 0, 1, i64::from(u32::MAX))? as u32);
        }
        if let Some(until) = &parsed.until {
            let Some(bytes) = delimiter(until.get_ref()) else {
                return self.fault(
                    until.span(),
                    "not bytes",
                    "a text like \"\\r\\n\", or pairs of digits behind 0x: \"0x7e\"",
                );
            };
            body.until = Some(bytes);
        }
        if let Some(rate) = &parsed.frame_rate {
            let Some(frames) = frame_rate(rate.get_ref()) else {
                return self.fault(rate.span(), "not a frame rate", "frames per second: 25, or \"30000/1001\"");
            };
            body.frame_rate = Some(frames);
        }
        if let Some(inner) = &parsed.layout {
            body.kind = BodyKind::Nested(Box::new(self.layout(inner, depth + 1)?.0));
            return Ok(body);
        }
        let Some(kind) = &parsed.kind else { return Ok(body) };
        let words: Vec<&str> = kind.get_ref().split_whitespace().collect();
        match words[..] {
            ["raw"] => {}
            ["annexb"] => body.kind = BodyKind::AnnexB,
            ["mpegps"] => body.kind = BodyKind::ProgramStream,
            ["adts"] => (body.kind, body.codec) = (BodyKind::Adts, body.codec.or(Some(Codec::Aac))),
            ["avcc", size] if size.parse::<u8>().is_ok() => {
                body.kind = BodyKind::Avcc(size.parse().unwrap_or_default())
            }
            ["pcm", sample, rate, channels] => {
                body.codec = Some(self.codec(&format!("pcm_{sample}"), kind.span())?);
                match (rate.parse(), channels.parse()) {
                    (Ok(rate), Ok(channels)) => body.audio = (rate, channels),
                    _ => return self.fault(kind.span(), "rate and channels are whole numbers", "pcm s16le 8000 1"),
                }
            }
            _ => {
                let hint = "raw, annexb, avcc N, adts, mpegps, pcm FORMAT RATE CHANNELS";
                return self.fault(kind.span(), format!("no body is called {:?}", kind.get_ref()), hint);
            }
        }
        Ok(body)
    }

    fn limits(&self, parsed: &LimitsText) -> Parsed<Limits> {
        let mut limits = Limits::default();
        if let Some(body) = &parsed.body {
            let bytes = match body.get_ref() {
                Scalar::Number(number) => u32::try_from(*number).ok(),
                Scalar::Text(text) => size(text),
            };
            let Some(bytes) = bytes else {
                return self.fault(body.span(), "not a size", "a number of bytes, \"64 KiB\" or \"16 MiB\"");
            };
            limits.body = bytes;
        }
        if let Some(part) = &parsed.part {
            limits.part = Some(self.small(Some(part), 0, 1, i64::from(u32::MAX))? as u32);
        }
        if let Some(violation) = &parsed.on_violation {
            limits.resync = match violation.get_ref().as_str() {
                "resync" => true,
                "error" => false,
                other => return self.fault(violation.span(), format!("{other} is no way out"), "resync or error"),
            };
        }
        Ok(limits)
    }
}

/// Frames per second: a whole number, or `N/D`.
fn frame_rate(rate: &Scalar) -> Option<(u32, u32)> {
    let (num, den) = match rate {
        Scalar::Number(number) => (u32::try_from(*number).ok()?, 1),
        Scalar::Text(text) => match text.split_once('/') {
            Some((num, den)) => (num.trim().parse().ok()?, den.trim().parse().ok()?),
            None => (text.trim().parse().ok()?, 1),
        },
    };
    (num > 0 && den > 0 && num / 1000 <= den).then_some((num, den))
}

/// The bytes of a text, or of the hexadecimal digits behind 0x.
fn delimiter(text: &str) -> Option<Vec<u8>> {
    let Some(digits) = text.strip_prefix("0x") else { return Some(text.as_bytes().to_vec()) };
    let pair = |at: usize| u8::from_str_radix(digits.get(at..at + 2)?, 16).ok();
    (0..digits.len()).step_by(2).map(pair).collect()
}

/// `64 KiB`, `16 MiB` or a plain number of bytes.
fn size(text: &str) -> Option<u32> {
    let (number, unit) = text.split_once(' ').unwrap_or((text, "B"));
    let factor = match unit {
        "B" => 1,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        _ => return None,
    };
    number.parse::<u32>().ok()?.checked_mul(factor)
}
