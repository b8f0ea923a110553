//! Headers that are text: lines `Name: value`, an object of JSON, or `name=value` on one line.
//!
//! ```text
//!   --boundary\r\n              {"size":123,"pts":40}\n        size=123 pts=40\n
//!   Content-Length: 123\r\n
//!   \r\n
//! ```

use alloc::{borrow::Cow, format, vec::Vec};
use core::ops::Range;

use memchr::memchr;

use super::{Constant, Field, Head, MAX_TEXT_HEAD, extent::Lack};

fn bad(why: impl Into<Cow<'static, str>>) -> Lack {
    Lack::Bad(why.into())
}

/// Where the text of a header stands, and the first byte behind it.
pub(super) fn extent(form: &Head, bytes: &[u8]) -> Result<(Range<usize>, usize), Lack> {
    let Head::Lines { first } = form else {
        if *form == Head::Json && bytes.first().is_some_and(|byte| *byte != b'{') {
            return Err(bad("the header is no object"));
        }
        // Looked at before the end of the line is: so that a run of brackets is passed over at once.
        let name = bytes.get(1..).and_then(|rest| rest.iter().find(|byte| !byte.is_ascii_whitespace()));
        if *form == Head::Json && name.is_some_and(|byte| !matches!(byte, b'"' | b'}')) {
            return Err(bad("the header is no object"));
        }
        let end = line(bytes, 0)?;
        let text = bytes.get(..end).unwrap_or_default().trim_ascii_end();
        let whole = *form != Head::Json || text.ends_with(b"}");
        return if whole && !text.is_empty() { Ok((0..text.len(), end)) } else { Err(bad("the header is no object")) };
    };
    let seen = bytes.get(..first.len().min(bytes.len())).unwrap_or_default();
    if !first.as_bytes().starts_with(seen) {
        return Err(bad("the header does not begin with its first line"));
    }
    let mut at = 0;
    if !first.is_empty() {
        at = line(bytes, 0)?;
        if bytes.get(first.len()..at).is_none_or(|rest| !rest.iter().all(u8::is_ascii_whitespace)) {
            return Err(bad("the header does not begin with its first line"));
        }
    }
    let from = at;
    loop {
        let end = line(bytes, at)?;
        let text = bytes.get(at..end).unwrap_or_default().trim_ascii_end();
        match text {
            [] if at > from => return Ok((from..at, end)),
            _ if memchr(b':', text).is_none_or(|colon| colon == 0) => {
                return Err(bad("a line of the header has no name"));
            }
            _ => at = end,
        }
    }
}

/// The first byte behind the line at `at`. Bytes that no text has end the search early.
fn line(bytes: &[u8], at: usize) -> Result<usize, Lack> {
    let rest = bytes.get(at..bytes.len().min(MAX_TEXT_HEAD)).unwrap_or_default();
    let odd = |byte: &u8| *byte < b' ' && *byte != b'\t' || *byte == 0x7f;
    match rest.iter().position(odd) {
        Some(end) if rest.get(end) == Some(&b'\n') => Ok(at + end + 1),
        Some(end) if rest.get(end..end + 2) == Some(b"\r\n") => Ok(at + end + 2),
        Some(end) if rest.get(end) == Some(&b'\r') && at + end + 1 == bytes.len() => Err(Lack::Need(bytes.len() + 1)),
        Some(_) => Err(bad("the header is not text")),
        None if bytes.len() >= MAX_TEXT_HEAD => Err(bad("the header is longer than any (MAX_TEXT_HEAD)")),
        None => Err(Lack::Need(bytes.len().saturating_add(1))),
    }
}

/// Where the value of `name` begins in a header whose text stands at `text`.
pub(super) fn find(form: &Head, head: &[u8], text: Range<usize>, name: &str) -> Option<usize> {
    match form {
        Head::Lines { .. } => in_lines(head, text, name),
        Head::Json => in_object(head, text, name),
        _ => in_pairs(head, text, name),
    }
}

fn in_lines(head: &[u8], text: Range<usize>, name: &str) -> Option<usize> {
    let mut at = text.start;
    for line in head.get(text)?.split_inclusive(|byte| *byte == b'\n') {
        let colon = memchr(b':', line)?;
        if line.get(..colon)?.trim_ascii().eq_ignore_ascii_case(name.as_bytes()) {
            let value = line.get(colon + 1..)?;
            return Some(at + colon + 1 + (value.len() - value.trim_ascii_start().len()));
        }
        at += line.len();
    }
    None
}

fn in_pairs(head: &[u8], text: Range<usize>, name: &str) -> Option<usize> {
    let mut at = text.start;
    for pair in head.get(text)?.split(|byte| matches!(byte, b' ' | b'\t' | b';' | b',' | b'&')) {
        if pair.strip_prefix(name.as_bytes()).is_some_and(|rest| rest.starts_with(b"=")) {
            let quoted = pair.get(name.len() + 1) == Some(&b'"');
            return Some(at + name.len() + 1 + usize::from(quoted));
        }
        at += pair.len() + 1;
    }
    None
}

/// The value of a member of the outermost object.
fn in_object(head: &[u8], text: Range<usize>, name: &str) -> Option<usize> {
    let (mut depth, mut string, mut at) = (0usize, None, text.start);
    // A string that a colon follows names a member.
    let mut last: Option<Range<usize>> = None;
    while at < text.end {
        let byte = *head.get(at)?;
        match (string, byte) {
            (Some(_), b'\\') => at += 1,
            (Some(start), b'"') => (string, last) = (None, Some(start..at)),
            (Some(_), _) => {}
            (None, b'"') => string = Some(at + 1),
            (None, b'{' | b'[') => depth += 1,
            (None, b'}' | b']') => depth = depth.checked_sub(1)?,
            (None, b':')
                if depth == 1 && last.as_ref().and_then(|key| head.get(key.clone())) == Some(name.as_bytes()) =>
            {
                let value = head.get(at + 1..text.end)?;
                let start = at + 1 + (value.len() - value.trim_ascii_start().len());
                return Some(start + usize::from(head.get(start) == Some(&b'"')));
            }
            _ => {}
        }
        at += 1;
    }
    None
}

/// A header that is being written.
pub(super) struct Text<'a> {
    form: &'a Head,
    pub(super) bytes: Vec<u8>,
    any: bool,
}

impl<'a> Text<'a> {
    pub(super) fn new(form: &'a Head) -> Self {
        let start = match form {
            Head::Lines { first } if first.is_empty() => Vec::new(),
            Head::Lines { first } => format!("{first}\r\n").into_bytes(),
            Head::Json => b"{".to_vec(),
            _ => Vec::new(),
        };
        Self { form, bytes: start, any: false }
    }

    /// Adds a field; returns where its value begins.
    pub(super) fn add(&mut self, field: &Field, value: u64) -> usize {
        let text = match (&field.constant, field.kind) {
            (Some(Constant::Bytes(bytes)), _) => bytes.clone(),
            (_, super::Kind::Digits { radix: 16 }) => format!("{value:x}").into_bytes(),
            _ => format!("{value}").into_bytes(),
        };
        let quoted = *self.form == Head::Json && !matches!(field.kind, super::Kind::Digits { radix: 10 });
        let quote = if quoted { "\"" } else { "" };
        let name = match self.form {
            Head::Lines { .. } => format!("{}: ", field.name),
            Head::Json => format!("{}\"{}\":{quote}", if self.any { "," } else { "" }, field.name),
            _ => format!("{}{}=", if self.any { " " } else { "" }, field.name),
        };
        self.any = true;
        self.bytes.extend_from_slice(name.as_bytes());
        let at = self.bytes.len();
        self.bytes.extend_from_slice(&text);
        self.bytes.extend_from_slice(quote.as_bytes());
        if matches!(self.form, Head::Lines { .. }) {
            self.bytes.extend_from_slice(b"\r\n");
        }
        at
    }

    pub(super) fn finish(mut self) -> Vec<u8> {
        self.bytes.extend_from_slice(match self.form {
            Head::Lines { .. } => b"\r\n",
            Head::Json => b"}\n",
            _ => b"\n",
        });
        self.bytes
    }
}
