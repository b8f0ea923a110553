//! One connection of RTMP: a publisher, or a viewer.

use std::{
    future::{Future, poll_fn},
    hash::{BuildHasher, RandomState},
    io,
    pin::Pin,
    sync::{Arc, atomic::Ordering},
    task::{Context, Poll},
    time::{Duration, Instant},
};

use bytes::Bytes;
use maliu::{
    live::Join,
    wire::rtmp::{Fault, Request, Server, ServerEvent, ServerOptions, Tag},
};
use tokio::time::{Interval, MissedTickBehavior, interval};

use crate::{
    access::{Purpose, Shown},
    form::Form,
    gate::Visit,
    hooks::Ask,
    hub::{Hub, Publisher, Refusal},
    link::{EXPECT_LIMIT, Link, STALL_LIMIT, Socket, TICK},
    name::Name,
    viewer::{Filled, Viewer},
};

/// Bytes that a peer may send before it publishes, and as a viewer besides 1 for each 64 that it gets.
const MAX_SAID: u64 = 256 << 10;

/// The window over which the bit rate of a publisher is counted.
const RATE_WINDOW: Duration = Duration::from_secs(5);

enum Role {
    None,
    Publisher(Publisher),
    Viewer(Box<Viewer>, Instant),
}

/// Why a connection ends.
#[derive(Debug, thiserror::Error)]
enum End {
    #[error(transparent)]
    Fault(#[from] Fault),
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error("the peer took nothing for {} s", STALL_LIMIT.as_secs())]
    Stalled,
    #[error("{0}")]
    Over(&'static str),
}

/// A request, and the permission that it waits for.
struct Asking {
    request: Request,
    publishes: bool,
    permission: Pin<Box<dyn Future<Output = Result<(), Refusal>> + Send>>,
}

struct Connection<S> {
    link: Link<S>,
    hub: Arc<Hub>,
    visit: Arc<Visit>,
    server: Server,
    role: Role,
    /// A request that waits for permission.
    asking: Option<Asking>,
    begun: Instant,
    clock: Interval,
    traffic: Traffic,
    /// The peer has said that it can connect again when it is asked to.
    reconnects: bool,
    /// The peer was asked to connect again.
    asked: bool,
    /// The stream of this viewer has ended: the connection ends when all is written.
    ending: bool,
}

/// Bytes of a connection.
#[derive(Debug)]
struct Traffic {
    /// Received from a peer that does not publish.
    said: u64,
    /// Sent to a viewer.
    given: u64,
    /// Received from a publisher since `since`.
    published: u64,
    since: Instant,
}

/// Serves a connection to its end.
pub(crate) async fn serve<S: Socket>(socket: S, hub: Arc<Hub>, visit: Arc<Visit>) {
    let mut options = ServerOptions::default();
    options.seed = RandomState::new().hash_one(0);
    let begun = Instant::now();
    let mut clock = interval(TICK);
    clock.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut connection = Connection {
        link: Link::new(socket),
        server: Server::new(options, Duration::ZERO),
        role: Role::None,
        asking: None,
        visit,
        begun,
        clock,
        traffic: Traffic { said: 0, given: 0, published: 0, since: begun },
        reconnects: false,
        asked: false,
        ending: false,
        hub,
    };
    let end = poll_fn(|cx| connection.poll(cx)).await;
    // A publisher has left, and a viewer is not counted, before the socket is closed.
    connection.role = Role::None;
    match end {
        Ok(()) => connection.link.close().await,
        Err(end) => {
            if matches!(end, End::Fault(_)) {
                connection.hub.metrics.faults.fetch_add(1, Ordering::Relaxed);
            }
            tracing::debug!("a connection of RTMP ended: {end}");
        }
    }
}

impl<S: Socket> Connection<S> {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), End>> {
        loop {
            let mut moved = false;
            let server = &mut self.server;
            let (now, said) = (self.begun.elapsed(), &mut self.traffic.said);
            if let Poll::Ready(got) = self.link.poll_read(cx, |bytes, _| {
                server.push(bytes, now);
                *said += bytes.len() as u64;
                bytes.len()
            }) {
                moved = true;
                if got? == 0 {
                    return Poll::Ready(Ok(()));
                }
                self.hear()?;
            }
            moved |= self.permitted(cx);
            self.speak();
            moved |= self.give(cx);
            let waited = !self.link.out.is_empty();
            if self.link.poll_write(cx)?.is_ready() {
                if self.ending {
                    return Poll::Ready(Ok(()));
                }
                // There is room for more.
                moved |= waited;
            }
            if self.clock.poll_tick(cx).is_ready() {
                moved = true;
                self.look()?;
            }
            if !moved {
                return Poll::Pending;
            }
        }
    }

    /// Looks at the clock.
    fn look(&mut self) -> Result<(), End> {
        self.server.timeout(self.begun.elapsed())?;
        if self.hub.is_draining() && self.reconnects && !self.asked {
            self.asked = true;
            self.server.reconnect(None, "the server is shutting down");
        }
        match &self.role {
            Role::Viewer(viewer, since) => {
                if self.link.is_stalled() {
                    viewer.stalled();
                    return Err(End::Stalled);
                }
                if !viewer.has_begun() && since.elapsed() >= EXPECT_LIMIT {
                    return Err(End::Over("nothing was published under this name"));
                }
            }
            Role::None if self.link.is_stalled() => return Err(End::Stalled),
            _ => {}
        }
        Ok(())
    }

    /// Obeys what the peer has said.
    fn hear(&mut self) -> Result<(), End> {
        while let Poll::Ready(event) = self.server.poll()? {
            self.obey(event)?;
        }
        let Traffic { said, given, .. } = self.traffic;
        match self.role {
            Role::Publisher(_) => self.traffic.said = 0,
            _ if said > MAX_SAID + given / 64 => return Err(End::Over("the peer says more than it may")),
            _ => {}
        }
        Ok(())
    }

    fn obey(&mut self, event: ServerEvent) -> Result<(), End> {
        match event {
            ServerEvent::Connect { capabilities, .. } => self.reconnects = capabilities.reconnect,
            ServerEvent::Publish(request) => self.ask(request, true),
            ServerEvent::Play(request) => self.ask(request, false),
            ServerEvent::Tag(tag) => self.take(tag)?,
            ServerEvent::End => {
                (self.role, self.asking) = (Role::None, None);
                self.visit.is_for(false, None);
            }
            _ => {}
        }
        Ok(())
    }

    fn take(&mut self, tag: Tag) -> Result<(), End> {
        let Role::Publisher(publisher) = &self.role else { return Ok(()) };
        let size = tag.body.len() as u64;
        self.hub.metrics.received.fetch_add(size, Ordering::Relaxed);
        let settings = self.hub.settings();
        if let Some(most) = settings.max_publisher_rate {
            self.traffic.published += size;
            let passed = self.traffic.since.elapsed();
            if self.traffic.published.saturating_mul(8) > most.saturating_mul(RATE_WINDOW.as_secs()) {
                tracing::warn!("{}: the publisher is cut; it sends more than {most} bit/s", publisher.channel.name);
                return Err(End::Over("the publisher sends more than it may"));
            }
            if passed >= RATE_WINDOW {
                (self.traffic.published, self.traffic.since) = (0, Instant::now());
            }
        }
        // Kept for seconds, a slice would keep all of the block that it was read in.
        let tag = Tag { body: Bytes::copy_from_slice(&tag.body), ..tag };
        let at_once = settings.batch.is_zero();
        let taken = publisher.channel.push(publisher.epoch, tag, at_once);
        taken.map_err(|_| End::Over("another publisher has taken over"))
    }

    /// Asks whether a peer may do as it wants. One that asks again meanwhile has another wish.
    fn ask(&mut self, request: Request, publishes: bool) {
        let ask = Ask {
            purpose: if publishes { Purpose::Publish } else { Purpose::Play },
            name: Name::of(&request.app, &request.name),
            shown: shown(&request),
            protocol: self.visit.protocol,
            address: self.visit.address(),
        };
        let permission = Box::pin(Arc::clone(&self.hub).permits(ask));
        self.asking = Some(Asking { request, publishes, permission });
    }

    /// Does as a peer wants that may, or refuses; returns whether there was an answer.
    fn permitted(&mut self, cx: &mut Context<'_>) -> bool {
        let Some(asking) = &mut self.asking else { return false };
        let Poll::Ready(permission) = asking.permission.as_mut().poll(cx) else { return false };
        let Some(Asking { request, publishes, .. }) = self.asking.take() else { return false };
        match permission {
            Err(Refusal { code, why }) => {
                tracing::info!("a peer was refused: {why}");
                self.server.refuse(code, why);
            }
            Ok(()) if publishes => self.publish(&request),
            Ok(()) => self.play(&request),
        }
        true
    }

    fn publish(&mut self, request: &Request) {
        match self.hub.publish_known(Name::of(&request.app, &request.name)) {
            Ok(publisher) => {
                tracing::info!("{} is published", publisher.channel.name);
                self.visit.is_for(true, Some(publisher.channel.name.to_string()));
                self.role = Role::Publisher(publisher);
                (self.traffic.published, self.traffic.since) = (0, Instant::now());
                self.server.accept();
            }
            Err(refusal) => {
                tracing::info!("a publisher was refused: {}", refusal.why);
                self.server.refuse(refusal.code, refusal.why);
            }
        }
    }

    fn play(&mut self, request: &Request) {
        let Some(name) = Name::of(&request.app, &request.name) else {
            return self.server.refuse("NetStream.Play.StreamNotFound", "the name cannot be that of a stream");
        };
        let join = if request.values("join").any(|join| join == "live") { Join::Live } else { Join::Group };
        let Some(channel) = self.hub.expect(name) else {
            return self.server.refuse("NetStream.Play.StreamNotFound", "no more streams can be waited for");
        };
        self.visit.is_for(false, Some(channel.name.to_string()));
        self.server.accept();
        let form = Form::Rtmp(self.server.playing().unwrap_or(1));
        let viewer = Viewer::new(channel, Arc::clone(&self.hub), form, join, false);
        self.role = Role::Viewer(Box::new(viewer), Instant::now());
    }

    /// Appends what the server has to say.
    fn speak(&mut self) {
        while let Some(bytes) = self.server.next_write() {
            self.link.out.share(bytes);
        }
    }

    /// Gives a viewer what is next, if nothing waits; returns whether it got something.
    fn give(&mut self, cx: &mut Context<'_>) -> bool {
        let Role::Viewer(viewer, _) = &mut self.role else { return false };
        if self.ending || !self.link.out.is_empty() {
            return false;
        }
        match viewer.fill(&mut self.link.out, cx) {
            Filled::Some => {
                self.traffic.given += self.link.out.len() as u64;
                true
            }
            Filled::Wait => false,
            Filled::End => {
                self.server.unpublish();
                self.ending = true;
                self.speak();
                true
            }
        }
    }
}

/// The tokens and the signature in the query of a name.
fn shown(request: &Request) -> Shown {
    let first = |name| request.values(name).next().map(str::to_owned);
    let (expires, signature, query) = (first("e"), first("s"), request.query.clone());
    Shown { tokens: request.values("token").map(str::to_owned).collect(), expires, signature, query }
}
