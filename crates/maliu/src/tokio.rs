//! The pump loops for tasks: the same as [`crate::blocking`], with `.await` where that one waits.
//!
//! Every future here can be dropped at any `.await` and nothing is lost: bytes on their way are kept by the reader or the
//! writer, not by the future, and the next call goes on. So they may stand in `select!`.

pub mod net;
mod pump;
mod reader;
mod source;
pub mod wire;
mod writer;

pub use crate::drive::Landing;
pub use pump::Pump;
pub use reader::Reader;
pub use source::{Forward, Seekable, Source};
pub use writer::Writer;
