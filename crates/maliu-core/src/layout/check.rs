//! Is a layout sound? Checked once, so that reading and writing by it cannot fail in ways an input chooses.

use alloc::{
    borrow::ToOwned,
    format,
    string::{String, ToString},
};

use super::{
    BodyKind, Constant, Field, Head, Kind, Layout, MAX_BODY, MAX_DELIMITER, MAX_FIELDS, MAX_HEADER_BITS, MAX_NESTING,
    MAX_TRANSFORMS, Meaning, RangeStart, Role,
};

/// A fault of a layout: its kind, its place, and a remedy.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Fault {
    /// `preamble`, `header`, `inside`, `tail`, `body` or `limits`.
    pub part: &'static str,
    /// Index of the field in its part, if it is about one.
    pub field: Option<usize>,
    /// The fault.
    pub what: String,
    /// A remedy.
    pub hint: String,
}

impl core::fmt::Display for Fault {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{}: {} ({})", self.part, self.what, self.hint)
    }
}

impl core::error::Error for Fault {}

impl Layout {
    /// Whether the layout is sound.
    ///
    /// # Errors
    /// The first [`Fault`].
    pub fn check(&self) -> Result<(), Fault> {
        self.check_nested(0)
    }

    fn check_nested(&self, depth: usize) -> Result<(), Fault> {
        if depth > MAX_NESTING {
            return Err(fault("body", None, format!("nested deeper than {MAX_NESTING}"), "flatten the layouts"));
        }
        for (part, fields) in
            [("preamble", &self.preamble), ("header", &self.header), ("inside", &self.inside), ("tail", &self.tail)]
        {
            check_part(part, fields)?;
        }
        if self.header.is_empty() && (self.head != Head::Bits || self.body.until.is_none() && !self.body.rest) {
            return Err(fault(
                "header",
                None,
                "there is no field".to_owned(),
                "add a [[header]] with at least a length",
            ));
        }
        let sized = |field: &&Field| matches!(field.role, Some(Role::Length { .. }));
        let lengths = self.header.iter().filter(sized).count();
        let fixed = self.body.length.is_some() || self.body.until.is_some() || self.body.rest;
        self.check_end()?;
        self.check_body(depth)?;
        match (lengths, fixed) {
            (0, false) => {
                let hint = "give one header field role = \"length\", or the body a fixed length or until = \"…\"";
                return Err(fault("header", None, "nothing says how long the body is".to_owned(), hint));
            }
            (1.., true) => {
                let hint = "keep one of them";
                let what = "a fixed length or an end, and a length field".to_owned();
                return Err(fault("body", None, what, hint));
            }
            _ => {}
        }
        if self.preamble.iter().chain(&self.tail).any(|field| matches!(field.role, Some(Role::Length { .. })))
            && lengths == 0
        {
            return Err(fault("header", None, "the length is not in the header".to_owned(), "move it there"));
        }
        if self.limits.body == 0 || self.limits.body as usize > MAX_BODY {
            let what = format!("a body of {} bytes", self.limits.body);
            return Err(fault("limits", None, what, &format!("between 1 and {MAX_BODY}")));
        }
        if self.body.length.is_some_and(|length| length > self.limits.body) {
            return Err(fault("limits", None, "the fixed body is longer than the limit".to_owned(), "raise the limit"));
        }
        self.check_ranges()?;
        match &self.body.kind {
            BodyKind::Nested(inner) => inner.check_nested(depth + 1),
            BodyKind::Avcc(n) if ![1, 2, 4].contains(n) => {
                Err(fault("body", None, format!("avcc with lengths of {n} bytes"), "1, 2 or 4"))
            }
            _ => Ok(()),
        }
    }

    /// Extent and transforms of a body, and what text headers hold.
    fn check_body(&self, depth: usize) -> Result<(), Fault> {
        let wrong = |part, what: &str, hint: &str| Err(fault(part, None, what.to_owned(), hint));
        if self.body.rest && (depth == 0 || !self.preamble.is_empty()) {
            let hint = "body = { layout = { …, body = { rest = true } } }, and no preamble in it";
            return wrong("body", "the rest of a message whose extent nothing says", hint);
        }
        if self.body.transforms.len() > MAX_TRANSFORMS {
            return wrong("body", "too many codings", &format!("at most {MAX_TRANSFORMS}"));
        }
        if self.head == Head::Bits {
            return match self.header.iter().position(|field| field.kind == Kind::Word) {
                Some(index) => Err(fault("header", Some(index), "a word among bits".to_owned(), "head = \"lines\"")),
                None => Ok(()),
            };
        }
        let textual = |field: &Field| matches!(field.kind, Kind::Digits { .. } | Kind::Word);
        match self.header.iter().position(|field| !textual(field)) {
            Some(index) => {
                let what = format!("{} is not text", self.header.get(index).map_or("", |field| &field.name));
                Err(fault("header", Some(index), what, "type = \"dec\", \"hex\" or \"word\" where the header is text"))
            }
            None if matches!(&self.head, Head::Lines { first } if first.len() > MAX_DELIMITER) => {
                wrong("header", "a first line that is too long", &format!("at most {MAX_DELIMITER} bytes"))
            }
            None => Ok(()),
        }
    }

    /// The bytes that end a body.
    fn check_end(&self) -> Result<(), Fault> {
        let wrong = |what: &str, hint: &str| Err(fault("body", None, what.to_owned(), hint));
        match &self.body.until {
            Some(end) if end.is_empty() => wrong("an end of no bytes", "until = \"\\r\\n\" or \"0x7e\""),
            Some(end) if end.len() > MAX_DELIMITER => {
                wrong("an end that is too long", &format!("at most {MAX_DELIMITER} bytes"))
            }
            Some(_) if self.body.length.is_some() || self.body.rest => {
                wrong("both a length and an end", "keep one of them")
            }
            _ => Ok(()),
        }
    }

    /// Ranges of lengths and checksums name fields of the header that stand on whole bytes.
    fn check_ranges(&self) -> Result<(), Fault> {
        for (part, fields) in [("header", &self.header), ("tail", &self.tail)] {
            for (index, field) in fields.iter().enumerate() {
                let from = match &field.role {
                    Some(Role::Length { unit: 0, .. }) => {
                        let what = "a unit of 0 bytes".to_owned();
                        return Err(fault(part, Some(index), what, "1 is the usual unit"));
                    }
                    Some(Role::Length { tail, align, .. }) if *align > 1 && (*tail || part == "tail") => {
                        let what = format!("{} fills the body up and counts the tail", field.name);
                        return Err(fault(part, Some(index), what, "align without tail, in the header"));
                    }
                    Some(Role::Length { from, .. }) => *from,
                    Some(Role::Checksum { from, .. }) => *from,
                    _ => continue,
                };
                let (start, behind) = match from {
                    RangeStart::Field(start) => (start, 0),
                    RangeStart::Behind(start) => (start, 1),
                    RangeStart::Start | RangeStart::Body => continue,
                };
                let before = self.header.get(..start.saturating_add(behind)).unwrap_or_default();
                let bits: usize = before.iter().map(|field| field.kind.bits()).sum();
                if start >= self.header.len() || !bits.is_multiple_of(8) {
                    let what = format!("{} counts from a field that is not a whole byte of the header", field.name);
                    return Err(fault(part, Some(index), what, "name a header field that starts on a byte"));
                }
            }
        }
        Ok(())
    }
}

fn check_part(part: &'static str, fields: &[Field]) -> Result<(), Fault> {
    if fields.len() > MAX_FIELDS {
        return Err(fault(part, None, format!("{} fields", fields.len()), &format!("at most {MAX_FIELDS}")));
    }
    let (mut bits, mut runs) = (0usize, 0usize);
    for (index, field) in fields.iter().enumerate() {
        check_field(part, index, field, fields)?;
        let whole_bytes = !matches!(field.kind, Kind::Number { .. });
        if whole_bytes && !runs.is_multiple_of(8) {
            let what = format!("{} starts inside a byte", field.name);
            return Err(fault(part, Some(index), what, "fill up the bits before it"));
        }
        runs += field.kind.bits();
        bits += field.kind.bits();
    }
    if !bits.is_multiple_of(8) {
        let what = format!("{bits} bits are not whole bytes");
        return Err(fault(part, fields.len().checked_sub(1), what, &format!("add a field of {} bits", 8 - bits % 8)));
    }
    if bits > MAX_HEADER_BITS {
        return Err(fault(part, None, format!("{bits} bits"), &format!("at most {MAX_HEADER_BITS}")));
    }
    Ok(())
}

fn check_field(part: &'static str, index: usize, field: &Field, fields: &[Field]) -> Result<(), Fault> {
    let wrong = |what: String, hint: &str| Err(fault(part, Some(index), what, hint));
    if field.name.is_empty() {
        return wrong("a field without a name".to_owned(), "name = \"…\"");
    }
    if fields.iter().take(index).any(|other| other.name == field.name) {
        return wrong(format!("a second field {}", field.name), "names are unique in their part");
    }
    match field.kind {
        Kind::Number { bits, little, .. } => {
            if bits == 0 || bits > 64 {
                return wrong(format!("{} has {bits} bits", field.name), "1 to 64");
            }
            if little && !bits.is_multiple_of(8) {
                return wrong(format!("{} is little-endian and not whole bytes", field.name), "leave out le");
            }
        }
        Kind::Bcd { digits } if digits == 0 || !digits.is_multiple_of(2) => {
            return wrong(format!("{} has {digits} digits", field.name), "an even number, two a byte");
        }
        _ => {}
    }
    check_constant(part, index, field)?;
    if let Some(condition) = field.when.iter().find(|condition| condition.field >= index) {
        let what = format!("{} depends on field {} which is not in front of it", field.name, condition.field);
        return wrong(what, "conditions look back");
    }
    let optional_bits = !field.when.is_empty() && !field.kind.bits().is_multiple_of(8);
    if optional_bits && !grouped(index, field, fields) {
        let what = format!("{} is conditional and not whole bytes", field.name);
        return wrong(what, "give all bits of the byte the same condition");
    }
    check_counted(part, index, field, fields)?;
    if matches!(field.kind, Kind::Varint | Kind::Digits { .. } | Kind::Word) && matches!(part, "inside" | "tail") {
        let what = format!("{} has no fixed length in the {part}", field.name);
        return wrong(what, "such fields stand in headers");
    }
    check_role(part, index, field)?;
    let mapped = field.map.iter().any(|(_, meaning)| matches!(meaning, Meaning::Codec(_)));
    if field.role == Some(Role::Codec) && !mapped {
        return wrong(format!("{} says the codec but has no map", field.name), "map = { 1 = \"h264\" }");
    }
    if field.role == Some(Role::Fragment) && field.map.is_empty() {
        return wrong(
            format!("{} says the fragment but has no map", field.name),
            "map = { 0 = \"whole\", 1 = \"first\", … }",
        );
    }
    Ok(())
}

/// A constant fits its field.
fn check_constant(part: &'static str, index: usize, field: &Field) -> Result<(), Fault> {
    let wrong = |what: String, hint: &str| Err(fault(part, Some(index), what, hint));
    match (&field.constant, field.kind) {
        (Some(Constant::Number(value)), Kind::Number { bits, .. }) if bits < 64 && value >> bits != 0 => {
            wrong(format!("the value {value} of {} does not fit {bits} bits", field.name), "widen the field")
        }
        (Some(Constant::Bytes(_)), Kind::Number { .. } | Kind::Bcd { .. } | Kind::Varint | Kind::Digits { .. }) => {
            wrong(format!("{} is a number", field.name), "give value a number")
        }
        (Some(Constant::Bytes(bytes)), kind) if kind != Kind::Word && bytes.len() * 8 > kind.bits() => {
            wrong(format!("the value of {} is longer than the field", field.name), "widen the field")
        }
        (Some(Constant::Number(_)), Kind::Text { .. } | Kind::Bytes { .. } | Kind::Counted { .. } | Kind::Word) => {
            wrong(format!("{} is not a number", field.name), "give value a text")
        }
        _ => Ok(()),
    }
}

/// A field whose length another one says stands behind that one, in a preamble or a header.
fn check_counted(part: &'static str, index: usize, field: &Field, fields: &[Field]) -> Result<(), Fault> {
    let Kind::Counted { by } = field.kind else { return Ok(()) };
    let wrong = |what: String, hint: &str| Err(fault(part, Some(index), what, hint));
    let counts = fields.get(by).filter(|_| by < index).map(|field| field.kind);
    match (part, counts) {
        ("inside" | "tail", _) => {
            wrong(format!("{} has no fixed length in the {part}", field.name), "such fields stand in headers")
        }
        (_, Some(Kind::Number { signed: false, .. } | Kind::Bcd { .. } | Kind::Varint | Kind::Digits { .. })) => {
            let written = fields.get(by).map_or(0, |field| match field.constant {
                Some(Constant::Number(value)) => value,
                _ => field.default,
            });
            match usize::try_from(written).is_ok_and(|bytes| bytes <= MAX_HEADER_BITS / 8) {
                true => Ok(()),
                false => {
                    let what = format!("{written} bytes of {} would be written", field.name);
                    wrong(what, &format!("at most {}", MAX_HEADER_BITS / 8))
                }
            }
        }
        _ => wrong(format!("{} is counted by a field that is no number in front of it", field.name), "bytes NAME"),
    }
}

/// Fields that count are numbers, and a checksum fits its field.
fn check_role(part: &'static str, index: usize, field: &Field) -> Result<(), Fault> {
    let counts = matches!(
        field.role,
        Some(
            Role::Length { .. }
                | Role::Checksum { .. }
                | Role::Pts(_)
                | Role::Dts(_)
                | Role::Cts(_)
                | Role::Sequence { .. }
                | Role::Part { .. }
                | Role::Parts
        )
    );
    if counts && matches!(field.kind, Kind::Text { .. } | Kind::Bytes { .. } | Kind::Counted { .. } | Kind::Word) {
        let what = format!("{} has a role that needs a number", field.name);
        return Err(fault(part, Some(index), what, "type = \"u32\" for one of 4 bytes"));
    }
    if let Some(Role::Checksum { algorithm, .. }) = field.role
        && usize::from(field.kind.room()) < algorithm.bits()
    {
        let what = format!("a checksum of {} bits in {} bits of {}", algorithm.bits(), field.kind.bits(), field.name);
        return Err(fault(part, Some(index), what, &format!("type = \"u{}\"", algorithm.bits())));
    }
    Ok(())
}

/// Whether the neighbours with the same condition fill whole bytes.
fn grouped(index: usize, field: &Field, fields: &[Field]) -> bool {
    let same = |other: &&Field| other.when == field.when;
    let (before, after) = fields.split_at(index);
    let bits = |found: usize, field: &Field| found + field.kind.bits();
    (before.iter().rev().take_while(same).fold(0, bits) + after.iter().take_while(same).fold(0, bits)).is_multiple_of(8)
}

fn fault(part: &'static str, field: Option<usize>, what: String, hint: &str) -> Fault {
    Fault { part, field, what, hint: hint.to_string() }
}
