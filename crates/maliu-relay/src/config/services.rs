//! Settings of what stands around a relay: TLS, proxies in front, hooks, the administrator, HLS.

use std::{net::SocketAddr, time::Duration};

use serde::{Deserialize, Deserializer, de::Error};

use super::values::{Secret, Span, Token};
use crate::{proxy::Network, pull};

/// Ports with TLS, and the certificate for them.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Tls {
    /// File with the certificate and those between it and its authority, in PEM.
    pub cert: String,
    /// File with its key, in PEM.
    pub key: String,
    /// Where RTMPS is listened for.
    pub rtmps: Option<SocketAddr>,
    /// Where HTTPS is listened for.
    pub https: Option<SocketAddr>,
    /// Where maliu's own wire is listened for.
    pub wire: Option<SocketAddr>,
}

/// URLs of HTTP that are asked, or informed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Hooks {
    /// Asked whether a stream may be published.
    pub publish: Option<String>,
    /// Asked whether a stream may be watched.
    pub play: Option<String>,
    /// Informed when a publisher has left.
    pub unpublish: Option<String>,
    /// Informed when a viewer has left.
    pub stop: Option<String>,
    /// Informed when a file of a recording has begun.
    pub record: Option<String>,
    /// Secret that signs what is posted.
    pub secret: Option<String>,
    /// How long an answer may take; then the peer is refused.
    pub timeout: Duration,
    /// How long an answer holds for the same peer, stream and query.
    pub cache: Duration,
}

impl Default for Hooks {
    fn default() -> Self {
        Self {
            publish: None,
            play: None,
            unpublish: None,
            stop: None,
            record: None,
            secret: None,
            timeout: Duration::from_secs(2),
            cache: Duration::from_secs(10),
        }
    }
}

impl Hooks {
    /// The URL for an action.
    pub(crate) fn of(&self, action: &str) -> Option<&str> {
        let url = match action {
            "publish" => &self.publish,
            "play" => &self.play,
            "unpublish" => &self.unpublish,
            "stop" => &self.stop,
            "record" => &self.record,
            _ => &None,
        };
        url.as_deref()
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TlsText {
    cert: String,
    key: String,
    rtmps: Option<SocketAddr>,
    https: Option<SocketAddr>,
    wire: Option<SocketAddr>,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct HooksText {
    on_publish: Option<Hook>,
    on_play: Option<Hook>,
    on_unpublish: Option<Hook>,
    on_stop: Option<Hook>,
    on_record: Option<Hook>,
    secret: Option<Secret>,
    timeout: Option<Span>,
    cache: Option<Span>,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct AdminText {
    pub(super) tokens: Vec<Token>,
}

/// A URL of HTTP.
struct Hook(String);

/// A network.
pub(super) struct NetworkText(pub(super) Network);

impl<'de> Deserialize<'de> for Hook {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let url = String::deserialize(from)?;
        match pull::place(&url) {
            Some(_) => Ok(Self(url)),
            None => Err(D::Error::custom(format!("{url:?} cannot be asked, expected http://HOST/PATH"))),
        }
    }
}

impl<'de> Deserialize<'de> for NetworkText {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from)?.parse().map(Self).map_err(D::Error::custom)
    }
}

impl From<TlsText> for Tls {
    fn from(text: TlsText) -> Self {
        let TlsText { cert, key, rtmps, https, wire } = text;
        Self { cert, key, rtmps, https, wire }
    }
}

impl From<HooksText> for Hooks {
    fn from(text: HooksText) -> Self {
        let (url, default) = (|hook: Option<Hook>| hook.map(|hook| hook.0), Self::default());
        Self {
            publish: url(text.on_publish),
            play: url(text.on_play),
            unpublish: url(text.on_unpublish),
            stop: url(text.on_stop),
            record: url(text.on_record),
            secret: text.secret.map(|secret| secret.0),
            timeout: text.timeout.map_or(default.timeout, |span| span.0),
            cache: text.cache.map_or(default.cache, |span| span.0),
        }
    }
}
