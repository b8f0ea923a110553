//! Reads files whole, byte by byte and in random slices, and says where the answers differ.
//!
//! `cargo run --release -p maliu-core --example splits -- FILE…`; the exit code is 1 when any file reads differently.

use std::{env, fs, process::ExitCode, task::Poll};

use maliu_core::{format::Event, formats, input::Input, reader::PacketReader};

/// Everything the reader says of `data`, fed in slices whose lengths `next` gives.
fn events(data: &[u8], mut next: impl FnMut() -> usize) -> Vec<String> {
    let (mut input, mut reader) = (Input::new(), PacketReader::detect(formats::ALL));
    let (mut rest, mut said) = (data, Vec::new());
    loop {
        let event = reader.poll(&mut input);
        said.extend(input.take_warnings().0.into_iter().map(|warning| format!("{warning:?}")));
        match event {
            Ok(Poll::Pending) if rest.is_empty() && input.ended() => {
                said.push("need after the end".to_owned());
                return said;
            }
            Ok(Poll::Pending) if rest.is_empty() => input.end(),
            Ok(Poll::Pending) => {
                let (slice, behind) = rest.split_at(next().clamp(1, rest.len()));
                input.push(slice);
                rest = behind;
            }
            Ok(Poll::Ready(Event::End)) => return said,
            Ok(Poll::Ready(event)) => said.push(format!("{event:?}")),
            Err(error) => {
                said.push(error.to_string());
                return said;
            }
        }
    }
}

fn main() -> ExitCode {
    let (mut good, mut bad) = (0, 0);
    for path in env::args().skip(1) {
        let Ok(data) = fs::read(&path) else {
            println!("FAIL {path}: cannot be read");
            bad += 1;
            continue;
        };
        let whole = events(&data, || usize::MAX);
        let mut state = 1u32;
        let random = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 16) as usize % 3000 + 1
        };
        let splits = [("byte by byte", events(&data, || 1)), ("in random slices", events(&data, random))];
        let differs = splits.iter().find(|(_, said)| *said != whole);
        match differs {
            None => good += 1,
            Some((how, said)) => {
                let at = said.iter().zip(&whole).position(|(a, b)| a != b).unwrap_or(said.len().min(whole.len()));
                println!("FAIL {path}: event {at} differs when read {how}");
                bad += 1;
            }
        }
    }
    println!("{good} passed, {bad} failed");
    if bad == 0 && good > 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
