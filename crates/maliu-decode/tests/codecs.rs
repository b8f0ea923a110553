//! FLAC, ALAC, Vorbis and Opus of the samples: exact where the codec is, else the right level in the right channel; and damage.

use std::{path::PathBuf, task::Poll};

use maliu_core::{
    digest::{Digest, Kind},
    format::Event,
    formats,
    input::Input,
    output::{Edit, Output, Reach},
    packet::Packet,
    reader::PacketReader,
    stream::{Codec, StreamInfo},
    writer::PacketWriter,
};
use maliu_decode::{AudioFrame, Options, Parallel, Report, Samples};

/// The first stream of a sample, and its packets.
fn read(sample: &str) -> (StreamInfo, Vec<Packet>) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../samples").join(sample);
    demux(&std::fs::read(path).unwrap())
}

fn demux(file: &[u8]) -> (StreamInfo, Vec<Packet>) {
    let (mut input, mut reader, mut packets) = (Input::new(), PacketReader::detect(formats::ALL), Vec::new());
    input.push(file);
    input.end();
    while let Poll::Ready(event) = reader.poll(&mut input).unwrap() {
        match event {
            Event::Packet(packet) if packet.stream == 0 => packets.push(packet),
            Event::End => break,
            _ => {}
        }
    }
    (reader.streams()[0].clone(), packets)
}

fn decode(info: &StreamInfo, packets: Vec<Packet>, threads: usize) -> (Vec<AudioFrame>, Report) {
    let (mut decoder, mut frames) = (Parallel::new(info, Options::default(), threads).unwrap(), Vec::new());
    for packet in packets {
        decoder.push(packet);
        while let Some(frame) = decoder.poll() {
            frames.extend(frame.unwrap());
        }
    }
    while let Some(frame) = decoder.finish() {
        frames.extend(frame.unwrap());
    }
    let report = decoder.report();
    (frames, report)
}

/// The file of this format that the packets make.
fn mux(to: &str, info: &StreamInfo, packets: &[Packet]) -> Vec<u8> {
    let (mut out, mut file) = (Output::new(Reach::Insert), Vec::new());
    let format = formats::named(to).unwrap();
    let mut writer = PacketWriter::start(format, &[], std::slice::from_ref(info), &mut out).unwrap();
    packets.iter().for_each(|packet| writer.write(packet.clone(), &mut out).unwrap());
    writer.finish(&mut out).unwrap();
    while let Some(edit) = out.next_edit() {
        match edit {
            Edit::Append(piece) => piece.parts.iter().for_each(|part| file.extend_from_slice(part)),
            Edit::Overwrite { at, bytes } => file[at as usize..][..bytes.len()].copy_from_slice(&bytes),
            Edit::Insert { at, bytes } => drop(file.splice(at as usize..at as usize, bytes)),
        }
    }
    file
}

/// The samples of a frame as they are stored with 16 bits.
fn stored(frame: &AudioFrame) -> Vec<u8> {
    let Samples::I32(samples) = &frame.samples else { panic!("whole numbers") };
    samples.iter().flat_map(|sample| ((sample >> 16) as i16).to_le_bytes()).collect()
}

#[test]
fn flac_is_exact_by_the_checksum_of_its_samples() {
    for sample in ["flac/blocks.flac", "flac/mono_8000.flac"] {
        let (info, packets) = read(sample);
        let (frames, report) = decode(&info, packets, 2);
        let mut md5 = Digest::new(Kind::Md5);
        frames.iter().for_each(|frame| md5.update(&stored(frame)));
        let declared = &info.config[18..34];
        let declared: String = declared.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(md5.finish(), declared, "{sample}");
        assert_eq!(report.damaged, 0, "{sample}");
        assert!(frames.iter().map(AudioFrame::len).sum::<usize>() > 2000, "{sample}");
    }
}

#[test]
fn alac_gives_all_of_its_samples() {
    let (info, packets) = read("mp4/alac.m4a");
    assert_eq!(info.codec, Codec::Alac);
    let (frames, report) = decode(&info, packets, 2);
    let loudest = frames.iter().flat_map(|frame| frame.to_f32()).fold(0f32, |most, sample| most.max(sample.abs()));
    assert_eq!(report.damaged, 0);
    assert!((0.05..1.0).contains(&loudest), "{loudest}");
}

/// The samples hold a tone of 0.05, 0.1, 0.15, … in the channels of WAVE.
#[test]
fn every_channel_of_opus_and_vorbis_comes_in_the_order_of_wave() {
    for (sample, channels, mask) in [
        ("ogg/opus_5.1.opus", 6, 0x3f),
        ("ogg/opus_7.1.opus", 8, 0x63f),
        ("ogg/vorbis_5.1.ogg", 6, 0x3f),
        ("ogg/vorbis_7.1.ogg", 8, 0x63f),
    ] {
        let (info, packets) = read(sample);
        let (frames, report) = decode(&info, packets, 2);
        assert_eq!((frames[0].channels, frames[0].channel_mask, report.damaged), (channels, mask, 0), "{sample}");
        assert_eq!(frames.iter().map(AudioFrame::len).sum::<usize>(), 14_400, "{sample}: 0.3 s at 48 kHz");
        for channel in 0..usize::from(channels) {
            let sound: Vec<f32> = frames.iter().flat_map(|frame| frame.channel(channel).collect::<Vec<_>>()).collect();
            let power = sound.iter().map(|sample| f64::from(*sample).powi(2)).sum::<f64>() / sound.len() as f64;
            let expected = 0.05 * (channel + 1) as f64 / 2f64.sqrt();
            // The encoder of Vorbis makes the low frequencies of 5.1 as loud as the channel behind them.
            let loose = if sample == "ogg/vorbis_5.1.ogg" && channel == 3 { 1.4 } else { 1.06 };
            let ratio = power.sqrt() / expected;
            assert!((1.0 / loose..loose).contains(&ratio), "{sample} channel {channel}: {ratio}");
        }
    }
}

#[test]
fn opus_is_as_long_in_every_container_but_where_the_end_cannot_be_said() {
    let (info, packets) = read("ogg/opus.opus");
    let length = |info: &StreamInfo, packets: Vec<Packet>| -> usize {
        decode(info, packets, 2).0.iter().map(AudioFrame::len).sum()
    };
    let (whole, cut) = (length(&info, packets.clone()), packets.last().unwrap().side.trim().end as usize);
    assert!(cut > 0 && packets[0].side.trim().start == 312);
    for (to, more) in [("mp4", 0), ("matroska", 0), ("ogg", 0), ("mpegts", 0), ("flv", cut)] {
        let (again, copied) = demux(&mux(to, &info, &packets));
        assert_eq!(length(&again, copied), whole + more, "{to}");
    }
}

#[test]
fn damaged_packets_become_silence_of_their_length() {
    for sample in ["flac/mono_8000.flac", "mp4/alac.m4a", "ogg/vorbis.ogg", "ogg/opus.opus", "ogg/opus_5.1.opus"] {
        let (info, packets) = read(sample);
        let whole: usize = decode(&info, packets.clone(), 1).0.iter().map(AudioFrame::len).sum();
        let mut cut = packets.clone();
        cut[3].data = cut[3].data.slice(..cut[3].data.len() / 3);
        let (frames, report) = decode(&info, cut, 1);
        let length: usize = frames.iter().map(AudioFrame::len).sum();
        assert_eq!(length, whole, "{sample}");
        // Of Vorbis, Opus and ALAC a part may be a packet.
        assert!(report.damaged <= 1 && (report.damaged == 1 || info.codec != Codec::Flac), "{sample}: {report:?}");
    }
}

#[test]
fn no_bytes_make_a_decoder_fail_for_good() {
    for sample in ["flac/blocks.flac", "mp4/alac.m4a", "ogg/vorbis_5.1.ogg", "ogg/opus.opus", "ogg/opus_5.1.opus"] {
        let (info, packets) = read(sample);
        let mut seed = 7u64;
        let damaged = packets.iter().cycle().take(300).map(|packet| {
            let mut data = packet.data.to_vec();
            for _ in 0..4 {
                seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                let at = (seed >> 33) as usize % data.len().max(1);
                if let Some(byte) = data.get_mut(at) {
                    *byte ^= (seed >> 24) as u8;
                }
            }
            packet.clone().with_data(data)
        });
        let (frames, _) = decode(&info, damaged.collect(), 2);
        assert!(!frames.is_empty(), "{sample}");
        assert!(frames.iter().all(|frame| frame.to_f32().iter().all(|sample| sample.is_finite())), "{sample}");
    }
}
