//! Which formats there are. A new one is named twice here: its module and its row.

use crate::format::Format;

pub mod adts;
pub mod flv;

/// Every format, in the order in which ties of a probe are decided.
pub const ALL: &[&Format] = &[&flv::FORMAT, &adts::FORMAT];

/// The format of a name or a file name extension.
pub fn named(name: &str) -> Option<&'static Format> {
    let by_name = ALL.iter().copied().find(|format| format.name == name);
    by_name.or_else(|| ALL.iter().copied().find(|format| format.extensions.contains(&name)))
}
