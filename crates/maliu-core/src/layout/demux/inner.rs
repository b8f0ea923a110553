//! Bodies that are not packets themselves: messages of another layout, or pieces of a program stream.

use alloc::{boxed::Box, collections::VecDeque, format};
use core::task::Poll;

use super::Reader;
use crate::{
    error::Result,
    format::{Demuxer, Event},
    formats::mpegps,
    input::Input,
    layout::{BodyKind, Fault},
    remark::Warning,
};

/// A reader of what the bodies are together.
pub(super) struct Inner {
    demuxer: Box<dyn Demuxer>,
    input: Input,
}

impl Inner {
    /// For bodies of this kind, if they need one.
    pub(super) fn of(kind: &BodyKind) -> core::result::Result<Option<Self>, Fault> {
        let demuxer: Box<dyn Demuxer> = match kind {
            BodyKind::Nested(layout) => Box::new(Reader::of((**layout).clone())?),
            BodyKind::ProgramStream => match mpegps::FORMAT.demuxer.map(|make| make(&[])) {
                Some(Ok(demuxer)) => demuxer,
                _ => return Ok(None),
            },
            _ => return Ok(None),
        };
        Ok(Some(Self { demuxer, input: Input::new() }))
    }

    /// Takes the next body, of a message at `at`, and queues what it says.
    pub(super) fn push(&mut self, body: &[u8], at: u64, input: &mut Input, events: &mut VecDeque<Event>) -> Result<()> {
        self.input.push(body);
        self.poll(at, input, events)
    }

    /// Nothing follows.
    pub(super) fn finish(&mut self, input: &mut Input, events: &mut VecDeque<Event>) {
        self.input.end();
        let at = input.offset();
        if let Err(error) = self.poll(at, input, events) {
            input.warn_at(at, format!("{error}"));
        }
    }

    fn poll(&mut self, at: u64, input: &mut Input, events: &mut VecDeque<Event>) -> Result<()> {
        let result = loop {
            match self.demuxer.poll(&mut self.input) {
                Ok(Poll::Pending | Poll::Ready(Event::End)) => break Ok(()),
                Ok(Poll::Ready(event)) => events.push_back(event),
                Err(error) => break Err(error),
            }
        };
        for Warning { stream, kind, what, .. } in self.input.take_warnings().0 {
            input.pass_on(Warning { at, stream, kind, what });
        }
        result
    }
}
