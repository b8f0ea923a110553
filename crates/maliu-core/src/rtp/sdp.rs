//! Session descriptions: which streams there are, how they are coded, and where they are sent (RFC 8866).
//!
//! ```text
//!   v=0 … s=name  c=IN IP4 address                    of the session
//!   m=video 5004 RTP/AVP 96  a=rtpmap:96 H264/90000   of each media description
//!   a=fmtp:96 sprop-parameter-sets=…  a=control:…
//! ```
//!
//! Of several payload types in a media description the first one that is known counts. A description needs no lines that
//! this does not read: cameras leave out some that the RFC demands.

use alloc::{
    format,
    string::{String, ToString},
    vec::Vec,
};

/// Most bytes of a description.
pub const MAX_TEXT: usize = 256 << 10;

/// Most media descriptions of a session.
pub const MAX_MEDIA: usize = 16;

/// A session description.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Description {
    /// `s=`; empty when there is none.
    pub name: String,
    /// Address in `c=`, to which media without one of their own are sent.
    pub address: Option<String>,
    /// `a=control` of the session.
    pub control: Option<String>,
    /// The media descriptions in order.
    pub media: Vec<Media>,
}

/// A media description.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Media {
    /// `video`, `audio`, `application` or another word.
    pub kind: String,
    /// Port to which it is sent; 0 when a control protocol decides.
    pub port: u16,
    /// Transport, such as `RTP/AVP` or `TCP/RTP/AVP`.
    pub protocol: String,
    /// The payload type that is read.
    pub payload_type: u8,
    /// Name of the encoding as registered, such as `H264`; empty when the description names none.
    pub encoding: String,
    /// Ticks of its RTP timestamps in a second.
    pub clock: u32,
    /// Channels of audio; 1 unless declared otherwise.
    pub channels: u16,
    /// Parameters of `a=fmtp` in order.
    pub parameters: Vec<(String, String)>,
    /// Address in its own `c=`.
    pub address: Option<String>,
    /// `a=control`.
    pub control: Option<String>,
    /// Port of `a=rtcp`.
    pub rtcp_port: Option<u16>,
    /// RTP and RTCP share a port (`a=rtcp-mux`).
    pub rtcp_mux: bool,
    /// Frames a second by `a=framerate`, as written.
    pub frame_rate: Option<String>,
    /// `a=lang`; empty when there is none.
    pub language: String,
}

/// Why a text is not a session description.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("sdp: {what} in line {line}")]
pub struct Fault {
    /// The problem.
    pub what: String,
    /// Line number, from 1.
    pub line: usize,
}

/// Payload types with a fixed meaning (RFC 3551 §6): type, encoding, clock, channels.
const STATIC: &[(u8, &str, u32, u16)] = &[
    (0, "PCMU", 8000, 1),
    (3, "GSM", 8000, 1),
    (4, "G723", 8000, 1),
    (8, "PCMA", 8000, 1),
    (9, "G722", 8000, 1),
    (10, "L16", 44_100, 2),
    (11, "L16", 44_100, 1),
    (14, "MPA", 90_000, 1),
    (18, "G729", 8000, 1),
    (26, "JPEG", 90_000, 1),
    (32, "MPV", 90_000, 1),
    (33, "MP2T", 90_000, 1),
];

/// Reads a description.
///
/// # Errors
/// A [`Fault`] when the text has no `m=` line, or one that cannot be read.
pub fn parse(text: &str) -> Result<Description, Fault> {
    let mut description = Description::default();
    let fault = |what: String, line| Err(Fault { what, line });
    if text.len() > MAX_TEXT {
        return fault(format!("{} bytes, at most {MAX_TEXT}", text.len()), 1);
    }
    // Payload types of the description that is read, and the last line.
    let (mut types, mut last): (Vec<u8>, usize) = (Vec::new(), 1);
    for (number, line) in text.lines().enumerate() {
        last = number + 1;
        let Some((kind, value)) = line.trim().split_once('=') else { continue };
        let value = value.trim();
        let count = description.media.len();
        match (kind, description.media.last_mut()) {
            ("m", _) if count >= MAX_MEDIA => {
                return fault(format!("more than {MAX_MEDIA} media descriptions"), last);
            }
            ("m", _) => {
                let Some((media, listed)) = media(value) else {
                    return fault(format!("media description `{value}`, expected KIND PORT PROTOCOL TYPE…"), last);
                };
                types = listed;
                description.media.push(media);
            }
            ("s", None) => description.name = value.trim_matches('-').to_string(),
            ("c", None) => description.address = address(value),
            ("c", Some(media)) => media.address = address(value),
            ("a", None) => {
                if let Some(control) = value.strip_prefix("control:") {
                    description.control = Some(control.trim().to_string());
                }
            }
            ("a", Some(media)) => attribute(media, &types, value),
            _ => {}
        }
    }
    match description.media.is_empty() {
        true => fault("no media description (m=)".to_string(), last),
        false => Ok(description),
    }
}

/// The description in an `m=` line, and its payload types.
fn media(value: &str) -> Option<(Media, Vec<u8>)> {
    let mut words = value.split_ascii_whitespace();
    let (kind, port, protocol) = (words.next()?, words.next()?, words.next()?);
    let port = port.split('/').next()?.parse().ok()?;
    let types: Vec<u8> = words.filter_map(|word| word.parse().ok()).take(128).collect();
    let first = types.first().copied();
    let mut media = Media {
        kind: kind.to_string(),
        port,
        protocol: protocol.to_string(),
        payload_type: first.unwrap_or(0),
        channels: 1,
        ..Media::default()
    };
    let known = STATIC.iter().find(|(number, ..)| first == Some(*number));
    if let Some((_, encoding, clock, channels)) = known {
        (media.encoding, media.clock, media.channels) = ((*encoding).to_string(), *clock, *channels);
    }
    Some((media, types))
}

/// The address of `IN IP4 address/ttl`.
fn address(value: &str) -> Option<String> {
    let address = value.split_ascii_whitespace().nth(2)?;
    Some(address.split('/').next()?.to_string())
}

fn attribute(media: &mut Media, types: &[u8], value: &str) {
    let (name, value) = value.split_once(':').unwrap_or((value, ""));
    match name {
        "rtpmap" => {
            let Some((number, map)) = numbered(value) else { return };
            let taken = !media.encoding.is_empty() && media.payload_type != number;
            if taken || !types.contains(&number) {
                return;
            }
            let mut parts = map.split('/');
            media.payload_type = number;
            media.encoding = parts.next().unwrap_or_default().trim().to_string();
            media.clock = parts.next().and_then(|clock| clock.trim().parse().ok()).unwrap_or(90_000);
            media.channels = parts.next().and_then(|channels| channels.trim().parse().ok()).unwrap_or(1);
        }
        "fmtp" => {
            let Some((number, list)) = numbered(value) else { return };
            if number == media.payload_type {
                let pairs = list.split(';').map(|pair| pair.split_once('=').unwrap_or((pair, "")));
                let pairs = pairs.map(|(name, value)| (name.trim().to_string(), value.trim().to_string()));
                media.parameters.extend(pairs.filter(|(name, _)| !name.is_empty()).take(64));
            }
        }
        "control" => media.control = Some(value.trim().to_string()),
        "rtcp" => media.rtcp_port = value.split_ascii_whitespace().next().and_then(|port| port.parse().ok()),
        "rtcp-mux" => media.rtcp_mux = true,
        "framerate" => media.frame_rate = Some(value.trim().to_string()),
        "lang" => media.language = value.trim().to_string(),
        _ => {}
    }
}

fn numbered(value: &str) -> Option<(u8, &str)> {
    let (number, rest) = value.trim().split_once(char::is_whitespace)?;
    Some((number.parse().ok()?, rest.trim()))
}

impl Media {
    /// The value of a parameter of `a=fmtp`, whose name is compared without case.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// As [`Media::parameter`], a decimal number.
    pub fn number(&self, name: &str) -> Option<u32> {
        self.parameter(name)?.parse().ok()
    }

    /// Whether its encoding has this name, compared without case.
    pub fn is(&self, encoding: &str) -> bool {
        self.encoding.eq_ignore_ascii_case(encoding)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CAMERA: &str = "v=0\r\no=- 1 1 IN IP4 192.168.1.2\r\ns=Session streamed by \"cam\"\r\nc=IN IP4 239.1.2.3/16\r\n\
        t=0 0\r\na=control:*\r\nm=video 5004 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\n\
        a=fmtp:96 packetization-mode=1; sprop-parameter-sets=Z0IACg==,aM4=; profile-level-id=42000a\r\na=control:track1\r\n\
        m=audio 5006 RTP/AVP 0 97\r\na=rtpmap:97 MPEG4-GENERIC/48000/2\r\na=control:track2\r\na=rtcp-mux\r\n";

    #[test]
    fn a_description_of_a_camera_is_read() {
        let description = parse(CAMERA).unwrap();
        assert_eq!((description.address.as_deref(), description.media.len()), (Some("239.1.2.3"), 2));
        let [video, audio] = &description.media[..] else { panic!("two") };
        assert_eq!((video.port, video.payload_type, video.clock), (5004, 96, 90_000));
        assert!(video.is("h264") && video.control.as_deref() == Some("track1"));
        assert_eq!(video.parameter("Sprop-Parameter-Sets"), Some("Z0IACg==,aM4="));
        assert_eq!((audio.encoding.as_str(), audio.clock, audio.rtcp_mux), ("PCMU", 8000, true), "the first type");
    }

    #[test]
    fn a_text_without_media_is_refused() {
        assert_eq!(parse("v=0\n").unwrap_err().to_string(), "sdp: no media description (m=) in line 1");
        let fault = parse("v=0\nm=video x RTP/AVP 96\n").unwrap_err().to_string();
        assert_eq!(fault, "sdp: media description `video x RTP/AVP 96`, expected KIND PORT PROTOCOL TYPE… in line 2");
    }

    #[test]
    fn coded_bytes_are_read() {}
}
