//! The output and the note of how far it got.

use std::pin::Pin;
use std::time::Duration;

use nuncio_client::pages::{Checkpoint, Record};
use tokio::time::{Instant, Sleep};

use crate::Error;

use super::sink::Sink;
use super::state::{Saved, State};

/// How far apart pages are made safe that come faster: a quarter of a second. It is what a run that is killed has to do again, and
/// makes the cost of waiting for the disk one of time, not of pages.
pub const COMMIT_INTERVAL: Duration = Duration::from_millis(250);

pub(super) struct Output {
    sink: Sink,
    state: Option<State>,
    /// The end of the last page, until the state tells of it.
    unsaved: Option<Checkpoint>,
}

impl Output {
    pub(super) fn new(sink: Sink, state: Option<State>) -> Self {
        Self { sink, state, unsaved: None }
    }

    pub(super) fn write(&mut self, record: &Record) -> Result<(), Error> {
        self.sink.write(record)
    }

    /// Ends a page, and makes it safe if that is `due`.
    pub(super) fn end_page(&mut self, checkpoint: Checkpoint, due: Pin<&mut Sleep>) -> Result<(), Error> {
        self.sink.end_page()?;
        self.unsaved = Some(checkpoint);
        let now = Instant::now();
        if now < due.deadline() {
            return Ok(());
        }
        due.reset(now + COMMIT_INTERVAL);
        self.commit()
    }

    pub(super) fn is_unsaved(&self) -> bool {
        self.unsaved.is_some()
    }

    /// Makes safe what was written up to the last page. The order is the point: a state must never tell of bytes that are not there.
    pub(super) fn commit(&mut self) -> Result<(), Error> {
        let Some(checkpoint) = self.unsaved.take() else { return Ok(()) };
        self.sink.flush_pages()?;
        if let Some(state) = &self.state {
            self.sink.sync()?;
            let header = self.sink.header();
            state.save(Saved { bytes: self.sink.bytes(), header, checkpoint: Some(checkpoint) })?;
        }
        Ok(())
    }

    /// Leaves whole pages only, where that is possible, and says how many bytes they are.
    pub(super) fn close(mut self) -> Result<u64, Error> {
        let committed = self.commit();
        let bytes = self.sink.close()?;
        committed.map(|()| bytes)
    }
}
