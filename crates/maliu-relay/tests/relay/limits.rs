//! Limits: connections, memory, rates, ports.

use std::{io, time::Duration};

use maliu::wire::rtmp::Role;
use maliu_relay::{Config, Relay};
use tokio::{
    io::AsyncReadExt,
    net::{TcpListener, TcpStream},
    time::sleep,
};

use crate::ends::{Rtmp, Running, metric, until, video};

#[tokio::test]
async fn a_port_that_is_taken_is_named() {
    let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut config = Config::default();
    config.rtmp = ([127, 0, 0, 1], 0).into();
    config.http = taken.local_addr().unwrap();
    let error = Relay::bind(config).await.unwrap_err();
    let text = error.to_string();
    assert_eq!(error.kind(), io::ErrorKind::AddrInUse);
    assert!(text.contains(&taken.local_addr().unwrap().to_string()) && text.contains("HTTP"), "{text}");
}

#[tokio::test]
async fn connections_beyond_the_limit_are_closed_and_make_room_when_they_go() {
    let relay = Running::with(|config| config.max_connections_per_address = Some(3)).await;
    let open = async |count: usize| {
        let mut sockets = Vec::new();
        for _ in 0..count {
            sockets.push(TcpStream::connect(relay.rtmp).await.unwrap());
        }
        sockets
    };
    let sockets = open(3).await;
    until(async || {
        let mut more = TcpStream::connect(relay.rtmp).await.unwrap();
        // A connection that is let in gets no byte before it has said something.
        tokio::time::timeout(Duration::from_millis(200), more.read(&mut [0])).await.is_ok()
    })
    .await;
    drop(sockets);
    until(async || Rtmp::open(relay.rtmp, "show", Role::Publish).await.is_ok()).await;
}

#[tokio::test]
async fn memory_is_shared_and_publishers_without_a_share_are_refused() {
    let memory = 8 << 20;
    let relay = Running::with(|config| config.memory = memory).await;
    let mut publishers = Vec::new();
    for number in 0..4 {
        publishers.push(relay.publisher(&format!("s{number}")).await);
    }
    let Err(fault) = Rtmp::open(relay.rtmp, "s4", Role::Publish).await else { panic!("a fifth is let in") };
    assert!(fault.to_string().contains("memory"), "{fault}");
    for publisher in &mut publishers {
        for time in 0..60 {
            publisher.send(&[video(time == 0, time * 40, 100_000)]).await;
        }
    }
    until(async || metric(&relay, "maliu_received_bytes_total").await == 4 * 60 * 100_000).await;
    sleep(Duration::from_millis(600)).await;
    let kept = metric(&relay, "maliu_kept_bytes").await as usize;
    assert!(kept <= memory && kept > memory / 2, "{kept}");
}

#[tokio::test]
async fn a_publisher_that_sends_too_much_is_cut() {
    let relay = Running::with(|config| config.max_publisher_rate = Some(1_000_000)).await;
    let mut publisher = relay.publisher("show").await;
    for time in 0..5 {
        publisher.send(&[video(true, time * 40, 100_000)]).await;
    }
    until(async || metric(&relay, "maliu_received_bytes_total").await == 500_000).await;
    for time in 5..10 {
        publisher.send(&[video(true, time * 40, 100_000)]).await;
    }
    assert_eq!(publisher.event().await, Ok(None));
}
