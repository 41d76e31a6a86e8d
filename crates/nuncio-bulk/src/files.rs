//! Files that survive a crash.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use crate::Error;

/// Replaces the file at `path` by one with `contents`: whoever opens it sees the old or the new whole, also after a power cut.
pub(crate) fn replace(path: &Path, contents: &[u8]) -> Result<(), Error> {
    let mut name = path.as_os_str().to_owned();
    name.push(".new");
    let new = PathBuf::from(name);
    let write = || -> io::Result<()> {
        let mut file = File::create(&new)?;
        file.write_all(contents)?;
        // Before the rename: a name that points to data that was never written is an empty file after a power cut.
        file.sync_all()?;
        std::fs::rename(&new, path)
    };
    write().map_err(|source| {
        // A full disk has no room for half a file either.
        let _ = std::fs::remove_file(&new);
        Error::file("write", path)(source)
    })
}

/// Brings the name of the file at `path` to disk: a new file can be lost in a power cut although what is in it was written. A folder
/// that cannot be opened, or a system that does not do this, is no reason not to go on.
pub(crate) fn sync_name(path: &Path) {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let _ = File::open(folder).and_then(|folder| folder.sync_all());
}

/// Whether at `path` is something that keeps nothing of what is written to it: a device, a pipe.
pub(crate) fn is_stream(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|found| !found.is_file() && !found.is_dir())
}

/// Opens the file at `path` for one run alone, and makes it where it is missing. A crash, too, ends the lock.
pub(crate) fn open_alone(path: &Path) -> Result<File, Error> {
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(path)
        .map_err(Error::file("open", path))?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Err(Error::InUse { path: path.to_owned() }),
        Err(TryLockError::Error(source)) => return Err(Error::file("lock", path)(source)),
    }
    sync_name(path);
    Ok(file)
}

/// Cuts `file`, which is one of lines, to its first `bytes` and goes to its end.
pub(crate) fn cut(file: &mut File, bytes: u64, path: &Path) -> Result<(), Error> {
    let length = file.metadata().map_err(Error::file("read", path))?.len();
    if length < bytes {
        let problem =
            format!("has {length} bytes, but {bytes} were written: start anew, or put the file back");
        return Err(Error::state(path, problem));
    }
    if bytes > 0 {
        // Nobody but us notes lengths, and we note them behind whole lines.
        let mut last = [0];
        let read = file.seek(SeekFrom::Start(bytes - 1)).and_then(|_| file.read_exact(&mut last));
        read.map_err(Error::file("read", path))?;
        if last != *b"\n" {
            let problem = format!(
                "has no line that ends at byte {bytes}, so something else has changed it: start anew, or put the file back"
            );
            return Err(Error::state(path, problem));
        }
    }
    file.set_len(bytes).and_then(|()| file.seek(SeekFrom::End(0))).map_err(Error::file("write", path))?;
    Ok(())
}
