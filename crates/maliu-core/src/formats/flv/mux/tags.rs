//! The file's tags as they are written, in the order of the reference's dictionary, and their changes (FLV-16, FLV-29).

use crate::stream::Metadata;

use super::created;

/// Tags with what was given last.
#[derive(Clone, Debug, Default)]
pub(super) struct Tags {
    current: Metadata,
    given: Metadata,
    changed: bool,
}

impl Tags {
    /// The tags of the header.
    pub(super) fn start(&mut self, given: &Metadata) {
        (self.current, self.given) = (given.clone(), given.clone());
    }

    /// Takes over what is different from what was given last: the others keep their order.
    pub(super) fn change(&mut self, given: &Metadata) {
        // The writer of the file was decided at its start (WF-10).
        let named = |key: &str| key.eq_ignore_ascii_case("encoder");
        for (key, value) in given.entries() {
            if !named(key) && self.given.value(key) != Some(value) {
                self.current.set(key.as_str(), value.as_str());
            }
        }
        for (key, _) in self.given.entries() {
            if !named(key) && given.value(key).is_none() {
                self.current.remove(key);
            }
        }
        self.given = given.clone();
        self.changed = true;
    }

    /// Whether they changed since the last call.
    pub(super) fn take_change(&mut self) -> bool {
        core::mem::take(&mut self.changed)
    }

    /// The tags to be written. A creation time is brought into its normal form, which moves it to the end.
    pub(super) fn current(&mut self) -> &Metadata {
        if let Some(normal) = self.current.value("creation_time").and_then(created::normal) {
            self.current.set("creation_time", normal);
        }
        &self.current
    }
}
