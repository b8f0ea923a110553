//! The report in forms that scripts without JSON read: flat, ini, csv.

use std::io::{self, Write};

use serde_json::{Map, Value};

/// Which form.
#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Form {
    /// As `--json`.
    Json,
    /// `streams.stream.0.codec_name="aac"`, one line per value.
    Flat,
    /// Sections in brackets.
    Ini,
    /// A head, then one line per stream.
    Csv,
}

/// Prints the JSON report `json` in another form.
pub(super) fn print(out: &mut dyn Write, form: Form, json: &[u8]) -> io::Result<()> {
    let Ok(Value::Object(root)) = serde_json::from_slice(json) else { return out.write_all(json) };
    let streams: Vec<Vec<(String, String)>> = list(&root, "streams").map(|stream| values(stream, "")).collect();
    let format = root.get("format").map(|format| values(format, "")).unwrap_or_default();
    match form {
        Form::Json => out.write_all(json),
        Form::Csv => csv(out, &streams, &format),
        Form::Flat | Form::Ini => {
            for (index, stream) in streams.iter().enumerate() {
                section(out, form, &format!("streams.stream.{index}"), stream)?;
            }
            section(out, form, "format", &format)
        }
    }
}

fn list<'a>(root: &'a Map<String, Value>, name: &str) -> impl Iterator<Item = &'a Value> {
    root.get(name).and_then(Value::as_array).into_iter().flatten()
}

fn section(out: &mut dyn Write, form: Form, name: &str, values: &[(String, String)]) -> io::Result<()> {
    if form == Form::Ini {
        writeln!(out, "[{name}]")?;
    }
    for (key, value) in values {
        match form {
            Form::Ini => {
                let escaped = value.replace('\\', "\\\\").replace('\n', "\\n").replace('\r', "\\r");
                writeln!(out, "{key}={escaped}")?;
            }
            _ => writeln!(out, "{name}.{key}={}", Value::from(value.as_str()))?,
        }
    }
    if form == Form::Ini { writeln!(out) } else { Ok(()) }
}

/// The file's name and size in front of what is in each stream; all keys of any stream are columns.
fn csv(out: &mut dyn Write, streams: &[Vec<(String, String)>], format: &[(String, String)]) -> io::Result<()> {
    let of_file: Vec<_> = ["filename", "format_name", "duration", "size"].into_iter().collect();
    let mut columns: Vec<&str> = Vec::new();
    for (key, _) in streams.iter().flatten() {
        if !columns.contains(&key.as_str()) {
            columns.push(key);
        }
    }
    let find = |row: &[(String, String)], key: &str| {
        row.iter().find(|(name, _)| name == key).map(|(_, value)| cell(value)).unwrap_or_default()
    };
    let head: Vec<String> =
        of_file.iter().map(|name| format!("format.{name}")).chain(columns.iter().map(|name| cell(name))).collect();
    writeln!(out, "{}", head.join(","))?;
    for stream in streams {
        let file = of_file.iter().map(|key| find(format, key));
        let row: Vec<String> = file.chain(columns.iter().map(|key| find(stream, key))).collect();
        writeln!(out, "{}", row.join(","))?;
    }
    Ok(())
}

/// A cell (RFC 4180).
fn cell(value: &str) -> String {
    match value.contains([',', '"', '\n', '\r']) {
        true => format!("\"{}\"", value.replace('"', "\"\"")),
        false => value.to_owned(),
    }
}

/// All values below `value`, with dots between the parts of their names.
fn values(value: &Value, name: &str) -> Vec<(String, String)> {
    let below = |key: &str, value: &Value| {
        values(value, &if name.is_empty() { key.to_owned() } else { format!("{name}.{key}") })
    };
    match value {
        Value::Object(map) => map.iter().flat_map(|(key, value)| below(key, value)).collect(),
        Value::Array(list) => list.iter().enumerate().flat_map(|(at, value)| below(&at.to_string(), value)).collect(),
        Value::String(text) => vec![(name.to_owned(), text.clone())],
        other => vec![(name.to_owned(), other.to_string())],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(form: Form) -> String {
        let json =
            br#"{"streams":[{"index":0,"tags":{"a":"x, \"y\"\nz"}},{"index":1,"width":2}],"format":{"filename":"f"}}"#;
        let mut out = Vec::new();
        print(&mut out, form, json).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn every_form_holds_all_values() {
        assert_eq!(
            shown(Form::Csv),
            "format.filename,format.format_name,format.duration,format.size,index,tags.a,width\nf,,,,0,\"x, \"\"y\"\"\nz\",\nf,,,,1,,2\n"
        );
        assert!(shown(Form::Flat).contains("streams.stream.0.tags.a=\"x, \\\"y\\\"\\nz\"\n"), "{}", shown(Form::Flat));
        assert!(
            shown(Form::Ini).starts_with("[streams.stream.0]\nindex=0\ntags.a=x, \"y\"\\nz\n\n[streams.stream.1]\n"),
            "{}",
            shown(Form::Ini)
        );
    }
}
