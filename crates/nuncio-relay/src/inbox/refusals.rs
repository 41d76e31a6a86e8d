//! Requests that are not genuine: refused, counted, told of, and kept within bounds.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use nuncio_webhook::Refusal;
use tokio::time::Instant;

use crate::notice::Notice;
use crate::store::{Append, Refused};
use crate::{Headers, Origin};

use super::{Arrival, Inbox, Received, Reply, Source, plain};

/// How often a source has something written down about a refusal: whoever floods us with rubbish shall not keep the disk busy.
const KEPT_EVERY: Duration = Duration::from_millis(100);

/// How often somebody is told that a source gets rubbish.
const TOLD_EVERY: Duration = Duration::from_secs(3600);

/// What was refused lately, by source.
#[derive(Debug, Default)]
pub(super) struct Refusals(Mutex<BTreeMap<String, Lately>>);

#[derive(Debug, Default)]
struct Lately {
    kept_at: Option<Instant>,
    told_at: Option<Instant>,
    untold: u64,
}

/// What to do about a refusal.
struct Measures {
    keep: bool,
    /// How many to tell of.
    tell: Option<u64>,
}

impl Refusals {
    fn count(&self, source: &str, now: Instant) -> Measures {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let lately = all.entry(source.to_owned()).or_default();
        let is_over = |at: Option<Instant>, pause| at.is_none_or(|at| now >= at + pause);
        lately.untold += 1;
        let keep = is_over(lately.kept_at, KEPT_EVERY);
        if keep {
            lately.kept_at = Some(now);
        }
        let tell = is_over(lately.told_at, TOLD_EVERY).then(|| std::mem::take(&mut lately.untold));
        if tell.is_some() {
            lately.told_at = Some(now);
        }
        Measures { keep, tell }
    }
}

impl Inbox {
    /// Refuses a request.
    pub(super) async fn refuse(
        &self,
        source: &Source,
        arrival: Arrival<'_>,
        refusal: Refusal,
        now: Timestamp,
    ) -> Reply {
        let measures = self.refusals.count(&source.name, Instant::now());
        let keep = source.settings.keep_refused;
        if measures.keep {
            tracing::info!(source = source.name, reason = %refusal, "a webhook was refused");
        }
        if measures.keep && keep > 0 {
            let refused = Refused {
                origin: Origin::Source(source.name.clone()),
                at: now,
                reason: refusal.to_string(),
                headers: Headers::from(arrival.headers),
                body: arrival.body.clone(),
            };
            self.write_down(self.store.refuse(refused, keep).await);
        }
        if let Some(count) = measures.tell {
            let notice =
                Notice::SourceRefusing { source: source.name.clone(), count, reason: refusal.to_string() };
            let event = notice.event(now, &self.random);
            let owed = self.directory.borrow().owed(&event, self.dispatcher.now());
            let due: Vec<_> = owed.iter().map(|owed| (owed.endpoint.clone(), owed.due)).collect();
            self.write_down(self.store.append(Append { event, unique: None, owed }).await);
            due.iter().for_each(|(endpoint, due)| self.dispatcher.wake(endpoint, *due));
        }
        plain(source.refusal_status(), Received::Refused(refusal))
    }

    /// That something could not be kept changes nothing for whoever is refused.
    fn write_down<T>(&self, result: Result<T, crate::StoreError>) {
        if let Err(error) = result {
            tracing::warn!(%error, "a refusal was not written down");
        }
    }
}
