//! Bodies and limits of a layout's text.

use maliu_core::{
    layout::{Body, BodyKind, Limits, Transform},
    stream::Codec,
};

use super::{
    super::schema::{BodyText, LimitsText, Scalar},
    Context, Parsed,
};

impl Context<'_> {
    pub(super) fn body(&self, parsed: &BodyText, depth: usize) -> Parsed<Body> {
        let mut body = Body::default();
        if let Some(codec) = &parsed.codec {
            body.codec = Some(self.codec(codec.get_ref(), codec.span())?);
        }
        if let Some(length) = &parsed.length {
            body.length = Some(self.small(Some(length), 0, 1, i64::from(u32::MAX))? as u32);
        }
        if let Some(until) = &parsed.until {
            let Some(bytes) = delimiter(until.get_ref()) else {
                return self.fault(
                    until.span(),
                    "not bytes",
                    "a text like \"\\r\\n\", or pairs of digits behind 0x: \"0x7e\"",
                );
            };
            body.until = Some(bytes);
        }
        self.carried(parsed, &mut body)?;
        if let Some(rate) = &parsed.frame_rate {
            let Some(frames) = frame_rate(rate.get_ref()) else {
                return self.fault(rate.span(), "not a frame rate", "frames per second: 25, or \"30000/1001\"");
            };
            body.frame_rate = Some(frames);
        }
        if let Some(inner) = &parsed.layout {
            body.kind = BodyKind::Nested(Box::new(self.layout(inner, depth + 1)?.0));
            return Ok(body);
        }
        let Some(kind) = &parsed.kind else { return Ok(body) };
        let words: Vec<&str> = kind.get_ref().split_whitespace().collect();
        match words[..] {
            ["raw"] => {}
            ["annexb"] => body.kind = BodyKind::AnnexB,
            ["mpegps"] => body.kind = BodyKind::ProgramStream,
            ["adts"] => (body.kind, body.codec) = (BodyKind::Adts, body.codec.or(Some(Codec::Aac))),
            ["avcc", size] if size.parse::<u8>().is_ok() => {
                body.kind = BodyKind::Avcc(size.parse().unwrap_or_default())
            }
            ["pcm", sample, rate, channels] => {
                body.codec = Some(self.codec(&format!("pcm_{sample}"), kind.span())?);
                match (rate.parse(), channels.parse()) {
                    (Ok(rate), Ok(channels)) => body.audio = (rate, channels),
                    _ => return self.fault(kind.span(), "rate and channels are whole numbers", "pcm s16le 8000 1"),
                }
            }
            _ => {
                let hint = "raw, annexb, avcc N, adts, mpegps, pcm FORMAT RATE CHANNELS";
                return self.fault(kind.span(), format!("no body is called {:?}", kind.get_ref()), hint);
            }
        }
        Ok(body)
    }

    /// Codings of a body, and facts that no field says.
    fn carried(&self, parsed: &BodyText, body: &mut Body) -> Parsed<()> {
        body.rest = parsed.rest;
        if let Some(coding) = &parsed.coding {
            for name in coding.get_ref().split_whitespace() {
                let Some((_, transform)) = Transform::NAMES.iter().find(|(known, _)| *known == name) else {
                    let names: Vec<&str> = Transform::NAMES.iter().map(|(name, _)| *name).collect();
                    return self.fault(coding.span(), format!("no coding is called {name}"), names.join(" "));
                };
                body.transforms.push(*transform);
            }
        }
        if let Some(config) = &parsed.config {
            let Some(bytes) = config.get_ref().strip_prefix("0x").and_then(|_| delimiter(config.get_ref())) else {
                return self.fault(config.span(), "not bytes", "pairs of digits behind 0x: config = \"0x1210\"");
            };
            body.config = Some(bytes);
        }
        body.audio.0 = self.small(parsed.sample_rate.as_ref(), 0, 1, 1_000_000)? as u32;
        body.audio.1 = self.small(parsed.channels.as_ref(), 0, 1, 64)? as u16;
        Ok(())
    }

    pub(super) fn limits(&self, parsed: &LimitsText) -> Parsed<Limits> {
        let mut limits = Limits::default();
        if let Some(body) = &parsed.body {
            let bytes = match body.get_ref() {
                Scalar::Number(number) => u32::try_from(*number).ok(),
                Scalar::Text(text) => size(text),
            };
            let Some(bytes) = bytes else {
                return self.fault(body.span(), "not a size", "a number of bytes, \"64 KiB\" or \"16 MiB\"");
            };
            limits.body = bytes;
        }
        if let Some(part) = &parsed.part {
            limits.part = Some(self.small(Some(part), 0, 1, i64::from(u32::MAX))? as u32);
        }
        if let Some(violation) = &parsed.on_violation {
            limits.resync = match violation.get_ref().as_str() {
                "resync" => true,
                "error" => false,
                other => return self.fault(violation.span(), format!("{other} is no way out"), "resync or error"),
            };
        }
        Ok(limits)
    }
}

/// Frames per second: a whole number, or `N/D`.
fn frame_rate(rate: &Scalar) -> Option<(u32, u32)> {
    let (num, den) = match rate {
        Scalar::Number(number) => (u32::try_from(*number).ok()?, 1),
        Scalar::Text(text) => match text.split_once('/') {
            Some((num, den)) => (num.trim().parse().ok()?, den.trim().parse().ok()?),
            None => (text.trim().parse().ok()?, 1),
        },
    };
    (num > 0 && den > 0 && num / 1000 <= den).then_some((num, den))
}

/// The bytes of a text, or of the hexadecimal digits behind 0x.
pub(super) fn delimiter(text: &str) -> Option<Vec<u8>> {
    let Some(digits) = text.strip_prefix("0x") else { return Some(text.as_bytes().to_vec()) };
    let pair = |at: usize| u8::from_str_radix(digits.get(at..at + 2)?, 16).ok();
    (0..digits.len()).step_by(2).map(pair).collect()
}

/// `64 KiB`, `16 MiB` or a plain number of bytes.
fn size(text: &str) -> Option<u32> {
    let (number, unit) = text.split_once(' ').unwrap_or((text, "B"));
    let factor = match unit {
        "B" => 1,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        _ => return None,
    };
    number.parse::<u32>().ok()?.checked_mul(factor)
}
