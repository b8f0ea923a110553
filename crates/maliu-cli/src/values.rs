//! Values of arguments: pairs and numbers.

pub(crate) use maliu::{settings::Help, writer::SETTINGS};

/// A `name=value` pair.
pub(crate) fn setting(text: &str) -> std::result::Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("expected NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

/// A whole number that is not 0.
pub(crate) fn positive(text: &str) -> std::result::Result<usize, String> {
    let number = text.parse::<std::num::NonZeroUsize>();
    number.map(Into::into).map_err(|_| "expected a whole number from 1".to_owned())
}
