//! MPEG audio by stages: the reservoir and the subbands carry their own state through all frames, and several batches are
//! unpacked, or made sound of, at a time, since that carries nothing on, or begins with what the batch brings. So the
//! samples are those of one thread by construction.
//!
//! ```text
//! packets ─▶ read: headers, own data ─▶ unpack: spectra (several at a time)
//!         ─▶ subbands: their samples ─▶ sound: samples, frames (several at a time)
//! ```

use maliu_mpa::{Parsed, Parser, Polyphase, Spectra, Subbands};

use super::{
    batch,
    line::{Stages, Worker},
};
use crate::{
    AudioFrame, Fault,
    mpeg_audio::{Judgement, Sequence, foreign, heard, interleaved, length},
    outcome::Outcome,
};

/// The stages of a stream, worked on by up to `threads` threads.
pub(super) fn stages(threads: usize) -> Stages<Batch> {
    let unpack = || Box::new(Unpack) as Box<dyn Worker<Batch>>;
    let sound = || Box::new(Sound(Polyphase::new())) as Box<dyn Worker<Batch>>;
    vec![
        vec![Box::new(Read::default())],
        (0..threads).map(|_| unpack()).collect(),
        vec![Box::new(Filter(Subbands::new()))],
        (0..threads).map(|_| sound()).collect(),
    ]
}

pub(super) type Batch = batch::Batch<Vec<Draft>>;

/// A packet on its way.
#[derive(Default)]
pub(super) struct Draft {
    unit: Parsed,
    /// The packet gives nothing.
    cut: bool,
    /// The packet is not decoded for another reason than its unit's.
    fault: Option<Fault>,
}

/// MPEG audio in batches of packets: few enough for a core's own cache.
pub(super) struct Plan;

impl batch::Plan for Plan {
    type Extra = Vec<Draft>;

    fn length(&self) -> usize {
        8
    }

    fn start(&mut self, used: Option<Vec<Draft>>) -> Vec<Draft> {
        used.unwrap_or_default()
    }
}

#[derive(Default)]
struct Read {
    parser: Parser,
    sequence: Sequence,
}

impl Worker<Batch> for Read {
    fn work(&mut self, batch: &mut Batch) {
        if std::mem::take(&mut batch.reset) {
            self.parser.reset();
            self.sequence = Sequence::default();
        }
        batch.extra.resize_with(batch.packets.len(), Draft::default);
        for (packet, draft) in batch.packets.iter().zip(&mut batch.extra) {
            (draft.cut, draft.fault) = (false, None);
            match self.sequence.judge(packet) {
                Judgement::Cut => {
                    draft.cut = true;
                    continue;
                }
                Judgement::Foreign => {
                    draft.fault = Some(foreign());
                    self.parser.lose(&mut draft.unit);
                    continue;
                }
                Judgement::Doubtful => self.parser.doubt(),
                Judgement::Sure => {}
            }
            // The fault of the unit is the error.
            let _ = self.parser.parse(&packet.data, &mut draft.unit);
        }
    }
}

struct Unpack;

impl Worker<Batch> for Unpack {
    fn work(&mut self, batch: &mut Batch) {
        let drafts = batch.extra.iter_mut().filter(|draft| !draft.cut);
        drafts.for_each(|draft| Spectra.run(&mut draft.unit));
    }
}

struct Filter(Subbands);

impl Worker<Batch> for Filter {
    fn work(&mut self, batch: &mut Batch) {
        self.0.begin();
        let drafts = batch.extra.iter_mut().filter(|draft| !draft.cut);
        drafts.for_each(|draft| self.0.run(&mut draft.unit));
    }
}

struct Sound(Polyphase);

impl Worker<Batch> for Sound {
    fn work(&mut self, batch: &mut Batch) {
        self.0.begin();
        let drafts = batch.packets.iter().zip(&mut batch.extra);
        batch.outcomes.extend(drafts.map(|(packet, draft)| {
            let sound = self.sound(draft);
            let damaged = sound.is_err();
            Outcome {
                concealed: if damaged { heard(&draft.unit.frame()) } else { None },
                length: if damaged { length(packet) } else { None },
                delay: 0,
                overshoots: true,
                profile: None,
                sound,
            }
        }));
    }
}

impl Sound {
    fn sound(&mut self, draft: &mut Draft) -> std::result::Result<AudioFrame, Fault> {
        if draft.cut {
            return Ok(AudioFrame::nothing());
        }
        self.0.run(&mut draft.unit);
        let fault = draft.unit.fault().map(crate::mpeg_audio::fault);
        match draft.fault.take().or(fault) {
            Some(fault) => Err(fault),
            None => Ok(interleaved(&draft.unit.frame())),
        }
    }
}
