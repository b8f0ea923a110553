//! The tables of the one program, and when they are due.

use alloc::{vec, vec::Vec};

use super::{
    describe::needs_blu_ray,
    packets::{Counter, PACKET, Packets},
    settings::Options,
    unit::{Lane, refused},
};
use crate::{
    error::Result,
    stream::{Kind, Metadata},
    syntax::psi::{Descriptor, Elementary, Pat, Pmt, Sdt, Service, put_descriptor},
};

/// Sections, and the counters of their PIDs.
#[derive(Debug)]
pub(super) struct Tables {
    pat: Vec<u8>,
    pmt: Vec<u8>,
    sdt: Vec<u8>,
    counters: [Counter; 3],
    psi_period: i64,
    sdt_period: i64,
    /// When tables were written last, in 90 kHz.
    last: Option<i64>,
    last_sdt: Option<i64>,
}

/// Name of a program that has none.
const NAMELESS: &str = "Service01";

impl Tables {
    /// Of these streams; `clock` is the one whose PID carries the clock.
    ///
    /// # Errors
    /// [`crate::error::Error::Mux`] when they do not fit in a section.
    pub(super) fn new(
        options: &Options,
        lanes: &[Lane],
        clock: usize,
        metadata: &Metadata,
        blu_ray: bool,
    ) -> Result<Self> {
        let pat = Pat { programs: vec![(options.program, options.map_pid)] };
        let streams = lanes.iter().map(|lane| Elementary {
            stream_type: lane.described.stream_type,
            pid: lane.counter.pid,
            descriptors: lane.described.descriptors.clone(),
        });
        let mut descriptors = Vec::new();
        if blu_ray {
            put_descriptor(&mut descriptors, Descriptor::REGISTRATION, b"HDMV");
        }
        if lanes.iter().any(|lane| lane.described.sections) {
            put_descriptor(&mut descriptors, Descriptor::REGISTRATION, b"CUEI");
        }
        let pcr_pid = lanes.get(clock).map_or(0x1fff, |lane| lane.counter.pid);
        let pmt = Pmt { program: options.program, pcr_pid, descriptors, streams: streams.collect() };
        let name = metadata.value("service_name").or(metadata.value("title")).unwrap_or(NAMELESS);
        let television = lanes.iter().any(|lane| lane.kind == Kind::Video);
        let service = Service {
            id: options.program,
            kind: if television { 1 } else { 2 },
            provider: metadata.value("service_provider").unwrap_or_default().into(),
            name: name.into(),
        };
        let full = || refused("the streams do not fit in a program map".into());
        let sdt = Sdt { services: vec![service] }.build(options.stream_id, options.network_id, 0);
        let plain = options.sdt_period > 0 && !blu_ray;
        Ok(Self {
            pat: pat.build(options.stream_id, 0).ok_or_else(full)?,
            pmt: pmt.build(0).ok_or_else(full)?,
            sdt: if plain { sdt.ok_or_else(full)? } else { Vec::new() },
            counters: [0, options.map_pid, 0x11].map(|pid| Counter::new(pid, options.discontinuity)),
            psi_period: options.psi_period,
            sdt_period: options.sdt_period,
            last: None,
            last_sdt: None,
        })
    }

    /// Whether they must be written at `clock`.
    pub(super) fn due(&self, clock: i64) -> bool {
        self.last.is_none_or(|last| clock >= last.saturating_add(self.psi_period) || clock < last)
    }

    /// Whether they were written at `clock`.
    pub(super) fn written_at(&self, clock: i64) -> bool {
        self.last == Some(clock)
    }

    /// Writes them.
    pub(super) fn write(&mut self, clock: i64, packets: &mut Packets) {
        self.last = Some(clock);
        packets.reserve(8 * PACKET);
        let [pat, pmt, sdt] = &mut self.counters;
        packets.put_section(pat, &self.pat);
        packets.put_section(pmt, &self.pmt);
        let named = self.last_sdt.is_some_and(|last| clock >= last && clock < last.saturating_add(self.sdt_period));
        if !named && !self.sdt.is_empty() {
            self.last_sdt = Some(clock);
            packets.put_section(sdt, &self.sdt);
        }
    }
}

/// Whether the stream types of Blu-ray discs are used.
pub(super) fn is_blu_ray(options: &Options, codecs: impl Iterator<Item = crate::stream::Codec>) -> bool {
    options.packet == 192 || codecs.into_iter().any(needs_blu_ray)
}
