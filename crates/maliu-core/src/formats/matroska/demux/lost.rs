//! Reading on behind damage: at the next child of a Segment whose head makes sense.

use alloc::format;

use crate::{
    input::Input,
    remark::Remark,
    syntax::ebml::{self, Found, ids},
};

use super::{Level, Matroska, Step};

/// Bytes that are looked at to believe a head: its own, and the first child of a cluster.
const LOOK: usize = 2 * ebml::MAX_HEAD;

impl Matroska {
    /// No element stands here.
    pub(super) fn lose(&mut self, input: &mut Input) -> Step {
        if self.visit.is_some() {
            self.abandon();
            return Step::On;
        }
        self.lost = Some(input.offset());
        // The element at this place was not believed.
        input.skip(1);
        Step::On
    }

    /// Looks for the next child of a Segment.
    pub(super) fn find(&mut self, input: &mut Input) -> Step {
        let Some(lost) = self.lost else { return Step::On };
        let (bytes, ended) = (input.peek(), input.ended());
        let mut at = 0;
        let found = loop {
            let rest = bytes.get(at..).unwrap_or_default();
            if rest.len() < LOOK && !ended {
                break None;
            }
            match begins(rest) {
                Some(true) => break Some(at),
                _ if rest.is_empty() => break None,
                _ => at += 1,
            }
        };
        let Some(found) = found else {
            input.skip(at);
            if !ended {
                return Step::More;
            }
            self.lost = None;
            let bytes = input.offset().saturating_sub(lost);
            if self.told || !self.entries.is_empty() {
                input.remark_at(lost, Remark::Cut { missing: None }, "an element is cut short by the end of the input");
            } else {
                input.remark_at(lost, Remark::Junk { bytes: Some(bytes) }, format!("skipped {bytes} bytes at the end"));
            }
            return Step::End;
        };
        input.skip(found);
        self.lost = None;
        let bytes = input.offset().saturating_sub(lost);
        input.remark_at(
            lost,
            Remark::Junk { bytes: Some(bytes) },
            format!("skipped {bytes} bytes that are no element"),
        );
        while self.levels.len() > 1 {
            self.leave();
        }
        if self.levels.is_empty() && !self.segments.is_empty() {
            self.levels.push(Level { id: ids::SEGMENT, end: None });
        }
        Step::On
    }
}

/// Whether a child of a Segment, or a document, begins here; `None` where the bytes are too few to tell.
pub(super) fn begins(bytes: &[u8]) -> Option<bool> {
    if !matches!(bytes.first()?, 0x10..=0x1f) {
        return Some(false);
    }
    let Found::Head(head) = ebml::head(bytes) else { return Some(false) };
    if !ids::is_top(head.id) {
        return Some(false);
    }
    let body = bytes.get(head.length..)?;
    Some(match (head.id, ebml::head(body)) {
        (ids::CLUSTER, Found::Head(child)) => matches!(
            child.id,
            ids::TIMESTAMP
                | ids::CRC_32
                | ids::VOID
                | ids::POSITION
                | ids::PREV_SIZE
                | ids::SIMPLE_BLOCK
                | ids::BLOCK_GROUP
                | ids::SILENT_TRACKS
        ),
        (ids::CLUSTER, _) => false,
        (ids::SEGMENT, _) => true,
        (_, Found::Head(child)) => head.size.is_some() && ids::name(child.id).is_some(),
        _ => false,
    })
}
