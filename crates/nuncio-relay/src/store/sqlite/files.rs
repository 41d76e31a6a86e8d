//! The file, and connections to it.

use std::fs::OpenOptions;
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError, RwLock};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use crate::StoreError;

use super::{failure, schema};

/// How long one process waits for the writes of another: 5 s.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// How many statements a connection keeps ready.
const STATEMENTS: usize = 64;

/// How much of the log is written again at a time.
const PIECE_BYTES: usize = 1024 * 1024;

/// Connections for reading that are kept open.
const READERS: usize = 4;

pub(super) struct Files {
    path: PathBuf,
    readers: Mutex<Vec<Connection>>,
    /// Held by those who read, and alone by who wants them to be gone.
    in_use: RwLock<()>,
}

impl Files {
    /// The store at `path`, which is made if it is not there.
    pub(super) fn open(path: &Path) -> Result<Self, StoreError> {
        let files = Self { path: path.to_owned(), readers: Mutex::default(), in_use: RwLock::default() };
        make(path).map_err(|error| StoreError::Unavailable(format!("{}: {error}", path.display())))?;
        let mut db = files.open_durable_writer()?;
        schema::migrate(&mut db, path)?;
        Ok(files)
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// A connection that writes. Each commit is on disk when it returns.
    fn open_writer(&self) -> Result<Connection, StoreError> {
        let open = || {
            let db = self.connect(OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE)?;
            // Only what was carried over to the end of a checkpoint may be forgotten: not by a close in the middle of trouble.
            db.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
            db.execute_batch(
                "PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
                 PRAGMA wal_autocheckpoint = 0; PRAGMA cache_size = -16384;",
            )?;
            Ok(db)
        };
        open().map_err(|error| failure(&error, &self.path))
    }

    fn connect(&self, flags: OpenFlags) -> Result<Connection, rusqlite::Error> {
        let db = Connection::open_with_flags(&self.path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
        db.busy_timeout(BUSY_TIMEOUT)?;
        db.set_prepared_statement_cache_capacity(STATEMENTS);
        Ok(db)
    }

    /// Reads by a connection that nobody else uses meanwhile.
    pub(super) fn read<T>(
        &self,
        read: impl FnOnce(&Connection) -> Result<T, rusqlite::Error>,
    ) -> Result<T, rusqlite::Error> {
        let _in_use = self.in_use.read().unwrap_or_else(PoisonError::into_inner);
        let kept = self.readers().pop();
        let db = match kept {
            Some(db) => db,
            None => {
                let db = self.connect(OpenFlags::SQLITE_OPEN_READ_WRITE)?;
                db.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
                db.pragma_update(None, "synchronous", "FULL")?;
                db
            }
        };
        let result = read(&db);
        let mut readers = self.readers();
        if readers.len() < READERS {
            readers.push(db);
        }
        result
    }

    /// Closes the connections for reading, when nobody reads any more.
    pub(super) fn close_readers(&self) {
        let _alone = self.in_use.write().unwrap_or_else(PoisonError::into_inner);
        self.readers().clear();
    }

    /// The connection that writes, over a log that is on disk to its end.
    ///
    /// A log that is found may end in a commit whose flush failed, for us or for a process before us. Linux counts the pages of a failed flush as
    /// written, so a flush alone would change nothing, and what is appended would be lost with them when the power fails. So the log is written
    /// once more and then flushed, before anything is appended or carried over.
    pub(super) fn open_durable_writer(&self) -> Result<Connection, StoreError> {
        let _alone = self.in_use.write().unwrap_or_else(PoisonError::into_inner);
        let db = self.open_writer()?;
        let unusable = |error: rusqlite::Error| failure(&error, &self.path);
        // Other processes neither append nor begin the log anew meanwhile.
        db.execute_batch("BEGIN IMMEDIATE").map_err(unusable)?;
        let written = write_again(&log_of(&self.path));
        db.execute_batch("ROLLBACK").map_err(unusable)?;
        written.map_err(|error| {
            StoreError::Unavailable(format!("{}: its log cannot be flushed: {error}", self.path.display()))
        })?;
        Ok(db)
    }

    fn readers(&self) -> std::sync::MutexGuard<'_, Vec<Connection>> {
        self.readers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The write-ahead log of the database at `path`.
fn log_of(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push("-wal");
    name.into()
}

/// Writes the bytes of a file in their places once more, and flushes them.
fn write_again(path: &Path) -> io::Result<()> {
    let mut file = match OpenOptions::new().read(true).write(true).open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        opened => opened?,
    };
    let mut piece = vec![0; PIECE_BYTES];
    let mut place = 0;
    loop {
        file.seek(SeekFrom::Start(place))?;
        let length = file.read(&mut piece)?;
        if length == 0 {
            return file.sync_data();
        }
        file.seek(SeekFrom::Start(place))?;
        file.write_all(&piece[..length])?;
        place += length as u64;
    }
}

/// Makes the file if it is not there, for its user alone: secrets and what people write to each other stand in it. SQLite gives the files beside it
/// the same mode.
fn make(path: &Path) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop)
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn what_is_stored_is_for_its_user_alone() {
        let folder = tempfile::tempdir().unwrap();
        let _files = Files::open(&folder.path().join("relay.db")).unwrap();
        for file in std::fs::read_dir(folder.path()).unwrap().map(Result::unwrap) {
            assert_eq!(file.metadata().unwrap().permissions().mode() & 0o077, 0, "{:?}", file.path());
        }
    }
}
