//! Streams of RTMP servers as sources and sinks: `rtmp://host/app/name`, and `rtmps://` with the feature `tls`.
//!
//! ```text
//!   server ─ messages ─▶ Player (a Source) ─ bytes of FLV ─▶ reader        messages have the bodies of FLV tags
//!   writer ─ bytes of FLV ─▶ Publisher (a Sink) ─ messages ─▶ server
//! ```
//!
//! The protocol is [`wire::rtmp`](maliu_core::wire::rtmp), which reads no socket; this module is its pump for threads that
//! may wait. A [`Publisher`] sends at once what it is given: pace a copy with [`Options::pace`](crate::copy::Options).

use std::{
    hash::{BuildHasher, RandomState},
    io,
    task::Poll,
    time::{Duration, Instant},
};

use maliu_core::{
    plain::plain,
    wire::rtmp::{Client, ClientEvent, ClientOptions, Fault, Role},
};

mod player;
mod publisher;
mod tags;
mod transport;

pub use maliu_core::wire::rtmp::Url;
pub use player::Player;
pub use publisher::Publisher;
pub use tags::Tags;

use transport::{Transport, Wait};

/// How long connecting to an address of a host may take.
const CONNECT_LIMIT: Duration = Duration::from_secs(10);

/// Bytes that are read at a time.
const BLOCK: usize = 64 << 10;

/// A client and its connection.
struct Link {
    transport: Transport,
    client: Client,
    begun: Instant,
    block: Vec<u8>,
}

impl Link {
    /// Connects; returns once the server has accepted the stream.
    fn connect(url: &Url, role: Role) -> io::Result<Self> {
        let transport = Transport::connect(url, CONNECT_LIMIT)?;
        let mut options = ClientOptions::new(url.clone(), role);
        options.seed = RandomState::new().hash_one(url.place());
        let client = Client::new(options, Duration::ZERO);
        let mut link = Self { transport, client, begun: Instant::now(), block: vec![0; BLOCK] };
        loop {
            match link.next(Wait::Tick) {
                Ok(Some(ClientEvent::Started(_))) => return Ok(link),
                Ok(Some(ClientEvent::End)) => return Err(fault(Fault::Cut)),
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// The next event; `None` when the server has closed the connection in good order.
    ///
    /// # Errors
    /// `WouldBlock` when there was none in the time to wait; those of the connection; a [`Fault`].
    fn next(&mut self, wait: Wait) -> io::Result<Option<ClientEvent>> {
        loop {
            let polled = self.client.poll();
            self.write()?;
            if let Poll::Ready(event) = polled.map_err(fault)? {
                return Ok(Some(event));
            }
            self.client.timeout(self.begun.elapsed()).map_err(fault)?;
            let got = self.transport.read(wait, &mut self.block)?;
            if got == 0 {
                return self.client.closed().map(|()| None).map_err(fault);
            }
            self.client.push(&self.block[..got], self.begun.elapsed());
        }
    }

    /// Writes what the client has to say.
    fn write(&mut self) -> io::Result<()> {
        while let Some(bytes) = self.client.next_write() {
            self.transport.write(&bytes)?;
        }
        self.transport.flush()
    }

    /// Ends the stream and the connection in an orderly way.
    fn close(&mut self, patience: Duration) -> io::Result<()> {
        self.client.finish();
        self.write()?;
        self.transport.shut()?;
        // Bytes that the server has not read might be lost if the connection ended before it has.
        let until = Instant::now() + patience;
        while Instant::now() < until {
            match self.transport.read(Wait::Tick, &mut self.block) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Ok(got) if got > 0 => {}
                _ => break,
            }
        }
        Ok(())
    }
}

/// Passes on that a server wants its clients elsewhere, which is not followed.
fn warn_of_reconnect(to: Option<&str>) {
    tracing::warn!("the server asks to connect again, to {}", plain(to.unwrap_or("the same place")));
}

fn fault(fault: Fault) -> io::Error {
    match fault {
        Fault::Silent(_) => io::Error::new(io::ErrorKind::TimedOut, fault),
        _ => io::Error::other(fault),
    }
}
