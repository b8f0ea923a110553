//! How many files and sockets may be open: the system's usual limit is for programs that need a few.

/// Raises the limit as far as this user may.
#[cfg(unix)]
pub(crate) fn raise() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    // Without the right to raise it, the first file beyond the limit fails with an error of its own.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum });
}

/// There is no such limit.
#[cfg(not(unix))]
pub fn raise() {}
