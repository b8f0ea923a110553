//! The user's folders, by the XDG Base Directory Specification: a variable that is empty or relative counts as unset.

use std::path::PathBuf;

/// Where certificates and keys that were made are kept.
pub(crate) fn config() -> PathBuf {
    folder("XDG_CONFIG_HOME", ".config")
}

/// Where is kept what must outlive a process.
pub(crate) fn state() -> PathBuf {
    folder("XDG_STATE_HOME", ".local/state")
}

fn folder(variable: &str, in_home: &str) -> PathBuf {
    let set = std::env::var_os(variable).map(PathBuf::from).filter(|path| path.is_absolute());
    let home = || std::env::home_dir().unwrap_or_default().join(in_home);
    set.unwrap_or_else(home).join("maliu")
}
