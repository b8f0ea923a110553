//! Errors when bytes also travel: the system's errors and the media's, told apart.
//!
//! ```
//! use maliu::{Error, MediaError, blocking::Reader};
//!
//! match Reader::open("no/such/file.flv").map(|_| ()) {
//!     Err(Error::Io(error)) => assert_eq!(error.kind(), std::io::ErrorKind::NotFound),
//!     Err(Error::Media(MediaError::Malformed { at, .. })) => println!("damaged at offset {at}"),
//!     _ => {}
//! }
//! ```

use std::io;

pub use maliu_core::error::{Error as MediaError, PacketError};

/// The result of everything in this crate that does I/O.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a call failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A source or a sink failed. `WouldBlock` means "not yet": nothing is lost, the same call goes on later.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The bytes, the packets or the settings are at fault.
    #[error(transparent)]
    Media(#[from] MediaError),
}

impl Error {
    /// Whether a non-blocking source or sink was only not ready: the same call can be made again.
    pub fn is_not_yet(&self) -> bool {
        matches!(self, Self::Io(error) if error.kind() == io::ErrorKind::WouldBlock)
    }
}
