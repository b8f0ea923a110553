//! Gains: from the tags of a file, or from the loudness measured in a first pass.

use maliu::stream::Metadata;

use super::{Args, Shape, Window};
use crate::{
    context::Context,
    failure::{Failure, Result},
    hear,
    loudness::Loudness,
};

/// Which gain of the tags.
#[derive(Clone, Copy, PartialEq, Eq, Debug, clap::ValueEnum)]
pub(crate) enum Album {
    /// Of the track, else of the album.
    Track,
    /// Of the album, else of the track.
    Album,
}

/// Highest true peak after `--normalize`, in dBTP.
const PEAK: f64 = -1.0;

/// Returns the gain in the tags as a factor. Without one it warns and returns `None`.
pub(super) fn replay_gain(tags: &Metadata, album: Album) -> Option<f64> {
    let order = if album == Album::Album { ["album", "track"] } else { ["track", "album"] };
    let value = |name: String| {
        let entry = tags.entries().iter().find(|(key, _)| key.eq_ignore_ascii_case(&name))?;
        entry.1.trim().trim_end_matches(|letter: char| letter.is_alphabetic() || letter == ' ').parse::<f64>().ok()
    };
    let found = order.into_iter().find_map(|of| {
        let decibels = value(format!("replaygain_{of}_gain"));
        // R128 gains are in 1/256 dB towards -23 LUFS; ReplayGain is towards -18 LUFS.
        let decibels = decibels.or_else(|| Some(value(format!("r128_{of}_gain"))? / 256.0 + 5.0))?;
        Some((decibels, value(format!("replaygain_{of}_peak"))))
    });
    let Some((decibels, peak)) = found else {
        tracing::warn!("there is no ReplayGain in the tags; the level stays");
        return None;
    };
    let most = peak.filter(|peak| *peak > 0.0).map_or(f64::INFINITY, |peak| 1.0 / peak);
    Some(10f64.powf(decibels / 20.0).min(most))
}

/// The factor that brings what will be written to `target` LUFS: decodes it once to measure.
pub(super) fn measured(args: &Args, target: f64, context: &Context) -> Result<f64> {
    if args.input.path == "-" || args.input.follow.is_some() {
        return Err(Failure::Usage("--normalize reads the input twice: name a file".to_owned()));
    }
    let mut opened = args.input.open(context)?;
    if opened.is_live() {
        return Err(Failure::Usage(format!("{}: --normalize reads the input twice", opened.name)));
    }
    let mut window = Window::new(args.start.unwrap_or_default(), args.duration);
    let mut shape: Option<Shape> = None;
    let mut loudness = Loudness::default();
    let plain = super::shaping::Args { dither: false, normalize: None, rate: None, ..args.shaping.clone() };
    hear::stream(&mut opened, args.stream, args.threads, |mut frame, base| {
        let more = window.cut(&mut frame, base);
        if shape.is_none() {
            shape = Some(Shape::new(&plain, args.format, &frame, &Metadata::default())?);
        }
        if let Some(shape) = &mut shape {
            shape.push(frame, |frame| loudness.add(frame))?;
        }
        Ok(more)
    })?;
    let facts = loudness.facts();
    let Some(integrated) = facts.integrated else {
        tracing::warn!("{} is silent; the level stays", opened.name);
        return Ok(1.0);
    };
    let most = facts.true_peak.map_or(f64::INFINITY, |peak| PEAK - peak);
    let decibels = (target - integrated).min(most);
    tracing::info!("loudness {integrated:.1} LUFS, gain {decibels:.1} dB");
    if decibels < target - integrated {
        tracing::warn!("the loudness stays at {:.1} LUFS: true peaks reach {PEAK} dBTP", integrated + decibels);
    }
    Ok(10f64.powf(decibels / 20.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tags(entries: &[(&str, &str)]) -> Metadata {
        let mut tags = Metadata::default();
        entries.iter().for_each(|(name, value)| tags.set(*name, *value));
        tags
    }

    #[test]
    fn gains_are_read_as_taggers_write_them() {
        let close = |gain: Option<f64>, decibels: f64| (20.0 * gain.unwrap().log10() - decibels).abs() < 1e-6;
        let both = tags(&[("REPLAYGAIN_TRACK_GAIN", "-7.50 dB"), ("replaygain_album_gain", "+2 dB")]);
        assert!(close(replay_gain(&both, Album::Track), -7.5) && close(replay_gain(&both, Album::Album), 2.0));
        assert!(close(replay_gain(&tags(&[("R128_TRACK_GAIN", "-256")]), Album::Album), 4.0));
        let loud = tags(&[("replaygain_track_gain", "6 dB"), ("replaygain_track_peak", "0.8")]);
        assert_eq!(replay_gain(&loud, Album::Track), Some(1.25));
        assert_eq!(replay_gain(&tags(&[]), Album::Track), None);
    }
}
