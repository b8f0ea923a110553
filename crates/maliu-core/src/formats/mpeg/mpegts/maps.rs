//! Tables and maps become tracks; facts that they lack are found by content.

use alloc::{boxed::Box, format};

use bytes::Bytes;

use super::{
    super::{kinds, track::Track},
    demuxer::{MAX_TRACKS, Transport},
    programs::Wanted,
    slots::{Place, Role, Slot},
    sync,
};
use crate::{
    format::Event,
    stream::{Codec, Disposition, Kind},
    syntax::psi::{Elementary, LongSection, Pat, Pmt, Sections, descriptors},
};

/// Bytes of a stream of private data that show what it is, if it shows.
const MIN_GUESS: usize = 4096;

/// Bytes of a stream that is looked at by its content, after which it is not looked at again.
const MAX_GUESS: usize = 64 << 10;

impl Transport {
    pub(super) fn table(&mut self, role: Role, pid: u16, bytes: &[u8], place: Place) {
        let Some(section) = LongSection::parse(bytes) else {
            if matches!(bytes.first(), Some(&Pat::TABLE | &Pmt::TABLE)) && !self.audits() {
                self.remarks.note(place.position, format!("section of PID {pid:#x} has a wrong checksum"));
            }
            return;
        };
        if !section.current {
            return;
        }
        match (role, section.table_id) {
            (Role::Association, Pat::TABLE) => self.association(&section),
            (Role::Map, Pmt::TABLE) => {
                if let Some(map) = Pmt::parse(&section).filter(|map| self.programs.map(pid, map)) {
                    self.map(&map);
                }
            }
            _ => {}
        }
    }

    /// Follows the PIDs of maps: those that are new, and those that no program has any more.
    fn association(&mut self, section: &LongSection) {
        let new = self.programs.associate(section);
        let programs = &self.programs;
        for slot in self.slots.iter_mut().filter(|slot| slot.role == Role::Map && !programs.has_map(slot.pid)) {
            (slot.role, slot.sections) = (Role::Ignored, Sections::default());
        }
        for pid in new {
            let index = self.slot(pid, Role::Map);
            let programs = &self.programs;
            let is_free = |slot: &&mut Slot| match slot.role {
                Role::Ignored => true,
                // Of a program that is gone.
                Role::Stream(_) | Role::SectionStream(_) => {
                    slot.program.is_some_and(|gone| programs.numbers().all(|number| number != gone))
                }
                Role::Map | Role::Association => false,
            };
            if let Some(slot) = self.slots.get_mut(index).filter(is_free) {
                (slot.role, slot.program) = (Role::Map, None);
            }
        }
    }

    /// A program's map is new.
    fn map(&mut self, map: &Pmt) {
        if !self.wants(map) {
            for stream in &map.streams {
                self.slot(stream.pid, Role::Ignored);
            }
            return;
        }
        let blu_ray = self.step == sync::STEPS[1] || map.registration() == Some(*b"HDMV");
        for stream in &map.streams {
            self.map_stream(stream, map.program, blu_ray);
        }
        if self.programs.complete() {
            self.drop_unnamed();
        }
    }

    /// Whether the streams of this program are wanted.
    fn wants(&mut self, map: &Pmt) -> bool {
        let has_media = || {
            let kind = |stream| kinds::codec(stream, false).kind();
            map.streams.iter().any(|stream| matches!(kind(stream), Kind::Audio | Kind::Video))
        };
        match &mut self.wanted {
            Wanted::All => true,
            Wanted::Number(number) => *number == map.program,
            Wanted::First(Some(number)) => *number == map.program,
            Wanted::First(first) => has_media() && *first.insert(map.program) == map.program,
        }
    }

    fn map_stream(&mut self, stream: &Elementary, program: u16, blu_ray: bool) {
        let codec = kinds::codec(stream, blu_ray);
        let sections = kinds::in_sections(stream) && !(blu_ray && stream.stream_type >= 0x80);
        let full = self.tracks.len() >= MAX_TRACKS;
        let fresh = self.tracks.len();
        let index = self.slot(stream.pid, if full { Role::Ignored } else { Role::Stream(fresh) });
        let Some(slot) = self.slots.get_mut(index) else { return };
        slot.program = Some(program);
        let track = match slot.role {
            Role::Stream(track) | Role::SectionStream(track) if track < fresh => track,
            // Maps and associations keep their PIDs.
            Role::Map | Role::Association => return,
            _ if full => match self.spare_track() {
                Some(track) => track,
                None => return,
            },
            _ => {
                self.tracks.reserve_exact(1);
                self.tracks.push(Track::unknown());
                fresh
            }
        };
        let Some(slot) = self.slots.get_mut(index) else { return };
        slot.role = if sections { Role::SectionStream(track) } else { Role::Stream(track) };
        let (pid, several) = (slot.pid, self.programs.several());
        let Some(known) = self.tracks.get_mut(track) else { return };
        known.info.id = Some(pid.into());
        let letters = descriptors::language(&stream.descriptors);
        known.info.language = letters.map_or_else(Default::default, |letters| letters.map(char::from).iter().collect());
        known.info.disposition = disposition(stream);
        if several {
            known.info.metadata.set("program", format!("{program}"));
        }
        // Private data without descriptors shows by its content what it is.
        let unclear = !sections && matches!(codec, Codec::Data | Codec::BinData);
        slot.fallback = (unclear && known.index.is_none()).then_some(codec);
        if unclear {
            let stream_id = slot.pes.stream_id;
            if known.index.is_none() && !known.held().is_empty() {
                self.guess(index, track, stream_id);
            }
            return;
        }
        let shown = kinds::info(codec).codec;
        let same = kinds::kin(known.info.codec, shown);
        if known.index.is_none() || !same {
            let config = if codec == Codec::Opus { kinds::opus_head(stream) } else { Bytes::new() };
            self.decide(track, codec, &config);
        } else if let Some(index) = known.index {
            self.queue.push_back(Event::Stream(index, Box::new(known.info.clone())));
        }
    }

    /// The track of a PID that no map names and that shows nothing: one that a map names gets it.
    fn spare_track(&mut self) -> Option<usize> {
        let tracks = &self.tracks;
        let unknown = |track: usize| tracks.get(track).is_some_and(|track| track.index.is_none());
        let is_spare =
            |slot: &&mut Slot| slot.program.is_none() && matches!(slot.role, Role::Stream(track) if unknown(track));
        let slot = self.slots.iter_mut().find(is_spare)?;
        let Role::Stream(track) = core::mem::replace(&mut slot.role, Role::Ignored) else { return None };
        *self.tracks.get_mut(track)? = Track::unknown();
        Some(track)
    }

    /// The codec of a track is known: it is announced, and what was held of it comes out.
    fn decide(&mut self, track: usize, codec: Codec, config: &Bytes) {
        let Some(known) = self.tracks.get_mut(track) else { return };
        let index = known.index.unwrap_or(self.streams);
        self.streams = self.streams.max(index + 1);
        known.decide(index, codec, config);
        self.queue.push_back(Event::Stream(index, Box::new(known.info.clone())));
        known.release(&mut self.queue, &mut self.remarks);
    }

    /// All maps are there: what none of them names is not wanted.
    fn drop_unnamed(&mut self) {
        for slot in self.slots.iter_mut().filter(|slot| slot.program.is_none()) {
            if let Role::Stream(track) = slot.role
                && let Some(known) = self.tracks.get_mut(track).filter(|known| known.index.is_none())
            {
                known.restart();
                slot.role = Role::Ignored;
            }
        }
    }

    /// Maps that are announced do not come: the streams that are held show by their content what they are.
    pub(super) fn guess_all(&mut self) {
        self.guesses = true;
        for index in 0..self.slots.len() {
            if let Some(Slot { role: Role::Stream(track), pes, .. }) = self.slots.get(index) {
                self.guess(index, *track, pes.stream_id);
            }
        }
    }

    /// Looks at what is held of a stream.
    pub(super) fn guess(&mut self, index: usize, track: usize, stream_id: u8) {
        let (Some(slot), Some(known)) = (self.slots.get_mut(index), self.tracks.get_mut(track)) else { return };
        if known.index.is_some() || (self.wanted.names_one() && slot.fallback.is_none()) {
            return;
        }
        known.info.id = Some(slot.pid.into());
        let seen = known.held().len();
        // Data in the place of its map is not waited for.
        let fallback = slot.fallback.filter(|_| seen > MIN_GUESS || !known.is_open());
        match kinds::guess(stream_id, known.held()).or(fallback) {
            Some(codec) => {
                let config = if codec == Codec::Opus { kinds::opus_head(&Elementary::default()) } else { Bytes::new() };
                self.decide(track, codec, &config);
            }
            None if seen > MAX_GUESS => {
                known.restart();
                slot.role = Role::Ignored;
            }
            None => {}
        }
    }
}

fn disposition(stream: &Elementary) -> Disposition {
    match descriptors::audio_type(&stream.descriptors) {
        Some(1) => Disposition::CLEAN_EFFECTS,
        Some(2) => Disposition::HEARING_IMPAIRED,
        Some(3) => Disposition::VISUAL_IMPAIRED | Disposition::DESCRIPTIONS,
        _ => Disposition::NONE,
    }
}
