//! Elements that are read whole and describe what the clusters hold.

use alloc::{boxed::Box, format};

use crate::{
    digest::{Digest, Kind},
    error::{Error, Result},
    format::Event,
    input::Input,
    syntax::ebml::{Elements, Found, Head, head, ids, text, unsigned},
};

use super::{
    super::{
        facts::{self, Info},
        probe::MAX_HEADER,
        track::MAX_TRACKS,
    },
    Matroska, Step,
};

impl Matroska {
    /// The EBML header, with which a document begins.
    pub(super) fn header(&mut self, found: Head, input: &mut Input) -> Result<Step> {
        let at = input.offset();
        let size = found.size.filter(|size| *size <= MAX_HEADER);
        let Some(size) = size else {
            return if self.segments.is_empty() {
                Err(Error::malformed("matroska", format!("an EBML header of more than {MAX_HEADER} bytes"), at))
            } else {
                Ok(self.lose(input))
            };
        };
        let all = found.length.saturating_add(size as usize);
        let Some(bytes) = input.peek().get(found.length..all) else {
            return Ok(if input.ended() { self.cut(input) } else { Step::More });
        };
        let elements = Elements::new(bytes);
        let number = |id, default| elements.body_of(id).map_or(default, unsigned);
        let (version, id_length) = (number(ids::EBML_READ_VERSION, 1), number(ids::EBML_MAX_ID_LENGTH, 4));
        let size_length = number(ids::EBML_MAX_SIZE_LENGTH, 8);
        let document = elements.body_of(ids::DOC_TYPE).map(text);
        let foreign = document.filter(|name| name != "matroska" && name != "webm");
        let first = self.segments.is_empty() && !self.told;
        if let Some(name) = foreign.filter(|_| first) {
            let name: alloc::string::String = name.chars().take(32).collect();
            return Err(Error::unsupported(format!("an EBML document of type {name:?}; expected matroska or webm")));
        }
        if first && (version > 1 || id_length > 4 || size_length > 8) {
            let what =
                format!("EBML version {version} with identifiers of {id_length} and sizes of {size_length} bytes");
            return Err(Error::unsupported(what));
        }
        input.skip(all);
        Ok(Step::On)
    }

    /// A child of the Segment or of an attached file.
    pub(super) fn master(&mut self, id: u32, body: &[u8], at: u64, input: &mut Input) {
        if self.levels.last().is_some_and(|level| level.id == ids::ATTACHED_FILE) {
            return self.attached.read(id, body);
        }
        checksum(id, body, at, input);
        match id {
            ids::SEEK_HEAD => {
                for found in facts::seeks(body) {
                    if self.seeks.len() < MAX_SEEKS && !self.seeks.contains(&found) {
                        self.seeks.push(found);
                    }
                }
            }
            ids::INFO => {
                let found = Info::parse(body, &mut self.metadata);
                // Streams keep the base of the first segment.
                if self.told {
                    self.scale = Some(found.scale);
                } else {
                    self.info = found;
                }
            }
            ids::CUES => self.audit_index(body),
            ids::TRACKS if self.entries.is_empty() => {
                let entries = Elements::new(body).filter(|(id, _)| *id == ids::TRACK_ENTRY);
                self.entries = entries.take(MAX_TRACKS).map(|(_, body)| body.to_vec()).collect();
            }
            ids::CHAPTERS if self.metadata.chapters().is_empty() => facts::chapters(body, &mut self.metadata),
            ids::TAGS => {
                let found = facts::tags(body, &mut self.metadata);
                if !self.told {
                    self.track_tags.extend(found);
                    self.track_tags.truncate(crate::stream::MAX_TAGS);
                }
            }
            _ => {}
        }
        if self.told && matches!(id, ids::CHAPTERS | ids::TAGS) && !self.metadata.is_empty() {
            self.queue.push_back(Event::Metadata(Box::new(self.metadata.clone())));
        }
    }
}

impl Matroska {
    /// Keeps the index of the leading track for an audit.
    fn audit_index(&mut self, body: &[u8]) {
        let scale = self.info.scale as f64 / 1e9;
        let number = self.leader().and_then(|leader| self.tracks.get(leader)).map(|track| track.number);
        let start = self.segments.last().map_or(0, |segment| segment.start);
        let cues = facts::cues(body).into_iter().filter(|cue| number.is_none_or(|number| cue.track == number));
        let Some(declared) = &mut self.declared else { return };
        declared.index_of_groups = true;
        declared.index = Some(cues.map(|cue| (start.saturating_add(cue.cluster), cue.time as f64 * scale)).unzip());
    }
}

/// Most places of elements that are kept.
const MAX_SEEKS: usize = 256;

/// Compares the CRC-32 that a master element begins with (RFC 8794 §11.3.1).
fn checksum(id: u32, body: &[u8], at: u64, input: &mut Input) {
    let Found::Head(Head { id: ids::CRC_32, size: Some(4), length }) = head(body) else { return };
    let Some((stated, rest)) = body.get(length..).and_then(|rest| rest.split_first_chunk()) else { return };
    let mut digest = Digest::new(Kind::Crc32);
    digest.update(rest);
    if digest.finish() != format!("{:08x}", u32::from_le_bytes(*stated)) {
        let name = ids::name(id).unwrap_or("an element");
        input.warn_at(at, format!("the checksum of {name} does not match its content"));
    }
}
