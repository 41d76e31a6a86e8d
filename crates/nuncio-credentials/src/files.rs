//! Files that only their owner can read.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use nuncio_client::Error;
use tempfile::NamedTempFile;

/// The folder that `path` lies in, made where it is missing, for its owner alone.
pub(crate) fn folder(path: &Path) -> Result<PathBuf, Error> {
    let folder =
        path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new(".")).to_owned();
    let make = || -> io::Result<()> {
        if folder.is_dir() {
            return Ok(());
        }
        let mut builder = std::fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(&folder)
    };
    make().map_err(|error| {
        Error::configuration(format!("the folder {} cannot be made", folder.display())).because(error)
    })?;
    Ok(folder)
}

/// Takes from others what they may do to `path`. Where that is not ours to change, it stays.
pub(crate) fn close_to_others(path: &Path, mode: u32) {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        if is_open_to_others(path) {
            let _ = std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode));
        }
    }
    #[cfg(not(unix))]
    let _ = (path, mode);
}

/// Whether others may read or write it. Windows has no such bits: its folders belong to one user.
pub(crate) fn is_open_to_others(path: &Path) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::metadata(path).is_ok_and(|found| found.permissions().mode() & 0o077 != 0)
    }
    #[cfg(not(unix))]
    {
        let _ = path;
        false
    }
}

/// How a file takes its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// Only where there is none.
    New,
    /// Whatever was there before.
    Over,
}

/// A file of `contents` at `path`, mode 0600: it is whole or not there, also after a power cut.
pub(crate) fn write(path: &Path, contents: &[u8], place: Place) -> io::Result<()> {
    let folder = path.parent().expect("a path to a file");
    let mut file = NamedTempFile::new_in(folder)?;
    file.write_all(contents)?;
    put(file, path, place)
}

/// Gives a file that was written under another name its own.
pub(crate) fn put(file: NamedTempFile, path: &Path, place: Place) -> io::Result<()> {
    // Before it has its name: a name that points to data that was never written is an empty file after a power cut.
    file.as_file().sync_all()?;
    match place {
        Place::New => file.persist_noclobber(path),
        Place::Over => file.persist(path),
    }
    .map_err(|error| error.error)?;
    // A folder that cannot be opened, or a system that does not do this, is no reason not to go on.
    let _ = File::open(path.parent().expect("a path to a file")).and_then(|folder| folder.sync_all());
    Ok(())
}
