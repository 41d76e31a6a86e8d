//! Which leases are held by a process that is still alive.
//!
//! A lease ends by the time of day, long after a crash. So its holder locks a file of the lease's number, and the system unlocks it when
//! the process ends, however it ends: whoever finds the file unlocked need not wait. Where files cannot be locked, time alone counts.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions, TryLockError};
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use crate::files;

/// The leases that this process holds, and the folder where those of all are seen.
#[derive(Debug)]
pub(crate) struct Holders {
    folder: PathBuf,
    own: Mutex<BTreeMap<u64, File>>,
}

impl Holders {
    pub(crate) fn new(folder: PathBuf) -> Self {
        Self { folder, own: Mutex::default() }
    }

    /// Shows that this process is alive as long as it holds the lease `number`. Before others can see the lease.
    pub(crate) fn hold(&self, number: u64) {
        let path = self.path(number);
        if files::folder(&path).is_err() {
            return;
        }
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(false);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        if let Ok(file) = options.open(path)
            && file.try_lock().is_ok()
        {
            self.own().insert(number, file);
        }
    }

    /// Whether the process that held the lease `number` is known to have ended.
    pub(crate) fn is_dead(&self, number: u64) -> bool {
        match File::open(self.path(number)).map(|file| file.try_lock()) {
            Ok(Ok(())) => true,
            Ok(Err(TryLockError::WouldBlock | TryLockError::Error(_))) | Err(_) => false,
        }
    }

    /// The lease `number` is nobody's any more.
    pub(crate) fn forget(&self, number: u64) {
        self.own().remove(&number);
        // What is left behind does no harm: no number comes twice.
        let _ = std::fs::remove_file(self.path(number));
    }

    fn path(&self, number: u64) -> PathBuf {
        self.folder.join(number.to_string())
    }

    fn own(&self) -> std::sync::MutexGuard<'_, BTreeMap<u64, File>> {
        self.own.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
