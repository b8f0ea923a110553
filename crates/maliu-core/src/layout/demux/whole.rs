//! A whole message before its packets: its count, its plain body, and facts that hold for those behind it.

use alloc::{borrow::Cow, boxed::Box, format};

use bytes::Bytes;

use super::{PACK_START_CODE, Reader};
use crate::{
    error::Result,
    format::Event,
    input::Input,
    layout::{
        BodyKind, MAX_STREAMS,
        message::{self, Facts, Lack, Message},
    },
    remark::Remark,
    stream::Media,
};

impl Reader {
    /// Warns of a gap in the counts of messages.
    pub(super) fn count(&mut self, facts: &Facts, at: u64, input: &mut Input) {
        let Some((number, bits, per_stream)) = facts.sequence else { return };
        let stream = facts.stream.filter(|_| per_stream);
        let mask = u64::MAX >> (64 - u32::from(bits.clamp(1, 64)));
        let Some((_, last)) = self.sequences.iter_mut().find(|(of, _)| *of == stream) else {
            if self.sequences.len() < MAX_STREAMS {
                self.sequences.push((stream, number));
            }
            return;
        };
        let expected = last.wrapping_add(1) & mask;
        *last = number;
        if expected != number {
            input.warn_at(at, "a gap in the sequence numbers");
            self.lose_parts();
        }
    }

    /// The body without what the carrier did to it; `None` with a warning where it is not of that form.
    pub(super) fn plain(&self, body: Bytes, at: u64, input: &mut Input) -> Option<Bytes> {
        let limit = self.layout.limits.body as usize;
        self.layout.body.transforms.iter().try_fold(body, |body, transform| {
            let plain = transform.undo(&body, limit).map(Bytes::from);
            if plain.is_none() {
                input.warn_at(at, format!("a body that is not {}, or longer than the limit", transform.name()));
            }
            plain
        })
    }

    /// Takes what is waiting as one message: that of a layout whose bodies are the rest of it.
    pub(super) fn take_whole(&mut self, input: &mut Input) -> Result<()> {
        let length = input.peek().len();
        let why = match message::look(&self.layout, input.peek(), &self.steady, &self.preamble) {
            Ok(message) if message.total() == length => return self.accept(&message, input),
            Ok(_) | Err(Lack::Need(_)) => Cow::Borrowed("it is too short for its fields"),
            Err(Lack::Bad(why) | Lack::Other(why)) => why,
        };
        if !self.layout.limits.resync {
            return Err(self.malformed(&why, input.offset()));
        }
        input
            .remark(Remark::Junk { bytes: Some(length as u64) }, format!("{why}; a message of {length} bytes skipped"));
        input.skip(length);
        self.lose_parts();
        Ok(())
    }

    /// Facts of a message without a body hold for those behind it.
    pub(super) fn learn(&mut self, facts: &Facts) {
        self.preamble.width = facts.width;
        self.preamble.height = facts.height;
        let (Some(width), Some(height)) = (facts.width, facts.height) else { return };
        for (index, stream) in self.streams.iter_mut().enumerate() {
            if let Media::Video(video) = &mut stream.info.media
                && video.size() != (width, height)
            {
                video.set_size(width, height);
                self.events.push_back(Event::Stream(index, Box::new(stream.info.clone())));
            }
        }
    }

    /// Bytes of a kind that this layout has no word for are no media of unknown kind.
    pub(super) fn check_known(&self, facts: &Facts, body: &[u8], message: &Message, at: u64) -> Result<()> {
        let named = facts.codec.is_some() || facts.media.is_some() || self.layout.body.codec.is_some();
        let content = body.get(message.inside.end.saturating_sub(message.body.start)..).unwrap_or_default();
        if named || self.layout.body.kind != BodyKind::Raw || !content.starts_with(&PACK_START_CODE) {
            return Ok(());
        }
        let why = "its bodies carry an MPEG program stream, which this layout does not name: its body needs \
                   kind = \"mpegps\" behind all other headers; the preset gb28181 reads RTP of GB/T 28181";
        Err(self.malformed(why, at))
    }
}
