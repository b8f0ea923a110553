//! The wall around decoding libraries: their panics are damage, and a copy of their state that panicked is not used again.

use std::{
    cell::Cell,
    panic::{self, AssertUnwindSafe},
};

/// Calls a library. `None` when it panicked; its state must be made anew.
pub(crate) fn inside<T>(call: impl FnOnce() -> T) -> Option<T> {
    INSIDE.set(true);
    let done = panic::catch_unwind(AssertUnwindSafe(call));
    INSIDE.set(false);
    done.ok()
}

thread_local! {
    /// This thread is inside a library.
    static INSIDE: Cell<bool> = const { Cell::new(false) };
}

/// Silences panics inside libraries.
pub(crate) fn quiet_panics() {
    let report = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        if !INSIDE.get() {
            report(info);
        }
    }));
}
