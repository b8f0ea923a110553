//! The file of a Unix socket: made where nothing is, or in the place of a socket that has no listener.

use std::{fs, io, path::Path};

use ::tokio::net::{UnixListener, UnixStream};

pub(super) use crate::socket_file::Place;
use crate::socket_file::identity;

/// Listens at a path.
pub(super) async fn bind(path: &Path) -> io::Result<(UnixListener, Place)> {
    if path.symlink_metadata().is_ok() {
        make_room(path).await?;
    }
    let listener = UnixListener::bind(path)?;
    Ok((listener, Place::of(path)))
}

/// Removes a socket that refuses connections, as a killed process leaves it. Everything else stays: files, folders,
/// pipes, devices, links wherever they lead, sockets of another type, and one that is listened to.
async fn make_room(path: &Path) -> io::Result<()> {
    let in_use = |what: &str| Err(io::Error::new(io::ErrorKind::AddrInUse, what));
    let Some(before) = identity(path) else { return in_use("there is something that is no socket") };
    match UnixStream::connect(path).await {
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => return Err(error),
        Ok(_) => return in_use("another process listens there"),
        // A full queue of connections, or another type of socket.
        Err(error) => return in_use(&format!("there is a socket that is in use: {error}")),
    }
    if identity(path) == Some(before) {
        fs::remove_file(path)
    } else {
        in_use("another process has just begun to listen there")
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt;

    use super::*;

    fn block_on<F: Future>(future: F) -> F::Output {
        ::tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
    }

    #[test]
    fn only_a_socket_that_refuses_connections_is_replaced() {
        let folder = std::env::temp_dir().join(format!("maliu-unix-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let path = |name: &str| folder.join(name);
        let dead = |name: &str| drop(std::os::unix::net::UnixListener::bind(path(name)).unwrap());
        fs::write(path("file"), "precious").unwrap();
        fs::create_dir(path("folder")).unwrap();
        assert!(std::process::Command::new("mkfifo").arg(path("pipe")).status().unwrap().success());
        dead("dead behind a link");
        for (link, target) in [("link", "dead behind a link"), ("dangling", "nothing"), ("to a device", "/dev/null")] {
            std::os::unix::fs::symlink(path(target), path(link)).unwrap();
        }
        let _datagrams = std::os::unix::net::UnixDatagram::bind(path("datagrams")).unwrap();
        let _alive = std::os::unix::net::UnixListener::bind(path("alive")).unwrap();
        dead("dead");
        block_on(async {
            let others = ["file", "folder", "pipe", "link", "dangling", "to a device", "datagrams", "alive"];
            for name in others {
                let before = path(name).symlink_metadata().unwrap().ino();
                let error = bind(&path(name)).await.map(drop).unwrap_err();
                assert_eq!(error.kind(), io::ErrorKind::AddrInUse, "{name}: {error}");
                assert_eq!(path(name).symlink_metadata().unwrap().ino(), before, "{name} stays");
            }
            let devices = bind(Path::new("/dev/null")).await.map(drop);
            assert!(devices.is_err() && Path::new("/dev/null").exists());
            let bound = bind(&path("dead")).await.unwrap();
            assert!(std::os::unix::net::UnixStream::connect(path("dead")).is_ok());
            drop(bound);
            assert!(path("dead").symlink_metadata().is_err(), "it is removed with its listener");
            let (_listener, place) = bind(&path("dead")).await.unwrap();
            fs::remove_file(path("dead")).unwrap();
            dead("dead");
            drop(place);
            assert!(path("dead").symlink_metadata().is_ok(), "another one is not removed");
        });
        fs::remove_dir_all(folder).unwrap();
    }
}
