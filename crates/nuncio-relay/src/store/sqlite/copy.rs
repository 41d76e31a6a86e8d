//! A copy of the store, made while it is used.

use std::fs::{self, OpenOptions};
use std::io;
use std::path::Path;

use rusqlite::Connection;

use crate::StoreError;

use super::failure;

/// Writes all that is stored to the new file `to`. It is on disk when this returns; what came of a copy that failed is removed.
pub(super) fn copy(db: &Connection, to: &Path) -> Result<(), StoreError> {
    let unwritable =
        |error: io::Error| StoreError::Unavailable(format!("the copy {}: {error}", to.display()));
    let name = to.to_str().ok_or_else(|| {
        StoreError::Unavailable(format!("the copy {}: its name is not UTF-8", to.display()))
    })?;
    // SQLite writes into an empty file too, and one that it makes itself could be read by others.
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(to).map_err(unwritable)?;
    let failed = |error| match failure(&error, Path::new(db.path().unwrap_or_default())) {
        StoreError::Unavailable(_) => StoreError::Unavailable(format!("the copy {}: {error}", to.display())),
        damaged => damaged,
    };
    let copied = db
        .execute("VACUUM INTO ?1", [name])
        .map_err(failed)
        .and_then(|_| file.sync_all().map_err(unwritable));
    if copied.is_err() {
        let _ = fs::remove_file(to);
    }
    copied
}

#[cfg(test)]
mod tests {
    use crate::store::{SqliteStore, Store as _};

    #[tokio::test]
    async fn a_copy_is_a_store_for_its_user_alone() {
        let folder = tempfile::tempdir().unwrap();
        let to = folder.path().join("copy.db");
        let store = SqliteStore::open(&folder.path().join("relay.db")).unwrap();
        store.backup(&to).await.unwrap();
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(std::fs::metadata(&to).unwrap().permissions().mode() & 0o077, 0);
        }
        let copy = SqliteStore::open(&to).unwrap();
        assert_eq!(copy.check().await.unwrap(), Vec::<String>::new());
        assert_eq!(copy.stats().await.unwrap().events, 0);
    }

    #[tokio::test]
    async fn a_copy_replaces_no_file() {
        let folder = tempfile::tempdir().unwrap();
        let to = folder.path().join("copy.db");
        std::fs::write(&to, "").unwrap();
        let store = SqliteStore::open(&folder.path().join("relay.db")).unwrap();
        let refused = store.backup(&to).await.unwrap_err();
        assert!(refused.to_string().contains("copy.db"), "{refused}");
        assert_eq!(std::fs::read(&to).unwrap(), b"");
    }
}
