//! Streams that are published to other servers, again and again until they end.

use std::{
    io,
    sync::{Arc, atomic::Ordering},
    thread,
    time::{Duration, Instant},
};

use bytes::Bytes;
use maliu::{
    io::Sink,
    live::Join,
    output::{Edit, Mark, Piece},
    rtmp::{Publisher, Url},
};
use tokio::runtime::Handle;

use crate::{channel::Channel, config::Push, follower::Follower, hub::Hub, pattern};

/// The first pause before another attempt; each further one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(500);

/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// Publishes a channel to another server until it ends. A server that takes nothing slows no viewer down.
pub(crate) fn run(hub: &Hub, channel: &Arc<Channel>, push: &Push, handle: &Handle) {
    let name = channel.name.to_string();
    // The pattern of the settings is a URL; a name that makes it none is the name's fault.
    let url: Url = match pattern::filled(&push.to, &name, pattern::escaped).parse() {
        Ok(url) => url,
        Err(error) => return tracing::error!("{name} is not pushed: {error}"),
    };
    let mut pause = FIRST_PAUSE;
    while !channel.has_ended() {
        match once(channel, &url, handle, &mut pause) {
            Ok(()) => return,
            Err(error) => {
                hub.metrics.pushes_failed.fetch_add(1, Ordering::Relaxed);
                tracing::warn!(
                    "{name}: pushing to {}: {error}; trying again in {:.1} s",
                    url.connection(),
                    pause.as_secs_f64()
                );
            }
        }
        let until = Instant::now() + pause;
        while Instant::now() < until && !channel.has_ended() {
            thread::sleep(FIRST_PAUSE / 5);
        }
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// Publishes over one connection.
fn once(channel: &Arc<Channel>, url: &Url, handle: &Handle, pause: &mut Duration) -> io::Result<()> {
    let mut publisher = Publisher::connect(url)?;
    tracing::info!("{} is pushed to {}", channel.name, url.connection());
    let mut follower = Follower::new(Arc::clone(channel), Join::Group);
    let mut begun = false;
    while let Some((flags, steps)) = handle.block_on(follower.next()) {
        let mut parts = Vec::new();
        if !std::mem::replace(&mut begun, true) {
            parts.push(Bytes::copy_from_slice(&[b'F', b'L', b'V', 1, flags, 0, 0, 0, 9, 0, 0, 0, 0]));
        }
        for mut step in steps {
            step.tag.time = step.time as u32;
            parts.push(Bytes::copy_from_slice(&step.tag.head()));
            parts.push(step.tag.body.clone());
            parts.push(Bytes::copy_from_slice(&step.tag.tail()));
        }
        publisher.apply(Edit::Append(Piece { mark: Mark::Body { time: None }, parts }))?;
        *pause = FIRST_PAUSE;
    }
    publisher.finish()
}
