//! Errands: what stands behind the clusters and should be known before their first packet, on inputs that can seek.

use alloc::{boxed::Box, vec::Vec};

use crate::{
    error::Result,
    input::Input,
    syntax::ebml::{self, Found, ids},
};

use super::{Level, Matroska, Step};

/// Elements that are fetched.
const FETCHED: &[u32] = &[ids::INFO, ids::TRACKS, ids::CHAPTERS, ids::TAGS, ids::ATTACHMENTS];

/// Where the demuxer goes before it returns to the first cluster.
#[derive(Debug)]
pub(super) struct Visit {
    /// Identifier and offset of each element, the next one last.
    places: Vec<(u32, u64)>,
    /// Offset of the cluster.
    back: u64,
    levels: Vec<Level>,
    /// Offset behind the element that is being read.
    until: Option<u64>,
}

impl Matroska {
    /// Before the first cluster: goes to elements behind it. Returns whether it went.
    pub(super) fn set_out(&mut self, at: u64, input: &mut Input) -> Result<bool> {
        if self.visited || !input.is_seekable() {
            return Ok(false);
        }
        self.visited = true;
        let start = self.segments.last().map_or(0, |segment| segment.start);
        let places = self.seeks.iter().map(|(id, place)| (*id, place.saturating_add(start)));
        let inside = |place: u64| place > at && input.size().is_none_or(|size| place < size);
        let mut places: Vec<_> = places.filter(|(id, place)| FETCHED.contains(id) && inside(*place)).collect();
        places.sort_unstable_by_key(|(_, place)| core::cmp::Reverse(*place));
        places.dedup();
        if places.is_empty() {
            return Ok(false);
        }
        let levels = self.levels.clone();
        self.visit = Some(Box::new(Visit { places, back: at, levels, until: None }));
        self.travel(input)?;
        Ok(true)
    }

    /// The step of an errand, when one is under way and not inside an element.
    pub(super) fn errand(&mut self, input: &mut Input) -> Result<Option<Step>> {
        let Some(visit) = &mut self.visit else { return Ok(None) };
        match visit.until {
            Some(until) if input.offset() >= until => {
                while self.levels.len() > 1 {
                    self.leave();
                }
                self.next_place(input)?;
                return Ok(Some(Step::On));
            }
            Some(_) => return Ok(None),
            None => {}
        }
        let wanted = visit.places.last().map(|(id, _)| *id);
        match ebml::head(input.peek()) {
            Found::Head(head) if Some(head.id) == wanted && head.size.is_some() => {
                let size = head.size.unwrap_or(0);
                visit.until = Some(input.offset().saturating_add(head.length as u64).saturating_add(size));
                Ok(None)
            }
            Found::Short if !input.ended() => Ok(Some(Step::More)),
            _ => {
                self.next_place(input)?;
                Ok(Some(Step::On))
            }
        }
    }

    /// Goes to the next place, or back to the cluster.
    fn next_place(&mut self, input: &mut Input) -> Result<()> {
        if let Some(visit) = &mut self.visit {
            visit.places.pop();
            visit.until = None;
        }
        self.travel(input)
    }

    fn travel(&mut self, input: &mut Input) -> Result<()> {
        let Some(visit) = &mut self.visit else { return Ok(()) };
        match visit.places.last().map(|(_, place)| *place) {
            Some(place) => {
                self.levels.truncate(1);
                if let Some(segment) = self.levels.first_mut() {
                    segment.end = None;
                }
                input.goto(place)
            }
            None => {
                let back = visit.back;
                self.levels = core::mem::take(&mut visit.levels);
                self.visit = None;
                input.goto(back)
            }
        }
    }

    /// The element at the place is damaged.
    pub(super) fn abandon(&mut self) {
        if let Some(visit) = &mut self.visit {
            visit.until = Some(0);
        }
    }

    /// The input ended on an errand. Returns whether the demuxer went on.
    pub(super) fn come_back(&mut self, input: &mut Input) -> Result<bool> {
        if self.visit.is_none() {
            return Ok(false);
        }
        self.abandon();
        self.next_place(input)?;
        Ok(true)
    }
}
