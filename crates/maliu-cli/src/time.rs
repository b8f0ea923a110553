//! Times as people write and read them.

use maliu::time::Ticks;

/// A time of `[[H:]M:]S[.fraction][s]` or `N[.fraction]ms` in µs.
pub(crate) fn parse(text: &str) -> Result<Ticks, String> {
    let wrong = || {
        "expected seconds, MINUTES:SECONDS, HOURS:MINUTES:SECONDS or milliseconds, e.g. 90, 1:30, 0:01:30.5 or 500ms"
            .to_owned()
    };
    if text.starts_with('-') {
        return Err("a time counts from the first frame and is not negative".to_owned());
    }
    if let Some(text) = text.strip_suffix("ms") {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || whole.len() > 12 || fraction.len() > 3 || !digits(whole) || !digits(fraction) {
            return Err(wrong());
        }
        return format!("{whole}{fraction:0<3}").parse().map(Ticks).map_err(|_| wrong());
    }
    let text = text.strip_suffix('s').unwrap_or(text);
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if fraction.len() > 6 || !digits(fraction) || whole.split(':').count() > 3 {
        return Err(wrong());
    }
    let mut seconds = 0i64;
    for part in whole.split(':') {
        let value = part.parse::<u32>().ok().filter(|_| digits(part)).ok_or_else(wrong)?;
        seconds = seconds * 60 + i64::from(value);
    }
    let micros: i64 = format!("{fraction:0<6}").parse().map_err(|_| wrong())?;
    Ok(Ticks(seconds * 1_000_000 + micros))
}

/// A span in seconds; `inf` never ends.
pub(crate) fn seconds(text: &str) -> Result<f64, String> {
    let seconds = text.parse().ok().filter(|seconds: &f64| *seconds >= 0.0);
    seconds.ok_or_else(|| "expected seconds, e.g. 30 or 0.5, or inf".to_owned())
}

/// A time in µs as `H:MM:SS`.
pub(crate) fn clock(micros: Ticks) -> String {
    let seconds = micros.0.max(0) / 1_000_000;
    format!("{}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_people_write_them() {
        for (text, micros) in [
            ("90", 90_000_000),
            ("1:30", 90_000_000),
            ("0:01:30.5", 90_500_000),
            ("3.2s", 3_200_000),
            ("0.000001", 1),
            ("500ms", 500_000),
            ("1.5ms", 1500),
        ] {
            assert_eq!(parse(text), Ok(Ticks(micros)), "{text}");
        }
        for text in ["", "-1", "1:2:3:4", "1.2.3", "a", "1:", "+5", "0.0000001", "ms", "-5ms", "1:30ms", "1.2345ms"] {
            assert!(parse(text).is_err(), "{text}");
        }
        assert_eq!((seconds("0.5"), seconds("inf")), (Ok(0.5), Ok(f64::INFINITY)));
        assert!(["nan", "-1", "", "x"].iter().all(|text| seconds(text).is_err()));
        assert_eq!(clock(Ticks(3_725_000_000)), "1:02:05");
    }
}
