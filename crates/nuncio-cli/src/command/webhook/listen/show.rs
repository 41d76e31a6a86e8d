//! What happens, for people and for scripts.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use nuncio_client::{Clock, Error, Redactor, redact};
use nuncio_gateway::{Arrived, Happening, Tried};
use nuncio_relay::{EventId, Store};
use nuncio_service::model::Span;
use serde_json::json;

use super::announced::Announced;
use super::counts::{Counts, waiting};
use super::judged::{Judge, Verdict, id, is_new};
use super::layout::{Row, Tone, took};
use super::people::People;
use super::print;
use crate::exit::Stop;
use crate::output::Output;
use crate::session::Session;
use crate::stderr;
use crate::table::visible;

/// How much of an id is shown: enough to name the event again.
const ID_END: usize = 6;

/// Where what happens is shown.
pub(super) struct Screen {
    judge: Judge,
    target: Option<String>,
    retry_every: Span,
    clock: Clock,
    output: Output,
    prints: bool,
    as_json: bool,
    /// For people, where there are any.
    people: Option<People>,
    counts: Counts,
    announced: Announced,
    /// Below whose line we are.
    below: Option<EventId>,
    /// Events of this run that the target has not got.
    owed: BTreeMap<EventId, Owed>,
    /// How many were kept by an earlier run.
    owed_before: u64,
    is_down: bool,
}

/// An event that the target has not got.
struct Owed {
    since: Timestamp,
    /// Whether anybody was told that it is kept.
    is_kept: bool,
}

impl Screen {
    pub(super) fn new(
        judge: Judge,
        forward_to: Option<&str>,
        retry_every: Span,
        prints: bool,
        session: &Session,
    ) -> Result<Self, Error> {
        let clock = session.clock.clone();
        Ok(Self {
            judge,
            target: forward_to.map(|url| redact::url(&url)),
            retry_every,
            announced: Announced::since(now(&clock)),
            clock,
            output: Output::new(None)?,
            prints,
            as_json: session.global.json,
            people: People::new(prints),
            counts: Counts::default(),
            below: None,
            owed: BTreeMap::new(),
            owed_before: 0,
            is_down: false,
        })
    }

    /// Says where it listens, and what is known.
    pub(super) async fn begin(
        &mut self,
        address: SocketAddr,
        path: &Path,
        replayed: Option<EventId>,
        store: &dyn Store,
    ) {
        let from = self.judge.title().map(|title| format!(" for webhooks of {title}")).unwrap_or_default();
        let to = self.target.as_deref().map(|target| format!(", forwarding to {target}")).unwrap_or_default();
        stderr::line(&format!("nuncio: listening at http://{address}{from}{to}"));
        stderr::line(&format!("nuncio: events are kept in {}", path.display()));
        if self.judge.title().is_none() {
            stderr::line(
                "nuncio: nothing is verified: --provider and --secret-env say whose webhooks they are",
            );
        }
        if let Some(id) = replayed {
            stderr::line(&format!("nuncio: {id} is delivered again"));
        }
        self.owed_before = waiting(store).await.unwrap_or_default();
        let before = self.owed_before - u64::from(replayed.is_some()).min(self.owed_before);
        if self.target.is_some() && before > 0 {
            stderr::line(&format!("nuncio: {before} kept from earlier"));
        }
    }

    pub(super) fn show(&mut self, happening: Happening) -> Result<(), Stop> {
        match happening {
            Happening::Arrived(arrived) => self.arrived(&arrived)?,
            Happening::Turned { status, detail } => {
                self.counts.turned();
                self.below = None;
                self.below(&[format!("{} to somebody: {detail}", status.as_u16())], Tone::Bad)?;
            }
            Happening::Tried(tried) => {
                if let Some(tried) = self.announced.in_turn(*tried) {
                    self.tried(&tried)?;
                }
            }
        }
        self.draw();
        Ok(())
    }

    /// What the run came to.
    pub(super) async fn end(&mut self, store: &dyn Store) {
        self.people.iter().for_each(People::end);
        let waiting = waiting(store).await.filter(|_| self.target.is_some());
        if self.as_json {
            stderr::line(&json!({ "summary": self.counts.object(waiting) }).to_string());
        } else {
            stderr::line(&format!("nuncio: {}", self.counts.in_words(waiting)));
        }
    }

    fn arrived(&mut self, arrived: &Arrived) -> Result<(), Stop> {
        let (verdict, id, now) = (self.judge.verdict(arrived), id(arrived), now(&self.clock));
        self.counts.arrived(verdict);
        if self.prints {
            let line = print::object(arrived, &self.judge, now).to_string();
            self.output.line(&Redactor::global().redact(&line))?;
            self.output.flush()?;
        }
        self.row(arrived, verdict, id, now)?;
        match verdict {
            Verdict::Refused | Verdict::Failed | Verdict::NotGenuine => self.reasons(arrived, verdict)?,
            Verdict::Again => self.below(&["it came before, and is not delivered again"], Tone::Quiet)?,
            Verdict::Handshake => {
                self.below(&["the provider asked whether anybody is there, and was answered"], Tone::Quiet)?;
            }
            Verdict::Genuine | Verdict::Unverified => {}
        }
        let Some(id) = id.filter(|_| is_new(arrived) && self.target.is_some()) else { return Ok(()) };
        self.owed.insert(id, Owed { since: now, is_kept: self.is_down });
        let early = self.announced.shown(id);
        if self.is_down && early.is_empty() {
            self.below(&["kept: the target is down"], Tone::Waiting)?;
        }
        early.iter().try_for_each(|tried| self.tried(tried))
    }

    fn row(
        &mut self,
        arrived: &Arrived,
        verdict: Verdict,
        id: Option<EventId>,
        at: Timestamp,
    ) -> Result<(), Stop> {
        let Some(people) = &self.people else { return Ok(()) };
        self.below = id;
        let event_type = visible(&self.judge.event_type(arrived));
        let id = id.map(end_of);
        let row = Row {
            at,
            event_type: if event_type.is_empty() { "-" } else { &event_type },
            verdict: (verdict.word(), tone(verdict)),
            size: arrived.body.len(),
            took: arrived.took,
            id: id.as_deref(),
        };
        people.row(&mut self.output, &row)
    }

    fn reasons(&mut self, arrived: &Arrived, verdict: Verdict) -> Result<(), Stop> {
        let mut reasons = self.judge.reasons(arrived);
        if let (Some(first), true) = (reasons.first_mut(), verdict != Verdict::NotGenuine) {
            *first = format!("{} to the sender: {first}", arrived.status.as_u16());
        }
        let reasons: Vec<String> = reasons.iter().map(|reason| visible(reason)).collect();
        self.below(&reasons, Tone::Bad)
    }

    fn tried(&mut self, tried: &Tried) -> Result<(), Stop> {
        if tried.is_kept() {
            return self.kept(tried);
        }
        self.is_down = false;
        let owed = self.owed.remove(&tried.event.id);
        if owed.is_none() {
            self.owed_before = self.owed_before.saturating_sub(1);
        }
        let now = now(&self.clock);
        let kept_for = owed
            .filter(|owed| owed.is_kept)
            .and_then(|owed| Duration::try_from(now.duration_since(owed.since)).ok())
            .map(|kept| format!(", kept for {}", took(kept)))
            .unwrap_or_default();
        let status = tried.outcome.status.map(|status| status.to_string()).unwrap_or_default();
        let answered = format!("{status} in {}{kept_for}", took(tried.took));
        if tried.outcome.result.is_ok() {
            self.counts.delivered += 1;
            return self.about(tried, &answered, Tone::Good);
        }
        self.counts.given_up += 1;
        let said = first_line(&tried.outcome.excerpt);
        let said = if said.is_empty() { said } else { format!(": {said}") };
        self.about(tried, &format!("{answered}{said}"), Tone::Bad)
    }

    /// Told once an event, however often it is tried.
    fn kept(&mut self, tried: &Tried) -> Result<(), Stop> {
        let was_down = std::mem::replace(&mut self.is_down, true);
        let was_kept = match self.owed.get_mut(&tried.event.id) {
            Some(owed) => std::mem::replace(&mut owed.is_kept, true),
            None => was_down,
        };
        if was_kept && was_down {
            return Ok(());
        }
        let reason = tried.outcome.result.as_ref().err().map(|failure| in_short(&failure.reason));
        let reason = visible(&reason.unwrap_or_default());
        self.about(tried, &format!("kept: {reason}; tried again every {}", self.retry_every), Tone::Waiting)
    }

    /// A line about an event: below its own where that is the last, or with its name.
    fn about(&mut self, tried: &Tried, text: &str, tone: Tone) -> Result<(), Stop> {
        let id = tried.event.id;
        if self.below == Some(id) {
            return self.below(&[text], tone);
        }
        self.below = None;
        let event_type = visible(&tried.event.event_type);
        let space = if event_type.is_empty() { "" } else { " " };
        self.below(&[format!("{}{space}{event_type}: {text}", end_of(id))], tone)
    }

    fn below<T: AsRef<str>>(&mut self, texts: &[T], tone: Tone) -> Result<(), Stop> {
        match &self.people {
            Some(people) => people.below(&mut self.output, texts, tone),
            None => Ok(()),
        }
    }

    /// The last line: what waits, and for what.
    fn draw(&self) {
        let Some(people) = &self.people else { return };
        let count = self.owed.len() as u64 + self.owed_before;
        let events = if count == 1 { "1 event waits".to_owned() } else { format!("{count} events wait") };
        let message = match &self.target {
            Some(target) if self.is_down => {
                format!("{events}: {target} is down, tried every {}", self.retry_every)
            }
            _ => String::new(),
        };
        people.status(&message);
    }
}

fn now(clock: &Clock) -> Timestamp {
    Timestamp::try_from(clock.now()).unwrap_or_default()
}

fn tone(verdict: Verdict) -> Tone {
    match verdict {
        Verdict::Genuine | Verdict::Handshake => Tone::Good,
        Verdict::Unverified | Verdict::Again => Tone::Quiet,
        Verdict::NotGenuine | Verdict::Refused | Verdict::Failed => Tone::Bad,
    }
}

fn end_of(id: EventId) -> String {
    let text = id.to_string();
    text[text.len() - ID_END..].to_owned()
}

/// What happened and its first cause, without the layers between.
fn in_short(reason: &str) -> String {
    match (reason.split_once(": "), reason.rsplit_once(": ")) {
        (Some((first, _)), Some((_, last))) => format!("{first}: {last}"),
        _ => reason.to_owned(),
    }
}

/// What the target said, as far as it stands on one line.
fn first_line(excerpt: &[u8]) -> String {
    let text = String::from_utf8_lossy(excerpt);
    visible(text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default().trim())
}
