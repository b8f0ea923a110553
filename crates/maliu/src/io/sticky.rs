//! The error after which nothing more is written: kept, and repeated.

use std::io;

/// The first final error, if there was one.
#[derive(Debug, Default)]
pub(super) struct Sticky(Option<Failure>);

#[derive(Debug)]
enum Failure {
    Os(i32),
    Other(io::ErrorKind, String),
}

impl Sticky {
    /// Fails if anything failed before.
    pub(super) fn check(&self) -> io::Result<()> {
        match &self.0 {
            None => Ok(()),
            Some(Failure::Os(code)) => Err(io::Error::from_raw_os_error(*code)),
            Some(Failure::Other(kind, what)) => Err(io::Error::new(*kind, what.clone())),
        }
    }

    /// Passes `result` on and keeps its error, if it is a final one.
    pub(super) fn keep<T>(&mut self, result: io::Result<T>) -> io::Result<T> {
        if let Err(error) = &result
            && error.kind() != io::ErrorKind::WouldBlock
        {
            self.0 = Some(match error.raw_os_error() {
                Some(code) => Failure::Os(code),
                None => Failure::Other(error.kind(), error.to_string()),
            });
        }
        result
    }
}
