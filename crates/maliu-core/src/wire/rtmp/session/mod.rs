//! The two ends of a connection: commands and their answers, and what they carry.
//!
//! ```text
//!  Client                                   Server
//!    connect ──────────────────────────────▶ Connect
//!    ◀────────────────────────────── _result
//!    createStream, publish | play ─────────▶ Publish | Play ─▶ accept or refuse
//!  Started ◀─────────────────────── onStatus
//!    Tag … ────────── publishing ──────────▶ Tag …
//!    Tag … ◀─────────── playing ──────────── send
//! ```

mod client;
mod connection;
mod server;
#[cfg(test)]
mod tests;

pub use client::{Client, Event as ClientEvent, Options as ClientOptions, Role};
pub use server::{Event as ServerEvent, Options as ServerOptions, Request, Server};
