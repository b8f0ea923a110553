//! Paths of the command line as text that loses nothing: a Unix file name may be any bytes.
//!
//! ```text
//!   argument ─ text() ─▶ String ─ of() ─▶ the path to open      shown() ─▶ messages
//! ```
//!
//! A byte that is no UTF-8 is kept as a private character, U+10FF00 and the byte; so are the bytes of such a character
//! where a name has one.

use std::{
    borrow::Cow,
    ffi::OsString,
    path::{Path, PathBuf},
};

use clap::builder::{OsStringValueParser, TypedValueParser};

/// The character for the byte 0.
const FIRST: u32 = 0x10_ff00;

/// The parser of an argument that is a path.
pub(crate) fn parser() -> impl TypedValueParser<Value = String> {
    OsStringValueParser::new().map(text)
}

/// The byte that a character stands for.
fn byte(c: char) -> Option<u8> {
    u32::from(c).checked_sub(FIRST).and_then(|byte| u8::try_from(byte).ok())
}

fn is_plain(text: &str) -> bool {
    text.chars().all(|c| byte(c).is_none())
}

/// An argument as text.
pub(crate) fn text(argument: OsString) -> String {
    match argument.into_string() {
        Ok(text) if is_plain(&text) => text,
        Ok(text) => escaped(text.as_bytes()),
        Err(argument) => escaped(argument.as_encoded_bytes()),
    }
}

fn escaped(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    let escape = |text: &mut String, bytes: &[u8]| {
        text.extend(bytes.iter().filter_map(|byte| char::from_u32(FIRST + u32::from(*byte))));
    };
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            match byte(c) {
                None => text.push(c),
                Some(_) => escape(&mut text, c.encode_utf8(&mut [0; 4]).as_bytes()),
            }
        }
        escape(&mut text, chunk.invalid());
    }
    text
}

/// The path that a text stands for.
pub(crate) fn of(text: &str) -> Cow<'_, Path> {
    if is_plain(text) {
        return Cow::Borrowed(Path::new(text));
    }
    let mut bytes = Vec::with_capacity(text.len());
    for c in text.chars() {
        match byte(c) {
            Some(byte) => bytes.push(byte),
            None => bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    Cow::Owned(from_bytes(bytes))
}

#[cfg(unix)]
fn from_bytes(bytes: Vec<u8>) -> PathBuf {
    <OsString as std::os::unix::ffi::OsStringExt>::from_vec(bytes).into()
}

/// Elsewhere names are Unicode, but for halves of surrogate pairs.
#[cfg(not(unix))]
fn from_bytes(bytes: Vec<u8>) -> PathBuf {
    String::from_utf8_lossy(&bytes).into_owned().into()
}

/// A message about paths, as it is shown: bytes that are no text as `\\xff`.
pub(crate) fn shown(message: &str) -> Cow<'_, str> {
    if is_plain(message) {
        return Cow::Borrowed(message);
    }
    let show = |c| byte(c).map_or_else(|| String::from(c), |byte| format!("\\x{byte:02x}"));
    Cow::Owned(message.chars().map(show).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_text_stays_as_it_is() {
        for name in ["film.flv", "码流/é.aac", "-", ""] {
            assert_eq!((text(name.into()).as_str(), &*of(name), &*shown(name)), (name, Path::new(name), name));
        }
    }

    #[cfg(unix)]
    #[test]
    fn any_bytes_come_back() {
        use std::os::unix::ffi::{OsStrExt, OsStringExt};
        for name in [&b"a\xffb\xfe.flv"[..], b"\xe7\xa0", "a\u{10ff41}b".as_bytes(), b"\xf4\x8f\xbc\xff"] {
            let text = text(OsString::from_vec(name.into()));
            assert_eq!(of(&text).as_os_str().as_bytes(), name, "{text:?}");
        }
        assert_eq!(shown(&text(OsString::from_vec(b"a\xffb".into()))), "a\\xffb");
    }
}
