//! Going to a time by the times of the PES packets behind packs.

use alloc::collections::VecDeque;

use super::{
    super::search::{Bisect, Landing, MAX_LOOK, Passed, Seeks, has_video},
    demuxer::{Program, pack_length},
};
use crate::{
    error::Result,
    format::Event,
    input::Input,
    syntax::{
        annexb::StartCodes,
        pes::{self, Parsed},
    },
    time::Ticks,
    timing::turns::Turns,
};

const PACK: u8 = 0xba;

impl Seeks for Program {
    const NAME: &'static str = "mpegps";

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
        landing.judge(event, self.tracks.iter().map(|stream| &stream.track), self.first.unwrap_or(0))
    }

    fn look(&mut self, search: Bisect) {
        self.search = Some(search);
    }

    fn land(&mut self, landing: Landing, input: &mut Input) -> Result<()> {
        input.goto(landing.from)?;
        self.search = None;
        self.tracks.iter_mut().for_each(|stream| stream.track.restart());
        let begins = self.first.is_none_or(|first| landing.from <= first);
        let time = self.first_time.filter(|_| begins).unwrap_or(Ticks(landing.target));
        self.clock.stand_at(time.0);
        (self.flushed, self.junk) = (false, None);
        self.aligns = !begins;
        let video = has_video(self.tracks.iter().map(|stream| &stream.track));
        self.landing = (video && !begins).then_some(landing);
        Ok(())
    }
}

impl Program {
    /// Looks for a time behind the middle. Whether more bytes are needed.
    pub(super) fn halve(&mut self, mut search: Bisect, input: &mut Input) -> Result<bool> {
        let (window, ended) = (input.peek(), input.ended());
        let found = time_behind(window, &self.codes, search.target);
        if found.is_none() && window.len() < MAX_LOOK && !ended {
            return Ok(true);
        }
        search.found(found.map(|(time, _)| time), found.map_or(0, |(_, start)| start));
        self.bisect(search, input)?;
        Ok(false)
    }
}

/// The first time behind a pack, nearest to `target`, and where the pack begins.
fn time_behind(window: &[u8], codes: &StartCodes, target: i64) -> Option<(i64, usize)> {
    let mut clock = Turns::new(33);
    clock.stand_at(target);
    let (mut from, mut pack) = (0, None);
    while let Some(at) = codes.find(window, from) {
        let rest = window.get(at..)?;
        from = at + 3;
        match rest.get(3).copied() {
            Some(PACK) => {
                // A start code behind it shows that the pack is not there by chance.
                let length = pack_length(rest)?;
                if rest.get(length..)?.starts_with(&[0, 0, 1]) && length > 0 {
                    pack = Some(at);
                    from = at + length;
                }
            }
            Some(pes::PRIVATE_1 | 0xc0..=0xef | 0xfd) if pack.is_some() => {
                if let Parsed::Header(header) = pes::parse(rest) {
                    if let Some((raw, start)) = header.dts.or(header.pts).zip(pack) {
                        return Some((clock.place(raw), start));
                    }
                    from = at + header.size;
                }
            }
            _ => {}
        }
    }
    None
}
