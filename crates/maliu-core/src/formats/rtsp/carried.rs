//! A transport or program stream in RTP (RFC 2250 §2): its payloads in order, read by the demuxer of that format.

use alloc::{boxed::Box, format, vec::Vec};
use core::task::Poll;

use bytes::Bytes;

use crate::{
    error::Result,
    format::{Demuxer, Event},
    formats,
    input::Input,
    remark::{Remark, Warning},
    rtp::{Header, Window, is_rtcp, sdp::Description},
};

/// A stream of streams.
pub(super) struct Carried {
    demuxer: Box<dyn Demuxer>,
    input: Input,
    window: Window<Bytes>,
    payload_type: u8,
    /// Where the packet stands that was fed last.
    at: u64,
    warnings: Vec<Warning>,
}

impl Carried {
    /// For a description of nothing but one such stream.
    pub(super) fn of(description: &Description) -> Option<Self> {
        let [media] = &description.media[..] else { return None };
        let name = match media.encoding.as_str() {
            name if name.eq_ignore_ascii_case("MP2T") => "mpegts",
            name if name.eq_ignore_ascii_case("MP2P") || name.eq_ignore_ascii_case("PS") => "mpegps",
            _ => return None,
        };
        let demuxer = (formats::named(name)?.demuxer?)(&[]).ok()?;
        let payload_type = media.payload_type;
        Some(Self {
            demuxer,
            input: Input::new(),
            window: Window::default(),
            payload_type,
            at: 0,
            warnings: Vec::new(),
        })
    }

    /// Takes a packet that stands at `at`.
    pub(super) fn rtp(&mut self, packet: &Bytes, at: u64) {
        let Ok((header, payload)) = Header::split(packet) else { return };
        if is_rtcp(packet) || header.payload_type != self.payload_type {
            return;
        }
        self.at = at;
        let payload = match self.window.is_due(header.sequence) {
            true => payload,
            false => Bytes::copy_from_slice(&payload),
        };
        self.window.push(header.sequence, payload.len(), payload);
        self.drain();
    }

    fn drain(&mut self) {
        while let Some(step) = self.window.poll() {
            if step.lost > 0 {
                let packets = if step.lost == 1 { "packet" } else { "packets" };
                let what = format!("{} {packets} lost in front of number {}", step.lost, step.sequence);
                self.warnings
                    .push(Warning { kind: Remark::Missing { units: step.lost }, ..Warning::new(self.at, what) });
            }
            self.input.push(&step.item);
        }
    }

    /// Nothing follows.
    pub(super) fn finish(&mut self) {
        self.window.flush();
        self.drain();
        self.input.end();
    }

    /// The next event; `None` until more packets come, and at the end.
    ///
    /// # Errors
    /// Those of the demuxer.
    pub(super) fn poll(&mut self) -> Result<Option<Event>> {
        let polled = self.demuxer.poll(&mut self.input);
        let (inner, _) = self.input.take_warnings();
        let at = self.at;
        self.warnings.extend(inner.into_iter().map(|warning| Warning { at, ..warning }));
        Ok(match polled? {
            Poll::Ready(Event::End) | Poll::Pending => None,
            Poll::Ready(Event::Packet(mut packet)) => {
                packet.position = Some(at);
                Some(Event::Packet(packet))
            }
            Poll::Ready(event) => Some(event),
        })
    }

    /// Remarks since the last call.
    pub(super) fn take_warnings(&mut self) -> Vec<Warning> {
        core::mem::take(&mut self.warnings)
    }
}
