//! A |header|data| protocol of one's own: bytes are pushed as they come, access units come out.
//!
//! Try it: `cargo run -p maliu --example custom_protocol`

use maliu::{format::Event, input::Input, layout};

/// 2 bytes magic, 4 bytes length, 4 bytes milliseconds, then an H.264 access unit behind start codes.
const MINE: &str = r#"
    name = "mine"
    header = [
      { name = "magic",  type = "u16", value = 0xCAFE },
      { name = "length", type = "u32", role = "length" },
      { name = "time",   type = "u32", role = "pts", clock = 1000 },
    ]
    body = { kind = "annexb", codec = "h264" }
"#;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut reader = layout::reader(layout::parse(MINE)?)?;
    let mut input = Input::new();
    let stream = [
        &[0xCA, 0xFE, 0, 0, 0, 6, 0, 0, 0, 0][..],
        &[0, 0, 0, 1, 0x65, 0x88],
        b"line noise",
        &[0xCA, 0xFE, 0, 0, 0, 6, 0, 0, 0, 40],
        &[0, 0, 0, 1, 0x41, 0x9a],
    ];
    for slice in stream.concat().chunks(3) {
        input.push(slice); // from a socket, a serial line, a callback …
        loop {
            match reader.poll(&mut input)? {
                Event::Packet(unit) => println!("{:?} key={} {:02x?}", unit.pts, unit.is_key(), &unit.data[..]),
                Event::NeedBytes => break,
                _ => {}
            }
        }
    }
    input.end();
    while !matches!(reader.poll(&mut input)?, Event::End) {}
    input.take_warnings().0.iter().for_each(|warning| println!("at byte {}: {}", warning.at, warning.what));
    Ok(())
}
