//! A message of RTSP: its first line, its header lines, its body (RFC 2326 §4).

use alloc::{
    string::{String, ToString},
    vec::Vec,
};

/// Most bytes of the lines of a message.
pub(crate) const MAX_HEAD: usize = 64 << 10;

/// Most bytes of a body.
pub(crate) const MAX_BODY: usize = 1 << 20;

/// The lines of a message.
#[derive(Debug)]
pub(crate) struct Message {
    /// The status code of an answer.
    pub(crate) status: Option<u16>,
    /// Method and URL of a request.
    pub(crate) request: Option<(String, String)>,
    reason: String,
    lines: Vec<(String, String)>,
}

impl Message {
    /// The message in `head`, which ends with its empty line.
    pub(crate) fn parse(head: &[u8]) -> Self {
        let text = String::from_utf8_lossy(head);
        let mut lines = text.lines();
        let mut words = lines.next().unwrap_or_default().split_ascii_whitespace();
        let (first, second) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let is_answer = first.starts_with("RTSP/");
        let reason = words.collect::<Vec<_>>().join(" ");
        let pairs = lines.filter_map(|line| line.split_once(':'));
        Self {
            status: is_answer.then(|| second.parse().unwrap_or(0)),
            reason: if is_answer { reason } else { String::new() },
            request: (!is_answer).then(|| (first.to_string(), second.to_string())),
            lines: pairs.map(|(name, value)| (name.trim().to_string(), value.trim().to_string())).take(256).collect(),
        }
    }

    /// The value of a header line, whose name is compared without case.
    pub(crate) fn value(&self, name: &str) -> Option<&str> {
        self.lines.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// Bytes of the body, as declared; 0 without a declaration.
    pub(crate) fn body(&self) -> usize {
        self.value("Content-Length").and_then(|length| length.parse().ok()).unwrap_or(0)
    }

    /// Every value of a header line that may stand several times.
    pub(crate) fn values(&self, name: &str) -> impl Iterator<Item = &str> {
        self.lines.iter().filter(move |(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// Bytes of the lines at the front of `bytes`, their empty line included, as far as they were not searched up to
    /// `searched`; `None` when their end has not come.
    pub(crate) fn length(bytes: &[u8], searched: usize) -> Option<usize> {
        let from = searched.saturating_sub(3).min(bytes.len());
        let rest = bytes.get(from..)?;
        let found = memchr::memmem::find(rest, b"\r\n\r\n").map(|at| at + 4);
        let bare = memchr::memmem::find(rest, b"\n\n").map(|at| at + 2);
        found.into_iter().chain(bare).min().map(|end| from + end)
    }

    /// The server's ports of RTP and RTCP in a Transport line.
    pub(crate) fn ports(&self) -> Option<(u16, u16)> {
        let transport = self.value("Transport")?;
        let pair = transport.split(';').find_map(|part| part.trim().strip_prefix("server_port="))?;
        let (rtp, rtcp) = pair.split_once('-').unwrap_or((pair, ""));
        let rtp: u16 = rtp.trim().parse().ok()?;
        Some((rtp, rtcp.trim().parse().unwrap_or(rtp.wrapping_add(1))))
    }

    /// The words behind the status code of an answer; empty for a request.
    pub(crate) fn reason(&self) -> &str {
        &self.reason
    }

    /// The channels of RTP and RTCP in a Transport line.
    pub(crate) fn channels(&self) -> Option<(u8, u8)> {
        let transport = self.value("Transport")?;
        let pair = transport.split(';').find_map(|part| part.trim().strip_prefix("interleaved="))?;
        let (rtp, rtcp) = pair.split_once('-').unwrap_or((pair, ""));
        let rtp = rtp.trim().parse().ok()?;
        Some((rtp, rtcp.trim().parse().unwrap_or(u8::wrapping_add(rtp, 1))))
    }

    /// URL and timestamp of each part of an RTP-Info line.
    pub(crate) fn rtp_info(&self) -> Vec<(String, u32)> {
        let Some(info) = self.value("RTP-Info") else { return Vec::new() };
        let parts = info.split(",url=").take(64).filter_map(|part| {
            let mut fields = part.split(';').map(str::trim);
            let url = fields.next()?;
            let time = fields.find_map(|field| field.strip_prefix("rtptime="))?.parse().ok()?;
            Some((url.trim_start_matches("url=").to_string(), time))
        });
        // Some servers put a space behind the comma.
        match info.contains(", url=") {
            true => {
                let joined = info.replace(", url=", ",url=");
                Self {
                    status: None,
                    request: None,
                    reason: String::new(),
                    lines: Vec::from([("RTP-Info".to_string(), joined)]),
                }
                .rtp_info()
            }
            false => parts.collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lines_that_matter_are_read() {
        let message = Message::parse(
            b"RTSP/1.0 200 OK\r\nCSeq: 3\r\ntransport: RTP/AVP/TCP;unicast;interleaved=2-3\r\n\
              RTP-Info: url=rtsp://h/a/t1;seq=1;rtptime=9, url=rtsp://h/a/t2;seq=2;rtptime=4294967295\r\n\r\n",
        );
        assert_eq!((message.status, message.channels(), message.body()), (Some(200), Some((2, 3)), 0));
        let expected = [("rtsp://h/a/t1".to_string(), 9), ("rtsp://h/a/t2".to_string(), u32::MAX)];
        assert_eq!(message.rtp_info(), expected);
        let request = Message::parse(b"SETUP rtsp://h/a RTSP/1.0\r\n\r\n").request.unwrap();
        assert_eq!(request, ("SETUP".to_string(), "rtsp://h/a".to_string()));
    }
}
