//! The URL of a stream: `rtsp://[USER[:PASSWORD]@]HOST[:PORT]/PATH`.

use alloc::{
    format,
    string::{String, ToString},
    vec::Vec,
};
use core::{fmt, str::FromStr};

use crate::plain::plain;

/// The port of `rtsp://` unless another is given.
const PORT: u16 = 554;

/// The URL of a stream.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Url {
    /// Host name or address, without brackets.
    pub host: String,
    /// The port.
    pub port: u16,
    /// User and password, percent signs resolved; `None` without.
    pub credentials: Option<(String, String)>,
    /// The URL without credentials, as requests name it.
    pub request: String,
}

impl Url {
    /// Whether a text is to be read as one.
    pub fn is_one(text: &str) -> bool {
        text.starts_with("rtsp://")
    }
}

/// Without credentials and query, which may hold secrets.
impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", plain(self.request.split('?').next().unwrap_or_default()))
    }
}

impl fmt::Debug for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Url({self})")
    }
}

impl FromStr for Url {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let rest = text.strip_prefix("rtsp://").ok_or("not rtsp://HOST/PATH")?;
        let (place, path) = rest.find(['/', '?']).map_or((rest, ""), |at| rest.split_at(at));
        let (credentials, place) = match place.rsplit_once('@') {
            Some((credentials, place)) => {
                let (user, password) = credentials.split_once(':').unwrap_or((credentials, ""));
                (Some((resolved(user), resolved(password))), place)
            }
            None => (None, place),
        };
        let (host, port) = match place.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            Some((host, port)) => (host, port.strip_prefix(':')),
            None => place.rsplit_once(':').map_or((place, None), |(host, port)| (host, Some(port))),
        };
        let port = port.map_or(Some(PORT), |port| port.parse().ok().filter(|port| *port > 0));
        let Some(port) = port.filter(|_| !host.is_empty() && text.len() <= MAX_URL) else {
            return Err(format!("{} is not HOST or HOST:PORT", plain(place)));
        };
        if text.contains(|c: char| c.is_ascii_control() || c == ' ') {
            return Err("a URL holds neither spaces nor control characters; write %20".into());
        }
        let odd = |part: &String| part.contains(|c: char| c.is_control() || c == '"');
        if credentials.as_ref().is_some_and(|(user, password)| odd(user) || password.contains(char::is_control)) {
            // They stand in lines of requests, and a user between quotation marks.
            return Err("the user or password of a URL holds a character that requests cannot carry".into());
        }
        let request = format!("rtsp://{place}{path}");
        Ok(Self { host: host.to_string(), port, credentials, request })
    }
}

/// Most bytes of a URL.
const MAX_URL: usize = 4096;

/// A text with its percent signs resolved (RFC 3986 §2.1).
fn resolved(text: &str) -> String {
    let (mut out, mut bytes) = (Vec::new(), text.as_bytes());
    while let [first, rest @ ..] = bytes {
        let digit = |at: usize| rest.get(at).and_then(|byte| char::from(*byte).to_digit(16));
        match (first, digit(0), digit(1)) {
            (b'%', Some(high), Some(low)) => {
                out.push((high << 4 | low) as u8);
                bytes = rest.get(2..).unwrap_or_default();
            }
            _ => {
                out.push(*first);
                bytes = rest;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_come_apart() {
        let check = |text: &str| {
            let url: Url = text.parse().unwrap();
            format!("{} {} {:?} {}", url.host, url.port, url.credentials, url.request)
        };
        assert_eq!(check("rtsp://cam/live?x=1"), "cam 554 None rtsp://cam/live?x=1");
        assert_eq!(check("rtsp://a:p%40ss@[::1]:8554/s"), "::1 8554 Some((\"a\", \"p@ss\")) rtsp://[::1]:8554/s");
        let url: Url = "rtsp://a:secret@cam:9/s?token=1".parse().unwrap();
        assert_eq!(format!("{url} {url:?}"), "rtsp://cam:9/s Url(rtsp://cam:9/s)");
        for wrong in [
            "rtsp://",
            "rtsp://cam:0/",
            "rtsp://cam:x/",
            "http://cam/",
            "rtsp://cam/a b",
            "rtsp://a%0d%0aX: y:p@cam/",
            "rtsp://a%22b:p@cam/",
        ] {
            assert!(wrong.parse::<Url>().is_err(), "{wrong}");
        }
    }
}
