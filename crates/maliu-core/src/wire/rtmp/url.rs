//! Addresses of streams: `rtmp://host:port/app/name?query`.

use alloc::{format, string::String};
use core::{fmt, str::FromStr};

use super::PORT;
use crate::plain::plain;

/// The port of `rtmps://` when a URL names none.
const SECURE_PORT: u16 = 443;

/// Where a stream is.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Url {
    /// Whether the connection is encrypted: `rtmps://`.
    pub secure: bool,
    /// Name or address of the host; an IPv6 address without its brackets.
    pub host: String,
    /// The port.
    pub port: u16,
    /// The application: the path but for its last part.
    pub app: String,
    /// The stream's name: the last part of the path, and the query.
    pub name: String,
}

impl Url {
    /// Whether a text is to be read as one.
    pub fn is_one(text: &str) -> bool {
        text.starts_with("rtmp://") || text.starts_with("rtmps://")
    }

    /// `host:port`, for messages and connections.
    pub fn place(&self) -> String {
        match self.host.contains(':') {
            true => format!("[{}]:{}", self.host, self.port),
            false => format!("{}:{}", self.host, self.port),
        }
    }

    /// The URL of the connection, without the stream's name, as `tcUrl` has it.
    pub fn connection(&self) -> String {
        let scheme = if self.secure { "rtmps" } else { "rtmp" };
        format!("{scheme}://{}/{}", self.place(), self.app)
    }
}

/// Without the query, which may hold a secret.
impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, query) = self.name.split_once('?').map_or((&*self.name, ""), |(name, _)| (name, "?…"));
        write!(f, "{}/{}{query}", self.connection(), plain(name))
    }
}

impl FromStr for Url {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (secure, rest) = match (text.strip_prefix("rtmp://"), text.strip_prefix("rtmps://")) {
            (Some(rest), _) => (false, rest),
            (_, Some(rest)) => (true, rest),
            _ => return Err(format!("{} is not rtmp://HOST/APP/NAME", plain(text))),
        };
        let (path, query) = rest.split_once('?').map_or((rest, None), |(path, query)| (path, Some(query)));
        let (place, path) = path.split_once('/').unwrap_or((path, ""));
        if place.contains('@') {
            return Err("credentials before the host are not supported; put a key or token into the name".into());
        }
        let (host, port) = host(place).ok_or_else(|| format!("{} is not HOST or HOST:PORT", plain(place)))?;
        let port = port.unwrap_or(if secure { SECURE_PORT } else { PORT });
        let (app, name) = path.rsplit_once('/').unwrap_or((path, ""));
        let app = app.trim_matches('/');
        if app.is_empty() || name.is_empty() {
            return Err("the URL names no stream; expected rtmp://HOST/APP/NAME".into());
        }
        let name = query.map_or_else(|| name.into(), |query| format!("{name}?{query}"));
        Ok(Self { secure, host: host.into(), port, app: app.into(), name })
    }
}

/// Host and port of a place; `None` when they cannot be.
fn host(place: &str) -> Option<(&str, Option<u16>)> {
    let (host, port) = match place.strip_prefix('[') {
        Some(rest) => {
            let (host, port) = rest.split_once(']')?;
            (host, port.strip_prefix(':').or((!port.is_empty()).then_some(port)))
        }
        None => place.split_once(':').map_or((place, None), |(host, port)| (host, Some(port))),
    };
    let port =
        port.map(|port| port.parse::<u16>().ok().filter(|port| *port > 0)).map_or(Some(None), |port| port.map(Some))?;
    (!host.is_empty()).then_some((host, port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_come_apart() {
        let parts = |text: &str| {
            let url: Url = text.parse().unwrap();
            format!("{} {} {} {} {}", url.secure, url.host, url.port, url.app, url.name)
        };
        assert_eq!(parts("rtmp://h/live/key"), "false h 1935 live key");
        assert_eq!(parts("rtmps://h/live/key?t=a/b?c"), "true h 443 live key?t=a/b?c");
        assert_eq!(parts("rtmp://[::1]:9/live/inst/key"), "false ::1 9 live/inst key");
        for wrong in [
            "rtmp://h",
            "rtmp://h/live",
            "rtmp://h/live/",
            "rtmp://h:x/a/b",
            "rtmp://h:0/a/b",
            "rtmp:///a/b",
            "rtmp://u:p@h/a/b",
            "http://h/a/b",
        ] {
            assert!(wrong.parse::<Url>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn secrets_are_not_shown() {
        let url: Url = "rtmp://h/live/key?token=secret".parse().unwrap();
        assert_eq!(format!("{url}"), "rtmp://h:1935/live/key?…");
        assert_eq!(url.connection(), "rtmp://h:1935/live");
    }
}
