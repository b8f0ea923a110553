//! `a == 1 && b & 0x80`: the conditions of a field, by the names of the fields in front of it.

use maliu_core::layout::{Comparison, Condition, Field};

/// The conditions of `text`; the fields in front of the one that asks are `before`.
pub(super) fn parse(text: &str, before: &[Field]) -> Result<Vec<Condition>, (String, String)> {
    text.split("&&").map(|part| parse_one(part.trim(), before)).collect()
}

const SIGNS: &[(&str, Comparison)] = &[
    ("==", Comparison::Equal),
    ("!=", Comparison::NotEqual),
    ("<=", Comparison::LessOrEqual),
    (">=", Comparison::GreaterOrEqual),
    ("<", Comparison::Less),
    (">", Comparison::Greater),
    ("&", Comparison::Mask),
];

fn parse_one(text: &str, before: &[Field]) -> Result<Condition, (String, String)> {
    let form = || "write it as: field == value, with == != < <= > >= or &, joined by &&".to_owned();
    let found = SIGNS.iter().find_map(|(sign, comparison)| Some((text.split_once(sign)?, *comparison)));
    let ((name, value), comparison) = found.ok_or_else(|| (format!("{text:?} is no condition"), form()))?;
    let field = before.iter().position(|field| field.name == name.trim()).ok_or_else(|| {
        let names: Vec<&str> = before.iter().map(|field| field.name.as_str()).collect();
        (format!("no field {} stands in front of this one", name.trim()), format!("there are: {}", names.join(", ")))
    })?;
    let value = number(value.trim()).ok_or_else(|| (format!("{} is no whole number", value.trim()), form()))?;
    Ok(Condition { field, comparison, value })
}

/// A whole number, decimal or 0x….
pub(super) fn number(text: &str) -> Option<i64> {
    match text.strip_prefix("0x") {
        Some(hex) => u64::from_str_radix(hex, 16).ok().map(u64::cast_signed),
        None => text.parse().ok(),
    }
}
