//! The surroundings of `maliu relay`: what it prints at its start, signals while it runs, and its open files.

use std::time::Duration;

use maliu_relay::{Control, Relay};

use crate::{context::Context, failure::say};

/// Between two looks at signals.
const LOOK: Duration = Duration::from_millis(50);

/// Returns when the user asks to stop; meanwhile SIGHUP has the settings read again.
pub(crate) async fn stopped(context: &Context, control: &Control) {
    context.stop.reload_on_hang_up();
    while !context.stop.asked() {
        tokio::time::sleep(LOOK).await;
        if context.stop.hung_up() {
            match control.reload() {
                Ok(remarks) => {
                    remarks.iter().for_each(|remark| say(remark));
                    say("the settings are read again");
                }
                Err(why) => say(&format!("the settings stay as they were: {why}")),
            }
        }
    }
    say("stopping: publishers are refused, viewers are served until their streams end; stop again to end at once");
}

/// Prints where to publish and to watch.
pub(crate) fn announce(relay: &Relay) {
    let (rtmp, http) = (relay.rtmp(), relay.http());
    let token = relay.token().map(|token| format!("?token={token}")).unwrap_or_default();
    say(&format!("publish to   rtmp://{rtmp}/live/NAME{token}"));
    say(&format!("       OBS   server rtmp://{rtmp}/live, stream key NAME{token}"));
    if let Some(rtmps) = relay.rtmps() {
        say(&format!("             rtmps://{rtmps}/live/NAME{token}"));
    }
    if let Some(wire) = relay.wire() {
        let token = relay.token().map(|token| format!(" --token {token}")).unwrap_or_default();
        // A token over TCP between machines needs the word.
        let token = if token.is_empty() || wire.ip().is_loopback() { token } else { token + " --insecure" };
        say(&format!("     maliu   maliu send FILE tcp://{wire} --live --name NAME{token}"));
    }
    if let Some(wire) = relay.wire_tls() {
        say(&format!("     maliu   maliu send FILE tls://{wire} --live --name NAME"));
    }
    say(&format!("watch at     http://{http}/live/NAME.flv"));
    say(&format!("             ws://{http}/live/NAME.flv"));
    say(&format!("             rtmp://{rtmp}/live/NAME"));
    say(&format!("streams      http://{http}/"));
    if let Some(https) = relay.https() {
        say(&format!("             https://{https}/"));
    }
}

/// Asks for as many open files as the settings allow connections.
#[cfg(unix)]
pub(crate) fn allow_many_files(connections: usize) {
    use rustix::process::{Resource, getrlimit, setrlimit};

    /// Files beside connections.
    const OTHERS: u64 = 64;

    let mut limit = getrlimit(Resource::Nofile);
    let wanted = (connections as u64).saturating_add(OTHERS);
    if limit.current.is_none_or(|current| current >= wanted) {
        return;
    }
    limit.current = Some(limit.maximum.map_or(wanted, |maximum| maximum.min(wanted)));
    if setrlimit(Resource::Nofile, limit).is_err() || limit.current.is_some_and(|current| current < wanted) {
        let files = getrlimit(Resource::Nofile).current.unwrap_or(wanted);
        say(&format!("the system allows {files} open files: connections are fewer than {connections}"));
    }
}

#[cfg(not(unix))]
pub(crate) fn allow_many_files(_: usize) {}
