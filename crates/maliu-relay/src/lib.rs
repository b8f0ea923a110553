//! A live relay: one publisher sends a stream, any number of viewers get it by RTMP, HTTP-FLV, WebSocket-FLV or HLS.
//!
//! ```text
//!   publisher ─ RTMP ─▶ Hub ─▶ Channel: live::Stream ─┬ RTMP ────────▶ viewers: each a place in the stream and a socket;
//!                        by name, one per stream       ├ HTTP-FLV ────▶    heads are made for each, bodies are shared
//!                                                      ├ WebSocket ───▶
//!                                                      └ HLS ─────────▶    segments and parts, made once for all
//! ```
//!
//! ```no_run
//! # async fn relay() -> std::io::Result<()> {
//! let relay = maliu_relay::Relay::bind(maliu_relay::Config::default()).await?;
//! println!("publish to rtmp://{}/live/NAME", relay.rtmp());
//! relay.run(std::future::pending()).await;
//! # Ok(()) }
//! ```
#![cfg_attr(docsrs, feature(doc_cfg))]
#![warn(missing_docs)]

mod access;
mod channel;
mod config;
mod follower;
mod form;
mod gate;
mod hls;
mod hooks;
mod http;
mod hub;
mod jwt;
mod link;
mod metrics;
mod name;
mod page;
mod pattern;
mod proxy;
mod pull;
mod push;
mod queue;
mod record;
mod relay;
mod rtmp;
mod settings;
mod status;
mod tls;
#[cfg(feature = "unstable")]
pub mod unstable;
mod viewer;
mod watch;
mod websocket;
mod wire;

pub use access::{Purpose, sign};
pub use config::{Config, ConfigError, Hls, Hooks, Pull, Push, Record, Takeover, Tls};
pub use proxy::Network;
pub use relay::{Control, Relay};
