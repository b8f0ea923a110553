//! TLS on the relay's ports, with certificates that are read again.

use std::{fs, net::SocketAddr, path::PathBuf, sync::Arc};

use maliu_relay::{Config, Tls};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tokio_rustls::{
    TlsConnector,
    rustls::{
        ClientConfig, RootCertStore,
        crypto::ring,
        pki_types::{CertificateDer, ServerName, pem::PemObject},
        version::{TLS12, TLS13},
    },
};

use crate::ends::{Running, received, stream};

/// Writes a new certificate for `localhost`; returns the settings and a client that trusts it alone.
fn identity(folder: &PathBuf) -> (String, String, Vec<TlsConnector>) {
    fs::create_dir_all(folder).unwrap();
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let (cert, key) = (folder.join("cert.pem"), folder.join("key.pem"));
    fs::write(&cert, made.cert.pem()).unwrap();
    fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(made.cert.pem().as_bytes()).unwrap()).unwrap();
    let client = |version| {
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
        let config = config.with_protocol_versions(&[version]).unwrap();
        TlsConnector::from(Arc::new(config.with_root_certificates(roots.clone()).with_no_client_auth()))
    };
    (cert.to_str().unwrap().into(), key.to_str().unwrap().into(), vec![client(&TLS13), client(&TLS12)])
}

/// The answer to a request over TLS; `None` when the handshake fails.
async fn get(place: SocketAddr, client: &TlsConnector, path: &str, count: usize) -> Option<Vec<u8>> {
    let socket = TcpStream::connect(place).await.unwrap();
    let mut tls = client.connect(ServerName::try_from("localhost").unwrap(), socket).await.ok()?;
    tls.write_all(format!("GET {path} HTTP/1.1\r\n\r\n").as_bytes()).await.unwrap();
    let mut bytes = vec![0; count];
    tls.read_exact(&mut bytes).await.unwrap();
    Some(bytes)
}

#[tokio::test]
async fn pages_and_streams_go_over_tls_with_the_certificate_in_force() {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("tls");
    let (cert, key, clients) = identity(&folder);
    let text = format!(
        "[tls]\ncert = {cert:?}\nkey = {key:?}\nhttps = \"127.0.0.1:0\"\nrtmps = \"127.0.0.1:0\"\nwire = \"127.0.0.1:0\""
    );
    let settings: Option<Tls> = Config::parse(&text).unwrap().tls;
    let relay = Running::with(|config| config.tls = settings.clone()).await;
    let https = relay.https.unwrap();
    let mut publisher = relay.publisher("show").await;
    publisher.send(&stream(400, 800)).await;
    received(&relay, &stream(400, 800)).await;
    for client in &clients {
        let answer = get(https, client, "/live/show.flv", 2000).await.unwrap();
        assert!(answer.starts_with(b"HTTP/1.1 200 OK") && answer.windows(3).any(|three| three == b"FLV"));
    }
    // RTMPS: the first bytes of a handshake are answered.
    let socket = TcpStream::connect(relay.rtmps.unwrap()).await.unwrap();
    let mut tls = clients[0].connect(ServerName::try_from("localhost").unwrap(), socket).await.unwrap();
    tls.write_all(&[&[3][..], &[0; 1536]].concat()).await.unwrap();
    let mut answer = [0; 1537];
    tls.read_exact(&mut answer).await.unwrap();
    assert_eq!(answer[0], 3);
    // Another certificate, which holds for connections from here on.
    let (_, _, others) = identity(&folder);
    let mut config = Config::default();
    (config.rtmp, config.http, config.tls) = (relay.rtmp, relay.http, settings);
    assert!(relay.control.replace(config.clone()).unwrap().is_empty());
    assert!(get(https, &clients[0], "/healthz", 12).await.is_none());
    assert_eq!(get(https, &others[0], "/healthz", 12).await.unwrap(), b"HTTP/1.1 200");
    // A file that is no certificate changes nothing.
    fs::write(&cert, "no certificate").unwrap();
    assert!(relay.control.replace(config).unwrap_err().to_string().contains("cert.pem"));
    assert_eq!(get(https, &others[1], "/healthz", 12).await.unwrap(), b"HTTP/1.1 200");
}
