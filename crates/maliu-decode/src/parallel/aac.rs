//! AAC by stages: each carries its own state through all units, so that threads work on several units at a time and the
//! sound is that of one thread by construction, whatever the stream carries on: noise, prediction, SBR, stereo. Several
//! batches are transformed at a time, since that carries nothing on.
//!
//! ```text
//! packets ─▶ read: lines, SBR data ─▶ transform ─▶ core: sound ─▶ high band: spectra ─▶ stereo: two of one ─▶ write: frames
//! ```

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use maliu_aac::{Core, HighBand, Output, ParametricStereo, Parsed, Parser, Transform};
use maliu_core::{error::Result, packet::Packet, stream::StreamInfo, time::TimeBase};

use super::{
    batch,
    line::{Stages, Worker},
};
use crate::{AudioFrame, Fault, Options, Profile, aac, outcome::Outcome};

/// The plan and the stages of a stream.
pub(super) fn line(info: &StreamInfo, options: Options, threads: usize) -> Result<(Plan, Stages<Batch>)> {
    let config = aac::config(info)?;
    // Where nothing says how many there will be, they may be many.
    let widest = if config.channels > 0 { config.channels.into() } else { BATCH_CHANNELS };
    let widest = Arc::new(AtomicUsize::new(widest));
    let (mut core, mut high_band, mut stereo) = (Core::new(&config), HighBand::default(), ParametricStereo::default());
    let read =
        Read { parser: Parser::new(config.clone(), aac::own(options)), base: info.time_base, widest: widest.clone() };
    let mut stages: Stages<Batch> = vec![
        vec![Box::new(read)],
        vec![Box::new(Each(move |unit: &mut _| core.run(unit)))],
        vec![Box::new(Each(move |unit: &mut _| high_band.run(unit)))],
        vec![Box::new(Each(move |unit: &mut _| stereo.run(unit)))],
        vec![Box::new(Write(Output::default()))],
    ];
    if config.channels > 2 {
        // Of more than two the core is more than half of the work; of fewer a further stage costs more than it saves.
        let transform = || Transform::new(&config);
        stages.insert(1, (0..threads.min(TRANSFORMS)).map(|_| transforming(transform())).collect());
    }
    Ok((Plan { widest }, stages))
}

fn transforming(mut transform: Transform) -> Box<dyn Worker<Batch>> {
    Box::new(Each(move |unit: &mut _| transform.run(unit)))
}

pub(super) type Batch = batch::Batch<Vec<Draft>>;

/// A packet on its way.
#[derive(Default)]
pub(super) struct Draft {
    /// Its raw data blocks; those after `used` are left of other packets.
    units: Vec<Parsed>,
    used: usize,
    fault: Option<Fault>,
    delay: usize,
    profile: Option<Profile>,
}

/// AAC in batches of packets.
pub(super) struct Plan {
    widest: Widest,
}

/// Channels of a unit, as far as they are known: one may say that there are others.
type Widest = Arc<AtomicUsize>;

/// Channels of all packets of a batch, so that it stays in a core's own cache from stage to stage, and streams of many
/// channels in bounded memory.
const BATCH_CHANNELS: usize = 24;

/// Channels of all units that a batch holds at a time, but for its last packet: more may come than it was made for.
const MOST_CHANNELS: usize = 96;

/// Batches that are transformed at a time, at most.
const TRANSFORMS: usize = 4;

/// Packets in a batch, at most.
const BATCH: usize = 8;

impl batch::Plan for Plan {
    type Extra = Vec<Draft>;

    fn length(&self) -> usize {
        (BATCH_CHANNELS / self.widest.load(Ordering::Relaxed).max(1)).clamp(1, BATCH)
    }

    fn start(&mut self, used: Option<Vec<Draft>>) -> Vec<Draft> {
        let mut drafts = used.unwrap_or_default();
        drafts.truncate(self.length());
        drafts
    }
}

struct Read {
    parser: Parser,
    base: TimeBase,
    widest: Widest,
}

impl Worker<Batch> for Read {
    fn work(&mut self, batch: &mut Batch) {
        if std::mem::take(&mut batch.reset) {
            self.parser.reset();
        }
        let left = batch.packets.get(batch.outcomes.len()..).unwrap_or_default();
        batch.extra.resize_with(left.len(), Draft::default);
        let (mut read, mut channels) = (0, 0);
        for (packet, draft) in left.iter().zip(&mut batch.extra) {
            if channels > MOST_CHANNELS {
                break;
            }
            self.read(packet, draft);
            draft.profile = Some(aac::profile(self.parser.config()));
            for each in draft.units.iter().map(Parsed::channels) {
                self.widest.fetch_max(each, Ordering::Relaxed);
                channels += each;
            }
            read += 1;
        }
        (batch.load, batch.again) = (channels.div_ceil(BATCH_CHANNELS).max(1), read < left.len());
        batch.extra.truncate(read);
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
        if batch.load > 1 {
            batch.extra.clear();
        }
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

#[cfg(test)]
mod tests {
    use maliu_core::stream::{Audio, Codec, Media};

    use super::{super::batch::Plan as _, *};

    #[test]
    fn many_channels_make_short_batches() {
        for (config, expected) in [([0x11, 0x88], 8), ([0x11, 0x90], 8), ([0x11, 0xb0], 4), ([0x11, 0xb8], 3)] {
            let mut info = StreamInfo::new(Codec::Aac, TimeBase::MILLIS, Media::Audio(Audio::default()));
            info.config = config.to_vec().into();
            let (mut plan, _) = line(&info, Options::default(), 2).unwrap();
            assert_eq!(plan.length(), expected, "{config:x?}");
            // A unit of 34 channels was met: what an earlier batch held for eight units is let go.
            plan.widest.fetch_max(34, Ordering::Relaxed);
            let used = (0..8).map(|_| Draft::default()).collect();
            assert_eq!((plan.length(), plan.start(Some(used)).len()), (1, 1));
        }
    }
}
