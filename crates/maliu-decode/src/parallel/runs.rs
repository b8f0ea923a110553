//! MPEG audio by runs: each starts on a decoder of its own that was warmed up over the packets before it, and counts only
//! if that decoder came to the very state in which the run before left its own.
//!
//! ```text
//! run k     ───────────────────────────────┐ state
//! run k+1          warm-up ─ ─ │ 3 frames │═▼════════════════════════  else: decoded again, from the state of run k
//! ```
//!
//! A layer III decoder carries bytes of its reservoir, the overlap of the last granule, and the last 16 slots of the
//! polyphase bank. From equal reservoirs before the last three frames, all of which decoded, the bits of those frames are
//! the same; so the overlap is after one frame, the bank after another; and the last frame must sound the same, bit for
//! bit. Layers I and II carry the bank only.

use std::collections::VecDeque;

use maliu_core::{account::Account, packet::Packet, syntax::mpeg_audio::Header};

use super::{
    batch,
    line::{Stages, Worker},
    reservoir::{Reservoir, main_data},
};
use crate::{AudioFrame, Samples, mpeg_audio::MpegAudio, outcome::Outcome};

/// The stages: as many runs at a time as there are threads, then their seams in order.
pub(super) fn stages(threads: usize) -> Stages<Batch> {
    let cold = || Box::new(Cold) as Box<dyn Worker<Batch>>;
    vec![(0..threads).map(|_| cold()).collect(), vec![Box::new(Seams::default())]]
}

pub(super) type Batch = batch::Batch<Start>;

/// How a run starts and what its decoder came to.
#[derive(Default)]
pub(super) struct Start {
    /// The packets before it.
    before: Vec<Packet>,
    decoder: MpegAudio,
    /// After `before`, and after the run.
    warm: Trail,
    end: Trail,
}

/// MPEG audio in runs of packets.
#[derive(Default)]
pub(super) struct Plan {
    /// The last packets.
    last: VecDeque<Packet>,
    account: Account,
}

impl batch::Plan for Plan {
    type Extra = Start;

    fn length(&self) -> usize {
        64
    }

    fn start(&mut self, _: Option<Start>) -> Start {
        let known = self.last.len().saturating_sub(JUDGED);
        let before = self.last.range(known - self.fill(known)..).cloned().collect();
        Start { before, ..Start::default() }
    }

    fn add(&mut self, packet: &Packet) {
        while self.last.len() == WARM_UP || self.account.bytes() > WARM_UP_BYTES {
            let Some(first) = self.last.pop_front() else { break };
            self.account.remove(&first);
        }
        self.account.add(packet);
        self.last.push_back(packet.clone());
    }

    fn reset(&mut self) {
        self.last.clear();
        self.account.clear();
    }
}

impl Plan {
    /// Of the first `known` packets, how many at their end bring a decoder to the reservoir that all of them would.
    fn fill(&self, known: usize) -> usize {
        let mut bytes = 0;
        let lacking = |packet: &&Packet| {
            let enough = bytes >= RESERVOIR;
            bytes += Header::parse(&packet.data).map_or(0, |header| main_data(&header, &packet.data));
            !enough
        };
        let sure = self.last.range(..known).rev().take_while(lacking).count();
        let left = |packets: usize| {
            let mut reservoir = Reservoir::default();
            for packet in self.last.range(known - packets..known) {
                match Header::parse(&packet.data) {
                    Some(header) => reservoir.follow(&header, &packet.data, true),
                    None => reservoir = Reservoir::default(),
                }
            }
            reservoir
        };
        // Two more packets than hold the bytes: the first ones lack what came before them.
        let exact = left(known.min(sure + 2));
        (0..sure).find(|fewer| left(*fewer).equals(&exact)).unwrap_or(sure)
    }
}

/// Bytes of memory of the last packets, but for one. Frames have less than 3000 bytes; packets that are none may have any
/// number.
const WARM_UP_BYTES: usize = 1 << 20;

/// Frames by which a warm decoder is judged.
const JUDGED: usize = 3;

/// Of those, the last ones that must sound the same.
const COMPARED: usize = 1;

/// Bytes that main_data_begin reaches back at most.
const RESERVOIR: usize = 511;

/// Most packets of a warm-up.
const WARM_UP: usize = 48;

/// Decodes runs from a cold start.
struct Cold;

impl Worker<Batch> for Cold {
    fn work(&mut self, batch: &mut Batch) {
        let start = &mut batch.extra;
        let warm: Vec<_> = start.before.iter().map(|packet| Outcome::of(&mut start.decoder, packet)).collect();
        start.warm.follow(&start.before, &warm);
        start.end = start.warm.clone();
        decode(batch.packets.iter(), &mut start.decoder, &mut batch.outcomes);
        start.end.follow(&batch.packets, &batch.outcomes);
    }
}

fn decode<'a>(packets: impl Iterator<Item = &'a Packet>, decoder: &mut MpegAudio, outcomes: &mut Vec<Outcome>) {
    outcomes.clear();
    outcomes.extend(packets.map(|packet| Outcome::of(decoder, packet)));
}

/// Judges the starts of runs in their order, and mends those that were wrong.
#[derive(Default)]
struct Seams {
    /// None at the start of a stream.
    exact: Option<(MpegAudio, Trail)>,
}

impl Worker<Batch> for Seams {
    fn work(&mut self, batch: &mut Batch) {
        let Batch { packets, outcomes, reset, extra, .. } = batch;
        let exact = self.exact.take().filter(|_| !*reset);
        let start = std::mem::take(extra);
        self.exact = match exact {
            Some((mut decoder, mut trail)) if !start.warm.leads_where(&trail) => {
                decode(packets.iter(), &mut decoder, outcomes);
                trail.follow(packets, outcomes);
                Some((decoder, trail))
            }
            Some((_, mut trail)) => {
                trail.follow(packets, outcomes);
                Some((start.decoder, trail))
            }
            None => Some((start.decoder, start.end)),
        };
    }
}

/// What a decoder was given last and what it made of it.
#[derive(Clone, Default)]
struct Trail {
    reservoir: Reservoir,
    kind: Option<Header>,
    steps: VecDeque<Step>,
}

#[derive(Clone)]
struct Step {
    /// Before the frame.
    reservoir: Reservoir,
    /// None if it was not decoded.
    frame: Option<AudioFrame>,
}

impl Trail {
    /// The decoder was given these packets.
    fn follow(&mut self, packets: &[Packet], outcomes: &[Outcome]) {
        let judged = packets.len().saturating_sub(JUDGED);
        for (i, (packet, outcome)) in packets.iter().zip(outcomes).enumerate() {
            let header = Header::parse(&packet.data);
            let sound = outcome.sound.as_ref().ok().filter(|frame| !frame.is_empty());
            if header.is_some_and(|header| self.kind.is_none_or(|kind| !MpegAudio::same(&kind, &header))) {
                (self.kind, self.reservoir) = (header, Reservoir::default());
            }
            if i >= judged {
                if self.steps.len() == JUDGED {
                    self.steps.pop_front();
                }
                self.steps.push_back(Step { reservoir: self.reservoir, frame: sound.cloned() });
            }
            match header {
                // A frame that the input cuts off is not given to the decoder.
                _ if outcome.sound.is_ok() && sound.is_none() => {}
                Some(header) => self.reservoir.follow(&header, &packet.data, sound.is_some()),
                None => {}
            }
        }
    }

    /// Whether a decoder of this trail is in the same state as one of the other.
    fn leads_where(&self, other: &Trail) -> bool {
        let (Some(mine), Some(theirs)) = (self.steps.front(), other.steps.front()) else { return false };
        let pairs = || self.steps.iter().zip(&other.steps);
        self.steps.len() == JUDGED
            && other.steps.len() == JUDGED
            && mine.reservoir.equals(&theirs.reservoir)
            && pairs().all(|(mine, theirs)| mine.frame.is_some() && theirs.frame.is_some())
            && pairs().skip(JUDGED - COMPARED).all(|(mine, theirs)| same_bits(&mine.frame, &theirs.frame))
    }
}

fn same_bits(a: &Option<AudioFrame>, b: &Option<AudioFrame>) -> bool {
    let samples = |frame: &Option<AudioFrame>| match frame {
        Some(AudioFrame { samples: Samples::F32(samples), sample_rate, channels, .. }) => {
            Some((*sample_rate, *channels, samples.iter().map(|sample| sample.to_bits()).collect::<Vec<_>>()))
        }
        _ => None,
    };
    samples(a).is_some() && samples(a) == samples(b)
}

#[cfg(test)]
mod tests {
    use maliu_core::{
        stream::{Audio, Codec, Media, StreamInfo},
        time::TimeBase,
    };

    use super::*;
    use crate::{Options, parallel::batch::Plan as _, unit_for};

    /// Frames of a sample, once and again.
    fn packets(count: usize) -> Vec<Packet> {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../samples/mp3/cbr_64k_tags.mp3");
        let data = std::fs::read(path).unwrap();
        let (mut at, mut found) = (0, Vec::new());
        while at < data.len() {
            match Header::parse(&data[at..]).and_then(|header| header.frame_length()) {
                Some(length) if at + length <= data.len() => {
                    found.push(Packet { data: data[at..at + length].to_vec().into(), ..Packet::default() });
                    at += length;
                }
                _ => at += 1,
            }
        }
        found.into_iter().cycle().take(count).collect()
    }

    /// Two runs of which the second is warmed up over `warm_up` packets: whether its start counted, and its outcomes.
    fn second_run(packets: &[Packet], warm_up: usize) -> (bool, Vec<AudioFrame>) {
        let (first, second) = packets.split_at(packets.len() / 2);
        let before = first[first.len() - warm_up..].to_vec();
        let (mut cold, mut seams) = (Cold, Seams::default());
        let batch = |packets: &[Packet], before| Batch {
            packets: packets.to_vec(),
            outcomes: Vec::new(),
            reset: false,
            load: 1,
            again: false,
            extra: Start { before, ..Start::default() },
        };
        let [mut one, mut two] = [batch(first, Vec::new()), batch(second, before)];
        cold.work(&mut one);
        cold.work(&mut two);
        seams.work(&mut one);
        let exact = seams.exact.as_ref().is_some_and(|(_, trail)| two.extra.warm.leads_where(trail));
        seams.work(&mut two);
        (exact, two.outcomes.into_iter().filter_map(|outcome| outcome.sound.ok()).collect())
    }

    #[test]
    fn a_run_that_starts_wrong_is_decoded_again() {
        let packets = packets(80);
        let info = StreamInfo::new(Codec::Mp3, TimeBase::hz(44_100), Media::Audio(Audio::default()));
        let mut unit = unit_for(&info, Options::default()).unwrap();
        let all = packets.iter().filter_map(|packet| Outcome::of(&mut *unit, packet).sound.ok());
        let expected: Vec<_> = all.skip(40).collect();
        let starts = [0, 1, 3, 5, 20].map(|warm_up| second_run(&packets, warm_up));
        assert!(starts.iter().all(|(_, outcomes)| *outcomes == expected));
        assert_eq!((starts[0].0, starts[1].0, starts[4].0), (false, false, true));
    }

    #[test]
    fn damage_before_a_run_makes_its_start_not_count() {
        let mut packets = packets(80);
        packets[38].data = vec![0xff; 300].into();
        assert!(!second_run(&packets, 20).0);
        let mut frame = packets[37].data.to_vec();
        frame[4..].fill(0xff);
        packets[38].data = frame.into();
        assert!(!second_run(&packets, 20).0);
    }

    #[test]
    fn the_warm_up_fills_the_reservoir_and_is_bounded() {
        let mut plan = Plan::default();
        packets(300).iter().for_each(|packet| plan.add(packet));
        let warm = plan.start(None).before.len();
        assert!((JUDGED + 2..WARM_UP).contains(&warm), "{warm} packets");
        let small = Packet { data: vec![0xff, 0xfb, 0x10, 0xc0].into(), ..Packet::default() };
        (0..300).for_each(|_| plan.add(&small));
        assert_eq!(plan.start(None).before.len(), WARM_UP);
        plan.reset();
        assert!(plan.start(None).before.is_empty());
    }
}
