//! An HTTP server that answers an uploaded audio file with its sound as WAV.
//!
//! Try it: `cargo run -p maliu --example upload_to_wav`, then
//! `curl --data-binary @samples/mp3/vbr_info.mp3 http://127.0.0.1:8080/wav -o sound.wav`

use axum::{Router, body::Bytes, extract::DefaultBodyLimit, http::StatusCode, routing::post};
use maliu::{MediaError, blocking::Reader};
use maliu_decode::{SampleFormat, WavStream, decoder_for};

/// Largest upload, in bytes.
const MAX_UPLOAD: usize = 256 << 20;

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::io::Result<()> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:8080").await?;
    axum::serve(listener, app()).await
}

/// The routes of the server.
pub(crate) fn app() -> Router {
    let wav = post(convert).layer(DefaultBodyLimit::max(MAX_UPLOAD));
    Router::new().route("/wav", wav)
}

async fn convert(upload: Bytes) -> Result<Vec<u8>, (StatusCode, String)> {
    match tokio::task::spawn_blocking(|| to_wav(upload)).await {
        Ok(Ok(wav)) => Ok(wav),
        Ok(Err(error)) => Err((StatusCode::UNPROCESSABLE_ENTITY, error.to_string())),
        Err(error) => Err((StatusCode::INTERNAL_SERVER_ERROR, error.to_string())),
    }
}

fn to_wav(upload: Bytes) -> maliu::Result<Vec<u8>> {
    let none = || MediaError::unsupported("an upload without audio");
    let mut reader = Reader::from(upload);
    reader.start()?;
    let mut streams = reader.streams().iter();
    let index = streams.position(|info| info.as_audio().is_some()).ok_or_else(none)?;
    let mut decoder = decoder_for(&reader.streams()[index])?;
    let (mut wav, mut file) = (None, Vec::new());
    while let Some(packet) = reader.next_packet()? {
        if packet.stream != index {
            continue;
        }
        let Some(frame) = decoder.decode(&packet)? else { continue };
        let (rate, channels) = (frame.sample_rate, frame.channels);
        if wav.is_none() {
            wav = Some(WavStream::new(rate, channels, SampleFormat::S16Le)?);
        }
        let wav = wav.as_mut().ok_or_else(none)?;
        wav.push(frame)?;
        file.extend(wav.take());
    }
    file.extend(wav.ok_or_else(none)?.finish()?);
    Ok(file)
}
