//! The loop of a viewer over HTTP or WebSocket.

use std::{future::poll_fn, io, task::Poll, time::Instant};

use tokio::time::{MissedTickBehavior, interval};

use crate::{
    link::{EXPECT_LIMIT, Link, Socket, TICK},
    queue::Queue,
    viewer::{Filled, Viewer},
};

/// The other direction of a viewer's connection.
pub(crate) trait Ear {
    /// Takes bytes of the viewer, and may answer. Returns whether the connection goes on.
    ///
    /// # Errors
    /// The viewer says what it must not say.
    fn hear(&mut self, bytes: &[u8], out: &mut Queue) -> io::Result<bool>;

    /// Looks at the clock.
    fn tick(&mut self, out: &mut Queue);

    /// The stream has ended.
    fn end(&mut self, out: &mut Queue);
}

/// Serves a viewer to its end.
///
/// # Errors
/// Those of the connection; `TimedOut` when the viewer takes nothing.
pub(crate) async fn serve<S: Socket>(mut link: Link<S>, mut viewer: Viewer, mut ear: impl Ear) -> io::Result<()> {
    let mut clock = interval(TICK);
    clock.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let (mut ending, begun) = (false, Instant::now());
    poll_fn(|cx| {
        loop {
            let mut moved = false;
            if let Poll::Ready(heard) = link.poll_read(cx, |bytes, out| match bytes {
                [] => Ok(false),
                bytes => ear.hear(bytes, out),
            }) {
                moved = true;
                ending |= !heard??;
            }
            if link.out.is_empty() && !ending {
                match viewer.fill(&mut link.out, cx) {
                    Filled::Some => moved = true,
                    Filled::Wait => {}
                    Filled::End => {
                        ending = true;
                        ear.end(&mut link.out);
                    }
                }
            }
            let waited = !link.out.is_empty();
            if link.poll_write(cx)?.is_ready() {
                if ending {
                    return Poll::Ready(Ok::<_, io::Error>(()));
                }
                // There is room for more.
                moved |= waited;
            }
            if clock.poll_tick(cx).is_ready() {
                moved = true;
                ear.tick(&mut link.out);
                if !viewer.has_begun() && begun.elapsed() >= EXPECT_LIMIT {
                    ending = true;
                    ear.end(&mut link.out);
                }
                if link.is_stalled() {
                    viewer.stalled();
                    return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
                }
            }
            if !moved {
                return Poll::Pending;
            }
        }
    })
    .await?;
    drop(viewer);
    link.close().await;
    Ok(())
}
