//! A relay with real sockets on loopback: publishers, viewers of every protocol, and peers that mean harm.

mod access;
mod elsewhere;
mod ends;
mod hls;
mod hostile;
mod http;
mod joining;
mod limits;
mod publishers;
#[cfg(feature = "tls")]
mod secure;
