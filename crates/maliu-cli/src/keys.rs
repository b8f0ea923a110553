//! Keys and trust of encrypted connections: what a listener shows, and whom a connecting end believes.

use maliu::tokio::net::{Address, Identity, Trust};

use crate::{
    failure::{Failure, Result},
    folders,
};

/// The certificate of an end that listens.
#[derive(clap::Args, Clone)]
#[group(skip)]
pub(crate) struct Own {
    /// PEM file of a listener's certificate for tls: and quic: (default: made at the first start).
    #[arg(long, value_name = "FILE", requires = "key")]
    cert: Option<String>,
    /// PEM file of its key.
    #[arg(long, value_name = "FILE", requires = "cert")]
    key: Option<String>,
    /// Folder for certificates made by maliu (default: maliu in the user's folder of configurations).
    #[arg(long, value_name = "FOLDER")]
    keys: Option<std::path::PathBuf>,
}

impl Own {
    /// Refuses what an end without a certificate does not use.
    pub(crate) fn refuse_idle(&self, why: &str) -> Result {
        let given = [(self.cert.is_some(), "--cert"), (self.key.is_some(), "--key"), (self.keys.is_some(), "--keys")];
        refuse(&given, why)
    }

    /// Refuses a certificate for an address that shows none.
    fn refuse_certificate(&self, address: &Address) -> Result {
        refuse(&[(self.cert.is_some(), "--cert")], &format!("{address} shows no certificate"))
    }

    /// The identity for listening at an address, and its fingerprint; `None` where none is shown.
    #[cfg(feature = "tls")]
    pub(crate) fn identity(&self, address: &Address) -> Result<Option<(Identity, String)>> {
        if !address.is_encrypted() {
            self.refuse_certificate(address)?;
        }
        let failed = |error| Failure::while_("reading", "the certificate", error);
        let identity = match (&self.cert, &self.key) {
            (Some(cert), Some(key)) => Identity::from_files(cert, key).map_err(failed)?,
            _ if address.is_encrypted() => {
                Identity::kept_in(self.keys.as_deref().unwrap_or(&folders::config())).map_err(failed)?
            }
            _ => return Ok(None),
        };
        let fingerprint = identity.fingerprint();
        Ok(address.is_encrypted().then_some((identity, fingerprint)))
    }

    /// None: this build has no encryption.
    #[cfg(not(feature = "tls"))]
    pub fn identity(&self, _: &Address) -> Result<Option<(Identity, String)>> {
        Ok(None)
    }
}

/// Whom an end that connects believes.
#[derive(clap::Args)]
#[group(skip)]
pub(crate) struct Believe {
    /// Fingerprint of the listener's certificate, as it prints it.
    #[arg(long, value_name = "HEX")]
    fingerprint: Option<String>,
    /// PEM file of the authority that signed the listener's certificate.
    #[arg(long, value_name = "FILE", conflicts_with = "fingerprint")]
    ca: Option<String>,
}

/// Refuses the first of some options that is given, because of what it would not change.
pub(crate) fn refuse(options: &[(bool, &str)], why: &str) -> Result {
    match options.iter().find(|(given, _)| *given) {
        Some((_, option)) => Err(Failure::Usage(format!("{option} changes nothing here: {why}"))),
        None => Ok(()),
    }
}

impl Believe {
    /// Refuses what an end that meets no certificate does not use.
    pub(crate) fn refuse_idle(&self, why: &str) -> Result {
        refuse(&[(self.fingerprint.is_some(), "--fingerprint"), (self.ca.is_some(), "--ca")], why)
    }

    /// For connecting to an address.
    #[cfg(feature = "tls")]
    pub(crate) fn trust(&self, address: &Address) -> Result<Option<Trust>> {
        if !address.is_encrypted() {
            self.refuse_idle(&format!("{address} shows no certificate"))?;
        }
        match (&self.fingerprint, &self.ca) {
            (Some(pin), _) => {
                let digits = pin.chars().filter(|c| *c != ':');
                if !digits.clone().all(|c| c.is_ascii_hexdigit()) || digits.count() != 64 {
                    let why = format!("{pin}: a fingerprint is 64 hexadecimal digits, as the listener prints it");
                    return Err(Failure::Usage(why));
                }
                Ok(Some(Trust::fingerprint(pin)))
            }
            (None, Some(file)) => {
                Trust::authority(file).map(Some).map_err(|error| Failure::while_("reading", file, error))
            }
            (None, None) if address.is_encrypted() => {
                Err(Failure::Usage(format!("{address}: specify --fingerprint or --ca to authenticate the listener")))
            }
            (None, None) => Ok(None),
        }
    }

    /// None: this build has no encryption.
    #[cfg(not(feature = "tls"))]
    pub fn trust(&self, _: &Address) -> Result<Option<Trust>> {
        Ok(None)
    }
}
