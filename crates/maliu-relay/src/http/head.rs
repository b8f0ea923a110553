//! Heads of requests: HTTP/1.0 and 1.1, as far as a server of GET needs them (RFC 9112).

use std::fmt;

use crate::access::Shown;

/// Most bytes of a head.
pub(crate) const MAX_HEAD: usize = 16 << 10;

/// Most fields of a head.
const MAX_FIELDS: usize = 64;

/// A request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) method: String,
    /// The path, as it was sent: percent-encoded.
    pub(crate) path: String,
    /// The part behind the question mark.
    pub(crate) query: String,
    /// Whether the version is 1.1: the answer may come in chunks, and the connection stays open.
    pub(crate) is_1_1: bool,
    fields: Vec<(String, String)>,
}

/// Why a head is refused: the status, and words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Wrong {
    pub(crate) status: u16,
    pub(crate) why: &'static str,
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.why)
    }
}

impl Head {
    /// The first head of these bytes, and its length; `None` when it is not whole.
    ///
    /// # Errors
    /// It is no head, or is too long.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Option<(Self, usize)>, Wrong> {
        // Empty lines before a request are passed over (§2.2).
        let start = bytes.iter().position(|byte| !b"\r\n".contains(byte)).unwrap_or(bytes.len());
        let rest = bytes.get(start..).unwrap_or_default();
        let Some(len) = length(rest) else {
            return if bytes.len() > MAX_HEAD { Err(TOO_LONG) } else { Ok(None) };
        };
        if start + len > MAX_HEAD {
            return Err(TOO_LONG);
        }
        let text = std::str::from_utf8(rest.get(..len).unwrap_or_default()).map_err(|_| bad("bytes are not UTF-8"))?;
        let mut lines = text.split('\n').map(|line| line.strip_suffix('\r').unwrap_or(line));
        let mut head = Self::line(lines.next().unwrap_or_default())?;
        for line in lines.take_while(|line| !line.is_empty()) {
            if head.fields.len() == MAX_FIELDS {
                return Err(TOO_LONG);
            }
            head.fields.push(field(line)?);
        }
        Ok(Some((head, start + len)))
    }

    fn line(line: &str) -> Result<Self, Wrong> {
        let mut words = line.split(' ');
        let (Some(method), Some(target), Some(version), None) =
            (words.next(), words.next(), words.next(), words.next())
        else {
            return Err(bad("the first line is not METHOD TARGET VERSION"));
        };
        let is_1_1 = match version {
            "HTTP/1.1" => true,
            "HTTP/1.0" => false,
            _ if version.starts_with("HTTP/") => {
                return Err(Wrong { status: 505, why: "the version is not supported" });
            }
            _ => return Err(bad("the first line is not METHOD TARGET VERSION")),
        };
        if method.is_empty() || !method.bytes().all(is_token) || target.bytes().any(|byte| byte.is_ascii_control()) {
            return Err(bad("the first line has characters that it must not have"));
        }
        // A proxy may send the whole URL.
        let target = target.split_once("://").map_or(target, |(_, rest)| rest.find('/').map_or("/", |at| &rest[at..]));
        let target = target.split_once('#').map_or(target, |(target, _)| target);
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        Ok(Self { method: method.into(), path: path.into(), query: query.into(), is_1_1, fields: Vec::new() })
    }

    /// The first value of a field, whose name is in small letters.
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(known, _)| known == name).map(|(_, value)| &**value)
    }

    /// The values of a field that may stand there several times, with commas between them.
    pub(crate) fn list(&self, name: &str) -> String {
        let lines = self.fields.iter().filter(|(known, _)| known == name);
        lines.map(|(_, value)| &**value).collect::<Vec<_>>().join(",")
    }

    /// Whether one of the words of a field, between commas, is this one.
    pub(crate) fn has(&self, name: &str, word: &str) -> bool {
        let lines = self.fields.iter().filter(|(known, _)| known == name);
        lines.flat_map(|(_, line)| line.split(',')).any(|known| known.trim().eq_ignore_ascii_case(word))
    }

    /// Whether bytes of a body follow, which none of the requests here has.
    pub(crate) fn has_body(&self) -> bool {
        self.field("transfer-encoding").is_some() || self.field("content-length").is_some_and(|length| length != "0")
    }

    /// The values of a member of the query.
    pub(crate) fn query<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let pairs = self.query.split('&').filter_map(|pair| pair.split_once('='));
        pairs.filter(move |(key, _)| *key == name).map(|(_, value)| value)
    }

    /// Tokens of a request, in its query and behind `Bearer` in its field `Authorization`, and its signature.
    pub(crate) fn shown(&self) -> Shown {
        let first = |name| self.query(name).next().map(str::to_owned);
        let tokens = self.query("token").chain(self.bearer()).map(str::to_owned).collect();
        Shown { tokens, expires: first("e"), signature: first("s"), query: self.query.clone() }
    }

    /// The token behind `Bearer` in the field `Authorization`.
    pub(crate) fn bearer(&self) -> Option<&str> {
        // Names of schemes have no case (RFC 9110 §11.1).
        let (scheme, token) = self.field("authorization")?.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then_some(token)
    }
}

const TOO_LONG: Wrong = Wrong { status: 431, why: "the head of the request is too long" };

fn bad(why: &'static str) -> Wrong {
    Wrong { status: 400, why }
}

/// The length of a head, with the empty line behind it.
fn length(bytes: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        at += bytes.get(at..)?.iter().position(|byte| *byte == b'\n')? + 1;
        match bytes.get(at..)? {
            [b'\n', ..] => return Some(at + 1),
            [b'\r', b'\n', ..] => return Some(at + 2),
            _ => {}
        }
    }
}

fn field(line: &str) -> Result<(String, String), Wrong> {
    let (name, value) = line.split_once(':').ok_or(bad("a line of the head has no colon"))?;
    if name.is_empty() || !name.bytes().all(is_token) {
        return Err(bad("a name in the head has characters that it must not have"));
    }
    if value.bytes().any(|byte| byte.is_ascii_control() && byte != b'\t') {
        return Err(bad("a value in the head has characters that it must not have"));
    }
    Ok((name.to_ascii_lowercase(), value.trim_matches([' ', '\t']).into()))
}

/// A letter of a token (RFC 9110 §5.6.2).
fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    const REQUEST: &[u8] = b"\r\nGET /live/a%20b.flv?token=x&join=live HTTP/1.1\r\nHost: here\r\n\
        Connection: keep-alive, Upgrade\r\nUPGRADE:websocket \r\n\r\nGET";

    #[test]
    fn heads_are_read_whatever_the_split() {
        for cut in 0..REQUEST.len() - 3 {
            assert_eq!(Head::parse(&REQUEST[..cut]).unwrap(), None, "{cut}");
        }
        let (head, len) = Head::parse(REQUEST).unwrap().unwrap();
        assert_eq!((head.method.as_str(), head.path.as_str(), len), ("GET", "/live/a%20b.flv", REQUEST.len() - 3));
        assert!(head.is_1_1 && head.has("connection", "upgrade") && head.has("upgrade", "WebSocket"));
        assert_eq!(head.query("join").collect::<Vec<_>>(), ["live"]);
        assert_eq!((head.field("host"), head.has_body()), (Some("here"), false));
        let (head, _) = Head::parse(b"GET http://h:80/x#y HTTP/1.0\nAuthorization: Bearer abc\n\n").unwrap().unwrap();
        assert_eq!((head.path.as_str(), head.is_1_1, head.shown().tokens), ("/x", false, vec!["abc".to_owned()]));
    }

    #[test]
    fn what_is_no_head_is_refused() {
        for (text, status) in [
            ("GET /\r\n\r\n", 400),
            ("GET / HTTP/1.1 x\r\n\r\n", 400),
            ("GET / HTTP/3\r\n\r\n", 505),
            ("GET / RTSP/1.0\r\n\r\n", 400),
            ("G(T / HTTP/1.1\r\n\r\n", 400),
            ("GET /\x01 HTTP/1.1\r\n\r\n", 400),
            ("GET / HTTP/1.1\r\nno colon\r\n\r\n", 400),
            ("GET / HTTP/1.1\r\n bad: fold\r\n\r\n", 400),
            ("GET / HTTP/1.1\r\na: \x02\r\n\r\n", 400),
        ] {
            assert_eq!(Head::parse(text.as_bytes()).unwrap_err().status, status, "{text:?}");
        }
        assert_eq!(Head::parse(b"GET / HTTP/1.1\r\na: \xff\r\n\r\n").unwrap_err().status, 400);
        let many = format!("GET / HTTP/1.1\r\n{}\r\n", "a: b\r\n".repeat(MAX_FIELDS + 1));
        assert_eq!(Head::parse(many.as_bytes()).unwrap_err(), TOO_LONG);
        assert_eq!(Head::parse(&[b'a'; MAX_HEAD + 1]).unwrap_err(), TOO_LONG);
        assert_eq!(Head::parse(&[b'\n'; MAX_HEAD + 1]).unwrap_err(), TOO_LONG);
    }
}
