//! The file that the store is, and what SQLite says about it.

use std::path::Path;
use std::time::Duration;

use nuncio_client::{Error, Evidence, Kind};
use rusqlite::{Connection, ErrorCode, OpenFlags};

use crate::files::{self, Place};
use crate::keys::KeyInfo;

/// How long one process waits for the writes of others: 30 s.
const BUSY_TIMEOUT: Duration = Duration::from_secs(30);

/// `nunc`, so that no other program's database is taken for ours.
const APPLICATION_ID: i64 = 0x6e75_6e63;

/// Rises with each change of the tables.
const VERSION: i64 = 1;

const SCHEMA: &str = "
CREATE TABLE store (key_id TEXT NOT NULL, key_source TEXT NOT NULL, last_lease INTEGER NOT NULL) STRICT;
CREATE TABLE connection (
    service TEXT NOT NULL, name TEXT NOT NULL, created_ms INTEGER NOT NULL, updated_ms INTEGER NOT NULL,
    PRIMARY KEY (service, name)
) STRICT, WITHOUT ROWID;
CREATE TABLE secret (
    service TEXT NOT NULL, name TEXT NOT NULL, field TEXT NOT NULL, sealed BLOB NOT NULL,
    PRIMARY KEY (service, name, field),
    FOREIGN KEY (service, name) REFERENCES connection ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE TABLE lease (
    service TEXT NOT NULL, name TEXT NOT NULL, number INTEGER NOT NULL, length_ms INTEGER NOT NULL, until_ms INTEGER NOT NULL,
    PRIMARY KEY (service, name)
) STRICT, WITHOUT ROWID;
";

/// What can go wrong inside a transaction.
#[derive(Debug)]
pub(crate) enum Failure {
    Sqlite(rusqlite::Error),
    Told(Error),
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Told(error)
    }
}

impl Failure {
    /// As an error about the store at `path`.
    pub(crate) fn about(self, path: &Path) -> Error {
        let error = match self {
            Self::Told(error) => return error,
            Self::Sqlite(error) => error,
        };
        let path = path.display();
        let (what, advice) = match error.sqlite_error_code() {
            Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => {
                return damaged(format!("the credential store {path} is damaged")).because(error);
            }
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
                let message = format!(
                    "the credential store {path} has been in use by other processes for {} s",
                    BUSY_TIMEOUT.as_secs()
                );
                return Error::new(Kind::Timeout, message).evidence_is(Evidence::NeverSent).because(error);
            }
            Some(ErrorCode::CannotOpen | ErrorCode::PermissionDenied) => {
                ("cannot be opened", "check who owns it and its folder")
            }
            Some(ErrorCode::ReadOnly) => ("cannot be written", "check who owns it and its folder"),
            Some(ErrorCode::DiskFull | ErrorCode::SystemIoFailure) => {
                ("cannot be read or written", "check the disk; what was stored before is still there")
            }
            _ => ("cannot be used", "move it away and log in again if this stays so"),
        };
        Error::configuration(format!("the credential store {path} {what}")).because(error).advise(advice)
    }
}

/// An error about bytes that are not what was written.
pub(crate) fn damaged(message: String) -> Error {
    Error::configuration(message)
        .advise("put a copy of it in its place, or move it away and import an export or log in again; nothing was overwritten")
}

/// Makes a new store at `path`, encrypted with the key of `info`. One that is there already stays.
pub(crate) fn make(path: &Path, info: &KeyInfo) -> Result<(), Error> {
    let folder = files::folder(path)?;
    let unwritable = |error: std::io::Error| {
        Error::configuration(format!("the credential store {} cannot be made", path.display())).because(error)
    };
    // Under another name until it is whole, so that no process finds half a store, and of two that make one the second uses the first's.
    let file = tempfile::NamedTempFile::new_in(folder).map_err(unwritable)?;
    let build = |path: &Path| -> Result<(), rusqlite::Error> {
        let db = Connection::open(path)?;
        db.pragma_update(None, "journal_mode", "WAL")?;
        db.pragma_update(None, "application_id", APPLICATION_ID)?;
        db.pragma_update(None, "user_version", VERSION)?;
        db.execute_batch(SCHEMA)?;
        db.execute("INSERT INTO store VALUES (?1, ?2, 0)", (&info.id, info.source.name()))?;
        db.close().map_err(|(_, error)| error)
    };
    build(file.path()).map_err(|error| Failure::from(error).about(path))?;
    match files::put(file, path, Place::New) {
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        put => put.map_err(unwritable),
    }
}

/// Opens the store at `path`, which is there.
pub(crate) fn open(path: &Path) -> Result<Connection, Error> {
    files::close_to_others(path, 0o600);
    if let Some(folder) = path.parent() {
        files::close_to_others(folder, 0o700);
    }
    let open = || -> Result<Connection, Failure> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let db = Connection::open_with_flags(path, flags)?;
        db.busy_timeout(BUSY_TIMEOUT)?;
        // What was replaced is overwritten, and what is committed is on disk.
        db.execute_batch("PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA secure_delete = ON;")?;
        check(&db, path)?;
        Ok(db)
    };
    open().map_err(|failure| failure.about(path))
}

fn check(db: &Connection, path: &Path) -> Result<(), Failure> {
    let number = |pragma: &str| db.pragma_query_value(None, pragma, |row| row.get::<_, i64>(0));
    let path = path.display();
    if number("application_id")? != APPLICATION_ID {
        return Err(damaged(format!("{path} is no credential store")).into());
    }
    match number("user_version")? {
        VERSION => Ok(()),
        newer => Err(Error::configuration(format!(
            "the credential store {path} is of version {newer}, and this nuncio knows {VERSION}"
        ))
        .advise("use the nuncio that wrote it, or a newer one")
        .into()),
    }
}
