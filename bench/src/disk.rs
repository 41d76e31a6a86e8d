//! What the disk can do, for those who wait for it.

use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::time::Duration;

use tokio::time::Instant;

/// How often a second the disk takes 4 KiB and says that they are there.
///
/// # Panics
/// When the folder cannot be written to.
#[must_use]
pub fn flushes(folder: &Path) -> f64 {
    let mut file = File::create(folder.join("flushes")).expect("a file");
    let (start, mut count) = (Instant::now(), 0);
    while start.elapsed() < Duration::from_secs(1) {
        file.write_all(&[7; 4096]).expect("a write");
        file.sync_data().expect("a flush");
        count += 1;
    }
    f64::from(count) / start.elapsed().as_secs_f64()
}
