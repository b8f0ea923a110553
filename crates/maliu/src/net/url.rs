//! The URL of a socket: `SCHEME://HOST:PORT?NAME=VALUE&…`, or `unix:PATH`.

use std::{str::FromStr, time::Duration};

use maliu_core::plain::plain;

/// A URL of a socket.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Url {
    /// How bytes are carried.
    pub scheme: Scheme,
    /// Host name or address without brackets; empty for any. For `unix:` the path.
    pub host: String,
    /// The port; 0 for `unix:`.
    pub port: u16,
    /// `listen`: waits for a peer in place of connecting to one.
    pub listen: bool,
    /// `timeout=SECONDS`: silence after which the stream has ended; `None` waits without limit.
    pub timeout: Option<Duration>,
    /// `ttl=HOPS` of multicast datagrams; `None` for 1.
    pub ttl: Option<u32>,
    /// `packet=BYTES` of a datagram that is sent; `None` for 1316.
    pub packet: Option<usize>,
}

/// How bytes are carried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Scheme {
    /// `tcp://`.
    Tcp,
    /// `udp://`.
    Udp,
    /// `unix:`.
    Unix,
    /// One that is known by name only.
    Other(&'static str),
}

/// Schemes that are recognized and refused.
const OTHERS: [&str; 9] = ["http", "https", "rtsp", "rtsps", "rtp", "tls", "srt", "serial", "ftp"];

impl Url {
    /// Whether a text is to be read as one.
    pub fn is_one(text: &str) -> bool {
        scheme(text).is_some()
    }
}

/// The scheme, and what follows it.
fn scheme(text: &str) -> Option<(Scheme, &str)> {
    if let Some(rest) = text.strip_prefix("unix:") {
        return Some((Scheme::Unix, rest.strip_prefix("//").unwrap_or(rest)));
    }
    let (name, rest) = text.split_once("://")?;
    let scheme = match name {
        "tcp" => Scheme::Tcp,
        "udp" => Scheme::Udp,
        name => Scheme::Other(OTHERS.iter().find(|known| **known == name)?),
    };
    Some((scheme, rest))
}

impl FromStr for Url {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (scheme, rest) = scheme(text).ok_or_else(|| format!("{} is not a URL of a socket", plain(text)))?;
        let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
        let mut url =
            Self { scheme, host: place.into(), port: 0, listen: false, timeout: None, ttl: None, packet: None };
        match scheme {
            Scheme::Unix if place.is_empty() => return Err("unix: names no path".into()),
            Scheme::Unix | Scheme::Other(_) => {}
            Scheme::Tcp | Scheme::Udp => {
                // FFmpeg marks an address of its own by @.
                let place = place.trim_end_matches('/').trim_start_matches('@');
                let expected = || format!("{} is not HOST:PORT", plain(place));
                let (host, port) = place.rsplit_once(':').ok_or_else(expected)?;
                let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
                url.port = port.parse().ok().filter(|port| *port > 0).ok_or_else(expected)?;
                url.host = host.into();
            }
        }
        if !matches!(scheme, Scheme::Other(_)) {
            for part in query.split('&').filter(|part| !part.is_empty()) {
                url.set(part)?;
            }
        }
        Ok(url)
    }
}

impl Url {
    fn set(&mut self, part: &str) -> Result<(), String> {
        let (name, value) = part.split_once('=').unwrap_or((part, ""));
        let wrong = |expected: &str| format!("{}={}: expected {expected}", plain(name), plain(value));
        match (name, self.scheme) {
            ("listen", Scheme::Tcp | Scheme::Unix) if matches!(value, "" | "1") => self.listen = true,
            ("listen", Scheme::Tcp | Scheme::Unix) if value == "0" => {}
            ("timeout", _) => {
                let seconds = value.parse().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
                self.timeout = Some(seconds.filter(|limit| !limit.is_zero()).ok_or_else(|| wrong("seconds above 0"))?);
            }
            ("ttl", Scheme::Udp) => {
                let hops = value.parse().ok().filter(|hops| *hops <= 255);
                self.ttl = Some(hops.ok_or_else(|| wrong("hops from 0 to 255"))?);
            }
            ("packet" | "pkt_size", Scheme::Udp) => {
                let bytes = value.parse().ok().filter(|bytes| (1..=65_507).contains(bytes));
                self.packet = Some(bytes.ok_or_else(|| wrong("bytes from 1 to 65507"))?);
            }
            _ => return Err(format!("{}: unknown in this URL; known are {}", plain(part), self.known())),
        }
        Ok(())
    }

    fn known(&self) -> &'static str {
        match self.scheme {
            Scheme::Udp => "timeout=SECONDS, ttl=HOPS and packet=BYTES",
            _ => "listen and timeout=SECONDS",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_come_apart() {
        let check = |text: &str| text.parse::<Url>().map(|url| format!("{:?} {} {}", url.scheme, url.host, url.port));
        assert_eq!(check("tcp://cam:80").unwrap(), "Tcp cam 80");
        assert_eq!(check("udp://@239.1.1.1:1234").unwrap(), "Udp 239.1.1.1 1234");
        assert_eq!(check("udp://:1234").unwrap(), "Udp  1234");
        assert_eq!(check("tcp://[::1]:9?listen").unwrap(), "Tcp ::1 9");
        assert_eq!(check("unix:/tmp/a.sock").unwrap(), "Unix /tmp/a.sock 0");
        assert_eq!(check("https://a/b?c=d").unwrap(), "Other(\"https\") a/b 0");
        assert_eq!(check("tcp://cam").unwrap_err(), "cam is not HOST:PORT");
        assert_eq!(
            check("tcp://cam:80?x=1").unwrap_err(),
            "x=1: unknown in this URL; known are listen and timeout=SECONDS"
        );
        assert_eq!(check("udp://cam:80?packet=0").unwrap_err(), "packet=0: expected bytes from 1 to 65507");
        for path in ["a:b.flv", "c:\\a.mp4", "clip.mp4", "wire://a", "-"] {
            assert!(!Url::is_one(path), "{path}");
        }
    }
}
