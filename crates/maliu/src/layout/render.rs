//! A [`Layout`] as the text that describes it.

use std::fmt::Write as _;

use maliu_core::{
    layout::{
        Algorithm, Body, BodyKind, Clock, Comparison, Condition, Constant, Field, Fragment, Guess, Head, Kind, Layout,
        Limits, Meaning, RangeEnd, RangeStart, Role,
    },
    plain::plain,
    stream::Codec,
};

/// The text of `layout`, which [`parse`](super::parse) reads as the same layout.
pub fn text(layout: &Layout) -> String {
    written(layout, &[], &[])
}

/// The text of a guessed layout, with what is known of each field as a comment.
pub fn text_of_guess(guess: &Guess) -> String {
    let mut text = format!(
        "# {} messages cover {} bytes; the length is sure by {} %\n",
        guess.messages, guess.covered, guess.confidence
    );
    guess.remarks.iter().for_each(|remark| text.push_str(&format!("# {}\n", plain(remark))));
    text + &written(&guess.layout, &guess.header, &guess.tail)
}

fn written(layout: &Layout, header: &[String], tail: &[String]) -> String {
    let mut text = format!("name = {}\n", quoted(&layout.name));
    if !layout.about.is_empty() {
        text.push_str(&format!("about = {}\n", quoted(&layout.about)));
    }
    let head = match &layout.head {
        Head::Bits => String::new(),
        Head::Lines { first } if first.is_empty() => "head = \"lines\"\n".into(),
        Head::Lines { first } => format!("head = \"lines\"\nfirst = {}\n", quoted(first)),
        Head::Json => "head = \"json\"\n".into(),
        Head::Pairs => "head = \"pairs\"\n".into(),
    };
    text.push_str(&head);
    for (part, fields, remarks) in [
        ("preamble", &layout.preamble, &[][..]),
        ("header", &layout.header, header),
        ("inside", &layout.inside, &[]),
        ("tail", &layout.tail, tail),
    ] {
        if fields.is_empty() {
            continue;
        }
        let _ = writeln!(text, "{part} = [");
        for (n, field) in fields.iter().enumerate() {
            let remark = remarks.get(n).map(|remark| format!(" # {}", plain(remark))).unwrap_or_default();
            let _ = writeln!(text, "  {{ {} }},{remark}", described(field, fields, &layout.header));
        }
        text.push_str("]\n");
    }
    let body = body(&layout.body);
    if !body.is_empty() {
        let _ = writeln!(text, "body = {{ {body} }}");
    }
    let limits = limits(&layout.limits);
    if !limits.is_empty() {
        let _ = writeln!(text, "limits = {{ {limits} }}");
    }
    text
}

fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

/// The keys of a field. `fields` are those of its part, `header` those that ranges name.
fn described(field: &Field, fields: &[Field], header: &[Field]) -> String {
    let mut keys = vec![format!("name = {}", quoted(&field.name)), format!("type = {}", quoted(&kind(field, fields)))];
    match &field.constant {
        Some(Constant::Number(value)) => keys.push(format!("value = {value:#x}")),
        Some(Constant::Bytes(bytes)) => keys.push(format!("value = {}", bytes_of(bytes))),
        None => {}
    }
    if let Some((low, high)) = field.range {
        keys.push(format!("range = [{low}, {high}]"));
    }
    if let Some(group) = field.steady {
        keys.push(format!("steady = \"group {group}\""));
    }
    if !field.when.is_empty() {
        let conditions: Vec<String> = field.when.iter().map(|one| condition(one, fields)).collect();
        keys.push(format!("when = {}", quoted(&conditions.join(" && "))));
    }
    if let Some(role) = &field.role {
        self::role(role, header, &mut keys);
    }
    if !field.map.is_empty() || field.others.is_some() {
        let others = field.others.iter().map(|meaning| format!("_ = {}", self::meaning(*meaning)));
        let named = field.map.iter().map(|(value, meaning)| format!("{value} = {}", self::meaning(*meaning)));
        keys.push(format!("map = {{ {} }}", named.chain(others).collect::<Vec<_>>().join(", ")));
    }
    if field.default != 0 {
        keys.push(format!("default = {}", field.default.cast_signed()));
    }
    if let Some(otherwise) = &field.otherwise {
        keys.push(format!("otherwise = {}", quoted(otherwise)));
    }
    keys.join(", ")
}

fn kind(field: &Field, fields: &[Field]) -> String {
    match field.kind {
        Kind::Number { bits, signed, little } => {
            format!("{}{bits}{}", if signed { "i" } else { "u" }, if little { "le" } else { "" })
        }
        Kind::Bcd { digits } => format!("bcd {digits}"),
        Kind::Text { len } => format!("text {len}"),
        Kind::Bytes { len } => format!("bytes {len}"),
        Kind::Varint => "varint".into(),
        Kind::Digits { radix } => if radix == 16 { "hex" } else { "dec" }.into(),
        Kind::Word => "word".into(),
        Kind::Counted { by } => format!("bytes {}", fields.get(by).map(|by| by.name.as_str()).unwrap_or_default()),
    }
}

/// Bytes as digits behind 0x.
fn hex(bytes: &[u8]) -> String {
    quoted(&bytes.iter().fold(String::from("0x"), |text, byte| format!("{text}{byte:02x}")))
}

/// Bytes as a text, or as digits behind 0x.
fn bytes_of(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) if !text.starts_with("0x") && !text.chars().any(char::is_control) => quoted(text),
        _ => hex(bytes),
    }
}

fn condition(one: &Condition, fields: &[Field]) -> String {
    let sign = match one.comparison {
        Comparison::Equal => "==",
        Comparison::NotEqual => "!=",
        Comparison::Less => "<",
        Comparison::LessOrEqual => "<=",
        Comparison::Greater => ">",
        Comparison::GreaterOrEqual => ">=",
        Comparison::Mask => "&",
    };
    format!("{} {sign} {}", fields.get(one.field).map(|field| field.name.as_str()).unwrap_or_default(), one.value)
}

fn role(role: &Role, header: &[Field], keys: &mut Vec<String>) {
    let start = |from: RangeStart, default: RangeStart, keys: &mut Vec<String>| {
        let named = |index: usize| quoted(header.get(index).map(|field| field.name.as_str()).unwrap_or_default());
        match from {
            _ if from == default => {}
            RangeStart::Start => keys.push("from = \"start\"".into()),
            RangeStart::Body => keys.push("from = \"body\"".into()),
            RangeStart::Field(index) => keys.push(format!("from = {}", named(index))),
            RangeStart::Behind(index) => keys.push(format!("after = {}", named(index))),
        }
    };
    let clock = |name: &str, clock: &Clock, keys: &mut Vec<String>| {
        let ticks = clock.base.den.get() / clock.base.num.get();
        let ticks = if clock.halves { quoted("ntp") } else { ticks.to_string() };
        keys.push(format!("role = \"{name}\", clock = {ticks}"));
        if clock.shift > 0 {
            keys.push(format!("shift = {}", clock.shift));
        }
    };
    match role {
        Role::Length { unit, plus, from, tail, align } => {
            keys.push("role = \"length\"".into());
            start(*from, RangeStart::Body, keys);
            let more = [("unit", i64::from(*unit), 1), ("plus", i64::from(*plus), 0), ("align", i64::from(*align), 1)];
            let more = more.into_iter().filter(|(_, value, usual)| value != usual);
            keys.extend(more.map(|(key, value, _)| format!("{key} = {value}")));
            keys.extend(tail.then(|| "tail = true".into()));
        }
        Role::Checksum { algorithm, from, to } => {
            keys.push(format!("role = \"checksum\", algorithm = {}", algorithm_text(*algorithm)));
            start(*from, RangeStart::Start, keys);
            match to {
                RangeEnd::Body => {}
                RangeEnd::Header => keys.push("to = \"header\"".into()),
                RangeEnd::Here => keys.push("to = \"here\"".into()),
            }
        }
        Role::Pts(of) => clock("pts", of, keys),
        Role::Dts(of) => clock("dts", of, keys),
        Role::Cts(of) => clock("cts", of, keys),
        Role::Sequence { per_stream } => {
            keys.push("role = \"sequence\"".into());
            keys.extend(per_stream.then(|| "per = \"stream\"".into()));
        }
        Role::Part { first } => keys.push(format!("role = \"part\", first = {first}")),
        plain => {
            let name = PLAIN.iter().find(|(known, _)| known == plain).map_or("", |(_, name)| name);
            keys.push(format!("role = \"{name}\""));
        }
    }
}

/// Roles without more keys, by name.
const PLAIN: &[(Role, &str)] = &[
    (Role::Stream, "stream"),
    (Role::Media, "media"),
    (Role::Codec, "codec"),
    (Role::Key, "key"),
    (Role::Config, "config"),
    (Role::Skip, "skip"),
    (Role::Fragment, "fragment"),
    (Role::Parts, "parts"),
    (Role::First, "first"),
    (Role::Last, "last"),
    (Role::SampleRate, "sample_rate"),
    (Role::Channels, "channels"),
    (Role::Width, "width"),
    (Role::Height, "height"),
];

/// An algorithm by its name, or by its parameters.
fn algorithm_text(algorithm: Algorithm) -> String {
    let name = Algorithm::NAMES.iter().find(|(_, known)| *known == algorithm).map(|(name, _)| quoted(name));
    name.unwrap_or_else(|| match algorithm {
        Algorithm::Crc(crc) => format!(
            "{{ width = {}, poly = \"{:#x}\", init = \"{:#x}\", refin = {}, refout = {}, xorout = \"{:#x}\" }}",
            crc.width, crc.poly, crc.init, crc.refin, crc.refout, crc.xorout
        ),
        _ => String::new(),
    })
}

fn meaning(meaning: Meaning) -> String {
    match meaning {
        Meaning::Codec(codec) => quoted(codec.name()),
        Meaning::Flag(flag) => flag.to_string(),
        Meaning::Fragment(part) => quoted(match part {
            Fragment::Whole => "whole",
            Fragment::First => "first",
            Fragment::Middle => "middle",
            Fragment::Last => "last",
        }),
        Meaning::Number(number) => number.to_string(),
        Meaning::Media(kind) => quoted(kind.name()),
        Meaning::Skip => quoted("skip"),
    }
}

fn body(body: &Body) -> String {
    let mut keys = Vec::new();
    let named = |codec: &Codec| codec.name().starts_with("pcm_") && body.audio.0 > 0 && body.audio.1 > 0;
    let pcm = body.codec.filter(|codec| body.kind == BodyKind::Raw && named(codec));
    if pcm.is_none() {
        keys.extend((body.audio.0 > 0).then(|| format!("sample_rate = {}", body.audio.0)));
        keys.extend((body.audio.1 > 0).then(|| format!("channels = {}", body.audio.1)));
    }
    match (&body.kind, pcm) {
        (BodyKind::Nested(inner), _) => keys.push(format!("layout = {{ {} }}", inline(inner))),
        (BodyKind::Raw, Some(codec)) => {
            let sample = codec.name().trim_start_matches("pcm_");
            keys.push(format!("kind = \"pcm {sample} {} {}\"", body.audio.0, body.audio.1));
        }
        (BodyKind::Raw, None) => {}
        (BodyKind::AnnexB, _) => keys.push("kind = \"annexb\"".into()),
        (BodyKind::Avcc(size), _) => keys.push(format!("kind = \"avcc {size}\"")),
        (BodyKind::Adts, _) => keys.push("kind = \"adts\"".into()),
        (BodyKind::ProgramStream, _) => keys.push("kind = \"mpegps\"".into()),
    }
    keys.extend(body.codec.filter(|_| pcm.is_none()).map(|codec| format!("codec = {}", quoted(codec.name()))));
    keys.extend(body.length.map(|length| format!("length = {length}")));
    keys.extend(body.until.as_ref().map(|until| format!("until = {}", bytes_of(until))));
    keys.extend(body.rest.then(|| "rest = true".into()));
    let codings: Vec<&str> = body.transforms.iter().map(|transform| transform.name()).collect();
    keys.extend((!codings.is_empty()).then(|| format!("coding = {}", quoted(&codings.join(" ")))));
    keys.extend(body.config.as_ref().map(|config| format!("config = {}", hex(config))));
    keys.extend(body.frame_rate.map(|(num, den)| format!("frame_rate = \"{num}/{den}\"")));
    keys.join(", ")
}

/// A layout inside another, on one line.
fn inline(layout: &Layout) -> String {
    let lines = text(layout);
    let mut keys: Vec<String> = Vec::new();
    for line in lines.lines() {
        match line.trim() {
            "]" => keys.last_mut().into_iter().for_each(|key| key.push_str(" ]")),
            item if item.starts_with('{') => keys.last_mut().into_iter().for_each(|key| {
                key.push(' ');
                key.push_str(item);
            }),
            key => keys.push(key.to_owned()),
        }
    }
    keys.join(", ")
}

fn limits(limits: &Limits) -> String {
    let usual = Limits::default();
    let mut keys = Vec::new();
    if limits.body != usual.body {
        keys.push(format!("body = {}", limits.body));
    }
    keys.extend(limits.part.map(|part| format!("part = {part}")));
    if !limits.resync {
        keys.push("on_violation = \"error\"".into());
    }
    keys.join(", ")
}

#[cfg(test)]
mod tests {
    use super::super::{PRESETS, parse};

    #[test]
    fn a_layout_reads_back_from_its_text() {
        for preset in PRESETS {
            let layout = preset.layout().unwrap();
            let text = super::text(&layout);
            assert_eq!(parse(&text).as_ref(), Ok(&layout), "{text}");
        }
    }
}
