//! AAC in AudioMuxElements (RFC 6416, MP4A-LATM): over packets up to the marker, the configuration in band or in SDP.

use alloc::vec::Vec;

use bytes::Bytes;

use super::{MAX_UNIT, Out, Part, Unit, Unpack};
use crate::{
    bits::{BitWriter, Bits},
    rtp::sdp::Media as Section,
    syntax::{hex, latm::Latm},
};

/// Reads elements.
#[derive(Debug)]
pub(super) struct Elements {
    latm: Latm,
    clock: i64,
    /// The StreamMuxConfig of the description, when elements carry none.
    outside: Option<Vec<u8>>,
    time: Option<i64>,
    element: Vec<u8>,
    config: Option<Bytes>,
    /// Packets are missing: the element is left out.
    broken: bool,
    told: bool,
}

impl Elements {
    pub(super) fn of(section: &Section, clock: i64) -> Self {
        let outside = section.parameter("cpresent").is_some_and(|present| present == "0");
        let config = section.parameter("config").and_then(hex::decode).filter(|_| outside);
        let mut elements = Self {
            latm: Latm::default(),
            clock,
            outside: None,
            time: None,
            element: Vec::new(),
            config: None,
            broken: false,
            told: false,
        };
        if let Some(config) = config {
            elements.latm.configure(&config);
            elements.outside = Some(config);
        }
        elements
    }

    fn end(&mut self, out: &mut Out) {
        let Some(time) = self.time.take() else { return };
        let mut bytes = core::mem::take(&mut self.element);
        if core::mem::take(&mut self.broken) || bytes.is_empty() {
            return;
        }
        if self.outside.is_some() {
            bytes = behind_same(&bytes);
        }
        let bytes = Bytes::from(bytes);
        let Some(element) = self.latm.element(&bytes) else {
            if !core::mem::replace(&mut self.told, true) {
                out.remark("audio elements that cannot be read, or come before their configuration, are left out");
            }
            return;
        };
        let Some(layer) = self.latm.config().and_then(|config| config.layers.first()) else { return };
        let lasts = i64::from(layer.audio.frame_size()) * self.clock / i64::from(layer.audio.sample_rate.max(1));
        let config = (self.config.as_ref() != Some(&layer.config)).then(|| layer.config.clone());
        if config.is_some() {
            self.config.clone_from(&config);
        }
        for (n, payload) in element.payloads.iter().enumerate() {
            let Some(data) = payload.data(&bytes) else { continue };
            let config = if n == 0 { config.clone() } else { None };
            let time = time.saturating_add(lasts.saturating_mul(n as i64));
            out.units.push_back(Unit { time, duration: Some(lasts), key: true, data, config, ..Unit::default() });
        }
    }
}

/// An element without a configuration, as one whose first bit says that the configuration is the one before.
fn behind_same(bytes: &[u8]) -> Vec<u8> {
    let (mut out, mut bits) = (BitWriter::new(), Bits::new(bytes));
    out.write(1, 1);
    while let Some(byte) = bits.read(8) {
        out.write(8, byte);
    }
    out.align();
    out.finish()
}

impl Unpack for Elements {
    fn push(&mut self, part: &Part, out: &mut Out) {
        if self.time.is_some_and(|time| time != part.time) {
            self.end(out);
        }
        self.time = Some(part.time);
        if self.element.len().saturating_add(part.payload.len()) > MAX_UNIT {
            self.broken = true;
        } else {
            self.element.extend_from_slice(part.payload);
        }
        if part.marker {
            self.end(out);
        }
    }

    fn lost(&mut self) {
        // The first packet behind a loss may be the rest of an element.
        self.broken = !self.element.is_empty();
    }

    fn finish(&mut self, out: &mut Out) {
        self.end(out);
    }
}
