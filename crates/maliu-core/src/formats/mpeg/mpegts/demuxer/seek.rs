//! Going to a time by the times of PES packets.

use alloc::collections::VecDeque;

use super::{
    super::{
        super::search::{Bisect, Landing, MAX_LOOK, Passed, Seeks, has_video},
        packet::{SIZE, TsPacket},
        slots::{PesState, Role},
        sync::{self, REACH},
    },
    State, Transport,
};
use crate::{
    error::Result,
    format::Event,
    input::Input,
    syntax::pes::{self, Parsed},
    time::Ticks,
    timing::turns::Turns,
};

impl Seeks for Transport {
    const NAME: &'static str = "mpegts";

    fn first(&self) -> Option<(u64, Option<Ticks>)> {
        self.first.map(|first| (first, self.first_time))
    }

    fn queue(&mut self) -> &mut VecDeque<Event> {
        &mut self.queue
    }

    fn landing(&mut self) -> &mut Option<Landing> {
        &mut self.landing
    }

    fn judge(&self, landing: &Landing, event: &Event) -> Passed {
        landing.judge(event, self.tracks.iter(), self.first.unwrap_or(0))
    }

    fn look(&mut self, search: Bisect) {
        self.state = State::Bisect(search);
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
}

impl Transport {
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
}
