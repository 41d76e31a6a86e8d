//! What is known of schedules, and what is done with them beside setting them up.

use std::collections::BTreeMap;

use axum::extract::State;
use http::StatusCode;
use jiff::Timestamp;
use nuncio_relay::schedule::{Ended, Plan, State as Kept};
use nuncio_relay::settings;
use nuncio_relay::store::{Advance, DocumentKind, KeptSchedule};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::documents::{Kind, absent};
use super::given::{Given, Named};
use super::route::{Answer, Method, Route};
use crate::app::{App, Shared};
use crate::problem::Problem;

/// How often a change is tried again that runs into another.
const MAX_TRIES: u32 = 20;

pub(super) fn routes() -> Vec<Route> {
    let run = "Run a schedule now, whatever its times, also while it is paused";
    let (pause, resume) = ("Let no time of a schedule count", "Let times of a schedule count from now on");
    vec![
        Route::new(Method::Post, "/v1/schedules/{schedule}/run", "runSchedule", run, run_it)
            .body::<Now>()
            .answers_with(204, Answer::Nothing),
        Route::new(Method::Post, "/v1/schedules/{schedule}/pause", "pauseSchedule", pause, pause_it)
            .answers_with(204, Answer::Nothing),
        Route::new(Method::Post, "/v1/schedules/{schedule}/resume", "resumeSchedule", resume, resume_it)
            .answers_with(204, Answer::Nothing),
    ]
}

impl Kind for settings::Schedule {
    const KIND: DocumentKind = DocumentKind::Schedule;
    type Status = Status;

    async fn statuses(app: &App) -> Result<BTreeMap<String, Status>, Problem> {
        statuses(app).await
    }
}

/// What is known of all schedules, by their names.
pub(crate) async fn statuses(app: &App) -> Result<BTreeMap<String, Status>, Problem> {
    let (mut kept, now) = (app.store.schedules().await?, app.now());
    let directory = app.directory.borrow().clone();
    let status = |(name, plan): (&String, &std::sync::Arc<Plan>)| {
        let state = kept.remove(name).map_or_else(|| Kept::new(&plan.timing, now), |kept| kept.state);
        (name.clone(), Status::new(state, plan))
    };
    Ok(directory.schedules.iter().map(status).collect())
}

/// What is known of a schedule.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "ScheduleStatus")]
pub(crate) struct Status {
    /// When it is due next, without its jitter; null while it is paused.
    #[schemars(with = "Option<String>")]
    pub(crate) next_due: Option<Timestamp>,
    /// Since when it is paused.
    #[schemars(with = "Option<String>")]
    pub(crate) paused_at: Option<Timestamp>,
    /// The run that is under way.
    pub(crate) run: Option<Run>,
    /// How many runs are owed, and begin as soon as none is under way.
    pub(crate) owed: usize,
    /// How many times were missed and not caught up with.
    pub(crate) missed: u64,
    /// How many times passed while a run was under way.
    pub(crate) overlapped: u64,
    /// Whether the next run goes on with what a failed one has left.
    pub(crate) resumes: bool,
    /// The last runs that ended, the newest first.
    pub(crate) ended: Vec<Ended>,
}

/// A run that is under way.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "ScheduleRun")]
pub(crate) struct Run {
    /// The time that it is due.
    #[schemars(with = "String")]
    pub(crate) due: Timestamp,
    /// When it began.
    #[schemars(with = "String")]
    pub(crate) begun_at: Timestamp,
    /// How many events it made.
    pub(crate) events: u64,
    /// How many calls failed.
    pub(crate) failures: u64,
    /// Whether it goes on with what a failed one had left.
    pub(crate) resumed: bool,
}

impl Status {
    fn new(state: Kept, plan: &Plan) -> Self {
        let next = plan.timing.next_after(state.passed).filter(|_| state.paused_at.is_none());
        Self {
            next_due: next,
            paused_at: state.paused_at,
            owed: state.owed.len(),
            missed: state.missed,
            overlapped: state.overlapped,
            resumes: state.left.is_some(),
            ended: state.ended,
            run: state.run.map(|run| Run {
                due: run.due,
                begun_at: run.begun_at,
                events: run.events,
                failures: run.failures,
                resumed: run.resumed,
            }),
        }
    }
}

/// How to run a schedule.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(rename = "RunNow")]
#[serde(deny_unknown_fields)]
struct Now {
    /// Whether a pull begins anew, although a failed one has left something to go on with. Default: no.
    #[serde(default)]
    restart: bool,
}

async fn run_it(
    State(app): Shared,
    Named(name): Named<String>,
    Given(given): Given<Now>,
) -> Result<StatusCode, Problem> {
    run_schedule(&app, &name, given.restart).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Has a schedule run now.
pub(crate) async fn run_schedule(app: &App, name: &str, restart: bool) -> Result<(), Problem> {
    let now = app.now();
    let is_asked = change(app, name, |state| state.ask(restart, now)).await?;
    if !is_asked {
        let detail = format!("a run of schedule {name} is under way or owed already: wait for its end");
        return Err(Problem::conflict("under_way", detail));
    }
    Ok(())
}

async fn pause_it(State(app): Shared, Named(name): Named<String>) -> Result<StatusCode, Problem> {
    set_paused(&app, &name, true).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn resume_it(State(app): Shared, Named(name): Named<String>) -> Result<StatusCode, Problem> {
    set_paused(&app, &name, false).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Lets no time of a schedule count, or all from now on.
pub(crate) async fn set_paused(app: &App, name: &str, is_paused: bool) -> Result<(), Problem> {
    let now = app.now();
    if is_paused {
        change(app, name, |state| state.pause(now)).await?;
    } else {
        change(app, name, |state| state.resume(now)).await?;
    }
    Ok(())
}

/// What is kept of a schedule is not what is set up: that of one from a config file can be changed too.
async fn change<T>(app: &App, name: &str, change: impl Fn(&mut Kept) -> T) -> Result<T, Problem> {
    for _ in 0..MAX_TRIES {
        let plan = app.directory.borrow().schedules.get(name).cloned();
        let plan = plan.ok_or_else(|| absent(DocumentKind::Schedule, name))?;
        let kept = app.store.schedules().await?.remove(name);
        let new = || KeptSchedule { revision: 0, state: Kept::new(&plan.timing, app.now()) };
        let mut kept = kept.unwrap_or_else(new);
        let told = change(&mut kept.state);
        if app.store.advance(Advance { name: name.to_owned(), kept, events: Vec::new() }).await? {
            app.scheduler.wake();
            return Ok(told);
        }
    }
    Err(Problem::conflict("changed", format!("schedule {name} is changed all the time: try again")))
}
