//! Going to a time by the times of PES packets.

use super::{
    super::{
        super::{
            kinds::BASE,
            search::{Bisect, Landing, MAX_LOOK, Passed, has_video},
        },
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
    syntax::pes::{self, Parsed},
    time::{Rounding, Ticks, TimeBase},
    timing::turns::Turns,
};

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
        self.bisect(Bisect::new(target, first, input.size().unwrap_or(0)), input)
    }

    fn bisect(&mut self, mut search: Bisect, input: &mut Input) -> Result<()> {
        match search.next() {
            Ok(place) => input.goto(place)?,
            Err(landing) => return self.land(landing, input),
        }
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
        search.found(time, row.map_or(0, |row| row.start));
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
        self.landing = (has_video(self.tracks.iter()) && !begins).then_some(landing);
        Ok(())
    }

    /// Whether an event behind a seek is to be given; goes further back when there is no keyframe before the target.
    pub(super) fn passes(&mut self, event: &Event, input: &mut Input) -> Result<bool> {
        let Some(landing) = self.landing else { return Ok(true) };
        match landing.judge(event, self.tracks.iter(), self.first.unwrap_or(0)) {
            Passed::Given(over) => {
                self.landing = self.landing.filter(|_| !over);
                Ok(true)
            }
            Passed::Dropped => Ok(false),
            Passed::Back(landing) => {
                self.queue.retain(|event| !matches!(event, Event::Packet(_) | Event::End));
                self.land(landing, input)?;
                Ok(false)
            }
        }
    }
}
