//! Facts of each codec for reading and writing.

use crate::{
    stream::{Audio, Codec},
    syntax::{
        ac3::{self, Ac3Frames},
        dts::{self, DtsFrames},
        framing::Frames,
    },
};

/// One codec.
pub(super) trait Coding: Send + 'static {
    type Frames: Frames<Header: Send> + Clone + Default + Send;
    const CODEC: Codec;
    /// Name in errors.
    const NAME: &'static str;
    /// Why other streams are not written.
    const TAKES: &'static str;

    /// Whether the header is of this codec.
    fn is(header: &<Self::Frames as Frames>::Header) -> bool;

    /// Facts of a whole frame, its samples per channel among them; `None` when it cannot be read.
    fn facts(frame: &[u8]) -> Option<Audio>;
}

pub(super) struct Ac3;
pub(super) struct Eac3;
pub(super) struct Dts;

fn ac3_facts(frame: &[u8]) -> Option<Audio> {
    let header = ac3::Header::parse(frame)?;
    Some(Audio { frame_size: header.samples, ..Audio::new(header.sample_rate, header.channels) })
}

impl Coding for Ac3 {
    type Frames = Ac3Frames;
    const CODEC: Codec = Codec::Ac3;
    const NAME: &'static str = "ac3";
    const TAKES: &'static str = "takes one AC-3 stream";

    fn is(header: &ac3::Header) -> bool {
        !header.enhanced
    }

    fn facts(frame: &[u8]) -> Option<Audio> {
        ac3_facts(frame)
    }
}

impl Coding for Eac3 {
    type Frames = Ac3Frames;
    const CODEC: Codec = Codec::Eac3;
    const NAME: &'static str = "eac3";
    const TAKES: &'static str = "takes one E-AC-3 stream";

    fn is(header: &ac3::Header) -> bool {
        header.enhanced
    }

    fn facts(frame: &[u8]) -> Option<Audio> {
        ac3_facts(frame)
    }
}

impl Coding for Dts {
    type Frames = DtsFrames;
    const CODEC: Codec = Codec::Dts;
    const NAME: &'static str = "dts";
    const TAKES: &'static str = "takes one DTS stream";

    fn is(_: &dts::Header) -> bool {
        true
    }

    fn facts(frame: &[u8]) -> Option<Audio> {
        let header = dts::Header::of_frame(frame)?;
        Some(Audio { frame_size: header.samples, ..Audio::new(header.sample_rate, header.channels) })
    }
}
