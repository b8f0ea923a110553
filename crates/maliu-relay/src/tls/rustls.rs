//! TLS by rustls, with ring's cryptography.

use std::{fmt, fs, io, path::Path, sync::Arc, time::Duration};

use rustls::{
    ServerConfig,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};
use tokio::{net::TcpStream, time::timeout};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

use crate::config::Tls;

/// How long a handshake may take.
const HANDSHAKE_LIMIT: Duration = Duration::from_secs(10);

/// A connection of TLS.
pub(crate) type Stream = TlsStream<TcpStream>;

/// A certificate and its key, for HTTP and for other protocols.
pub(crate) struct Identity {
    http: TlsAcceptor,
    plain: TlsAcceptor,
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity").finish_non_exhaustive()
    }
}

impl Identity {
    /// Reads the files.
    ///
    /// # Errors
    /// Those of the system; `InvalidData` when there is no certificate or no key in them, or they do not belong together.
    pub(crate) fn read(tls: &Tls) -> io::Result<Self> {
        let named =
            |path: &str, why: &dyn fmt::Display| io::Error::new(io::ErrorKind::InvalidData, format!("{path}: {why}"));
        let read = |path: &str| {
            fs::read(Path::new(path)).map_err(|error| io::Error::new(error.kind(), format!("{path}: {error}")))
        };
        let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&read(&tls.cert)?).collect();
        let chain = chain.map_err(|error| named(&tls.cert, &error))?;
        if chain.is_empty() {
            return Err(named(&tls.cert, &"there is no certificate in it"));
        }
        let key = PrivateKeyDer::from_pem_slice(&read(&tls.key)?).map_err(|error| named(&tls.key, &error))?;
        let versions = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()));
        let config = versions.with_safe_default_protocol_versions().map_err(|error| named(&tls.cert, &error))?;
        let config = config.with_no_client_auth().with_single_cert(chain, key);
        let plain = config.map_err(|error| named(&tls.cert, &format!("{error}, with the key {}", tls.key)))?;
        let mut http = plain.clone();
        http.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self { http: TlsAcceptor::from(Arc::new(http)), plain: TlsAcceptor::from(Arc::new(plain)) })
    }

    /// Does the handshake of a connection, for HTTP or for another protocol.
    ///
    /// # Errors
    /// Those of the handshake; `TimedOut` when the peer takes too long.
    pub(crate) async fn accept(&self, socket: TcpStream, is_http: bool) -> io::Result<Stream> {
        let acceptor = if is_http { &self.http } else { &self.plain };
        timeout(HANDSHAKE_LIMIT, acceptor.accept(socket)).await.unwrap_or(Err(io::ErrorKind::TimedOut.into()))
    }
}
