//! Settings of a relay: defaults that work, and a TOML file for the rest.

use std::{fmt, net::SocketAddr, ops::Range, time::Duration};

use serde::Deserialize;
use toml::Spanned;

use crate::{gate::Most, proxy::Network};

mod elsewhere;
mod hls;
mod services;
mod values;

pub use elsewhere::{Pull, Push, Record};
pub use hls::Hls;
pub use services::{Hooks, Tls};

use elsewhere::{PullText, PushText, RecordText};
use hls::HlsText;
use services::{AdminText, HooksText, NetworkText, TlsText};
use values::{BitRate, Secret, Size, Span, Token};

/// Most bytes of a configuration file.
const MAX_TEXT: usize = 1 << 20;

/// Settings of a relay.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Config {
    /// Where RTMP is listened for.
    pub rtmp: SocketAddr,
    /// Where HTTP is listened for.
    pub http: SocketAddr,
    /// Where maliu's own wire is listened for, over TCP; `None`: it is not.
    pub wire: Option<SocketAddr>,
    /// Bytes of media that all streams keep together.
    pub memory: usize,
    /// How long bytes for viewers are gathered before they are sent; zero sends each tag at once.
    pub batch: Duration,
    /// How long viewers are served after the relay was asked to stop.
    pub drain: Duration,
    /// Tokens of which a publisher needs one, as `?token=` behind the stream's name. Empty: none is needed.
    pub publish_tokens: Vec<String>,
    /// Secret that signs the names of streams for publishers, as [`sign`](crate::sign) does; in place of a token.
    pub publish_secret: Option<String>,
    /// Lets publishers in without a token although other machines can connect.
    pub open_publish: bool,
    /// Tokens of which a viewer needs one, as `?token=`. Empty: none is needed.
    pub play_tokens: Vec<String>,
    /// Secret that signs the names of streams for viewers; in place of a token.
    pub play_secret: Option<String>,
    /// How long viewers wait for a publisher that has gone.
    pub linger: Duration,
    /// Whether a second publisher may take over from a first.
    pub takeover: Takeover,
    /// Most connections.
    pub max_connections: usize,
    /// Most connections of one address; `None`: 500, and no limit for addresses of this machine.
    pub max_connections_per_address: Option<usize>,
    /// Most streams that are published at a time.
    pub max_publishers: usize,
    /// Most bits a second of one publisher, over 5 s; `None`: no limit.
    pub max_publisher_rate: Option<u64>,
    /// Recordings.
    pub record: Vec<Record>,
    /// Streams that are published elsewhere, too.
    pub push: Vec<Push>,
    /// Streams that are fetched; the first that fits a name counts.
    pub pull: Vec<Pull>,
    /// HLS.
    pub hls: Hls,
    /// Ports with TLS.
    pub tls: Option<Tls>,
    /// File with the keys of JSON Web Tokens that let publishers in, as JSON Web Key Set; in place of a token.
    pub publish_jwt: Option<String>,
    /// File with the keys of JSON Web Tokens that let viewers in.
    pub play_jwt: Option<String>,
    /// Programs that are asked, or informed.
    pub hooks: Hooks,
    /// Tokens of administrators. Empty: there is nothing for them.
    pub admin_tokens: Vec<String>,
    /// Proxies whose word on the addresses of peers counts.
    pub trusted_proxies: Vec<Network>,
    /// Whether trusted proxies begin every connection with the PROXY protocol.
    pub proxy_protocol: bool,
}

/// Whether a second publisher may take over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Takeover {
    /// When the first has sent nothing for 2 s.
    #[default]
    Stale,
    /// Never.
    Never,
    /// At once.
    Always,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            rtmp: SocketAddr::from(([127, 0, 0, 1], 1935)),
            http: SocketAddr::from(([127, 0, 0, 1], 8080)),
            wire: None,
            memory: 512 << 20,
            batch: Duration::ZERO,
            drain: Duration::from_secs(60),
            publish_tokens: Vec::new(),
            publish_secret: None,
            open_publish: false,
            play_tokens: Vec::new(),
            play_secret: None,
            linger: Duration::from_secs(10),
            takeover: Takeover::default(),
            max_connections: 10_000,
            max_connections_per_address: None,
            max_publishers: 1000,
            max_publisher_rate: None,
            record: Vec::new(),
            push: Vec::new(),
            pull: Vec::new(),
            hls: Hls::default(),
            tls: None,
            publish_jwt: None,
            play_jwt: None,
            hooks: Hooks::default(),
            admin_tokens: Vec::new(),
            trusted_proxies: Vec::new(),
            proxy_protocol: false,
        }
    }
}

impl Config {
    /// Reads a TOML text.
    ///
    /// # Errors
    /// [`ConfigError`] with the place of the fault: unknown keys are faults, too.
    pub fn parse(text: &str) -> Result<Self, ConfigError> {
        if text.len() > MAX_TEXT {
            let what = format!("{} bytes of text", text.len());
            return Err(ConfigError::at(text, 0..0, &format!("{what}, expected at most {MAX_TEXT}")));
        }
        let parsed: Text = toml::from_str(text)
            .map_err(|error| ConfigError::at(text, error.span().unwrap_or_default(), error.message()))?;
        let PublishText { open, tokens, secret, jwt } = &parsed.publish;
        if *open.get_ref() && !(tokens.is_empty() && secret.is_none() && jwt.is_none()) {
            return Err(ConfigError::at(
                text,
                open.span(),
                "publishing is open, and needs a token, expected one of both",
            ));
        }
        if let Some(wire) = &parsed.wire
            && tokens.is_empty()
            && (secret.is_some() || jwt.is_some())
        {
            let what = "a sender of maliu's wire proves a token and shows no signature, expected tokens in [publish]";
            return Err(ConfigError::at(text, wire.span(), what));
        }
        if let Some(proxied) = parsed.proxy_protocol.as_ref().filter(|proxied| *proxied.get_ref())
            && parsed.trusted_proxies.is_empty()
        {
            let what = "no proxy is trusted, expected its address in trusted_proxies";
            return Err(ConfigError::at(text, proxied.span(), what));
        }
        if let Some((place, what)) = parsed.hls.fault() {
            return Err(ConfigError::at(text, place, what));
        }
        Ok(parsed.into())
    }

    /// Reads the files that the settings name: certificates, and keys of tokens.
    ///
    /// # Errors
    /// Those of the system, and `InvalidData` for files that are not what they should be; the path is in the text.
    pub fn check_files(&self) -> std::io::Result<()> {
        crate::settings::Settings::of(self.clone()).map(drop)
    }

    /// Keeps the addresses at which a relay listens by its old settings; returns remarks on those that would be others.
    pub(crate) fn keep_ports(&mut self, old: &Self) -> Vec<String> {
        let tls = |config: &Self| config.tls.as_ref().map_or([None; 3], |tls| [tls.rtmps, tls.https, tls.wire]);
        let all = |config: &Self| [Some(config.rtmp), Some(config.http), config.wire].into_iter().chain(tls(config));
        let names = ["rtmp", "http", "wire", "tls.rtmps", "tls.https", "tls.wire"];
        let other = names.into_iter().zip(all(self).zip(all(old)));
        let same = |new: Option<SocketAddr>, old: Option<SocketAddr>| {
            // Port 0 stands for the port that the system chose.
            let is_chosen = new.zip(old).is_some_and(|(new, old)| new.port() == 0 && new.ip() == old.ip());
            new == old || is_chosen
        };
        let remarks = other.filter(|(_, (new, old))| !same(*new, *old));
        let remarks = remarks.map(|(name, _)| format!("{name}: another address takes a restart")).collect();
        (self.rtmp, self.http, self.wire) = (old.rtmp, old.http, old.wire);
        match (&mut self.tls, &old.tls) {
            (Some(tls), Some(old)) => (tls.rtmps, tls.https, tls.wire) = (old.rtmps, old.https, old.wire),
            // Open ports go on with their certificate.
            (None, Some(old)) => self.tls = Some(old.clone()),
            (Some(tls), None) => (tls.rtmps, tls.https, tls.wire) = (None, None, None),
            (None, None) => {}
        }
        remarks
    }

    pub(crate) fn most(&self) -> Most {
        Most { all: self.max_connections, per_address: self.max_connections_per_address }
    }

    /// Whether other machines can publish without a token, and nothing says that they may.
    pub fn lacks_token(&self) -> bool {
        let tls = self.tls.as_ref().map_or([None; 2], |tls| [tls.rtmps, tls.wire]);
        let ports = [Some(self.rtmp), self.wire].into_iter().chain(tls).flatten();
        let keys = !self.publish_tokens.is_empty() || self.publish_secret.is_some() || self.publish_jwt.is_some();
        let asked = keys || self.hooks.publish.is_some();
        ports.into_iter().any(|address| !address.ip().is_loopback()) && !asked && !self.open_publish
    }
}

/// The file as it is written.
#[derive(Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Text {
    rtmp: SocketAddr,
    http: SocketAddr,
    wire: Option<Spanned<SocketAddr>>,
    memory: Size,
    batch: Span,
    drain: Span,
    publish: PublishText,
    play: PlayText,
    live: LiveText,
    limits: LimitsText,
    record: Vec<RecordText>,
    push: Vec<PushText>,
    pull: Vec<PullText>,
    hls: HlsText,
    tls: Option<TlsText>,
    hooks: HooksText,
    admin: AdminText,
    trusted_proxies: Vec<NetworkText>,
    proxy_protocol: Option<Spanned<bool>>,
}

#[derive(Deserialize)]
#[serde(default, deny_unknown_fields)]
struct PublishText {
    tokens: Vec<Token>,
    secret: Option<Secret>,
    jwt: Option<String>,
    open: Spanned<bool>,
}

impl Default for PublishText {
    fn default() -> Self {
        Self { tokens: Vec::new(), secret: None, jwt: None, open: Spanned::new(0..0, false) }
    }
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct PlayText {
    tokens: Vec<Token>,
    secret: Option<Secret>,
    jwt: Option<String>,
}

#[derive(Deserialize)]
#[serde(default, deny_unknown_fields)]
struct LiveText {
    linger: Span,
    takeover: Takeover,
}

#[derive(Deserialize)]
#[serde(default, deny_unknown_fields)]
struct LimitsText {
    connections: usize,
    connections_per_address: Option<usize>,
    publishers: usize,
    publisher_rate: Option<BitRate>,
}

impl Default for Text {
    fn default() -> Self {
        let Config { rtmp, http, memory, batch, drain, .. } = Config::default();
        Self {
            rtmp,
            http,
            wire: None,
            memory: Size(memory),
            batch: Span(batch),
            drain: Span(drain),
            publish: PublishText::default(),
            play: PlayText::default(),
            live: LiveText::default(),
            limits: LimitsText::default(),
            record: Vec::new(),
            push: Vec::new(),
            pull: Vec::new(),
            hls: HlsText::default(),
            tls: None,
            hooks: HooksText::default(),
            admin: AdminText::default(),
            trusted_proxies: Vec::new(),
            proxy_protocol: None,
        }
    }
}

impl Default for LiveText {
    fn default() -> Self {
        let Config { linger, takeover, .. } = Config::default();
        Self { linger: Span(linger), takeover }
    }
}

impl Default for LimitsText {
    fn default() -> Self {
        let Config { max_connections: connections, max_publishers: publishers, .. } = Config::default();
        Self { connections, connections_per_address: None, publishers, publisher_rate: None }
    }
}

impl From<Text> for Config {
    fn from(text: Text) -> Self {
        let tokens = |tokens: Vec<Token>| tokens.into_iter().map(|token| token.0).collect();
        Self {
            rtmp: text.rtmp,
            http: text.http,
            wire: text.wire.map(Spanned::into_inner),
            memory: text.memory.0,
            batch: text.batch.0,
            drain: text.drain.0,
            publish_tokens: tokens(text.publish.tokens),
            publish_secret: text.publish.secret.map(|secret| secret.0),
            open_publish: text.publish.open.into_inner(),
            play_tokens: tokens(text.play.tokens),
            play_secret: text.play.secret.map(|secret| secret.0),
            linger: text.live.linger.0,
            takeover: text.live.takeover,
            max_connections: text.limits.connections,
            max_connections_per_address: text.limits.connections_per_address,
            max_publishers: text.limits.publishers,
            max_publisher_rate: text.limits.publisher_rate.map(|rate| rate.0),
            record: text.record.into_iter().map(Record::from).collect(),
            push: text.push.into_iter().map(Push::from).collect(),
            pull: text.pull.into_iter().map(Pull::from).collect(),
            hls: text.hls.into(),
            tls: text.tls.map(Tls::from),
            publish_jwt: text.publish.jwt,
            play_jwt: text.play.jwt,
            hooks: text.hooks.into(),
            admin_tokens: tokens(text.admin.tokens),
            trusted_proxies: text.trusted_proxies.into_iter().map(|network| network.0).collect(),
            proxy_protocol: text.proxy_protocol.is_some_and(Spanned::into_inner),
        }
    }
}

/// A fault of a configuration, and where it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    /// Line, from 1.
    pub line: usize,
    /// Column, from 1, in characters.
    pub column: usize,
    /// The fault.
    pub what: String,
    /// The remedy; may be empty.
    pub hint: String,
}

impl ConfigError {
    fn at(text: &str, span: Range<usize>, message: &str) -> Self {
        let before = text.get(..span.start).unwrap_or(text);
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        let message = message.trim().replace('\n', "; ");
        let (what, hint) = message.split_once(", expected").unwrap_or((&message, ""));
        let hint = if hint.is_empty() { String::new() } else { format!("expected{hint}") };
        Self { line, column, what: what.into(), hint }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { line, column, what, hint } = self;
        let between = if hint.is_empty() { "" } else { "; " };
        write!(f, "line {line}, column {column}: {what}{between}{hint}")
    }
}

impl std::error::Error for ConfigError {}

#[cfg(test)]
mod tests;
