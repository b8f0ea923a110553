//! Going to a time: the file is bisected by the times of its PES packets, then read from a place before the target on, up to
//! the first keyframe.
//!
//! ```text
//!   Bisect ─▶ a place well before the target ─▶ Landing: packets are dropped up to a keyframe ─▶ Packets
//!      ▲                                            │ none before the target
//!      └────────────── further back ◀───────────────┘
//! ```

use super::{
    super::{
        super::kinds::BASE,
        packet::{SIZE, TsPacket},
        slots::{PesState, Role},
        sync::{self, REACH},
    },
    State, Transport,
};
use crate::{
    error::{Error, Result},
    format::Event,
    input::Input,
    stream::Kind,
    syntax::pes::{self, Parsed},
    time::{Rounding, Ticks, TimeBase},
    timing::turns::Turns,
};

/// Bytes between two places of a file below which bisecting ends.
const NEAR: u64 = 1 << 20;

/// Bytes that are looked through for a time at one place.
const MAX_LOOK: usize = 1 << 20;

/// Ticks by which the keyframe lies before the target at least: sound of the same time may stand that far behind it.
const LEAD: i64 = 63_000;

/// A search for a place before the target.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in super::super) struct Bisect {
    target: i64,
    /// The time here is before the target.
    low: u64,
    high: u64,
    middle: u64,
}

/// Packets are dropped until a keyframe.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in super::super) struct Landing {
    target: i64,
    from: u64,
    /// How far to go back if there is no keyframe.
    back: u64,
}

impl Transport {
    pub(super) fn start_seek(&mut self, to: Ticks, base: TimeBase, input: &mut Input) -> Result<()> {
        let Some(first) = self.first else {
            return Err(Error::unsupported("mpegts: seeking before the first packet"));
        };
        if !input.is_seekable() {
            return Err(Error::NotSeekable { wanted: first, oldest: input.offset() });
        }
        let target = base.rescale(to, BASE, Rounding::Down).max(self.first_time.unwrap_or(Ticks(0))).0;
        self.queue.retain(|event| !matches!(event, Event::Packet(_) | Event::End));
        self.bisect(Bisect { target, low: first, high: input.size().unwrap_or(0), middle: first }, input)
    }

    fn bisect(&mut self, mut search: Bisect, input: &mut Input) -> Result<()> {
        if search.high.saturating_sub(search.low) < NEAR {
            return self.land(Landing { target: search.target, from: search.low, back: NEAR }, input);
        }
        search.middle = search.low + (search.high - search.low) / 2;
        input.goto(search.middle)?;
        self.state = State::Bisect(search);
        Ok(())
    }

    /// Looks for a time behind the middle. Whether more bytes are needed.
    pub(super) fn halve(&mut self, mut search: Bisect, input: &mut Input) -> Result<bool> {
        let (window, ended) = (input.peek(), input.ended());
        if window.len() < REACH && !ended {
            return Ok(true);
        }
        let row = sync::find(window, ended);
        let time = row.and_then(|row| self.time_behind(window.get(row.start..)?, row.step, search.target));
        if time.is_none() && window.len() < MAX_LOOK && !ended {
            return Ok(true);
        }
        let start = search.middle.saturating_add(row.map_or(0, |row| row.start as u64));
        match time {
            Some(time) if time <= search.target.saturating_sub(2 * LEAD) && start < search.high => search.low = start,
            _ => search.high = search.middle,
        }
        self.bisect(search, input)?;
        Ok(false)
    }

    /// The first time in packets, nearest to `target`.
    fn time_behind(&self, packets: &[u8], step: usize, target: i64) -> Option<i64> {
        let mut clock = Turns::new(33);
        clock.stand_at(target);
        let mut at = 0;
        while let Some(bytes) = packets.get(at..).and_then(|rest| rest.first_chunk::<SIZE>()) {
            let ts = TsPacket::parse(bytes);
            let slot = self.by_pid.slot(ts.pid).and_then(|index| self.slots.get(index));
            let stream = slot.is_some_and(|slot| matches!(slot.role, Role::Stream(_)));
            if ts.start
                && stream
                && let Parsed::Header(header) = pes::parse(ts.payload)
                && let Some(raw) = header.dts.or(header.pts)
            {
                return Some(clock.place(raw));
            }
            at += step;
        }
        None
    }

    fn land(&mut self, landing: Landing, input: &mut Input) -> Result<()> {
        input.goto(landing.from)?;
        self.tracks.iter_mut().for_each(|track| track.restart());
        for slot in &mut self.slots {
            slot.counter = None;
            slot.sections.lost();
            slot.pes.state = PesState::None;
        }
        // At the start of the file the clocks stand where they stood at first.
        let begins = self.first.is_none_or(|first| landing.from <= first);
        let time = self.first_time.filter(|_| begins).unwrap_or(Ticks(landing.target));
        self.programs.stand_at(time);
        self.flushed = false;
        self.state = State::Search { skipped: 0 };
        let pictures = self.tracks.iter().any(|track| track.index.is_some() && track.info.media.kind() == Kind::Video);
        self.landing = (pictures && !begins).then_some(landing);
        Ok(())
    }

    /// Whether an event behind a seek is to be given; goes further back when there is no keyframe before the target.
    pub(super) fn passes(&mut self, event: &Event, input: &mut Input) -> Result<bool> {
        let Some(landing) = self.landing else { return Ok(true) };
        let (late, key) = match event {
            Event::Packet(packet) => {
                let pictures = self
                    .tracks
                    .iter()
                    .any(|track| track.index == Some(packet.stream) && track.info.media.kind() == Kind::Video);
                let time = packet.pts.or(packet.dts).map(|time| time.0);
                let late = time.is_some_and(|time| time > landing.target.saturating_sub(LEAD));
                (late, pictures && packet.is_key())
            }
            Event::End => (true, false),
            _ => return Ok(true),
        };
        match (late, key) {
            (false, true) => {
                self.landing = None;
                Ok(true)
            }
            (true, _) => {
                let first = self.first.unwrap_or(0);
                let from = landing.from.saturating_sub(landing.back).max(first);
                self.queue.retain(|event| !matches!(event, Event::Packet(_) | Event::End));
                self.land(Landing { from, back: landing.back.saturating_mul(2), ..landing }, input)?;
                Ok(false)
            }
            (false, false) => Ok(false),
        }
    }
}
