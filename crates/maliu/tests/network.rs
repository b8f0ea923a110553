//! Sessions over real connections: players of a sender that listens, and senders that are patient.

use std::time::Duration;

use maliu::{
    StreamInfo, Ticks, TimeBase,
    format::Event,
    packet::Packet,
    stream::{Audio, Codec, Media},
    tokio::{
        net::{self, Address, Identity, Listener, Trust},
        wire::{self, Clock, Error, Incoming, Retry},
    },
    wire::{
        message::Mode,
        session::{Fault, PlayerOptions, Received, ReceiverOptions, Sender, SenderOptions},
    },
};

const PACKETS: i64 = 2000;

fn film() -> Vec<Event> {
    let audio = Audio::new(44_100, 2);
    let info = StreamInfo::new(Codec::Mp3, TimeBase::hz(44_100), Media::Audio(audio));
    let packet = |time| {
        let (pts, data) = (Some(Ticks(time * 1152)), vec![time as u8; 500]);
        Event::Packet(Packet::of(0, data).at(pts).with_key(true))
    };
    let begin = [Event::Stream(0, Box::new(info))];
    begin.into_iter().chain((0..PACKETS).map(packet)).chain([Event::End]).collect()
}

fn sender(token: Option<&str>) -> (Sender, wire::Source) {
    let (batches, source) = tokio::sync::mpsc::channel(1);
    batches.try_send(film()).unwrap();
    (Sender::new(SenderOptions::new("film", 1, Mode::Reliable).with_token(token.map(str::to_owned))), source)
}

fn block_on<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

/// Plays what is sent at an address; how many packets came.
async fn play(address: &Address, trust: Option<&Trust>, token: &str) -> Result<usize, Error> {
    let stream = net::connect(address, trust).await?;
    let options = PlayerOptions::new("film", 9, Mode::Reliable).with_token(Some(token.into()));
    let mut connection = Incoming::player(stream, options, Clock::default());
    let mut packets = 0;
    loop {
        while let Some(received) = connection.next_content()? {
            match received {
                Received::Hello(hello) => {
                    assert_eq!(hello.name, "film");
                    connection.session().welcome(0);
                }
                Received::Content(number, event) => {
                    if let Event::Packet(packet) = event {
                        assert_eq!(packet.pts, Some(Ticks(packets as i64 * 1152)));
                        packets += 1;
                    }
                    connection.session().acknowledge(number + 1);
                }
            }
        }
        if connection.session().is_heard() {
            connection.close().await;
            return Ok(packets);
        }
        connection.wait().await?;
    }
}

#[test]
fn a_player_gets_everything_over_every_transport_if_it_knows_the_token() {
    let folder = std::env::temp_dir().join(format!("maliu-network-{}", std::process::id()));
    let identity = Identity::kept_in(&folder).unwrap();
    let trust = Trust::fingerprint(&identity.fingerprint());
    let mut places = vec!["tcp://127.0.0.1:0".to_owned(), "tls://127.0.0.1:0".into(), "quic://127.0.0.1:0".into()];
    if cfg!(unix) {
        places.push(format!("unix:{}", folder.join("socket").display()));
    }
    block_on(async {
        for place in places {
            let listener = Listener::bind(&place.parse().unwrap(), Some(&identity)).await.unwrap();
            let address: Address = listener.address().parse().unwrap();
            let (mut sender, mut source) = sender(Some("right"));
            for (token, good) in [("wrong", false), ("right", true)] {
                let serve = async {
                    let stream = listener.accept().await.unwrap().stream().await.unwrap();
                    wire::send_to_player(stream, &mut sender, &mut source, Clock::default(), |_| ()).await
                };
                match tokio::join!(serve, play(&address, Some(&trust), token)) {
                    (Ok(()), Ok(packets)) => assert!(good && packets as i64 == PACKETS, "{place}: {packets}"),
                    (Err(Error::Fault(Fault::Unauthorized)), Err(error)) => {
                        assert!(!good && error.is_final(), "{place}: {error}");
                    }
                    ends => panic!("{place}: {ends:?}"),
                }
            }
        }
    });
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn time_with_a_peer_does_not_count_as_time_without_one() {
    let (give_up, idle) = (Duration::from_secs(2), Duration::from_millis(2500));
    block_on(async {
        let listener = Listener::bind(&"tcp://127.0.0.1:0".parse().unwrap(), None).await.unwrap();
        let address = listener.address().parse().unwrap();
        let (mut sender, mut source) = sender(None);
        let retry = Retry::default().giving_up(Some(give_up));
        let receive = async {
            let mut packets = 0;
            // One that takes nothing for longer than is waited for a connection, and goes; one that takes all.
            for holds in [true, false] {
                let stream = listener.accept().await.unwrap().stream().await.unwrap();
                let mut connection = Incoming::new(stream, ReceiverOptions::default(), Clock::default()).unwrap();
                while !connection.session().is_heard() {
                    match connection.next_content().unwrap() {
                        Some(Received::Hello(_)) => {
                            connection.session().welcome(0);
                            if holds {
                                let held = tokio::time::timeout(idle, connection.hold()).await;
                                assert!(held.is_err(), "{held:?}");
                                break;
                            }
                        }
                        Some(Received::Content(number, event)) => {
                            packets += i64::from(matches!(event, Event::Packet(_)));
                            connection.session().acknowledge(number + 1);
                        }
                        None if connection.session().is_heard() => {}
                        None => connection.wait().await.unwrap(),
                    }
                }
            }
            packets
        };
        let sending = wire::send(&address, None, &mut sender, &mut source, retry, |_, _| ());
        let sending = async { sending.await.map_err(|error| error.to_string()) };
        let (_, packets) = tokio::try_join!(sending, async { Ok(receive.await) }).unwrap();
        assert_eq!(packets, PACKETS);
    });
}
