//! Answers of HTTP: a status, fields, and a text.

use std::fmt::Write;

use bytes::Bytes;

/// An answer.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    status: u16,
    fields: Vec<(&'static str, String)>,
    body: Vec<Bytes>,
}

impl Answer {
    /// An answer that no cache keeps.
    pub(super) fn new(status: u16, kind: &'static str, body: impl Into<Bytes>) -> Self {
        let answer = Self::of(status, kind, body);
        answer.with("Cache-Control", "no-store").with("X-Content-Type-Options", "nosniff")
    }

    /// An answer of this type.
    pub(super) fn of(status: u16, kind: &'static str, body: impl Into<Bytes>) -> Self {
        Self::parts(status, kind, vec![body.into()])
    }

    /// An answer of this type, whose body is in parts.
    pub(super) fn parts(status: u16, kind: &'static str, body: Vec<Bytes>) -> Self {
        let answer = Self { status, fields: Vec::new(), body };
        answer.with("Content-Type", kind)
    }

    /// A line of text.
    pub(super) fn text(status: u16, text: &str) -> Self {
        Self::new(status, "text/plain; charset=utf-8", format!("{text}\n"))
    }

    /// With one more field. Values come from here, never from a peer.
    pub(super) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.fields.push((name, value.into()));
        self
    }

    /// Media is for pages of any origin.
    pub(super) fn public(self) -> Self {
        self.with("Access-Control-Allow-Origin", "*")
            .with("Access-Control-Allow-Methods", "GET, HEAD, OPTIONS")
            .with("Access-Control-Allow-Headers", "Range, Authorization")
    }

    /// Its head, for a peer that may keep the connection.
    pub(super) fn head(&self, stays: bool) -> Vec<u8> {
        let mut text = self.start();
        if self.status >= 200 && self.status != 204 {
            let size: usize = self.body.iter().map(Bytes::len).sum();
            // Writing into a string cannot fail.
            let _ = write!(text, "Content-Length: {size}\r\n");
        }
        text.push_str(if stays { "Connection: keep-alive\r\n\r\n" } else { "Connection: close\r\n\r\n" });
        text.into_bytes()
    }

    /// Its body, which is shared by all who get it.
    pub(super) fn body(&self) -> &[Bytes] {
        &self.body
    }

    /// The head before a body that comes in pieces, or before another protocol.
    pub(super) fn encode_start(&self) -> Vec<u8> {
        let mut text = self.start();
        text.push_str("\r\n");
        text.into_bytes()
    }

    fn start(&self) -> String {
        let mut text = format!("HTTP/1.1 {} {}\r\n", self.status, reason(self.status));
        for (name, value) in &self.fields {
            let _ = write!(text, "{name}: {value}\r\n");
        }
        text
    }

    /// An answer without a body and without the fields of one.
    pub(super) fn bare(status: u16) -> Self {
        Self { status, fields: Vec::new(), body: Vec::new() }
    }
}

fn reason(status: u16) -> &'static str {
    match status {
        101 => "Switching Protocols",
        200 => "OK",
        204 => "No Content",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        408 => "Request Timeout",
        426 => "Upgrade Required",
        429 => "Too Many Requests",
        431 => "Request Header Fields Too Large",
        500 => "Internal Server Error",
        503 => "Service Unavailable",
        505 => "HTTP Version Not Supported",
        _ => "Error",
    }
}
