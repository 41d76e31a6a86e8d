//! Where records are written to.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::PathBuf;

use nuncio_client::pages::Record;

use crate::{Error, files};

use super::Target;
use super::csv::Csv;

/// Bytes that are collected before they are written.
const BUFFER_BYTES: usize = 64 * 1024;

pub(super) struct Sink {
    out: Out,
    /// The CSV encoder; JSON lines need none.
    csv: Option<Csv>,
    buffer: Vec<u8>,
    /// Length of the output without the buffer.
    written: u64,
    /// Length of the output, buffer included, up to the end of the last whole page.
    page_end: u64,
    /// Length of the output up to the end of the last page that was written whole.
    whole: u64,
    /// Whether the last write failed: half of it may be there.
    is_broken: bool,
}

/// An open [`Target`].
pub(super) enum Out {
    /// A regular file.
    File(File, PathBuf),
    /// What keeps nothing, and its name.
    Writer(Box<dyn Write + Send>, PathBuf),
}

impl Out {
    pub(super) fn open(target: Target) -> Result<Self, Error> {
        Ok(match target {
            Target::File(path) if files::is_stream(&path) => {
                let file = OpenOptions::new().write(true).open(&path).map_err(Error::file("open", &path))?;
                Self::Writer(Box::new(file), path)
            }
            Target::File(path) => Self::File(files::open_alone(&path)?, path),
            Target::Writer(writer) => Self::Writer(writer, "the output".into()),
        })
    }

    pub(super) fn must_be_empty(&self) -> Result<(), Error> {
        let Self::File(file, path) = self else { return Ok(()) };
        if file.metadata().map_err(Error::file("read", path))?.len() == 0 {
            return Ok(());
        }
        let problem =
            "is there already, and no state tells how to go on with it: start anew, or write to another file";
        Err(Error::state(path, problem))
    }

    /// Leaves the first `bytes`, where that is possible.
    pub(super) fn cut(&mut self, bytes: u64) -> Result<(), Error> {
        match self {
            Self::File(file, path) => files::cut(file, bytes, path),
            Self::Writer(..) => Ok(()),
        }
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        match self {
            Self::File(file, path) => file.write_all(bytes).map_err(Error::file("write", path)),
            Self::Writer(writer, name) => {
                writer.write_all(bytes).and_then(|()| writer.flush()).map_err(Error::file("write to", name))
            }
        }
    }

    fn sync(&self) -> Result<(), Error> {
        match self {
            Self::File(file, path) => file.sync_data().map_err(Error::file("write", path)),
            Self::Writer(..) => Ok(()),
        }
    }
}

impl Sink {
    /// Writes to `out`, which has `length` bytes.
    pub(super) fn new(out: Out, csv: Option<Csv>, length: u64) -> Self {
        let buffer = Vec::with_capacity(BUFFER_BYTES);
        Self { out, csv, buffer, written: length, page_end: length, whole: length, is_broken: false }
    }

    pub(super) fn write(&mut self, record: &Record) -> Result<(), Error> {
        match &mut self.csv {
            Some(csv) => csv.write(record, &mut self.buffer)?,
            None => {
                self.buffer.extend_from_slice(&record.line());
                self.buffer.push(b'\n');
            }
        }
        if self.buffer.len() < BUFFER_BYTES { Ok(()) } else { self.flush(self.buffer.len()) }
    }

    /// What comes next belongs to another page.
    pub(super) fn end_page(&mut self) -> Result<(), Error> {
        if let Some(csv) = &mut self.csv {
            csv.end_page(&mut self.buffer)?;
        }
        self.page_end = self.written + self.buffer.len() as u64;
        Ok(())
    }

    /// Writes the whole pages of what was collected.
    pub(super) fn flush_pages(&mut self) -> Result<(), Error> {
        let whole = self.page_end.saturating_sub(self.written);
        self.flush(usize::try_from(whole).expect("a part of the buffer"))?;
        self.whole = self.page_end;
        Ok(())
    }

    fn flush(&mut self, bytes: usize) -> Result<(), Error> {
        self.is_broken = true;
        self.out.write(&self.buffer[..bytes])?;
        self.is_broken = false;
        self.written += bytes as u64;
        self.buffer.drain(..bytes);
        Ok(())
    }

    /// Brings what was written to disk.
    pub(super) fn sync(&self) -> Result<(), Error> {
        self.out.sync()
    }

    /// Leaves whole pages only, where that is possible, and says how many bytes they are; after a write that failed, those before it.
    pub(super) fn close(mut self) -> Result<u64, Error> {
        if self.is_broken {
            self.out.cut(self.whole)?;
            return Ok(self.whole);
        }
        self.flush_pages()?;
        if self.written > self.page_end {
            self.out.cut(self.page_end)?;
        }
        self.out.sync()?;
        Ok(self.page_end)
    }

    /// Length of the output up to the end of the last whole page.
    pub(super) fn bytes(&self) -> u64 {
        self.page_end
    }

    pub(super) fn header(&self) -> Option<Vec<String>> {
        self.csv.as_ref()?.header().map(<[String]>::to_vec)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_a_write_that_failed_the_whole_pages_before_it_are_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out.jsonl");
        let file = File::create_new(&path).unwrap();
        let mut sink = Sink::new(Out::File(file, path.clone()), None, 0);
        let page = |sink: &mut Sink, text: &[u8]| {
            sink.buffer.extend_from_slice(text);
            sink.end_page()?;
            sink.flush_pages()
        };
        page(&mut sink, b"1\n2\n").unwrap();
        // A file that is open for reading alone takes no write.
        let full = Out::File(File::open(&path).unwrap(), path.clone());
        let file = std::mem::replace(&mut sink.out, full);
        page(&mut sink, b"3\n").unwrap_err();
        sink.out = file;
        assert_eq!(sink.close().unwrap(), 4);
        assert_eq!(std::fs::read(&path).unwrap(), b"1\n2\n");
    }
}
