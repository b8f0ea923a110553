//! Settings in force: those of the file, and the keys and certificates that it names, read. They are replaced as a whole.

use std::{io, ops::Deref, sync::Arc};

use crate::{config::Config, jwt::KeySet, tls};

/// Settings in force.
#[derive(Debug)]
pub(crate) struct Settings {
    config: Config,
    /// Keys of JSON Web Tokens for publishers, and for viewers.
    pub(crate) publish_keys: Option<KeySet>,
    pub(crate) play_keys: Option<KeySet>,
    /// Certificates of this relay.
    pub(crate) tls: Option<tls::Identity>,
}

impl Settings {
    /// Reads the files that settings name.
    ///
    /// # Errors
    /// Those of the system, and of files that are not what they should be; the path is in the text.
    pub(crate) fn of(config: Config) -> io::Result<Arc<Self>> {
        let keys = |path: &Option<String>| path.as_ref().map(KeySet::read).transpose();
        Ok(Arc::new(Self {
            publish_keys: keys(&config.publish_jwt)?,
            play_keys: keys(&config.play_jwt)?,
            tls: config.tls.as_ref().map(tls::Identity::read).transpose()?,
            config,
        }))
    }
}

impl Deref for Settings {
    type Target = Config;

    fn deref(&self) -> &Config {
        &self.config
    }
}
