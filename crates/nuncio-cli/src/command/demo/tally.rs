//! What the client did, counted from its events.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use nuncio_client::{Event, Observer};

/// Counters that all clients of the demo share.
#[derive(Debug, Clone, Default)]
pub(super) struct Tally(Arc<Counters>);

#[derive(Debug, Default)]
struct Counters {
    attempts: AtomicU64,
    refused: AtomicU64,
    failed: AtomicU64,
    broken: AtomicU64,
    retries: AtomicU64,
    waited_ms: AtomicU64,
    limited_ms: AtomicU64,
    tokens: AtomicU64,
    pages: AtomicU64,
}

impl Tally {
    pub(super) fn observer(&self) -> Observer {
        let counters = Arc::clone(&self.0);
        Observer::new(move |event| counters.count(event))
    }

    pub(super) fn summary(&self) -> String {
        let read = |counter: &AtomicU64| counter.load(Relaxed);
        let c = &*self.0;
        format!(
            "The client made {} attempts: {} answers of 429, {} of 5xx, {} broken connections; {} retries, which waited {:.1} s in all; \
             {:.1} s waited for the limiter; {} events of tokens; {} pages.",
            read(&c.attempts),
            read(&c.refused),
            read(&c.failed),
            read(&c.broken),
            read(&c.retries),
            seconds(&c.waited_ms),
            seconds(&c.limited_ms),
            read(&c.tokens),
            read(&c.pages),
        )
    }
}

impl Counters {
    fn count(&self, event: &Event<'_>) {
        let add = |counter: &AtomicU64| {
            counter.fetch_add(1, Relaxed);
        };
        match event {
            Event::Sending { .. } => add(&self.attempts),
            Event::Answered { status, .. } if status.as_u16() == 429 => add(&self.refused),
            Event::Answered { status, .. } if status.is_server_error() => add(&self.failed),
            Event::Failed { .. } => add(&self.broken),
            Event::Retrying { after, .. } => {
                add(&self.retries);
                self.waited_ms.fetch_add(millis(*after), Relaxed);
            }
            Event::Limited { waited, .. } => {
                self.limited_ms.fetch_add(millis(*waited), Relaxed);
            }
            Event::Token { .. } => add(&self.tokens),
            Event::Page { .. } => add(&self.pages),
            _ => {}
        }
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

fn seconds(counter: &AtomicU64) -> f64 {
    Duration::from_millis(counter.load(Relaxed)).as_secs_f64()
}
