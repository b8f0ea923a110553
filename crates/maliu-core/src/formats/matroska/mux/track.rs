//! TrackEntry of a stream, and what its blocks need.

use crate::{
    error::{Error, Result},
    packet::Packet,
    stream::{Audio, Codec, Disposition, Hdr, Kind, Media, StreamInfo, Video},
    syntax::{
        aac::AudioSpecificConfig,
        ebml::{Writer, ids},
    },
    time::{Rounding, Ticks, TimeBase},
};

use super::{
    super::{
        track::MARKS,
        units::{gcd, samples},
        video::STEREO_MODES,
    },
    private::{self, Private},
    settings::Brand,
};

/// One track.
#[derive(Clone, Debug)]
pub(super) struct Track {
    pub info: StreamInfo,
    pub number: u64,
    /// Milliseconds that stored times hold beyond the real ones.
    pub delay: i64,
    /// Nanoseconds of the same.
    delay_nanos: u64,
    /// Samples of the delay that packets have not passed.
    pub delay_left: u32,
    /// Latest end of a packet, in milliseconds.
    pub end: i64,
    /// Stored time of the last packet.
    pub last: Option<i64>,
    /// Whether it takes packets.
    pub open: bool,
    /// Offset of the length of the track in its tags.
    pub statistics: Option<u64>,
}

/// Codecs of WebM.
const WEBM: &[Codec] = &[Codec::Vp8, Codec::Vp9, Codec::Av1, Codec::Opus, Codec::Vorbis, Codec::WebVtt];

impl Track {
    /// The track of a stream, checked as far as it is known.
    ///
    /// # Errors
    /// [`Error::Mux`].
    pub(super) fn new(info: &StreamInfo, index: usize, brand: Brand) -> Result<Self> {
        let open = !info.takes_no_packets();
        if open {
            check(info, brand)?;
        }
        let number = index as u64 + 1;
        let mut track = Self {
            info: info.clone(),
            number,
            delay: 0,
            delay_nanos: 0,
            delay_left: 0,
            end: 0,
            last: None,
            open,
            statistics: None,
        };
        if let Some(audio) = info.as_audio() {
            let skip = info
                .config
                .strip_prefix(b"OpusHead")
                .and_then(|head| Some(u16::from_le_bytes(*head.get(2..)?.first_chunk()?)));
            let delay = skip.filter(|_| info.codec == Codec::Opus).map_or(audio.delay, u32::from);
            let rate = if info.codec == Codec::Opus { 48_000 } else { audio.rate() };
            track.delay_nanos = (u64::from(delay) * 1_000_000_000).checked_div(rate.into()).unwrap_or(0);
            let nanos = Ticks(i64::try_from(track.delay_nanos).unwrap_or(0));
            track.delay = TimeBase::NANOS.rescale(nanos, TimeBase::MILLIS, Rounding::Near).0;
            // As it is read back.
            track.delay_left = samples(track.delay_nanos, rate);
        }
        Ok(track)
    }

    /// Whether it is an attached file whose content is known.
    pub(super) fn is_file(&self) -> bool {
        !self.open && !self.info.config.is_empty()
    }

    /// Writes its TrackEntry.
    ///
    /// # Errors
    /// [`Error::Mux`] when its configuration is missing.
    pub(super) fn write(&self, w: &mut Writer, brand: Brand) -> Result<()> {
        let Private { name, data } = private::of(&self.info, brand.name())?;
        let info = &self.info;
        let mut inside = Writer::default();
        inside.unsigned(ids::TRACK_NUMBER, self.number);
        inside.unsigned(ids::TRACK_UID, self.number);
        inside.unsigned(
            ids::TRACK_TYPE,
            match info.media.kind() {
                Kind::Video => 1,
                Kind::Audio => 2,
                _ => 17,
            },
        );
        inside.unsigned(ids::FLAG_LACING, 0);
        self.flags(&mut inside);
        if let Some(title) = info.metadata.value("title") {
            inside.text(ids::NAME, title);
        }
        language(&info.language, &mut inside);
        let name = if name == "S_TEXT/WEBVTT" && brand == Brand::WebM { "D_WEBVTT/SUBTITLES" } else { name };
        inside.text(ids::CODEC_ID, name);
        if !data.is_empty() {
            inside.binary(ids::CODEC_PRIVATE, &data);
        }
        if self.delay_nanos > 0 {
            inside.unsigned(ids::CODEC_DELAY, self.delay_nanos);
        }
        match &info.media {
            Media::Audio(audio) => {
                let preroll = (u64::from(audio.preroll) * 1_000_000_000).checked_div(audio.rate().into()).unwrap_or(0);
                // As RFC 7845 §4.6 recommends.
                let preroll = if info.codec == Codec::Opus { preroll.max(80_000_000) } else { preroll };
                if preroll > 0 {
                    inside.unsigned(ids::SEEK_PRE_ROLL, preroll);
                }
                inside.master(ids::AUDIO, |w| sound(info, audio, w));
            }
            Media::Video(video) => {
                if let Some(nanos) = self.default_duration() {
                    inside.unsigned(ids::DEFAULT_DURATION, nanos);
                }
                if info.metadata.value("alpha_mode") == Some("1") {
                    inside.unsigned(ids::MAX_BLOCK_ADDITION_ID, 1);
                }
                inside.master(ids::VIDEO, |w| picture(info, video, brand, w));
            }
            _ => {}
        }
        w.binary(ids::TRACK_ENTRY, &inside.finish());
        Ok(())
    }

    fn flags(&self, w: &mut Writer) {
        let disposition = self.info.disposition;
        w.unsigned(ids::FLAG_DEFAULT, disposition.has(Disposition::DEFAULT).into());
        for (id, mark) in MARKS.iter().filter(|(_, mark)| disposition.has(*mark)) {
            let _ = mark;
            w.unsigned(*id, 1);
        }
    }

    /// Nanoseconds of a picture, when its rate is known.
    fn default_duration(&self) -> Option<u64> {
        let (num, den) = self.info.as_video()?.frame_rate.filter(|(num, den)| *num > 0 && *den > 0)?;
        Some(u64::from(den) * 1_000_000_000 / u64::from(num)).filter(|nanos| *nanos > 0)
    }

    /// A packet was written at this stored time.
    pub(super) fn note(&mut self, packet: &Packet, stored: i64) {
        self.last = Some(stored);
        let lasts = packet.duration.map_or(0, |duration| duration.0.max(0));
        self.end = self.end.max(stored.saturating_sub(self.delay).saturating_add(lasts));
    }

    /// The duration that a reader takes a packet of `size` bytes for, in milliseconds.
    pub(super) fn implied(&self, data: &[u8]) -> Option<i64> {
        if let Some(nanos) = self.default_duration() {
            return i64::try_from(nanos / 1_000_000).ok();
        }
        let audio = self.info.as_audio().filter(|audio| audio.rate() > 0)?;
        let counted = match self.info.codec {
            Codec::Opus => i64::from(crate::syntax::opus::samples(data)),
            codec => crate::timing::samples(codec, audio, self.info.bit_rate, data.len()),
        };
        (counted > 0).then(|| TimeBase::hz(audio.rate()).rescale(Ticks(counted), TimeBase::MILLIS, Rounding::Down).0)
    }
}

fn check(info: &StreamInfo, brand: Brand) -> Result<()> {
    let refuse = |why: &str| Err(Error::mux(brand.name(), alloc::format!("{}: {why}", info.codec)));
    if brand == Brand::WebM && !WEBM.contains(&info.codec) {
        return refuse("WebM carries VP8, VP9, AV1, Opus, Vorbis and WebVTT alone; use matroska");
    }
    if !matches!(info.media.kind(), Kind::Video | Kind::Audio | Kind::Subtitle) {
        return refuse("this codec is not carried");
    }
    if let Some(video) = info.as_video()
        && (video.width.is_none() || video.height.is_none())
    {
        return refuse("the size of the picture is not known");
    }
    if let Some(audio) = info.as_audio()
        && (audio.sample_rate.is_none() || audio.channels.is_none())
    {
        return refuse("sample rate or channels are not known");
    }
    if private::is_missing(info) { Ok(()) } else { private::of(info, brand.name()).map(drop) }
}

/// ISO 639-2 where the language has three letters, else BCP 47 beside it.
fn language(language: &str, w: &mut Writer) {
    let letters = language.len() == 3 && language.bytes().all(|byte| byte.is_ascii_lowercase());
    w.text(ids::LANGUAGE, if letters { language } else { "und" });
    if !letters && !language.is_empty() && language.is_ascii() {
        w.text(ids::LANGUAGE_BCP47, language);
    }
}

fn sound(info: &StreamInfo, audio: &Audio, w: &mut Writer) {
    let core = AudioSpecificConfig::parse(&info.config).filter(|_| info.codec == Codec::Aac);
    let core = core.map(|config| config.sample_rate).filter(|rate| *rate > 0 && *rate < audio.rate());
    w.float(ids::SAMPLING_FREQUENCY, core.unwrap_or(audio.rate()).into());
    if core.is_some() {
        w.float(ids::OUTPUT_SAMPLING_FREQUENCY, audio.rate().into());
    }
    w.unsigned(ids::CHANNELS, audio.channel_count().into());
    let bits = match crate::timing::stored_bits(info.codec) {
        0 => audio.bits_per_sample.into(),
        bits => bits,
    };
    if bits > 0 {
        w.unsigned(ids::BIT_DEPTH, bits.into());
    }
}

fn picture(info: &StreamInfo, video: &Video, brand: Brand, w: &mut Writer) {
    let (width, height) = video.size();
    w.unsigned(ids::PIXEL_WIDTH, width.into());
    w.unsigned(ids::PIXEL_HEIGHT, height.into());
    if let Some((wide, high)) = video.pixel_aspect.filter(|(wide, high)| *wide > 0 && *high > 0 && wide != high) {
        let (wide, high) = (u64::from(wide) * u64::from(width), u64::from(high) * u64::from(height));
        let common = gcd(wide, high).max(1);
        let (wide, high) = (wide / common, high / common);
        if u64::from(height) % high == 0 || brand == Brand::WebM {
            let shown = u64::from(height).saturating_mul(wide) / high;
            w.unsigned(ids::DISPLAY_WIDTH, shown.max(1));
            w.unsigned(ids::DISPLAY_HEIGHT, height.into());
        } else {
            w.unsigned(ids::DISPLAY_WIDTH, wide);
            w.unsigned(ids::DISPLAY_HEIGHT, high);
            // A ratio of display sides.
            w.unsigned(ids::DISPLAY_UNIT, 3);
        }
    }
    let stereo =
        info.metadata.value("stereo_mode").and_then(|name| STEREO_MODES.iter().position(|known| *known == name));
    if let Some(mode) = stereo.filter(|mode| *mode > 0) {
        w.unsigned(ids::STEREO_MODE, mode as u64);
    }
    if info.metadata.value("alpha_mode") == Some("1") {
        w.unsigned(ids::ALPHA_MODE, 1);
    }
    if video.color.is_some() || video.hdr.as_ref().is_some_and(|hdr| hdr.light.is_some() || hdr.mastering.is_some()) {
        w.master(ids::COLOUR, |w| colour(video, w));
    }
    if video.rotation != 0 {
        w.master(ids::PROJECTION, |w| {
            w.unsigned(ids::PROJECTION_TYPE, 0);
            let roll = if video.rotation == 270 { 90.0 } else { -f64::from(video.rotation) };
            w.float(ids::PROJECTION_POSE_ROLL, roll);
        });
    }
}

fn colour(video: &Video, w: &mut Writer) {
    if let Some(color) = video.color {
        w.unsigned(ids::MATRIX_COEFFICIENTS, color.matrix.into());
        w.unsigned(ids::TRANSFER_CHARACTERISTICS, color.transfer.into());
        w.unsigned(ids::PRIMARIES, color.primaries.into());
        if let Some(full) = color.full_range {
            w.unsigned(ids::RANGE, if full { 2 } else { 1 });
        }
    }
    let Some(hdr) = &video.hdr else { return };
    if let Some((most, average)) = hdr.light {
        w.unsigned(ids::MAX_CLL, most.into());
        w.unsigned(ids::MAX_FALL, average.into());
    }
    mastering(hdr, w);
}

fn mastering(hdr: &Hdr, w: &mut Writer) {
    let Some(mastering) = hdr.mastering else { return };
    let [green, blue, red] = mastering.primaries;
    w.master(ids::MASTERING_METADATA, |w| {
        for (x, y, point) in [
            (ids::PRIMARY_R_X, ids::PRIMARY_R_Y, red),
            (ids::PRIMARY_G_X, ids::PRIMARY_G_Y, green),
            (ids::PRIMARY_B_X, ids::PRIMARY_B_Y, blue),
            (ids::WHITE_X, ids::WHITE_Y, mastering.white),
        ] {
            w.float(x, f64::from(point.0) / 50_000.0);
            w.float(y, f64::from(point.1) / 50_000.0);
        }
        w.float(ids::LUMINANCE_MAX, f64::from(mastering.max) / 10_000.0);
        w.float(ids::LUMINANCE_MIN, f64::from(mastering.min) / 10_000.0);
    });
}
