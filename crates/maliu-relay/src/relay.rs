//! A relay that listens.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use tokio::{
    net::{TcpListener, TcpStream},
    runtime::Handle,
    time::{Instant, sleep},
};

use crate::{access, config::Config, gate::Guest, http, hub::Hub, rtmp, wire};

/// Between two looks for streams that are over.
const SWEEP: Duration = Duration::from_millis(500);

/// How long recordings and pushes may take to end.
const FAREWELL: Duration = Duration::from_secs(10);

/// A relay that is bound to its addresses.
#[derive(Debug)]
pub struct Relay {
    hub: Arc<Hub>,
    rtmp: TcpListener,
    http: TcpListener,
    wire: Option<TcpListener>,
    token: Option<String>,
}

impl Relay {
    /// Listens at the addresses of `config`. Where other machines can publish and no token is set, one is made.
    ///
    /// # Errors
    /// Those of the system, with the address in their text.
    pub async fn bind(mut config: Config) -> io::Result<Self> {
        let rtmp = listen("RTMP", config.rtmp).await?;
        let http = listen("HTTP", config.http).await?;
        let wire = match config.wire {
            Some(address) => Some(listen("maliu's wire", address).await?),
            None => None,
        };
        let token = match config.lacks_token() {
            true => Some(access::make()?),
            false => None,
        };
        config.publish_tokens.extend(token.clone());
        // Those that the page names.
        (config.rtmp, config.http) = (rtmp.local_addr()?, http.local_addr()?);
        if let Some(wire) = &wire {
            config.wire = Some(wire.local_addr()?);
        }
        Ok(Self { hub: Arc::new(Hub::new(config, Handle::current())), rtmp, http, wire, token })
    }

    /// The address of RTMP.
    pub fn rtmp(&self) -> SocketAddr {
        self.rtmp.local_addr().unwrap_or(self.hub.config.rtmp)
    }

    /// The address of HTTP.
    pub fn http(&self) -> SocketAddr {
        self.http.local_addr().unwrap_or(self.hub.config.http)
    }

    /// The address of maliu's wire, if it is listened for.
    pub fn wire(&self) -> Option<SocketAddr> {
        self.hub.config.wire
    }

    /// The token that was made for publishers, if one was.
    pub fn token(&self) -> Option<&str> {
        self.token.as_deref()
    }

    /// Serves until `stop` is ready. Then no publisher is let in, peers that understand it are asked to connect again, and
    /// viewers are served until their streams end, or for as long as [`Config::drain`] says.
    pub async fn run(self, stop: impl Future<Output = ()>) {
        let Self { hub, rtmp, http, wire, .. } = self;
        let _ends = Ends(&hub);
        let senders = async {
            match &wire {
                Some(wire) => serve(wire, &hub, wire::serve).await,
                None => std::future::pending().await,
            }
        };
        let listening = async {
            let (rtmp, http) = (serve(&rtmp, &hub, rtmp::serve), serve(&http, &hub, http::serve));
            tokio::join!(rtmp, http, senders, sweep(&hub), ring(&hub));
        };
        let draining = async {
            stop.await;
            hub.drain();
            let until = Instant::now() + hub.config.drain;
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
            () = listening => {}
            () = draining => {}
        }
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
    match hub.config.batch {
        Duration::ZERO => std::future::pending().await,
        batch => loop {
            sleep(batch).await;
            hub.ring();
        },
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
async fn serve<F: Future<Output = ()> + Send + 'static>(
    listener: &TcpListener,
    hub: &Arc<Hub>,
    serve: fn(TcpStream, Arc<Hub>) -> F,
) {
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
        let Some(guest) = Guest::admit(hub, peer.ip()) else {
            hub.metrics.refused.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            continue;
        };
        if socket.set_nodelay(true).is_err() {
            continue;
        }
        let serving = serve(socket, Arc::clone(hub));
        tokio::spawn(async move {
            serving.await;
            drop(guest);
        });
    }
}
