//! Raw data blocks of AAC behind ADTS headers.

use alloc::{boxed::Box, collections::VecDeque};

use bytes::Bytes;

use super::{Cut, Cutter, Facts, Unit};
use crate::{
    error::Result,
    input::Input,
    stream::{Audio, Codec, Media},
    syntax::{
        aac::{AdtsFrames, AdtsHeader, Pce},
        framing::{Found, Framing},
    },
};

/// Samples of one raw data block, and samples that a decoder needs ahead.
const BLOCK: u32 = 1024;

pub(super) struct Frames {
    framing: Framing<AdtsFrames>,
    described: Option<Facts>,
    /// Further blocks of a frame.
    waiting: VecDeque<Unit>,
}

impl Default for Frames {
    fn default() -> Self {
        Self { framing: Framing::new(AdtsFrames), described: None, waiting: VecDeque::new() }
    }
}

impl Cutter for Frames {
    fn poll(&mut self, input: &mut Input) -> Result<Cut> {
        loop {
            if let Some(unit) = self.waiting.pop_front() {
                return Ok(Cut::Unit(unit));
            }
            match self.framing.poll(input) {
                Found::Frame(frame) => self.frame(frame.header, frame.length, input),
                Found::Cut(_) | Found::Tag => {}
                Found::NeedBytes => return Ok(Cut::NeedBytes),
                Found::End => return Ok(Cut::End),
            }
        }
    }

    fn restart(&mut self) {
        self.framing.restart();
        self.waiting.clear();
    }
}

impl Frames {
    fn frame(&mut self, header: AdtsHeader, length: usize, input: &mut Input) {
        let at = input.offset();
        if length == header.size() {
            input.warn("frame without content skipped");
            input.skip(length);
            return;
        }
        let Some(frame) = input.take(length) else { return };
        let end = at.saturating_add(length as u64);
        let facts = self.describe(&header, &frame);
        let replaces = facts.is_some() && self.described.is_some();
        if let Some(facts) = &facts {
            self.described = Some(facts.clone());
        }
        let mut facts = facts.map(Box::new);
        let all = BLOCK * u32::from(header.blocks);
        let whole = [(header.size(), length)];
        let blocks = header.blocks_of(&frame);
        let (blocks, samples) = match &blocks {
            Some(blocks) => (blocks.get(..usize::from(header.blocks)).unwrap_or_default(), BLOCK),
            None => (&whole[..], all),
        };
        for &(from, to) in blocks {
            let samples = (samples, header.sample_rate());
            let data = frame.slice(from..to);
            let facts = facts.take();
            let replaces = replaces && facts.is_some();
            self.waiting.push_back(Unit { at, end, data, key: true, samples, facts, replaces, ..Unit::default() });
        }
    }

    /// Facts of the stream in the frame, if they are news.
    fn describe(&self, header: &AdtsHeader, frame: &Bytes) -> Option<Facts> {
        let mut config = header.config();
        if header.channel_config == 0 {
            config.pce = frame.get(header.size()..).and_then(Pce::leading);
        }
        let bytes = Bytes::from(config.build());
        let known = self.described.as_ref().map(|known| &known.config);
        // Without an element of its own a frame keeps the channels of the one before.
        let keeps = header.channel_config == 0 && config.pce.is_none();
        if known.is_some_and(|known| *known == bytes || keeps && known.get(..2) == bytes.get(..2)) {
            return None;
        }
        let audio = Audio { frame_size: BLOCK, preroll: BLOCK, ..Audio::new(header.sample_rate(), config.channels()) };
        Some(Facts { codec: Codec::Aac, media: Media::Audio(audio), config: bytes, profile: Some(header.profile) })
    }
}
