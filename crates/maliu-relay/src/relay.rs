//! A relay that listens.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use tokio::{
    net::{TcpListener, TcpStream},
    runtime::Handle,
    time::{Instant, sleep, timeout},
};

use crate::{
    access,
    config::Config,
    gate::{Guest, Visit},
    http,
    hub::{Hub, Reader},
    proxy, rtmp,
    settings::Settings,
    wire,
};

/// Between two looks for streams that are over.
const SWEEP: Duration = Duration::from_millis(500);

/// How long recordings and pushes may take to end.
const FAREWELL: Duration = Duration::from_secs(10);

/// How long the first line of a proxy may take.
const PROXY_LIMIT: Duration = Duration::from_secs(5);

/// A relay that is bound to its addresses.
#[derive(Debug)]
pub struct Relay {
    hub: Arc<Hub>,
    ports: Vec<Port>,
}

/// An address at which a protocol is listened for.
#[derive(Debug)]
struct Port {
    listener: TcpListener,
    address: SocketAddr,
    service: Service,
    secure: bool,
}

/// A protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Service {
    Rtmp,
    Http,
    Wire,
}

/// A relay that runs, for changes of its settings.
#[derive(Clone, Debug)]
pub struct Control(Arc<Hub>);

impl Control {
    /// Puts other settings in force: for connections and streams that begin from here on, and for limits. Certificates and
    /// keys are read again. Streams and connections go on. Returns remarks on addresses that would take a restart.
    ///
    /// # Errors
    /// A file that the settings name cannot be used; then nothing has changed.
    pub fn replace(&self, config: Config) -> io::Result<Vec<String>> {
        self.0.replace(config)
    }

    /// Reads the settings again, as [`Relay::reads`] says, and puts them in force; returns remarks.
    ///
    /// # Errors
    /// They cannot be read or used; then nothing has changed.
    pub fn reload(&self) -> Result<Vec<String>, String> {
        self.0.reload()
    }
}

impl Relay {
    /// Listens at the addresses of `config`. Where other machines can publish and no token is set, one is made.
    ///
    /// # Errors
    /// Those of the system, with the address in their text; those of files that the settings name.
    pub async fn bind(mut config: Config) -> io::Result<Self> {
        let made = match config.lacks_token() {
            true => Some(access::make()?),
            false => None,
        };
        config.publish_tokens.extend(made.clone());
        let mut ports = Vec::new();
        let mut open = async |what: &str, service, secure, address: SocketAddr| {
            let listener = listen(what, address).await?;
            let address = listener.local_addr()?;
            ports.push(Port { listener, address, service, secure });
            Ok::<_, io::Error>(address)
        };
        // The page names the ports that the system has chosen.
        config.rtmp = open("RTMP", Service::Rtmp, false, config.rtmp).await?;
        config.http = open("HTTP", Service::Http, false, config.http).await?;
        if let Some(address) = &mut config.wire {
            *address = open("maliu's wire", Service::Wire, false, *address).await?;
        }
        if let Some(tls) = &mut config.tls {
            let rows = [
                ("RTMPS", Service::Rtmp, &mut tls.rtmps),
                ("HTTPS", Service::Http, &mut tls.https),
                ("maliu's wire over TLS", Service::Wire, &mut tls.wire),
            ];
            for (what, service, address) in rows {
                if let Some(address) = address {
                    *address = open(what, service, true, *address).await?;
                }
            }
        }
        let hub = Arc::new(Hub::new(Settings::of(config)?, made, Handle::current()));
        Ok(Self { hub, ports })
    }

    /// Says how the settings are read again, when an administrator or [`Control::reload`] asks for it. The first call counts.
    pub fn reads(&self, read: impl Fn() -> Result<Config, String> + Send + Sync + 'static) {
        // A second reader would be a caller's fault without harm.
        let _ = self.hub.reader.set(Reader(Box::new(read)));
    }

    /// A handle for changes while the relay runs.
    pub fn control(&self) -> Control {
        Control(Arc::clone(&self.hub))
    }

    fn port(&self, service: Service, secure: bool) -> Option<SocketAddr> {
        let port = self.ports.iter().find(|port| port.service == service && port.secure == secure);
        port.map(|port| port.address)
    }

    /// The address of RTMP.
    pub fn rtmp(&self) -> SocketAddr {
        self.port(Service::Rtmp, false).unwrap_or(self.hub.settings().rtmp)
    }

    /// The address of HTTP.
    pub fn http(&self) -> SocketAddr {
        self.port(Service::Http, false).unwrap_or(self.hub.settings().http)
    }

    /// The address of maliu's wire, if it is listened for.
    pub fn wire(&self) -> Option<SocketAddr> {
        self.port(Service::Wire, false)
    }

    /// The address of RTMPS, if it is listened for.
    pub fn rtmps(&self) -> Option<SocketAddr> {
        self.port(Service::Rtmp, true)
    }

    /// The address of HTTPS, if it is listened for.
    pub fn https(&self) -> Option<SocketAddr> {
        self.port(Service::Http, true)
    }

    /// The address of maliu's wire over TLS, if it is listened for.
    pub fn wire_tls(&self) -> Option<SocketAddr> {
        self.port(Service::Wire, true)
    }

    /// The token that was made for publishers, if one was.
    pub fn token(&self) -> Option<&str> {
        self.hub.made.as_deref()
    }

    /// Serves until `stop` is ready. Then no publisher is let in, peers that understand it are asked to connect again, and
    /// viewers are served until their streams end, or for as long as [`Config::drain`] says.
    pub async fn run(self, stop: impl Future<Output = ()>) {
        let Self { hub, ports } = self;
        let _ends = Ends(&hub);
        let mut accepting = tokio::task::JoinSet::new();
        for port in ports {
            accepting.spawn(serve(port, Arc::clone(&hub)));
        }
        let working = async {
            tokio::join!(sweep(&hub), ring(&hub), hub.report_all());
        };
        let draining = async {
            stop.await;
            hub.drain();
            let until = Instant::now() + hub.settings().drain;
            while !hub.all().is_empty() && Instant::now() < until {
                sleep(SWEEP / 4).await;
            }
            hub.end_all();
            // Viewers get their last bytes, and so do files and other servers.
            sleep(SWEEP / 4).await;
            let until = Instant::now() + FAREWELL;
            while hub.is_working() && Instant::now() < until {
                sleep(SWEEP / 10).await;
            }
        };
        tokio::select! {
            () = working => {}
            () = draining => {}
        }
        accepting.shutdown().await;
    }
}

/// Ends all streams, also when the relay is dropped while it runs: threads wait for them.
struct Ends<'a>(&'a Hub);

impl Drop for Ends<'_> {
    fn drop(&mut self) {
        self.0.drain();
        self.0.end_all();
    }
}

async fn sweep(hub: &Hub) {
    loop {
        sleep(SWEEP).await;
        hub.sweep();
    }
}

/// Wakes viewers from time to time, where they are not woken for each tag.
async fn ring(hub: &Hub) {
    loop {
        let batch = hub.settings().batch;
        // The settings may be replaced.
        sleep(if batch.is_zero() { SWEEP } else { batch }).await;
        hub.ring();
    }
}

/// Listens at an address.
async fn listen(what: &str, address: SocketAddr) -> io::Result<TcpListener> {
    let failed = |error: io::Error| {
        let hint = match error.kind() {
            io::ErrorKind::AddrInUse => format!("; another program listens at port {}", address.port()),
            io::ErrorKind::PermissionDenied => format!("; port {} needs a right of its own", address.port()),
            _ => String::new(),
        };
        io::Error::new(error.kind(), format!("listening for {what} at {address}: {error}{hint}"))
    };
    TcpListener::bind(address).await.map_err(failed)
}

/// Accepts connections, and serves each in a task of its own.
async fn serve(port: Port, hub: Arc<Hub>) {
    let Port { listener, service, secure, .. } = port;
    loop {
        let (socket, peer) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => continue,
            Err(error) => {
                // Too many open files, for example; connections that end make room.
                tracing::warn!("accepting a connection: {error}");
                sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        let Some(guest) = Guest::admit(&hub, peer.ip(), service.name(secure)) else {
            hub.metrics.refused.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            continue;
        };
        if socket.set_nodelay(true).is_err() {
            continue;
        }
        let hub = Arc::clone(&hub);
        match (service, secure) {
            (Service::Rtmp, false) => drop(tokio::spawn(attend(socket, guest, hub, rtmp::serve))),
            (Service::Http, false) => drop(tokio::spawn(attend(socket, guest, hub, http::serve))),
            (Service::Wire, false) => drop(tokio::spawn(attend(socket, guest, hub, wire::serve))),
            (Service::Rtmp, true) => drop(tokio::spawn(attend_secure(socket, guest, hub, false, rtmp::serve))),
            (Service::Http, true) => drop(tokio::spawn(attend_secure(socket, guest, hub, true, http::serve))),
            (Service::Wire, true) => drop(tokio::spawn(attend_secure(socket, guest, hub, false, wire::serve))),
        }
    }
}

impl Service {
    fn name(self, secure: bool) -> &'static str {
        match (self, secure) {
            (Self::Rtmp, false) => "rtmp",
            (Self::Rtmp, true) => "rtmps",
            (Self::Http, false) => "http",
            (Self::Http, true) => "https",
            (Self::Wire, false) => "wire",
            (Self::Wire, true) => "wire over tls",
        }
    }
}

/// Serves a connection until it ends, or an administrator ends it.
async fn attend<F: Future<Output = ()>>(
    mut socket: TcpStream,
    guest: Guest,
    hub: Arc<Hub>,
    serve: fn(TcpStream, Arc<Hub>, Arc<Visit>) -> F,
) {
    if !introduced(&mut socket, &guest, &hub).await {
        return;
    }
    until_kicked(serve(socket, hub, Arc::clone(&guest.visit)), &guest).await;
}

/// As [`attend`], behind a handshake of TLS.
async fn attend_secure<F: Future<Output = ()>>(
    mut socket: TcpStream,
    guest: Guest,
    hub: Arc<Hub>,
    is_http: bool,
    serve: fn(crate::tls::Stream, Arc<Hub>, Arc<Visit>) -> F,
) {
    if !introduced(&mut socket, &guest, &hub).await {
        return;
    }
    let settings = hub.settings();
    let Some(tls) = &settings.tls else { return };
    match tls.accept(socket, is_http).await {
        Ok(socket) => {
            drop(settings);
            until_kicked(serve(socket, hub, Arc::clone(&guest.visit)), &guest).await;
        }
        Err(error) => tracing::debug!("a handshake of TLS failed: {error}"),
    }
}

async fn until_kicked(serving: impl Future<Output = ()>, guest: &Guest) {
    tokio::select! {
        () = serving => {}
        () = guest.visit.kicked() => tracing::info!("connection {} is ended by an administrator", guest.visit.number),
    }
}

/// Lets a proxy say for whom it connects; false when it does not, or there are too many of that address.
async fn introduced(socket: &mut TcpStream, guest: &Guest, hub: &Hub) -> bool {
    let settings = hub.settings();
    if !guest.visit.proxied || !settings.proxy_protocol {
        return true;
    }
    match timeout(PROXY_LIMIT, proxy::read(socket)).await {
        Ok(Ok(Some(address))) => {
            let fits = hub.gate.rename(&guest.visit, address, settings.most());
            hub.metrics.refused.fetch_add(u64::from(!fits), std::sync::atomic::Ordering::Relaxed);
            fits
        }
        Ok(Ok(None)) => true,
        Ok(Err(error)) => {
            tracing::debug!("a proxy's connection ended: {error}");
            false
        }
        Err(_) => false,
    }
}
