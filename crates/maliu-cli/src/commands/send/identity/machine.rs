//! A secret of this machine and user, made at the first transfer: what makes ids differ where paths and files do not.

use std::{fs, io, path::Path};

use super::random;
use crate::folders;

/// The secret. Where none can be kept, the names that the system has stand in for it.
pub(super) fn secret() -> io::Result<Vec<u8>> {
    let folder = folders::state();
    match kept_in(&folder) {
        Ok(secret) => Ok(secret.into_bytes()),
        Err(error) => {
            tracing::info!("{}: {error}: transfers are told apart by the names of this machine", folder.display());
            let names = ["/etc/machine-id", "/proc/sys/kernel/hostname"].map(|path| fs::read(path).unwrap_or_default());
            match names.iter().all(Vec::is_empty) {
                // A second run cannot continue, but no sender is mistaken for another.
                true => Ok(random()?.to_be_bytes().into()),
                false => Ok(names.concat()),
            }
        }
    }
}

/// The secret in a folder, which is made if it is not there.
fn kept_in(folder: &Path) -> io::Result<String> {
    let place = folder.join("machine");
    if let Ok(secret) = read(&place) {
        return Ok(secret);
    }
    fs::create_dir_all(folder)?;
    let secret = format!("{:016x}{:016x}", random()?, random()?);
    let beside = folder.join(format!("machine.{:016x}", random()?));
    fs::write(&beside, format!("{secret}\n"))?;
    // Of several that begin at the same time, the first one has made it.
    let linked = fs::hard_link(&beside, &place);
    if linked.is_ok() || read(&place).is_ok() {
        fs::remove_file(&beside)?;
    } else {
        // No such links here, or a damaged file in its place.
        fs::rename(&beside, &place)?;
    }
    read(&place)
}

fn read(place: &Path) -> io::Result<String> {
    let text = fs::read_to_string(place)?;
    let secret = text.trim();
    match secret.len() == 32 && secret.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        true => Ok(secret.to_owned()),
        false => Err(io::ErrorKind::InvalidData.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_secret_is_made_once_and_again_when_it_is_damaged() {
        let folder = std::env::temp_dir().join(format!("maliu-machine-{}", std::process::id()));
        let first = kept_in(&folder).unwrap();
        assert_eq!(kept_in(&folder).unwrap(), first);
        fs::write(folder.join("machine"), "").unwrap();
        let second = kept_in(&folder).unwrap();
        assert!(second != first && second == kept_in(&folder).unwrap());
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 1);
        fs::remove_dir_all(&folder).unwrap();
    }
}
