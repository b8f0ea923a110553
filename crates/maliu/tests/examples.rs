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
            session::{LiveLimits, Sender, SenderOptions},
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
        let (name, token) = ("example".to_owned(), Some("token".to_owned()));
        let limits = LiveLimits::default();
        let mut sender = Sender::new(SenderOptions { name, id: 1, mode: Mode::Reliable, token: token.clone(), limits });
        let (batches, mut source) = tokio::sync::mpsc::channel(1);
        batches.send(events).await.unwrap();
        let retry = wire::Retry::default();
        let sending = wire::send(&address, None, &mut sender, &mut source, retry, |_, _| ());
        let (sending, receiving) = tokio::join!(sending, async_receive::receive(&listener, token));
        sending.unwrap();
        assert_eq!(receiving.unwrap().0, sent);
    });
}
