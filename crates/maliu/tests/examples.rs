//! The examples do what they say.
#![allow(dead_code, missing_docs)]

#[path = "../examples/custom_io.rs"]
mod custom_io;

fn sample(name: &str) -> String {
    format!("{}/../../samples/{name}", env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn closures_copy_a_file_byte_for_byte() {
    let (input, output) = (sample("adts/stereo_44100.aac"), format!("{}/copied.aac", env!("CARGO_TARGET_TMPDIR")));
    let packets = custom_io::copy(&input, &output).unwrap();
    let count = maliu::blocking::Reader::new(maliu::io::File::open(&output).unwrap()).map(Result::unwrap).count();
    assert_eq!(count as u64, packets);
    assert!(packets > 10);
}

#[cfg(feature = "layout")]
#[path = "../examples/custom_protocol.rs"]
mod custom_protocol;

#[cfg(feature = "layout")]
#[test]
fn access_units_of_a_protocol_of_ones_own_come_with_their_last_byte() {
    let unit = |time: u8, kind: u8| [&[0xca, 0xfe, 0, 0, 0, 6, 0, 0, 0, time, 0, 0, 0, 1, kind, 0x80][..]].concat();
    let stream = [unit(0, 0x65), b"noise".to_vec(), unit(40, 0x41), unit(80, 0x41)].concat();
    let pushed = std::cell::Cell::new(0);
    let bytes = stream.chunks(1).inspect(|_| pushed.set(pushed.get() + 1));
    let mut units = Vec::new();
    let warnings = custom_protocol::units(bytes, |unit| {
        units.push((pushed.get(), unit.pts.unwrap().0, unit.is_key(), unit.data.len()));
    });
    assert_eq!(units, [(16, 0, true, 6), (37, 40, false, 6), (53, 80, false, 6)]);
    let warnings = warnings.unwrap();
    assert!(warnings.len() == 1 && warnings[0].0 == 16, "{warnings:?}");
}

#[cfg(feature = "tokio")]
#[path = "../examples/async_receive.rs"]
mod async_receive;

#[cfg(feature = "tokio")]
#[test]
fn a_receiver_of_ones_own_gets_what_is_sent() {
    use maliu::{
        Event, blocking,
        tokio::{net::Listener, wire},
        wire::{
            message::Mode,
            session::{Sender, SenderOptions},
        },
    };
    let mut reader = blocking::Reader::new(maliu::io::File::open(sample("adts/stereo_44100.aac")).unwrap());
    let mut events = Vec::new();
    while events.last() != Some(&Event::End) {
        events.push(reader.next_event().unwrap());
    }
    let sent = events.iter().filter(|event| matches!(event, Event::Packet(_))).count() as u64;
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
        let listener = Listener::bind(&"tcp://127.0.0.1:0".parse().unwrap(), None).await.unwrap();
        let address = listener.address().parse().unwrap();
        let token = Some("token".to_owned());
        let options = SenderOptions::new("example", 1, Mode::Reliable).with_token(token.clone());
        let mut sender = Sender::new(options);
        let (batches, mut source) = tokio::sync::mpsc::channel(1);
        batches.send(events).await.unwrap();
        let retry = wire::Retry::default();
        let sending = wire::send(&address, None, &mut sender, &mut source, retry, |_, _| ());
        let (sending, receiving) = tokio::join!(sending, async_receive::receive(&listener, token));
        sending.unwrap();
        assert_eq!(receiving.unwrap().0, sent);
    });
}

#[path = "../examples/callback_decode.rs"]
mod callback_decode;

#[test]
fn a_callback_is_decoded() {
    let bytes = std::fs::read(sample("mp3/vbr_info.mp3")).unwrap();
    let mut rest = &bytes[..];
    let samples = callback_decode::decode(|buffer| std::io::Read::read(&mut rest, buffer)).unwrap();
    assert!(samples > 1000, "{samples}");
}

#[path = "../examples/upload_to_wav.rs"]
mod upload_to_wav;

#[test]
fn an_upload_is_answered_with_wav() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = tokio::spawn(async { axum::serve(listener, upload_to_wav::app()).await });
        for (body, status) in [(std::fs::read(sample("mp3/vbr_info.mp3")).unwrap(), "200"), (b"none".to_vec(), "422")] {
            let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
            let head =
                format!("POST /wav HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {}\r\n\r\n", body.len());
            stream.write_all(&[head.as_bytes(), &body].concat()).await.unwrap();
            let mut answer = Vec::new();
            stream.read_to_end(&mut answer).await.unwrap();
            let text = String::from_utf8_lossy(&answer);
            assert!(text.starts_with(&format!("HTTP/1.1 {status}")), "{text:.200}");
            assert_eq!(text.contains("\r\n\r\nRIFF"), status == "200");
        }
        server.abort();
    });
}

#[path = "../examples/tcp_messages.rs"]
mod tcp_messages;

#[test]
fn messages_become_a_clip_and_a_picture() {
    let folder = env!("CARGO_TARGET_TMPDIR");
    let (flv, png) = (format!("{folder}/camera.flv"), format!("{folder}/camera.png"));
    let mut messages = vec![0, 0, 0, 3, 9, 1, 2];
    let mut units = 0;
    for unit in maliu::blocking::Reader::open(sample("h264/b_frames.h264")).unwrap() {
        let unit = unit.unwrap().data;
        messages.extend((unit.len() as u32 + 1).to_be_bytes());
        messages.push(1);
        messages.extend(&unit);
        units += 1;
    }
    assert_eq!(tcp_messages::receive(&messages[..], flv.as_ref(), png.as_ref()).unwrap(), units);
    assert!(std::fs::read(png).unwrap().starts_with(b"\x89PNG"));
    assert_eq!(maliu::blocking::Reader::open(flv).unwrap().map(Result::unwrap).count() as u64, units);
}

#[path = "../examples/encoder_to_flv.rs"]
mod encoder_to_flv;

#[test]
fn what_an_encoder_counts_in_samples_is_written_in_milliseconds() {
    let path = format!("{}/tone.flv", env!("CARGO_TARGET_TMPDIR"));
    encoder_to_flv::write(&path, 2).unwrap();
    let packets: Vec<_> = maliu::blocking::Reader::open(path).unwrap().map(Result::unwrap).collect();
    let times: Vec<f64> = packets.iter().map(|packet| packet.time_base.seconds(packet.pts.unwrap())).collect();
    assert_eq!((times.len(), times[0], times[199]), (200, 0.0, 1.99));
}

#[path = "../examples/seek_exactly.rs"]
mod seek_exactly;

#[test]
fn a_second_from_the_middle_is_that_of_the_whole() {
    // Of AAC this holds but for substituted noise, whose generator goes on from the first unit.
    for (name, times) in [("mp3/layer2.mp2", 150)] {
        let path = format!("{}/long.{}", env!("CARGO_TARGET_TMPDIR"), name.replace('/', "."));
        std::fs::write(&path, std::fs::read(sample(name)).unwrap().repeat(times)).unwrap();
        let mut reader = maliu::blocking::Reader::open(&path).unwrap();
        reader.start().unwrap();
        let mut decoder = maliu_decode::decoder_for(&reader.streams()[0]).unwrap();
        let (mut whole, mut each) = (Vec::new(), 0);
        while let Some(packet) = reader.next_packet().unwrap() {
            let Some(frame) = decoder.decode(&packet).unwrap() else { continue };
            each = frame.sample_rate as usize * usize::from(frame.channels);
            whole.extend(frame.to_i16());
        }
        for seconds in [0, 1, 17, 30] {
            let second = seek_exactly::second(&path, std::time::Duration::from_secs(seconds)).unwrap();
            let at = seconds as usize * each;
            assert!(whole.len() >= at + each, "{name} is too short: {}", whole.len() / each);
            let apart = second.iter().zip(&whole[at..at + each]).map(|(a, b)| a.abs_diff(*b)).max();
            assert!(second.len() == each && apart == Some(0), "{name} {seconds} s: {apart:?} of {}", second.len());
        }
    }
}

#[test]
fn a_second_of_pcm_is_exact() {
    let mut wav = maliu_decode::WavStream::new(8000, 1, maliu_decode::SampleFormat::S16Le).unwrap();
    let samples: Vec<i32> = (0..8000 * 33).map(|at| (at % 30_011) << 16).collect();
    let samples = maliu_decode::Samples::I32(samples);
    wav.push(maliu_decode::AudioFrame::new(8000, 1, samples)).unwrap();
    let path = format!("{}/long.wav", env!("CARGO_TARGET_TMPDIR"));
    std::fs::write(&path, [wav.take(), wav.finish().unwrap()].concat()).unwrap();
    for ms in [0, 30_000, 30_001] {
        let second = seek_exactly::second(&path, std::time::Duration::from_millis(ms)).unwrap();
        let wanted = (0..8000).map(|at| ((at + ms * 8) % 30_011) as i16);
        assert!(second.iter().copied().eq(wanted), "{ms} ms: {:?} of {}", &second[..3], second.len());
    }
}

#[test]
fn the_examples_for_newcomers_are_short() {
    for (name, most) in [
        ("callback_decode", 25),
        ("upload_to_wav", 60),
        ("tcp_messages", 70),
        ("encoder_to_flv", 45),
        ("seek_exactly", 20),
    ] {
        let path = format!("{}/examples/{name}.rs", env!("CARGO_MANIFEST_DIR"));
        let lines = std::fs::read_to_string(path).unwrap().lines().count();
        assert!(lines <= most, "{name} has {lines} lines");
    }
}
