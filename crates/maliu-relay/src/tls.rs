//! TLS 1.2 and 1.3 of the relay's ports: a certificate from files, which is read again when settings are.

#[cfg(feature = "tls")]
mod rustls;

#[cfg(feature = "tls")]
pub(crate) use self::rustls::{Identity, Stream};

/// Certificates, which a build without the feature `tls` has none of.
#[cfg(not(feature = "tls"))]
#[derive(Debug)]
pub(crate) enum Identity {}

/// A connection of TLS, which a build without the feature `tls` has none of.
#[cfg(not(feature = "tls"))]
pub(crate) type Stream = tokio::net::TcpStream;

#[cfg(not(feature = "tls"))]
impl Identity {
    /// Refuses: this build has no TLS.
    ///
    /// # Errors
    /// `Unsupported`.
    pub(crate) fn read(_: &crate::config::Tls) -> std::io::Result<Self> {
        Err(std::io::Error::new(std::io::ErrorKind::Unsupported, "[tls] needs a build with the feature tls"))
    }

    /// Never called.
    ///
    /// # Errors
    /// None.
    pub(crate) async fn accept(&self, _: Stream, _: bool) -> std::io::Result<Stream> {
        match *self {}
    }
}
