//! AAC by stages: each carries its own state through all units, so that threads work on several units at a time and the
//! sound is that of one thread by construction, whatever the stream carries on: noise, prediction, SBR, stereo.
//!
//! ```text
//! packets ─▶ read: lines, SBR data ─▶ core: sound ─▶ high band: spectra ─▶ stereo: two of one ─▶ write: frames ─▶ outcomes
//! ```

use maliu_aac::{Core, HighBand, Output, ParametricStereo, Parsed, Parser};
use maliu_core::{error::Result, packet::Packet, stream::StreamInfo, time::TimeBase};

use super::{
    batch,
    line::{Stages, Worker},
};
use crate::{AudioFrame, Fault, Options, Profile, aac, outcome::Outcome};

/// The stages of a stream.
pub(super) fn stages(info: &StreamInfo, options: Options) -> Result<Stages<Batch>> {
    let config = aac::config(info)?;
    let (mut core, mut high_band, mut stereo) = (Core::new(&config), HighBand::default(), ParametricStereo::default());
    let read = Read { parser: Parser::new(config, aac::own(options)), base: info.time_base };
    Ok(vec![
        vec![Box::new(read)],
        vec![Box::new(Each(move |unit: &mut _| core.run(unit)))],
        vec![Box::new(Each(move |unit: &mut _| high_band.run(unit)))],
        vec![Box::new(Each(move |unit: &mut _| stereo.run(unit)))],
        vec![Box::new(Write(Output::default()))],
    ])
}

pub(super) type Batch = batch::Batch<Vec<Draft>>;

/// A packet on its way.
#[derive(Default)]
pub(super) struct Draft {
    /// Its raw data blocks; more than `used` are left of other packets.
    units: Vec<Parsed>,
    used: usize,
    fault: Option<Fault>,
    delay: usize,
    profile: Option<Profile>,
}

/// AAC in batches of packets.
pub(super) struct Plan {
    batch: usize,
}

/// Channels of all packets of a batch, so that it stays in a core's own cache from stage to stage.
const BATCH_CHANNELS: usize = 24;

impl Plan {
    /// For a stream that says it is like this.
    pub(super) fn of(info: &StreamInfo) -> Self {
        let channels = info.audio().map_or(2, |audio| usize::from(audio.channels));
        Self { batch: (BATCH_CHANNELS / channels.max(1)).clamp(2, 8) }
    }
}

impl batch::Plan for Plan {
    type Extra = Vec<Draft>;

    fn length(&self) -> usize {
        self.batch
    }

    fn start(&mut self, used: Option<Vec<Draft>>) -> Vec<Draft> {
        used.unwrap_or_default()
    }
}

struct Read {
    parser: Parser,
    base: TimeBase,
}

impl Worker<Batch> for Read {
    fn work(&mut self, batch: &mut Batch) {
        if batch.reset {
            self.parser.reset();
        }
        batch.extra.resize_with(batch.packets.len(), Draft::default);
        for (packet, draft) in batch.packets.iter().zip(&mut batch.extra) {
            self.read(packet, draft);
            draft.profile = Some(aac::profile(self.parser.config()));
        }
    }
}

impl Read {
    /// All blocks of a packet; after one that is damaged, what stands in for the packet.
    fn read(&mut self, packet: &Packet, draft: &mut Draft) {
        (draft.used, draft.fault) = (0, None);
        draft.delay = aac::delay(self.parser.config(), packet);
        let mut rest = &packet.data[..];
        for _ in 0..aac::blocks(self.parser.config(), self.base, packet) {
            match self.parser.parse(rest, draft.next()) {
                Ok(following) => rest = following,
                Err(maliu_aac::Error::NoSound) => return,
                Err(error) => {
                    draft.fault = Some(aac::fault(error));
                    break;
                }
            }
            draft.used += 1;
        }
        if matches!(draft.fault, Some(Fault::Damaged(_))) {
            self.parser.conceal(draft.next());
            draft.used += 1;
        }
    }
}

impl Draft {
    /// The unit after those used.
    fn next(&mut self) -> &mut Parsed {
        if self.units.len() == self.used {
            self.units.push(Parsed::new());
        }
        &mut self.units[self.used]
    }

    fn units(&mut self) -> &mut [Parsed] {
        &mut self.units[..self.used]
    }
}

/// A stage between parsing and writing.
struct Each<F>(F);

impl<F: FnMut(&mut Parsed) + Send> Worker<Batch> for Each<F> {
    fn work(&mut self, batch: &mut Batch) {
        batch.extra.iter_mut().flat_map(Draft::units).for_each(&mut self.0);
    }
}

struct Write(Output);

impl Worker<Batch> for Write {
    fn work(&mut self, batch: &mut Batch) {
        batch.outcomes.extend(batch.extra.iter_mut().map(|draft| self.outcome(draft)));
    }
}

impl Write {
    fn outcome(&mut self, draft: &mut Draft) -> Outcome {
        let mut whole = AudioFrame::nothing();
        let mut concealed = None;
        let (fault, count) = (draft.fault.take(), draft.used);
        for (i, unit) in draft.units().iter_mut().enumerate() {
            self.0.run(unit);
            let last = i + 1 == count;
            match &fault {
                None if whole.channels == 0 => whole = aac::interleaved(&unit.frame()),
                None => whole.append(aac::interleaved(&unit.frame())),
                Some(Fault::Damaged(_)) if last => concealed = aac::heard(&unit.frame()),
                Some(_) => {}
            }
        }
        let sound = fault.map_or(Ok(whole), Err);
        Outcome { sound, concealed, length: None, delay: draft.delay, overshoots: true, profile: draft.profile }
    }
}
