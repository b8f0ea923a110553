//! A stream that is published, as a sink for FLV.

use std::{io, time::Duration};

use maliu_core::{
    output::{Edit, Reach},
    wire::rtmp::{ClientEvent, Fault, Role, Url},
};

use super::{Link, Tags, fault, transport::Wait, warn_of_reconnect};
use crate::io::Sink;

/// How long the server may take to close a connection when the stream has ended.
const FAREWELL: Duration = Duration::from_secs(2);

/// A stream of a server, written as an FLV file. Tags are sent as they come.
pub struct Publisher {
    link: Link,
    file: Tags,
    failed: Option<(io::ErrorKind, String)>,
}

impl Publisher {
    /// Connects to the server and offers the stream.
    ///
    /// # Errors
    /// Those of the connection; a [`Fault`] when the server refuses.
    pub fn connect(url: &Url) -> io::Result<Self> {
        let link = Link::connect(url, Role::Publish)?;
        Ok(Self { link, file: Tags::new(), failed: None })
    }

    fn take(&mut self, edit: Edit) -> io::Result<()> {
        let Edit::Append(piece) = edit else {
            return Err(io::Error::new(io::ErrorKind::Unsupported, "what was published cannot be changed"));
        };
        for part in piece.parts {
            self.file.push(part);
        }
        while let Some(tag) = self.file.next_tag()? {
            self.link.client.send(&tag);
        }
        self.exchange()
    }

    /// Writes what waits, and hears what the server says meanwhile.
    fn exchange(&mut self) -> io::Result<()> {
        let wrote = self.link.write();
        loop {
            match self.link.next(Wait::No) {
                Ok(Some(ClientEvent::End) | None) => return Err(fault(Fault::Cut)),
                Ok(Some(ClientEvent::Reconnect(to))) => warn_of_reconnect(to.as_deref()),
                Ok(Some(_)) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return wrote,
                Err(error) => return Err(error),
            }
        }
    }

    fn keep<T>(&mut self, result: io::Result<T>) -> io::Result<T> {
        if let Err(error) = &result {
            self.failed = Some((error.kind(), error.to_string()));
        }
        result
    }

    fn check(&self) -> io::Result<()> {
        match &self.failed {
            Some((kind, text)) => Err(io::Error::new(*kind, text.clone())),
            None => Ok(()),
        }
    }
}

impl Sink for Publisher {
    fn reach(&self) -> Reach {
        Reach::Append
    }

    fn apply(&mut self, edit: Edit) -> io::Result<()> {
        self.check()?;
        let taken = self.take(edit);
        self.keep(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.check()
    }

    fn finish(&mut self) -> io::Result<()> {
        self.check()?;
        let closed = self.link.close(FAREWELL);
        self.keep(closed)
    }
}
