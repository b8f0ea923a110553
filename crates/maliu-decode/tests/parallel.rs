//! Several threads give what one gives: every frame, error and report, for any stream, whole or damaged.

use std::{fs, path::Path};

use maliu_core::{
    packet::Packet,
    stream::{Audio, Codec, Media, StreamInfo},
    time::{Ticks, TimeBase},
};
use maliu_decode::{Options, Parallel, decoder_for, parallel::LOOK_AHEAD_BYTES};

mod threads;
#[path = "threads/wide.rs"]
mod wide;
use threads::{damaged, packets, parallel, serial};

/// Streams of the samples, repeated so that there are many batches.
fn streams() -> Vec<(String, StreamInfo, Vec<Packet>)> {
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../samples");
    let mut found = Vec::new();
    for folder in ["adts", "flv", "mp3", "wav"] {
        let mut paths: Vec<_> =
            fs::read_dir(samples.join(folder)).unwrap().map(|entry| entry.unwrap().path()).collect();
        paths.retain(|path| path.extension().is_some_and(|extension| extension != "dump"));
        paths.sort();
        for path in paths {
            let stream = packets(&fs::read(&path).unwrap());
            let decodes =
                |(info, packets): &(StreamInfo, Vec<Packet>)| !packets.is_empty() && decoder_for(info).is_ok();
            if let Some((info, packets)) = stream.filter(decodes) {
                let many = packets.iter().cycle().take(packets.len().max(300)).cloned().collect();
                found.push((path.display().to_string(), info, many));
            }
        }
    }
    assert!(found.len() > 20, "{} streams", found.len());
    found
}

fn check(name: &str, info: &StreamInfo, packets: &[Packet]) {
    let expected = serial(info, packets);
    for threads in [1, 2, 3, 8] {
        let said = parallel(info, packets, threads);
        let differs = said.iter().zip(&expected).position(|(a, b)| a != b);
        assert_eq!((differs, said.len()), (None, expected.len()), "{name} by {threads} threads");
    }
}

#[test]
fn any_number_of_threads_gives_the_same() {
    for (name, info, packets) in streams() {
        check(&name, &info, &packets);
    }
}

#[test]
fn damage_is_the_same_by_any_number_of_threads() {
    for (name, info, packets) in streams() {
        check(&name, &info, &damaged(&packets));
    }
}

/// Configurations with all that a stream can carry on: prediction, long term prediction, SBR, stereo from one channel.
const CONFIGS: [&[u8]; 9] = [
    &[0x12, 0x10],                                           // LC stereo
    &[0x0a, 0x10],                                           // Main stereo
    &[0x22, 0x10],                                           // LTP stereo
    &[0x13, 0x30],                                           // LC 24 kHz 5.1
    &[0x2b, 0x11, 0x88, 0x00],                               // HE-AAC
    &[0xeb, 0x09, 0x88, 0x00],                               // HE-AAC v2
    &[0xba, 0x10, 0x00],                                     // LD
    &[0xf8, 0xe6, 0x40, 0x00],                               // ELD
    &[0xf8, 0xec, 0x21, 0xae, 0x04, 0x00, 0x00, 0x00, 0x00], // ELD with SBR
];

fn aac(config: &[u8]) -> StreamInfo {
    let audio = Audio::new(44_100, 2);
    let mut info = StreamInfo::new(Codec::Aac, TimeBase::hz(44_100), Media::Audio(audio));
    info.config = config.to_vec().into();
    info
}

/// Units of which many can be decoded somehow.
fn made_up(count: usize) -> Vec<Packet> {
    let mut state = 0x2545_f491u32;
    let mut below = |limit: usize| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as usize % limit
    };
    let unit = |n: usize| {
        let mut data: Vec<u8> = (0..below(300) + 1).map(|_| below(256) as u8).collect();
        if n.is_multiple_of(2) {
            data[0] = [0x00, 0x20, 0x01, 0x21][below(4)]; // a single channel or a pair
        }
        Packet::of(0, data).with_pts(Ticks(1024 * n as i64))
    };
    (0..count).map(unit).collect()
}

#[test]
fn made_up_units_are_the_same_by_any_number_of_threads() {
    for config in CONFIGS {
        check(&format!("{config:02x?}"), &aac(config), &made_up(300));
    }
}

#[test]
fn channels_that_come_on_the_way_are_the_same_by_any_number_of_threads() {
    let mut units = made_up(120);
    for (n, packet) in units.iter_mut().enumerate().filter(|(n, _)| n % 24 >= 5) {
        let more: &[u8] = if n % 3 == 0 { &packet.data } else { &[] };
        let unit = wide::unit(more);
        (packet.data, packet.duration) = match n % 5 {
            0 => (unit.repeat(3).into(), Some(Ticks(3 * 1024))),
            _ => (unit.into(), Some(Ticks(1024))),
        };
    }
    for config in [CONFIGS[0], CONFIGS[1], CONFIGS[4], CONFIGS[5]] {
        check(&format!("{config:02x?}"), &aac(config), &units);
    }
}

#[test]
fn a_stream_that_changes_is_followed_at_the_same_packet() {
    let mut packets = made_up(200);
    for (n, config) in CONFIGS.iter().enumerate() {
        packets[20 * n].side.set_new_config(config.to_vec().into());
    }
    packets[190].side.set_new_config(vec![0xff; 3].into());
    check("changes", &aac(CONFIGS[0]), &packets);
}

#[test]
fn a_seek_forgets_what_was_ahead_and_starts_anew() {
    for (name, info, packets) in streams() {
        let (before, after) = packets.split_at(150);
        let mut one = decoder_for(&info).unwrap();
        let expected: Vec<_> = {
            before.iter().for_each(|packet| drop(one.decode(packet)));
            one.reset();
            after.iter().map(|packet| one.decode(packet)).collect()
        };
        for threads in [1, 2, 5] {
            let mut many = Parallel::new(&info, Options::default(), threads).unwrap();
            before.iter().for_each(|packet| many.push(packet.clone()));
            many.reset();
            after.iter().for_each(|packet| many.push(packet.clone()));
            let said: Vec<_> = std::iter::from_fn(|| many.finish()).collect();
            assert!(said == expected, "{name} by {threads} threads");
        }
    }
}

#[test]
fn whoever_stops_in_the_middle_waits_for_nobody() {
    for (_, info, packets) in streams() {
        for pushed in [0, 1, 17, 200, 300] {
            let mut decoder = Parallel::new(&info, Options::default(), 4).unwrap();
            packets.iter().take(pushed).for_each(|packet| decoder.push(packet.clone()));
            let _ = decoder.poll();
        }
    }
}

#[test]
fn only_so_much_waits() {
    for (name, info, packets) in streams() {
        let mut decoder = Parallel::new(&info, Options::default(), 2).unwrap();
        let (mut ahead, mut most) = (0usize, 0);
        for packet in packets.iter().cycle().take(3000) {
            decoder.push(packet.clone());
            ahead += 1;
            while decoder.poll().is_some() {
                ahead -= 1;
            }
            most = most.max(ahead);
        }
        assert!(most <= 5 * 64, "{name}: {most} packets wait");
    }
    let large = Packet::of(0, vec![0; LOOK_AHEAD_BYTES / 3 - 1024]);
    let mut decoder = Parallel::new(&aac(CONFIGS[0]), Options::default(), 8).unwrap();
    let answers = (0..3).map(|_| {
        decoder.push(large.clone());
        decoder.poll().is_some()
    });
    assert!(answers.last() == Some(false));
    decoder.push(large.clone());
    assert!(decoder.poll().is_some(), "more bytes than may wait");
}
