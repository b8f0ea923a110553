//! Names of streams: application and stream, checked where they enter.

use std::fmt;

/// Most bytes of a name.
const MAX: usize = 255;

/// The name of a stream, `app/stream`. It is a key of a map and never a path of a file.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Name(String);

impl Name {
    /// A name from its two halves; `None` when one is empty, they are too long, or hold `..` or control characters.
    pub(crate) fn of(app: &str, stream: &str) -> Option<Self> {
        let name = format!("{app}/{stream}");
        let parts = name.split('/').all(|part| !part.is_empty() && part != "." && part != "..");
        let plain = !name.chars().any(|letter| letter.is_control() || maliu::plain::is_harmful(letter));
        (parts && plain && name.len() <= MAX).then_some(Self(name))
    }

    /// A name from the path of a URL, percent-decoded, without its first slash and with `suffix` taken off.
    pub(crate) fn of_path(path: &str, suffix: &str) -> Option<Self> {
        let path = path.strip_prefix('/')?.strip_suffix(suffix)?;
        let decoded = decode(path)?;
        let (app, stream) = decoded.rsplit_once('/')?;
        Self::of(app, stream)
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Percent-decoding; `None` for broken escapes and for bytes that are not UTF-8.
pub(crate) fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let mut digit = || char::from(rest.next()?).to_digit(16);
        bytes.push((digit()? * 16 + digit()?) as u8);
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_attack_are_none() {
        for path in ["/live/key.flv", "/a/b/c.flv", "/live/%D0%BA%D0%BB%D1%8E%D1%87.flv", "/live/a%20b.flv"] {
            assert!(Name::of_path(path, ".flv").is_some(), "{path}");
        }
        for path in [
            "/.flv",
            "/live/.flv",
            "/live/../x.flv",
            "/live/%2e%2e/x.flv",
            "/live/a%00.flv",
            "/live/a%zz.flv",
            "/live/%ff.flv",
            "live/a.flv",
            "/a.flv",
            "//a.flv",
        ] {
            assert_eq!(Name::of_path(path, ".flv"), None, "{path}");
        }
        assert_eq!(Name::of("live", &"a".repeat(300)), None);
        assert_eq!(Name::of("live", "key").unwrap().to_string(), "live/key");
    }
}
