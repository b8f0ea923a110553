//! The way of edits from an output to a sink: in order, resumable, bounded.

use std::io as std_io;

use maliu_core::output::Output;

use crate::{
    error::Result,
    io::{Sink, tuning::Seal},
    log,
};

/// Bytes that may wait for a sink that is "not yet" ready before nothing more is accepted.
pub const MAX_WAITING: usize = 64 << 20;

/// An output and the sink its edits go to.
pub struct Pump<S> {
    sink: S,
    output: Output,
    /// The sink has said "not yet" and keeps an edit in part.
    stalled: bool,
}

impl<S: Sink> Pump<S> {
    /// An output as far-reaching as `sink`.
    pub fn new(sink: S) -> Self {
        let output = Output::new(sink.reach()).joining(sink.gathers(Seal));
        Self { sink, output, stalled: false }
    }

    /// Where a muxer puts its edits.
    pub fn output(&mut self) -> &mut Output {
        &mut self.output
    }

    /// Fails, with `WouldBlock`, when the sink has fallen so far behind that no more should be put into the output.
    ///
    /// # Errors
    /// `WouldBlock`, or those of the sink.
    #[inline]
    pub fn ready(&mut self) -> Result<()> {
        if self.stalled && self.output.waiting() >= MAX_WAITING {
            self.pump()?;
            if self.stalled {
                return Err(std_io::Error::from(std_io::ErrorKind::WouldBlock).into());
            }
        }
        Ok(())
    }

    /// Gives the sink all edits that wait, but for what is joined and too little yet; what it says "not yet" to is kept.
    ///
    /// # Errors
    /// Final ones of the sink.
    #[inline]
    pub fn pump(&mut self) -> Result<()> {
        if !self.stalled && self.output.is_quiet() { Ok(()) } else { self.work() }
    }

    fn work(&mut self) -> Result<()> {
        if self.stalled {
            let flushed = self.sink.flush();
            self.note(flushed)?;
        }
        while !self.stalled {
            let Some(edit) = self.output.next_edit() else { break };
            let applied = self.sink.apply(edit);
            self.note(applied)?;
        }
        log::remarks_of_output(&mut self.output);
        Ok(())
    }

    /// Writes all that waits.
    ///
    /// # Errors
    /// Those of the sink; after `WouldBlock` call again.
    pub fn flush(&mut self) -> Result<()> {
        self.output.close();
        self.pump()?;
        self.settled()?;
        Ok(self.sink.flush()?)
    }

    /// Writes all that waits and tells the sink that nothing follows.
    ///
    /// # Errors
    /// Those of the sink; after `WouldBlock` call again.
    pub fn finish(&mut self) -> Result<()> {
        self.output.close();
        self.pump()?;
        self.settled()?;
        Ok(self.sink.finish()?)
    }

    /// The sink.
    pub fn into_sink(self) -> S {
        self.sink
    }

    fn settled(&self) -> Result<()> {
        if self.stalled { Err(std_io::Error::from(std_io::ErrorKind::WouldBlock).into()) } else { Ok(()) }
    }

    fn note(&mut self, result: std_io::Result<()>) -> Result<()> {
        self.stalled = matches!(&result, Err(error) if error.kind() == std_io::ErrorKind::WouldBlock);
        if self.stalled { Ok(()) } else { Ok(result?) }
    }
}
