//! Rules of writing FLV that no other test names, one by one (FLV-1…FLV-60): what stands where in the bytes.

use std::{num::NonZeroU32, task::Poll};

use bytes::Bytes;
use maliu_core::{
    format::Event,
    formats::flv,
    input::Input,
    output::{Edit, Mark, Output, Reach},
    packet::Packet,
    reader::PacketReader,
    stream::{Codec, Media, Metadata, StreamInfo},
    syntax::amf,
    time::Ticks,
    writer::PacketWriter,
};

use super::{AVCC, File, metadata_of, packets, stream, write};

const ASC: &[u8] = b"\x12\x10";

/// A tag as it stands in a file.
#[derive(Clone, Debug, PartialEq)]
struct Tag {
    kind: u8,
    time: u32,
    id: u32,
    body: Vec<u8>,
}

/// The tags of a file, each with a true size behind it.
fn tags(bytes: &[u8]) -> Vec<Tag> {
    let (mut rest, mut found) = (&bytes[13..], Vec::new());
    while let [kind, s2, s1, s0, t2, t1, t0, t3, i2, i1, i0, behind @ ..] = rest {
        let size = u32::from_be_bytes([0, *s2, *s1, *s0]) as usize;
        let (body, tail) = behind.split_at(size);
        assert_eq!(tail[..4], (size as u32 + 11).to_be_bytes(), "PreviousTagSize");
        let time = u32::from_be_bytes([*t3, *t2, *t1, *t0]);
        found.push(Tag { kind: *kind, time, id: u32::from_be_bytes([0, *i2, *i1, *i0]), body: body.to_vec() });
        rest = &tail[4..];
    }
    assert!(rest.is_empty());
    found
}

fn packet(stream: usize, dts: i64, pts: i64, data: &'static [u8]) -> Packet {
    Packet::of(stream, Bytes::from_static(data)).with_pts(Ticks(pts)).with_dts(Ticks(dts)).with_key(true)
}

/// Answer of the muxer to these streams: the error, or the warnings.
fn start(streams: &[StreamInfo], settings: &[(&str, &str)]) -> Result<Vec<String>, String> {
    let mut out = Output::new(Reach::Append);
    let mut muxer = flv::FORMAT.muxer.unwrap()(settings).unwrap();
    let result = muxer.start(&mut streams.to_vec(), &Metadata::default(), &mut out);
    result.map_err(|error| error.to_string())?;
    Ok(out.take_warnings().into_iter().map(|warning| warning.what.into_owned()).collect())
}

fn sound(codec: Codec, sample_rate: u32, channels: u16) -> StreamInfo {
    let mut info = stream(codec, b"");
    if let Media::Audio(audio) = &mut info.media {
        audio.set_sample_rate(sample_rate);
        audio.set_channels(channels);
    }
    info
}

/// FLV-1: names, default codecs; negative times become 0, equal ones are allowed, flushing gives nothing.
#[test]
fn flv_1_identity() {
    let format = flv::FORMAT;
    assert_eq!((format.name, format.extensions, format.mime), ("flv", &["flv"][..], &["video/x-flv"][..]));
    assert_eq!(format.default_codecs, (Some(Codec::Mp3), Some(Codec::Flv1)));
    assert!(format.rules.equal_dts && !format.rules.flush);
    let mut out = Output::new(Reach::Append);
    let mut writer = PacketWriter::start(&flv::FORMAT, &[], &[stream(Codec::Flv1, b"")], &mut out).unwrap();
    for dts in [-80, -40, -40] {
        writer.write(packet(0, dts, dts, b"picture"), &mut out).unwrap();
    }
    let before = out.position();
    writer.flush(&mut out).unwrap();
    assert_eq!(out.position(), before);
    let mut file = File::default();
    file.apply(&mut out);
    assert_eq!(tags(&file.0)[1..].iter().map(|tag| tag.time).collect::<Vec<_>>(), [0, 40, 40]);
}

/// FLV-4: H.263 and MPEG-4 want `strict` below 0; VP6 is only warned of.
#[test]
fn flv_4_what_the_specification_does_not_foresee_wants_strict() {
    for codec in [Codec::H263, Codec::Mpeg4] {
        let streams = [stream(codec, b"")];
        assert!(start(&streams, &[]).unwrap_err().contains("strict=-1"), "{codec}");
        assert_eq!(start(&streams, &[("strict", "-1")]), Ok(vec![]), "{codec}");
    }
    assert_eq!(start(&[stream(Codec::Vp6, b"")], &[]).unwrap(), ["VP6 in FLV is shown upside down"]);
}

/// FLV-7: the stereo bit is "more than one channel"; Speex is 16 000 Hz and mono.
#[test]
fn flv_7_stereo_is_any_number_of_channels_and_speex_is_mono() {
    for (channels, flags) in [(1, 0x3e), (2, 0x3f), (6, 0x3f)] {
        let bytes = write(&[sound(Codec::PcmS16Le, 44_100, channels)], &[packet(0, 0, 0, b"ab")], &[], Reach::Append);
        assert_eq!(tags(&bytes)[1].body, [flags, b'a', b'b'], "{channels}");
    }
    assert!(start(&[sound(Codec::Speex, 16_000, 1)], &[]).is_ok());
    for (rate, channels) in [(16_000, 2), (8_000, 1)] {
        assert!(start(&[sound(Codec::Speex, rate, channels)], &[]).is_err(), "{rate} {channels}");
    }
}

/// FLV-11: header, onMetaData at time 0, then the sequence headers in the order of the streams.
#[test]
fn flv_11_metadata_then_sequence_headers_in_the_order_of_streams() {
    let streams = [stream(Codec::Aac, ASC), stream(Codec::H264, AVCC)];
    let started = |settings| tags(&write(&streams, &[packet(1, 40, 40, b"\0\0\0\0")], settings, Reach::Append));
    let heads = |tags: &[Tag]| tags.iter().take(3).map(|tag| (tag.kind, tag.time, tag.body[1])).collect::<Vec<_>>();
    assert_eq!(heads(&started(&[])), [(18, 0, 0), (8, 0, 0), (9, 0, 0)]);
    assert_eq!(heads(&started(&[("no_metadata", "1")])), [(8, 0, 0), (9, 0, 0), (9, 40, 1)]);
}

/// FLV-14: the duration that is known at the start stands there in whole seconds until the end is written.
#[test]
fn flv_14_the_first_duration_is_in_whole_seconds() {
    let duration = |bytes: &[u8]| metadata_of(bytes)[0].member("duration").and_then(amf::Value::number);
    let started = |settings: &[_]| {
        let (mut out, mut file) = (Output::new(Reach::Append), File::default());
        let mut muxer = flv::FORMAT.muxer.unwrap()(settings).unwrap();
        muxer.start(&mut [stream(Codec::Flv1, b"")], &Metadata::default(), &mut out).unwrap();
        file.apply(&mut out);
        duration(&file.0)
    };
    assert_eq!(started(&[("duration", "2999999")]), Some(2.0));
    assert_eq!(started(&[]), None, "what is unknown is not promised");
    let unknown = ("duration", "-9223372036854775808");
    assert_eq!(started(&[("compat", "5.1"), unknown]), Some(-9_223_372_036_854.0));
    let packets = [packet(0, 0, 0, b"a"), packet(0, 1500, 1500, b"b")];
    let patched = write(&[stream(Codec::Flv1, b"")], &packets, &[("duration", "2999999")], Reach::Overwrite);
    assert_eq!(duration(&patched), Some(1.5));
}

/// FLV-15: the count of onMetaData is the number of its members.
#[test]
fn flv_15_the_count_is_the_number_of_members() {
    let streams = [stream(Codec::H264, AVCC), stream(Codec::Aac, ASC), stream(Codec::Text, b"")];
    for settings in [&[][..], &[("add_keyframe_index", "1")], &[("no_duration_filesize", "1")], &[("compat", "5.1")]] {
        let mut packets = packets(&streams);
        packets.retain(|packet| packet.stream < 2);
        let bytes = write(&streams, &packets, settings, Reach::Insert);
        let body = &tags(&bytes)[0].body;
        let count = u32::from_be_bytes(body[14..18].try_into().unwrap()) as usize;
        assert_eq!(count, metadata_of(&bytes)[0].members().len(), "{settings:?}");
    }
}

/// FLV-21: what stands in the sequence header of H.264 for each kind of configuration.
#[test]
fn flv_21_h264_configurations() {
    let set = b"\0\0\0\x01\x67\x64\x00\x0a\xac\xd9\x42\xdf\x88\x84\0\0\x03\0\x04\0\0\x03\0\xa0\x3c\x48\x96\x58";
    let picture_set = b"\0\0\0\x01\x68\xeb\xe3\xcb\x22\xc0";
    let both: &'static [u8] = [&set[..], picture_set].concat().leak();
    let header = |config: &'static [u8], settings: &[_]| {
        let tags = tags(&write(&[stream(Codec::H264, config)], &[], settings, Reach::Append));
        tags.into_iter().find(|tag| tag.kind == 9 && tag.body[..2] == [0x17, 0]).map(|tag| tag.body[5..].to_vec())
    };
    let old = &[("compat", "5.1")];
    assert_eq!(header(AVCC, old).as_deref(), Some(AVCC), "a record is copied as it is");
    assert_eq!(header(b"no start code", old).as_deref(), Some(&b"no start code"[..]), "and so is anything else");
    assert!(
        header(both, old).unwrap().starts_with(b"\x01\x64\x00\x0a\xff\xe1\x00\x18\x67"),
        "start codes become a record"
    );
    // Nothing of use: an empty header there, none here.
    for config in [&b"\0\0\0\x01\x67\x64"[..], set, picture_set] {
        assert_eq!(header(config, old).as_deref(), Some(&b""[..]), "{config:x?}");
        assert_eq!(header(config, &[]), None, "{config:x?}");
    }
}

/// FLV-30: a mark's time is the tag's time field as µs: 32 bits of the dts, unsigned.
#[test]
fn flv_30_marks_carry_the_time_of_the_tag_in_microseconds() {
    let mut muxer = flv::FORMAT.muxer.unwrap()(&[]).unwrap();
    let mut out = Output::new(Reach::Append);
    muxer.start(&mut [stream(Codec::Flv1, b"")], &Metadata::default(), &mut out).unwrap();
    for dts in [40, 0x9000_0000, 0x1_0000_0002] {
        muxer.packet(&packet(0, dts, dts, b"picture"), &mut out).unwrap();
    }
    let mut times = Vec::new();
    while let Some(edit) = out.next_edit() {
        if let Edit::Append(piece) = edit
            && let Mark::Key { time } = piece.mark
        {
            times.push(time.unwrap().0);
        }
    }
    assert_eq!(times, [40_000, 0x9000_0000 * 1000, 2000]);
}

/// FLV-34: a step of more than 160 ms between Speex tags is warned of.
#[test]
fn flv_34_long_speex_packets_are_warned_of() {
    let warnings = |times: &[i64]| {
        let mut muxer = flv::FORMAT.muxer.unwrap()(&[]).unwrap();
        let mut out = Output::new(Reach::Append);
        muxer.start(&mut [sound(Codec::Speex, 16_000, 1)], &Metadata::default(), &mut out).unwrap();
        times.iter().for_each(|dts| muxer.packet(&packet(0, *dts, *dts, b"x"), &mut out).unwrap());
        out.take_warnings().len()
    };
    assert_eq!((warnings(&[0, 160, 320]), warnings(&[0, 161, 320])), (0, 1));
}

/// FLV-35: the end of sequence has the highest time of the stream's tags.
#[test]
fn flv_35_the_end_of_sequence_has_the_highest_time() {
    let packets = [0, 1000, 500].map(|dts| packet(0, dts, dts, b"\0\0\0\x01\x65"));
    let bytes = write(&[stream(Codec::H264, AVCC)], &packets, &[], Reach::Append);
    let last = tags(&bytes).pop().unwrap();
    assert_eq!((last.time, last.body), (1000, vec![0x17, 2, 0, 0, 0]));
}

/// FLV-38: composition time is the low 24 bits of pts - dts, whatever they are; FLV-40: stream id 0 everywhere.
#[test]
fn flv_38_composition_times_keep_24_bits_and_flv_40_stream_ids_are_0() {
    let shown = [(100, 100), (140, 60), (180, 180 + 0x7f_ffff), (220, 220 + 0x100_0001)];
    let packets = shown.map(|(dts, pts)| packet(0, dts, pts, b"\0\0\0\x01\x65"));
    let mut streams = [stream(Codec::H264, AVCC)];
    streams[0].codec_tag = NonZeroU32::new(5);
    let written = tags(&write(&streams, &packets, &[], Reach::Append));
    let pictures = written.iter().filter(|tag| tag.kind == 9 && tag.body[1] == 1);
    assert_eq!(
        pictures.map(|tag| tag.body[2..5].to_vec()).collect::<Vec<_>>(),
        [[0, 0, 0], [0xff, 0xff, 0xb0], [0x7f, 0xff, 0xff], [0, 0, 1]]
    );
    assert!(written.iter().all(|tag| tag.id == 0));
}

/// FLV-47: AAC with ADTS headers loses them; the configuration in them becomes a sequence header.
#[test]
fn flv_47_adts_becomes_a_sequence_header_and_bare_blocks() {
    let adts = b"\xff\xf1\x50\x80\x01\x3f\xfc\x21\x00";
    for (settings, expected) in [
        (&[][..], &[&[0xaf, 0, 0x12, 0x10][..], &[0xaf, 1, 0x21, 0]][..]),
        // FFmpeg 5.1 has written an empty header before it knew (FLV-19).
        (&[("compat", "5.1")], &[&[0xaf, 0], &[0xaf, 0, 0x12, 0x10], &[0xaf, 1, 0x21, 0]]),
    ] {
        let mut out = Output::new(Reach::Append);
        let mut writer = PacketWriter::start(&flv::FORMAT, settings, &[stream(Codec::Aac, b"")], &mut out).unwrap();
        writer.write(packet(0, 0, 0, adts), &mut out).unwrap();
        writer.finish(&mut out).unwrap();
        let mut file = File::default();
        file.apply(&mut out);
        assert_eq!(tags(&file.0)[1..].iter().map(|tag| &tag.body[..]).collect::<Vec<_>>(), expected, "{settings:?}");
    }
}

/// FLV-60: what later versions corrected is written by default, and not with `compat=5.1`.
#[test]
fn flv_60_later_corrections_are_the_default() {
    let old = ("compat", "5.1");
    let film = [stream(Codec::Mpeg4, b"\0\0\x01\xb0\x01"), sound(Codec::PcmALaw, 8_000, 2)];
    let given = [packet(0, 0, 0, b"\0\0\x01\xb6"), packet(1, 0, 0, b"x"), packet(0, 500, 500, b"\0\0\x01\xb6")];
    let written = |settings: &[_]| tags(&write(&film, &given, settings, Reach::Append));
    let (new, compat) = (written(&[("strict", "-1")]), written(&[("strict", "-1"), old]));
    let ends = |tags: &[Tag]| tags.last().unwrap().body[0];
    let stereo = |tags: &[Tag]| tags.iter().find(|tag| tag.kind == 8).unwrap().body[0] & 1;
    assert_eq!((ends(&new), ends(&compat)), (0x19, 0x17), "end of sequence names MPEG-4 (6.0)");
    assert_eq!((stereo(&new), stereo(&compat)), (1, 0), "stereo bit of A-law (7.0)");
    let empty = |settings: &[_]| {
        let mut muxer = flv::FORMAT.muxer.unwrap()(settings).unwrap();
        let mut out = Output::new(Reach::Append);
        muxer.start(&mut [stream(Codec::Mp3, b"")], &Metadata::default(), &mut out).unwrap();
        muxer.packet(&packet(0, 0, 0, b""), &mut out).is_ok()
    };
    assert_eq!((empty(&[]), empty(&[old])), (true, false), "empty audio (8.0)");
    let last_key = |settings: &[_]| {
        let settings = [settings, &[("add_keyframe_index", "1"), ("strict", "-1")]].concat();
        let mut film = film.clone();
        if let Media::Video(video) = &mut film[0].media {
            video.frame_rate = Some((25, 1));
        }
        let bytes = write(&film, &given, &settings, Reach::Insert);
        metadata_of(&bytes)[0].member("lastkeyframetimestamp").and_then(amf::Value::number)
    };
    assert_eq!((last_key(&[]), last_key(&[old])), (Some(0.5), Some(0.04)), "key frame times from dts (6.0)");
    let mut reader = PacketReader::of(&flv::FORMAT, &[]).unwrap();
    let mut input = Input::new();
    input.push(&write(&[stream(Codec::H264, b"")], &[packet(0, 0, 0, b"\0\0\0\x01\x65")], &[], Reach::Append));
    input.end();
    let events = std::iter::from_fn(|| match reader.poll(&mut input).unwrap() {
        Poll::Ready(event) => Some(event).filter(|event| *event != Event::End),
        Poll::Pending => None,
    });
    assert_eq!(events.filter(|event| matches!(event, Event::Packet(_))).count(), 1, "no empty sequence header");
}
