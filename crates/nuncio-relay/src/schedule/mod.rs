//! Schedules: operations of services that are called at their times, and whose answers become events.
//!
//! What is kept of a schedule is one value in the store, [`State`], and each step replaces it, together with the events that come of the step, unless
//! somebody else replaced it meanwhile. So a time comes once, a page is stored with the place behind it, and of two that work at the same run one
//! loses his say.
//!
//! | module | what it does |
//! |---|---|
//! | `timing` | tells when a schedule is due |
//! | `state` | decides what to do about it |
//! | `scheduler` | looks at all schedules, and begins runs |
//! | `turn` | keeps hold of a run, and writes its steps |
//! | `work` | makes the calls of a run |
//! | `items` | reads what there is a call for each of |

mod items;
mod scheduler;
mod state;
mod timing;
mod turn;
mod work;

use std::time::Duration;

use nuncio_client::Error;
use nuncio_service::{Env, Tree};
use serde_json::{Map, Value};

use crate::settings;

pub use scheduler::{Handle, Scheduler, Settings};
pub use state::{Ended, HISTORY, Left, MAX_CATCH_UP, Place, Run, State};
pub use timing::Timing;

use items::Items;

/// A schedule, ready to be used.
#[derive(Debug)]
pub struct Plan {
    /// When it is due.
    pub timing: Timing,
    /// What becomes of times that were missed.
    pub catch_up: settings::CatchUp,
    timeout: Duration,
    work: Work,
    /// What it does, to be compared.
    print: Value,
    env: Env,
}

#[derive(Debug)]
struct Work {
    service: String,
    operation: String,
    account: Option<String>,
    inputs: Option<Tree>,
    event_type: String,
    way: Way,
}

#[derive(Debug)]
enum Way {
    Pull,
    Call,
    Each(Items),
}

impl Plan {
    /// The schedule of these settings, whose templates may name variables of `env`.
    ///
    /// # Errors
    /// [`Kind::Configuration`](nuncio_client::Kind::Configuration) when they cannot be used.
    pub fn new(settings: settings::Schedule, env: Env) -> Result<Self, Error> {
        let timing = Timing::new(&settings)?;
        let print = serde_json::json!([settings.pull, settings.call, settings.each]);
        let (catch_up, timeout) = (settings.catch_up, settings.timeout.0);
        if timeout.is_zero() {
            return Err(Error::configuration("`timeout` leaves a run no time"));
        }
        Ok(Self { timing, catch_up, timeout, work: Work::new(settings)?, print, env })
    }
}

impl Work {
    fn new(settings: settings::Schedule) -> Result<Self, Error> {
        let settings::Schedule { pull, call, each, event_type, .. } = settings;
        let (task, way) = match (pull, call, each) {
            (Some(task), None, None) => (task, Way::Pull),
            (None, Some(task), None) => (task, Way::Call),
            (None, None, Some(each)) => {
                let settings::Each { service, operation, account, inputs, items, file } = each;
                (settings::Task { service, operation, account, inputs }, Way::Each(Items::new(items, file)?))
            }
            _ => return Err(Error::configuration("one of `pull`, `call` and `each` says what it does")),
        };
        let settings::Task { service, operation, account, inputs } = task;
        let ending = if matches!(way, Way::Pull) { "record" } else { "answer" };
        let event_type = event_type.unwrap_or_else(|| format!("{operation}.{ending}"));
        let takes_items = inputs.is_empty() && matches!(way, Way::Each(_));
        let inputs = (!takes_items).then(|| tree(inputs.into_iter().collect())).transpose()?;
        Ok(Self { service, operation, account, inputs, event_type, way })
    }
}

fn tree(inputs: Map<String, Value>) -> Result<Tree, Error> {
    serde_json::from_value(Value::Object(inputs))
        .map_err(|error| Error::configuration(format!("the inputs cannot be read: {error}")))
}
