//! The part of the JSON report that describes a stream.

use std::io;

use maliu::{
    stream::{Disposition, Media, StreamInfo, Video},
    timing::stored_bits,
};

use crate::{
    commands::probe::{facts, gop::Gops, pixels},
    json,
};

/// Number, language, role and protection of a stream.
pub(super) fn role(item: &mut json::Open, info: &StreamInfo) -> io::Result<()> {
    if let Some(id) = info.id {
        item.plain("id", format_args!("{id:#x}"))?;
    }
    if !info.language.is_empty() {
        item.string("language", &info.language)?;
    }
    let cover = if info.attachment { Disposition::ATTACHED_PICTURE } else { Disposition::NONE };
    let marks = info.disposition | cover;
    let mut disposition = item.object("disposition")?;
    for (name, set) in marks.all() {
        disposition.bare(name, u8::from(set))?;
        if name == "attached_pic" {
            // ffprobe has this mark behind; no format here sets it.
            disposition.bare("timed_thumbnails", 0)?;
        }
    }
    disposition.close()?;
    if let Some(encryption) = &info.encryption {
        let mut object = item.object("encryption")?;
        object.string("scheme", &String::from_utf8_lossy(&encryption.scheme))?;
        let key_id: String = encryption.key_id.iter().map(|byte| format!("{byte:02x}")).collect();
        object.plain("key_id", key_id)?;
        object.close()?;
    }
    Ok(())
}

/// Describes an audio or video stream.
pub(super) fn media(item: &mut json::Open, info: &StreamInfo, gops: Option<&Gops>) -> io::Result<()> {
    match &info.media {
        Media::Audio(audio) => {
            if let Some(format) = pixels::sample_format(info.codec, audio.bits_per_sample.into()) {
                item.plain("sample_fmt", format)?;
            }
            item.plain("sample_rate", audio.rate())?;
            item.bare("channels", audio.channel_count())?;
            if let Some(layout) = facts::channel_layout(audio.channel_count(), audio.channel_mask) {
                item.plain("channel_layout", layout)?;
            }
            let stored = stored_bits(info.codec);
            item.bare("bits_per_sample", stored)?;
            if (1..stored).contains(&audio.bits_per_sample.into()) {
                item.bare("bits_per_raw_sample", audio.bits_per_sample)?;
            }
            if audio.delay > 0 {
                item.bare("initial_padding", audio.delay)?;
            }
        }
        Media::Video(video) => {
            let (width, height) = video.size();
            item.bare("width", width)?;
            item.bare("height", height)?;
            item.bare("has_b_frames", video.reorder)?;
            if let Some((num, den)) = video.pixel_aspect {
                item.plain("sample_aspect_ratio", format_args!("{num}:{den}"))?;
                if let Some((wide, high)) = pixels::display_aspect((width, height), (num, den)) {
                    item.plain("display_aspect_ratio", format_args!("{wide}:{high}"))?;
                }
            }
            if let Some(format) =
                gops.and_then(Gops::pixel_format).or_else(|| pixels::usual(info.codec).map(str::to_owned))
            {
                item.plain("pix_fmt", format)?;
            }
            if let Some(level) = video.level {
                item.bare("level", level)?;
            }
            display(item, video)?;
        }
        Media::Subtitle => {
            if let Some((width, height)) = idx_size(info) {
                item.bare("width", width)?;
                item.bare("height", height)?;
            }
        }
        Media::Data | Media::Attachment => {}
    }
    Ok(())
}

/// The picture size in the configuration of DVD subtitles, which is the text of an `.idx` file.
fn idx_size(info: &StreamInfo) -> Option<(u32, u32)> {
    let text = std::str::from_utf8(&info.config).ok().filter(|_| info.codec.name() == "dvd_subtitle")?;
    let (width, height) = text.lines().find_map(|line| line.strip_prefix("size:"))?.split_once('x')?;
    Some((width.trim().parse().ok()?, height.trim().parse().ok()?))
}

/// Rotation, colours and dynamic range.
fn display(item: &mut json::Open, video: &Video) -> io::Result<()> {
    if video.rotation != 0 {
        item.bare("rotation", video.rotation)?;
    }
    if let Some(color) = video.color {
        let mut object = item.object("color")?;
        object.bare("primaries", color.primaries)?;
        object.bare("transfer", color.transfer)?;
        object.bare("matrix", color.matrix)?;
        if let Some(full) = color.full_range {
            object.plain("range", if full { "pc" } else { "tv" })?;
        }
        object.close()?;
    }
    let Some(hdr) = &video.hdr else { return Ok(()) };
    let mut object = item.object("hdr")?;
    if let Some(mastering) = hdr.mastering {
        object.plain("max_luminance", f64::from(mastering.max) / 10_000.0)?;
        object.plain("min_luminance", f64::from(mastering.min) / 10_000.0)?;
    }
    if let Some((content, average)) = hdr.light {
        object.bare("max_content", content)?;
        object.bare("max_average", average)?;
    }
    if let Some(vision) = hdr.dolby_vision {
        object.plain("dolby_vision", format_args!("{}.{}", vision.profile, vision.level))?;
    }
    object.close()
}
