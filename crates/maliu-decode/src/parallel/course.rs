//! From packets to outcomes in the same order: one after another, or in batches along a line.

use std::{collections::VecDeque, num::NonZeroUsize};

use maliu_core::packet::Packet;

use super::{
    Batch, Plan,
    line::{Line, Stages},
};
use crate::{Unit, outcome::Outcome};

/// The way of packets through decoding.
pub(super) trait Course: Send {
    /// Takes a packet.
    fn push(&mut self, packet: Packet);

    /// The oldest packet, if it is decoded; waits for it when enough packets are on the way.
    fn poll(&mut self) -> Option<(Packet, Outcome)>;

    /// The oldest packet, waited for; `None` when there is none.
    fn finish(&mut self) -> Option<(Packet, Outcome)>;

    /// The next packet does not follow the last one. All packets were taken.
    fn reset(&mut self);
}

/// By the caller's thread alone.
pub(super) struct Serial {
    unit: Box<dyn Unit>,
    decoded: VecDeque<(Packet, Outcome)>,
}

impl Serial {
    pub(super) fn new(unit: Box<dyn Unit>) -> Self {
        Self { unit, decoded: VecDeque::new() }
    }
}

impl Course for Serial {
    fn push(&mut self, packet: Packet) {
        let outcome = Outcome::of(&mut *self.unit, &packet);
        self.decoded.push_back((packet, outcome));
    }

    fn poll(&mut self) -> Option<(Packet, Outcome)> {
        self.decoded.pop_front()
    }

    fn finish(&mut self) -> Option<(Packet, Outcome)> {
        self.decoded.pop_front()
    }

    fn reset(&mut self) {
        self.unit.reset();
    }
}

/// In batches along a line.
pub(super) struct Lines<P: Plan> {
    plan: P,
    line: Line<Batch<P::Extra>>,
    /// Batches that keep all threads busy.
    enough: u64,
    /// The batch that packets join.
    open: Option<Batch<P::Extra>>,
    /// The stream was sought since the last batch.
    reset: bool,
    /// Frames that were finished and not yet taken.
    decoded: VecDeque<(Packet, Outcome)>,
    /// Emptied batches, to be used again.
    used: Vec<Batch<P::Extra>>,
}

impl<P: Plan> Lines<P> {
    pub(super) fn new(plan: P, stages: Stages<Batch<P::Extra>>, threads: NonZeroUsize) -> Self {
        let enough = threads.min(NonZeroUsize::new(stages.iter().map(Vec::len).sum()).unwrap_or(threads));
        let enough = enough.saturating_add(enough.get());
        Self {
            plan,
            line: Line::new(stages, threads, enough),
            enough: enough.get() as u64,
            open: None,
            reset: false,
            decoded: VecDeque::new(),
            used: Vec::new(),
        }
    }

    fn start(&mut self) -> Batch<P::Extra> {
        let used = self.used.pop();
        let (packets, outcomes, extra) = match used {
            Some(used) => (used.packets, used.outcomes, Some(used.extra)),
            None => (Vec::new(), Vec::new(), None),
        };
        let (reset, extra) = (std::mem::take(&mut self.reset), self.plan.start(extra));
        Batch { packets, outcomes, reset, load: 1, again: false, extra }
    }

    fn send(&mut self) {
        if let Some(batch) = self.open.take() {
            self.line.push(batch);
        }
    }

    fn unload(&mut self, mut batch: Batch<P::Extra>) -> Option<(Packet, Outcome)> {
        self.decoded.extend(batch.packets.drain(..).zip(batch.outcomes.drain(..)));
        self.used.push(batch);
        self.decoded.pop_front()
    }
}

impl<P: Plan> Course for Lines<P> {
    fn push(&mut self, packet: Packet) {
        let mut batch = match self.open.take() {
            Some(batch) => batch,
            None => self.start(),
        };
        batch.packets.push(packet);
        let full = batch.packets.len() >= self.plan.length();
        self.open = Some(batch);
        if full {
            self.send();
        }
    }

    fn poll(&mut self) -> Option<(Packet, Outcome)> {
        if let Some(decoded) = self.decoded.pop_front() {
            return Some(decoded);
        }
        let batch = if self.line.len() >= self.enough { self.line.take() } else { self.line.poll() }?;
        self.unload(batch)
    }

    fn finish(&mut self) -> Option<(Packet, Outcome)> {
        if let Some(decoded) = self.decoded.pop_front() {
            return Some(decoded);
        }
        if self.line.len() == 0 {
            self.send();
        }
        let batch = self.line.take()?;
        self.unload(batch)
    }

    fn reset(&mut self) {
        self.reset = true;
    }
}
