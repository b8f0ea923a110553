//! TOML text → [`Layout`]. Every fault says where it is and what would help.

use std::{cell::RefCell, ops::Range};

use maliu_core::{
    layout::{
        Algorithm, Clock, Constant, Fault, Field, Fragment, Head, Kind, Layout, MAX_NESTING, Meaning, RangeEnd,
        RangeStart, Role,
    },
    stream::{self, Codec},
    time::TimeBase,
};
use toml::Spanned;

use super::{
    MAX_TEXT, TextFault, condition,
    schema::{FieldText, LayoutText, Scalar},
    sums,
};

mod body;
use body::delimiter;

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
        layout.head = self.head(parsed)?;
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

    /// The form of the header.
    fn head(&self, parsed: &LayoutText) -> Parsed<Head> {
        let first = parsed.first.as_ref();
        let form = match parsed.head.as_ref().map(|head| (head.get_ref().as_str(), head.span())) {
            None | Some(("bits", _)) => Head::Bits,
            Some(("lines", _)) => {
                return Ok(Head::Lines { first: first.map(|first| first.get_ref().clone()).unwrap_or_default() });
            }
            Some(("json", _)) => Head::Json,
            Some(("pairs", _)) => Head::Pairs,
            Some((other, span)) => {
                return self.fault(span, format!("no head is called {other:?}"), "bits, lines, json or pairs");
            }
        };
        match first {
            Some(first) => self.fault(first.span(), "a first line of a header that has no lines", "head = \"lines\""),
            None => Ok(form),
        }
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
        const HINT: &str = "u1 … u64, i8 …, with le for little-endian; varint; bcd N, text N, bytes N; bytes FIELD, which counts them; dec, hex, word";
        let text = parsed.get_ref().trim();
        match text {
            "varint" => return Ok(Kind::Varint),
            "dec" => return Ok(Kind::Digits { radix: 10 }),
            "hex" => return Ok(Kind::Digits { radix: 16 }),
            "word" => return Ok(Kind::Word),
            _ => {}
        }
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
            Some(number) => (number.trim_end(), true),
            None => (text.strip_suffix("be").unwrap_or(text).trim_end(), false),
        };
        let signed = number.starts_with('i');
        let bits = number.strip_prefix(['u', 'i']).and_then(|bits| bits.parse::<u8>().ok());
        match bits {
            Some(bits @ 1..=64) => Ok(Kind::Number { bits, signed, little }),
            _ => self.fault(parsed.span(), format!("{text:?} is no type"), HINT),
        }
    }

    fn role(&self, role: &Spanned<String>, parsed: &FieldText, names: &[&str]) -> Parsed<Role> {
        const ROLES: &str = "length pts dts cts stream media codec key config skip sequence fragment part parts first last checksum sample_rate channels width height";
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
            "sequence" => Role::Sequence { per_stream: self.per_stream(parsed)? },
            "part" => Role::Part { first: self.small(parsed.first.as_ref(), 0, 0, 65_536)? as u32 },
            "parts" => Role::Parts,
            "first" => Role::First,
            "last" => Role::Last,
            "fragment" => Role::Fragment,
            "sample_rate" => Role::SampleRate,
            "channels" => Role::Channels,
            "width" => Role::Width,
            "height" => Role::Height,
            "checksum" => {
                let algorithm = self.algorithm(role, parsed)?;
                let to = match parsed.to.as_ref().map(|to| to.get_ref().as_str()) {
                    None | Some("body") => RangeEnd::Body,
                    Some("header") => RangeEnd::Header,
                    Some("here") => RangeEnd::Here,
                    Some(other) => {
                        let span = parsed.to.as_ref().map(Spanned::span).unwrap_or_default();
                        return self.fault(span, format!("a checksum does not end at {other}"), "header, body or here");
                    }
                };
                Role::Checksum { algorithm, from: self.from(parsed, names, RangeStart::Start)?, to }
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
        let shift = self.small(parsed.shift.as_ref(), 0, 0, 63)? as u8;
        let rate = match parsed.clock.as_ref().map(|clock| (clock.get_ref(), clock.span())) {
            None => 1000,
            Some((Scalar::Text(text), _)) if text == "ntp" => {
                return Ok(Clock { base: TimeBase::hz(1 << 31), shift, halves: true });
            }
            Some((Scalar::Number(rate @ 1..=1_000_000_000), _)) => *rate as u32,
            Some((_, span)) => {
                return self.fault(
                    span,
                    "not a clock",
                    "ticks per second, 1 to 1000000000, or \"ntp\": 2^32 per second",
                );
            }
        };
        Ok(Clock { base: TimeBase::hz(rate), shift, halves: false })
    }

    fn algorithm(&self, role: &Spanned<String>, parsed: &FieldText) -> Parsed<Algorithm> {
        match &parsed.algorithm {
            None => {
                let hint = format!("algorithm = one of {}", sums::names());
                self.fault(role.span(), "a checksum without an algorithm", hint)
            }
            Some(text) => sums::algorithm(text.get_ref()).or_else(|(what, hint)| self.fault(text.span(), what, hint)),
        }
    }

    fn per_stream(&self, parsed: &FieldText) -> Parsed<bool> {
        match parsed.per.as_ref().map(|per| (per.get_ref().as_str(), per.span())) {
            None => Ok(false),
            Some(("stream", _)) => Ok(true),
            Some((other, span)) => self.fault(span, format!("nothing counts per {other}"), "per = \"stream\""),
        }
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
}
