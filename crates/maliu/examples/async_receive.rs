//! A receiver in a task of its own, for `maliu send FILE tcp://127.0.0.1:7000`.
//!
//! Try it: `cargo run -p maliu --features tokio --example async_receive`

use maliu::{
    format::Event,
    tokio::{
        net::Listener,
        wire::{Clock, Error, Incoming},
    },
    wire::session::{Received, ReceiverOptions},
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let listener = Listener::bind(&"tcp://127.0.0.1:7000".parse()?, None).await?;
    println!("listening at {}", listener.address());
    let (packets, bytes) = receive(&listener, None).await?;
    println!("{packets} packets, {bytes} bytes");
    Ok(())
}

/// Takes one transfer; a token is asked for if there is one. Returns packets and bytes of payload.
pub(crate) async fn receive(
    listener: &Listener,
    token: Option<String>,
) -> Result<(u64, u64), Box<dyn std::error::Error>> {
    let (mut packets, mut bytes, mut next) = (0, 0, 0);
    // Every turn is one connection: a sender whose connection broke comes back and goes on at `next`.
    loop {
        let stream = listener.accept().await?.stream().await?;
        let mut connection = Incoming::new(stream, ReceiverOptions::new(token.clone()), Clock::default())?;
        let ended: Result<(), Error> = async {
            loop {
                while let Some(received) = connection.next_content()? {
                    let event = match received {
                        Received::Hello(hello) => {
                            println!("{} sends", hello.name);
                            connection.session().welcome(next);
                            continue;
                        }
                        Received::Content(number, event) => (next = number + 1, event).1,
                    };
                    match event {
                        Event::Packet(packet) => (packets, bytes) = (packets + 1, bytes + packet.data.len() as u64),
                        Event::Stream(index, info) => println!("stream {index}: {}", info.codec),
                        Event::Metadata(_) | Event::End => {}
                    }
                }
                if connection.session().is_heard() {
                    return Ok(());
                }
                connection.session().acknowledge(next);
                connection.wait().await?;
            }
        }
        .await;
        match ended {
            Ok(()) => return Ok((packets, bytes)),
            Err(error) => println!("{error}"),
        }
    }
}
