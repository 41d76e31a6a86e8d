//! Progress on a terminal; nothing anywhere else.

use std::io::IsTerminal as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use nuncio_client::{Event, Observer, pages};
use tokio::time::Instant;

use crate::session::Session;
use crate::wire_log;

/// How often a line that waits is drawn anew.
const TICK: Duration = Duration::from_millis(200);

/// A line at the bottom of the terminal: how much is done, how fast, how often was waited, how long it will take.
#[derive(Clone)]
pub(crate) struct Progress(Option<Arc<Line>>);

struct Line {
    bar: ProgressBar,
    /// The first that was told, and when: what an earlier run did says nothing about how fast this one is.
    begun: OnceLock<(u64, Instant)>,
    retries: AtomicU64,
    waited_millis: AtomicU64,
}

impl Progress {
    /// Counts what `noun` names, if standard error is a terminal and is not used for something else.
    pub(crate) fn of(noun: &str, session: &Session) -> Self {
        let quiet = session.global.verbose || session.global.json || !std::io::stderr().is_terminal();
        if quiet {
            return Self(None);
        }
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        let template = format!("{{spinner}} {{human_pos}} {noun}, {{elapsed}}{{msg}}");
        bar.set_style(ProgressStyle::with_template(&template).expect("a fixed template"));
        bar.enable_steady_tick(TICK);
        Self(Some(Arc::new(Line {
            bar,
            begun: OnceLock::new(),
            retries: AtomicU64::new(0),
            waited_millis: AtomicU64::new(0),
        })))
    }

    /// Counts records.
    pub(crate) fn records(session: &Session) -> Self {
        Self::of("records", session)
    }

    /// Is told what happens in calls: for the wire log, and for the line.
    pub(crate) fn observer(&self, session: &Session) -> Observer {
        let Some(line) = self.0.clone() else { return session.observer() };
        Observer::new(move |event| line.see(event))
    }

    /// A page is safe.
    pub(crate) fn page(&self, done: &pages::Progress) {
        self.done(done.records, done.expected);
    }

    /// So many are done, of so many where that is known.
    pub(crate) fn done(&self, done: u64, of: Option<u64>) {
        let Some(line) = &self.0 else { return };
        if let Some(total) = of {
            line.bar.set_length(total);
        }
        line.bar.set_position(done);
        line.begun.get_or_init(|| (done, Instant::now()));
        line.draw();
    }

    /// Takes the line away.
    pub(crate) fn finish(&self) {
        if let Some(line) = &self.0 {
            line.bar.finish_and_clear();
        }
    }
}

impl Line {
    fn see(&self, event: &Event<'_>) {
        let wait = match event {
            Event::Retrying { after, .. } => {
                self.retries.fetch_add(1, Ordering::Relaxed);
                *after
            }
            Event::Limited { waited, .. } => *waited,
            Event::Warning { .. } => {
                self.bar.suspend(|| wire_log::show(event));
                return;
            }
            _ => return,
        };
        let millis = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
        self.waited_millis.fetch_add(millis, Ordering::Relaxed);
        self.draw();
    }

    fn draw(&self) {
        let retries = self.retries.load(Ordering::Relaxed);
        let waited = Duration::from_millis(self.waited_millis.load(Ordering::Relaxed));
        let rate = self.begun.get().map(|(first, since)| {
            let done = self.bar.position().saturating_sub(*first) as f64;
            done / since.elapsed().as_secs_f64()
        });
        // Nothing to go by until the second is told.
        let rate = rate.filter(|rate| rate.is_normal());
        let mut message = rate.map(|rate| format!(", {rate:.1}/s")).unwrap_or_default();
        if retries > 0 {
            message.push_str(&format!(", {retries} retries"));
        }
        if !waited.is_zero() {
            message.push_str(&format!(", waited {:.1} s", waited.as_secs_f64()));
        }
        if let Some(total) = self.bar.length() {
            message.push_str(&format!(", of {total}"));
        }
        if let (Some(total), Some(rate)) = (self.bar.length(), rate) {
            let left = total.saturating_sub(self.bar.position()) as f64;
            message.push_str(&format!(", {:.0} s left", left / rate));
        }
        self.bar.set_message(message);
    }
}
