//! TLS 1.3: a listener's certificate, from files or made at its first start, and whom a connecting end believes.

use std::{fs, io, path::Path, sync::Arc};

use maliu_core::digest::{Digest, Kind};
use rustls::{
    ClientConfig, DigitallySignedStruct, RootCertStore, ServerConfig, SignatureScheme,
    client::{
        WebPkiServerVerifier,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    crypto::{CryptoProvider, ring, verify_tls13_signature},
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime, pem::PemObject},
};
use tokio_rustls::{TlsAcceptor, TlsConnector};

/// Name of the protocol in the handshake.
const PROTOCOL: &[u8] = b"maliu/1";

/// A listener's certificate and key.
pub struct Identity {
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
}

impl Identity {
    /// From PEM files. A key that other users can read is warned of.
    ///
    /// # Errors
    /// Those of the system; `InvalidData` when there is no certificate or no key in them.
    pub fn from_files(certificate: impl AsRef<Path>, key: impl AsRef<Path>) -> io::Result<Self> {
        let chain = certificates(certificate.as_ref())?;
        warn_of_readers(key.as_ref());
        let key = PrivateKeyDer::from_pem_slice(&fs::read(key)?).map_err(invalid)?;
        Ok(Self { chain, key })
    }

    /// From `maliu-cert.pem` and `maliu-key.pem` in a folder; made, self-signed, when they are not there.
    ///
    /// # Errors
    /// As [`Identity::from_files`].
    pub fn kept_in(folder: impl AsRef<Path>) -> io::Result<Self> {
        let folder = folder.as_ref();
        let (certificate, key) = (folder.join("maliu-cert.pem"), folder.join("maliu-key.pem"));
        if !certificate.exists() {
            fs::create_dir_all(folder)?;
            let made = rcgen::generate_simple_self_signed(vec!["maliu".to_owned()]).map_err(invalid)?;
            write_secret(&key, &made.signing_key.serialize_pem())?;
            fs::write(&certificate, made.cert.pem())?;
        }
        Self::from_files(certificate, key)
    }

    /// SHA-256 of the certificate in lower-case hex: what a connecting end pins.
    pub fn fingerprint(&self) -> String {
        self.chain.first().map_or_else(String::new, |certificate| fingerprint(certificate))
    }

    pub(super) fn acceptor(&self) -> io::Result<TlsAcceptor> {
        Ok(TlsAcceptor::from(Arc::new(self.config()?)))
    }

    pub(super) fn config(&self) -> io::Result<ServerConfig> {
        let versions = ServerConfig::builder_with_provider(provider()).with_protocol_versions(VERSIONS);
        let config = versions.map_err(invalid)?.with_no_client_auth();
        let mut config = config.with_single_cert(self.chain.clone(), self.key.clone_key()).map_err(invalid)?;
        config.alpn_protocols = vec![PROTOCOL.to_vec()];
        Ok(config)
    }
}

/// Whom a connecting end believes.
pub struct Trust(Arc<dyn ServerCertVerifier>);

impl Trust {
    /// Only the certificate of this fingerprint, as [`Identity::fingerprint`] shows it; colons are ignored.
    pub fn fingerprint(text: &str) -> Self {
        let pin = text.chars().filter(|c| *c != ':').collect::<String>().to_ascii_lowercase();
        Self(Arc::new(Pinned { pin, provider: provider() }))
    }

    /// Certificates for the listener's name that one in this PEM file has signed.
    ///
    /// # Errors
    /// Those of the system; `InvalidData` when there is no certificate in the file.
    pub fn authority(file: impl AsRef<Path>) -> io::Result<Self> {
        let mut roots = RootCertStore::empty();
        for certificate in certificates(file.as_ref())? {
            roots.add(certificate).map_err(invalid)?;
        }
        let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider()).build();
        Ok(Self(verifier.map_err(invalid)?))
    }

    pub(super) fn connector(&self) -> io::Result<TlsConnector> {
        Ok(TlsConnector::from(Arc::new(self.config()?)))
    }

    pub(super) fn config(&self) -> io::Result<ClientConfig> {
        let versions = ClientConfig::builder_with_provider(provider()).with_protocol_versions(VERSIONS);
        let config = versions.map_err(invalid)?.dangerous().with_custom_certificate_verifier(self.0.clone());
        let mut config = config.with_no_client_auth();
        config.alpn_protocols = vec![PROTOCOL.to_vec()];
        Ok(config)
    }
}

/// Trust in servers of the public: those whose names the authorities of this system have signed, or the ones in the file
/// that the environment variable `SSL_CERT_FILE` names.
pub(crate) fn public_trust() -> io::Result<Arc<ClientConfig>> {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(found.certs);
    if roots.is_empty() {
        let why = found.errors.first().map(|error| format!(": {error}")).unwrap_or_default();
        return Err(invalid(format!("this system trusts no certificate authority{why}; SSL_CERT_FILE can name some")));
    }
    let versions = ClientConfig::builder_with_provider(provider()).with_protocol_versions(VERSIONS);
    Ok(Arc::new(versions.map_err(invalid)?.with_root_certificates(roots).with_no_client_auth()))
}

/// The host of `host:port` as TLS wants it.
pub(super) fn name(place: &str) -> io::Result<ServerName<'static>> {
    ServerName::try_from(super::host(place).to_owned()).map_err(invalid)
}

/// Trusts one certificate, whatever its signer and name.
#[derive(Debug)]
struct Pinned {
    pin: String,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let found = fingerprint(certificate);
        match found == self.pin {
            true => Ok(ServerCertVerified::assertion()),
            false => {
                let wanted = &self.pin;
                Err(rustls::Error::General(format!(
                    "the listener's fingerprint is {found}, not {wanted} as was asked for"
                )))
            }
        }
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Err(rustls::Error::General("TLS 1.3 only".into()))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signature, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

const VERSIONS: &[&rustls::SupportedProtocolVersion] = &[&rustls::version::TLS13];

fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}

fn fingerprint(certificate: &CertificateDer<'_>) -> String {
    let mut digest = Digest::new(Kind::Sha256);
    digest.update(certificate);
    digest.finish()
}

fn certificates(file: &Path) -> io::Result<Vec<CertificateDer<'static>>> {
    let pem = fs::read(file)?;
    let chain: Vec<_> = CertificateDer::pem_slice_iter(&pem).collect::<Result<_, _>>().map_err(invalid)?;
    match chain.is_empty() {
        true => Err(invalid(format!("{} holds no certificate", file.display()))),
        false => Ok(chain),
    }
}

/// A key is a secret: its reader can pretend to be this listener.
fn warn_of_readers(key: &Path) {
    #[cfg(unix)]
    if let Ok(about) = fs::metadata(key) {
        let mode = std::os::unix::fs::PermissionsExt::mode(&about.permissions()) & 0o777;
        if mode & 0o044 != 0 {
            let place = key.display();
            tracing::warn!("{place}: other users can read this key (mode {mode:03o}); chmod 600 keeps it secret");
        }
    }
    #[cfg(not(unix))]
    let _ = key;
}

/// Writes a file that other users cannot read.
fn write_secret(path: &Path, text: &str) -> io::Result<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    io::Write::write_all(&mut options.open(path)?, text.as_bytes())
}

fn invalid(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}
