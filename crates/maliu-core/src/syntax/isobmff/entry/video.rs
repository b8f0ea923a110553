//! Video sample descriptions and the boxes inside (ISO/IEC 14496-12 §12.1, 14496-15).

use alloc::boxed::Box;

use bytes::Bytes;

use super::{
    super::{
        boxes::{Boxes, Kind},
        codecs, descriptor,
        fields::Fields,
    },
    Entry, MAX_CONFIG, original, shared, video_mut,
};
use crate::{
    bits::Bits,
    stream::{Codec, Color, DolbyVision, Hdr, Mastering, Media, Video},
    syntax::{av1, h264, h265},
};

/// The description of this name, behind its data reference index.
pub(super) fn parse(kind: Kind, body: &[u8]) -> Entry {
    let mut fields = Fields::new(body);
    let size = fixed(&mut fields).unwrap_or_default();
    let boxes = fields.rest();
    let kind = original(kind, boxes);
    let codec = codecs::of_name(kind).filter(|codec| codec.kind() == crate::stream::Kind::Video);
    let video = Video::new(size.0.into(), size.1.into());
    let mut entry = Entry::new(kind, codec.unwrap_or(Codec::UnknownVideo), Media::Video(video));
    for (kind, body) in Boxes::new(boxes) {
        let kept = body.get(..MAX_CONFIG).unwrap_or(body);
        if configuration(&mut entry, &kind, kept).is_none() {
            display(&mut entry, &kind, kept);
        }
    }
    shared(&mut entry, boxes);
    describe(&mut entry);
    entry
}

/// Width and height.
fn fixed(fields: &mut Fields) -> Option<(u16, u16)> {
    fields.skip(16)?;
    let size = (fields.u16()?, fields.u16()?);
    fields.skip(4 + 4 + 4 + 2 + 32 + 2 + 2)?;
    Some(size)
}

/// Takes a codec configuration; `None` when the box is not one.
fn configuration(entry: &mut Entry, kind: &Kind, body: &[u8]) -> Option<()> {
    match kind {
        b"avcC" | b"hvcC" | b"av1C" | b"glbl" => entry.config = Bytes::copy_from_slice(body),
        // Full boxes: version and flags are no part of the configuration.
        b"vpcC" | b"vvcC" => entry.config = Bytes::copy_from_slice(body.get(4..)?),
        b"esds" => {
            let found = descriptor::parse(body)?;
            if let Some(codec) = codecs::of_object_type(found.object_type).filter(|_| &entry.kind == b"mp4v") {
                entry.codec = codec;
            }
            entry.bit_rate = [found.average, found.most].into_iter().find(|rate| *rate > 0).map(u64::from);
            entry.config = Bytes::copy_from_slice(found.config);
        }
        b"lhvC" => entry.tags.set("spatial_video", "mv-hevc"),
        _ => return None,
    }
    Some(())
}

/// Takes what a display needs to know.
fn display(entry: &mut Entry, kind: &Kind, body: &[u8]) -> Option<()> {
    let mut fields = Fields::new(body);
    match kind {
        b"vexu" => entry.tags.set("spatial_video", "vexu"),
        b"hfov" => entry.tags.set("horizontal_field_of_view", alloc::format!("{}", f64::from(fields.u32()?) / 1000.0)),
        b"sv3d" => entry.tags.set("spherical_video", "sv3d"),
        b"st3d" => {
            fields.version()?;
            let mode = match fields.u8()? {
                0 => "mono",
                1 => "top_bottom",
                2 => "left_right",
                _ => "custom",
            };
            entry.tags.set("stereo_mode", mode);
        }
        _ => {
            let video = video_mut(entry)?;
            match kind {
                b"pasp" => {
                    let (wide, high) = (fields.u32()?, fields.u32()?);
                    video.pixel_aspect = Some((wide, high)).filter(|_| wide > 0 && high > 0);
                }
                b"colr" => video.color = color(&mut fields).or(video.color),
                b"mdcv" | b"SmDm" => hdr(video).mastering = Some(mastering(&mut fields, kind == b"SmDm")?),
                b"clli" | b"CoLL" => {
                    if kind == b"CoLL" {
                        fields.version()?;
                    }
                    hdr(video).light = Some((fields.u16()?, fields.u16()?));
                }
                b"dvcC" | b"dvvC" | b"dvwC" => hdr(video).dolby_vision = Some(dolby_vision(body)?),
                _ => {}
            }
        }
    }
    Some(())
}

fn hdr(video: &mut Video) -> &mut Hdr {
    video.hdr.get_or_insert_with(Box::default)
}

/// `colr`: numbers, with or without the range, or a profile, which is passed over.
fn color(fields: &mut Fields) -> Option<Color> {
    let kind = fields.kind()?;
    if !matches!(&kind, b"nclx" | b"nclc") {
        return None;
    }
    let mut number = || fields.u16().map(|number| u8::try_from(number).unwrap_or(2));
    let (primaries, transfer, matrix) = (number()?, number()?, number()?);
    // Some writers leave the range out of `nclx` (18 bytes in all).
    let full_range = if &kind == b"nclx" { fields.u8().map(|flags| flags & 0x80 != 0) } else { None };
    Some(Color { primaries, transfer, matrix, full_range })
}

/// ST 2086 in the units of H.265, or in the fixed point of VP9 (red first).
fn mastering(fields: &mut Fields, vp9: bool) -> Option<Mastering> {
    if vp9 {
        fields.version()?;
    }
    let scaled = |value: u16| if vp9 { (u32::from(value) * 50_000 / 65_536) as u16 } else { value };
    let mut point = || Some((scaled(fields.u16()?), scaled(fields.u16()?)));
    let [first, second, third, white] = [point()?, point()?, point()?, point()?];
    let (max, min) = (fields.u32()?, fields.u32()?);
    Some(match vp9 {
        false => Mastering { primaries: [first, second, third], white, max, min },
        true => Mastering {
            primaries: [second, third, first],
            white,
            max: (u64::from(max) * 10_000 / 256).min(u32::MAX.into()) as u32,
            min: (u64::from(min) * 10_000 / 16_384).min(u32::MAX.into()) as u32,
        },
    })
}

/// DOVIDecoderConfigurationRecord.
fn dolby_vision(body: &[u8]) -> Option<DolbyVision> {
    let mut bits = Bits::new(body);
    Some(DolbyVision {
        version: (bits.read(8)? as u8, bits.read(8)? as u8),
        profile: bits.read(7)? as u8,
        level: bits.read(6)? as u8,
        rpu: bits.flag()?,
        enhancement: bits.flag()?,
        base: bits.flag()?,
        compatibility: bits.read(4)? as u8,
    })
}

/// Facts of the pictures in the configuration.
fn describe(entry: &mut Entry) {
    let config = entry.config.clone();
    let (codec, profile) = (entry.codec, &mut entry.profile);
    let Media::Video(video) = &mut entry.media else { return };
    match codec {
        Codec::H264 => {
            let sps = h264::Config::parse(&config).and_then(|config| h264::Sps::parse(config.sps.first()?));
            let Some(sps) = sps else { return };
            video.reorder = sps.reorder_depth();
            video.level = Some(sps.level_idc);
            let aspect = sps.vui.as_ref().and_then(|vui| vui.sample_aspect);
            video.pixel_aspect = video.pixel_aspect.or(aspect);
            *profile = Some(sps.profile_idc);
        }
        Codec::H265 => {
            let Some((config, sps)) = h265::Config::parse(&config).and_then(|config| {
                let sps = config.sps()?;
                Some((config, sps))
            }) else {
                return;
            };
            video.reorder = sps.reorder_depth();
            video.level = Some(config.profile.general_level_idc);
            let aspect = sps.vui.as_ref().and_then(|vui| vui.sample_aspect);
            video.pixel_aspect = video.pixel_aspect.or(aspect);
            *profile = Some(config.profile.general_profile_idc);
        }
        Codec::Av1 if video.width.is_none() => {
            if let Some((width, height)) = av1::config_picture_size(&config) {
                video.set_size(width, height);
            }
        }
        _ => {}
    }
}
