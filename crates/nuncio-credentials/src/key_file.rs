//! A file with the key, for machines without a place for secrets.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::PathBuf;

use nuncio_client::Error;

use crate::files::{self, Place};
use crate::keeper;
use crate::key::Key;

const HEAD: &str =
    "# The key of nuncio's credential store. Whoever has both can read it; without the key nobody can.\n";

/// Bound on the file: 4 KiB.
const MAX_BYTES: u64 = 4096;

/// Keys, as [`keeper`] writes them.
#[derive(Debug, Clone)]
pub(crate) struct KeyFile(PathBuf);

impl KeyFile {
    pub(crate) fn new(path: PathBuf) -> Self {
        Self(path)
    }

    pub(crate) fn display(&self) -> std::path::Display<'_> {
        self.0.display()
    }

    /// The keys; none when there is no such file.
    pub(crate) fn read(&self) -> Result<Vec<Key>, Error> {
        let path = self.0.display();
        let unreadable = |error: io::Error| {
            Error::configuration(format!("the key file {path} cannot be read")).because(error)
        };
        let file = match File::open(&self.0) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            opened => opened.map_err(unreadable)?,
        };
        if files::is_open_to_others(&self.0) {
            return Err(Error::configuration(format!("the key file {path} can be read by others")).advise(format!(
                "run `chmod 600 {path}`, and then `nuncio connections rekey` when somebody may have read it"
            )));
        }
        let mut text = zeroize::Zeroizing::new(String::new());
        file.take(MAX_BYTES).read_to_string(&mut text).map_err(unreadable)?;
        keeper::parse(&text).ok_or_else(|| {
            Error::configuration(format!("the key file {path} is damaged: it has something else than keys"))
                .advise("put a copy of it in its place; it is not made anew, since the old key would be lost")
        })
    }

    /// The keys of the file, which is made with a new one where there is none.
    pub(crate) fn read_or_make(&self) -> Result<Vec<Key>, Error> {
        let keys = self.read()?;
        if !keys.is_empty() {
            return Ok(keys);
        }
        files::folder(&self.0)?;
        match self.put(&[&Key::generate()], Place::New) {
            // Another process was first.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            written => written.map_err(|error| self.unwritable(error))?,
        }
        self.read()
    }

    /// Puts `keys` in place of those that are there.
    pub(crate) fn replace(&self, keys: &[&Key]) -> Result<(), Error> {
        files::folder(&self.0)?;
        self.put(keys, Place::Over).map_err(|error| self.unwritable(error))
    }

    pub(crate) fn remove(&self) {
        // The keys in it open nothing any more.
        let _ = std::fs::remove_file(&self.0);
    }

    fn put(&self, keys: &[&Key], place: Place) -> io::Result<()> {
        let mut text = zeroize::Zeroizing::new(HEAD.to_owned());
        text.push_str(&keeper::write(keys));
        files::write(&self.0, text.as_bytes(), place)
    }

    fn unwritable(&self, error: io::Error) -> Error {
        Error::configuration(format!("the key file {} cannot be written", self.0.display())).because(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file() -> (tempfile::TempDir, KeyFile) {
        let dir = tempfile::tempdir().unwrap();
        let file = KeyFile::new(dir.path().join("new/credentials.key"));
        (dir, file)
    }

    #[test]
    fn a_key_is_made_once_and_found_again() {
        let (_dir, file) = file();
        assert!(file.read().unwrap().is_empty());
        let made = file.read_or_make().unwrap();
        assert_eq!(made.len(), 1);
        assert_eq!(file.read_or_make().unwrap()[0].id(), made[0].id());
    }

    #[test]
    fn a_damaged_file_is_told_and_kept() {
        let (_dir, file) = file();
        file.read_or_make().unwrap();
        for damaged in ["", "# nothing\n", "made-up passphrase\n"] {
            files::write(&file.0, damaged.as_bytes(), Place::Over).unwrap();
            let error = file.read_or_make().unwrap_err().to_string();
            assert!(error.contains("is damaged"), "{error}");
            assert_eq!(std::fs::read_to_string(&file.0).unwrap(), damaged);
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_others_can_read_is_refused_with_the_command_to_run() {
        use std::os::unix::fs::PermissionsExt as _;
        let (_dir, file) = file();
        file.read_or_make().unwrap();
        let mode = || std::fs::metadata(&file.0).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(), 0o600);
        std::fs::set_permissions(&file.0, std::fs::Permissions::from_mode(0o640)).unwrap();
        let error = file.read().unwrap_err().report();
        assert!(error.contains("can be read by others") && error.contains("chmod 600"), "{error}");
    }
}
