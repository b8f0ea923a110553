//! The file of a listening Unix socket, which goes with its listener.

use std::{
    fs,
    os::unix::fs::{FileTypeExt, MetadataExt},
    path::{Path, PathBuf},
};

/// The file of a listening socket; dropping it removes the file, if it is still that one.
#[cfg_attr(not(feature = "tokio"), allow(unreachable_pub, reason = "tokio::net::Listener holds it"))]
pub struct Place {
    path: PathBuf,
    /// Device and inode.
    file: Option<(u64, u64)>,
}

impl Place {
    /// Of the socket that now listens at `path`.
    pub(crate) fn of(path: &Path) -> Self {
        Self { path: path.into(), file: identity(path) }
    }

    /// Where it is.
    #[cfg(feature = "tokio")]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if self.file.is_some() && self.file == identity(&self.path) {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Which socket is at a path; `None` when there is something else, or nothing.
pub(crate) fn identity(path: &Path) -> Option<(u64, u64)> {
    let about = path.symlink_metadata().ok()?;
    about.file_type().is_socket().then(|| (about.dev(), about.ino()))
}
