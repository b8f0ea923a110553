//! Packets in, pictures out: the counterpart of [`crate::Decoder`] for video.

use maliu_core::{
    error::{Error, Result},
    packet::Packet,
    stream::StreamInfo,
    time::Ticks,
};

use crate::Report;

#[cfg(feature = "h264")]
mod grey;
#[cfg(feature = "h264")]
mod h264;
#[cfg(feature = "h264")]
mod join;
#[cfg(feature = "h264")]
mod library;
#[cfg(feature = "h264")]
mod memory;
#[cfg(feature = "h264")]
mod order;
#[cfg(feature = "h264")]
mod references;
mod rgb;

/// How a decoder of pictures is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PictureOptions {
    /// Most bytes for pictures that are being decoded, kept for prediction or waiting to be shown: 256 MiB. A stream
    /// that needs more is refused, whatever level it declares. Pictures that were given out are the caller's.
    pub memory: u64,
}

impl Default for PictureOptions {
    fn default() -> Self {
        Self { memory: 256 << 20 }
    }
}

/// Turns the packets of one stream into pictures.
pub trait PictureDecoder: Send {
    /// Pictures that became ready to be shown, in the order in which they are shown.
    ///
    /// # Errors
    /// [`Error::Unsupported`] when the stream uses a feature the decoder does not have, or needs more memory than
    /// [`PictureOptions::memory`].
    fn decode(&mut self, packet: &Packet) -> Result<Vec<Picture>>;

    /// The pictures that are still to come when the last packet was decoded.
    ///
    /// # Errors
    /// As [`PictureDecoder::decode`].
    fn finish(&mut self) -> Result<Vec<Picture>>;

    /// The next packet does not follow the last one: a seek.
    fn reset(&mut self);

    /// Findings so far.
    fn report(&self) -> Report;
}

/// A decoded picture: three planes of samples without padding.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Picture {
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// How many samples the second and third plane have.
    pub chroma: Chroma,
    /// Bits of a sample; above 8 a sample takes 2 bytes, the low one first.
    pub bit_depth: u8,
    /// Luma, blue difference, red difference; row by row.
    pub planes: [Vec<u8>; 3],
    /// When it is shown, in the stream's time base; `None` when unknown.
    pub time: Option<Ticks>,
}

/// Size of the colour planes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Chroma {
    /// Half the width, half the height.
    Half,
    /// Half the width, the whole height.
    HalfWidth,
}

/// How samples become colours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Colour {
    /// matrix_coefficients of ITU-T H.273; `None` when unspecified.
    pub matrix: Option<u8>,
    /// Samples use the full range of their bits.
    pub full_range: bool,
}

impl Picture {
    /// Width and height of the second and third plane.
    pub fn chroma_size(&self) -> (u32, u32) {
        match self.chroma {
            Chroma::Half => (self.width / 2, self.height / 2),
            Chroma::HalfWidth => (self.width / 2, self.height),
        }
    }

    /// Its pixels as red, green, blue, a byte each, row by row.
    pub fn to_rgb(&self, colour: Colour) -> Vec<u8> {
        rgb::convert(self, colour)
    }
}

/// A decoder of the pictures of this stream.
///
/// # Errors
/// [`Error::Unsupported`] naming the codec or the feature of it that cannot be decoded.
pub fn pictures_for(info: &StreamInfo) -> Result<Box<dyn PictureDecoder>> {
    pictures_with(info, PictureOptions::default())
}

/// As [`pictures_for`], with options.
///
/// # Errors
/// As [`pictures_for`].
#[cfg_attr(not(feature = "h264"), expect(unused_variables, reason = "no decoder is built in"))]
pub fn pictures_with(info: &StreamInfo, options: PictureOptions) -> Result<Box<dyn PictureDecoder>> {
    match info.codec {
        #[cfg(feature = "h264")]
        maliu_core::stream::Codec::H264 => Ok(Box::new(h264::H264::new(info, options))),
        codec => Err(Error::unsupported(format!("pictures of codec {codec}"))),
    }
}

/// Whether there is a decoder for pictures of this codec.
pub fn decodes(codec: maliu_core::stream::Codec) -> bool {
    cfg!(feature = "h264") && codec == maliu_core::stream::Codec::H264
}

/// How the pictures of this stream are to be coloured, as its parameter sets say.
pub fn colour_of(info: &StreamInfo) -> Colour {
    use maliu_core::syntax::h264::{Config, ParameterSets};
    let config = Config::parse(&info.config).map_or_else(|| info.config.clone(), |config| config.to_annexb());
    let mut sets = ParameterSets::default();
    maliu_core::syntax::annexb::units(&config).for_each(|unit| {
        sets.note(unit.data);
    });
    let vui = sets.any_sps().and_then(|sps| sps.vui.as_ref());
    vui.map_or_else(Colour::default, |vui| {
        let [_, _, matrix] = vui.colour;
        Colour { matrix: Some(matrix).filter(|matrix| *matrix != 2), full_range: vui.video_full_range_flag }
    })
}

/// Makes panics inside a decoding library, which are caught and counted as damage, silent; all others are reported as
/// before. For programs; call it once.
pub fn quiet_library_panics() {
    crate::wall::quiet_panics();
}
