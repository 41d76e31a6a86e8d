//! `nuncio schedules`: what a gateway calls at which times.

use clap::{Args as ClapArgs, Subcommand};
use serde_json::{Value, json};

use crate::exit::Stop;
use crate::gateway::{Draft, GatewayArgs, Named, Settings, list};
use crate::session::Session;
use crate::stderr;

const EXAMPLES: &str = "\
Examples:
  nuncio schedules list
  nuncio schedules run nightly
  nuncio schedules pause nightly";

const SCHEDULES: Settings = Settings {
    word: "schedule",
    path: "/v1/schedules",
    columns: &[
        ("name", "/name"),
        ("when", "/when"),
        ("managed by", "/managed_by"),
        ("next due", "/status/next_due"),
        ("paused", "/status/paused_at"),
        ("last due", "/status/ended/0/due"),
        ("last run", "/last_run"),
    ],
};

/// List, show, run, pause and resume the schedules of a gateway
#[derive(Debug, ClapArgs)]
#[command(after_help = EXAMPLES)]
pub(crate) struct SchedulesCommand {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List the schedules, when they are due, and how their last runs ended
    List(GatewayArgs),
    /// Write what is set up for a schedule, the run that is under way, and the last ones, as JSON
    Show(Named),
    Set(SetCommand),
    /// Run a schedule now, also while it is paused
    Run {
        #[command(flatten)]
        named: Named,
        /// Begin a pull anew, although a failed one has left something to go on with
        #[arg(long)]
        restart: bool,
    },
    /// Let no time of a schedule count; a run that is under way goes on
    Pause(Named),
    /// Let times of a schedule count from now on
    Resume(Named),
    /// Remove a schedule, and its place; what came of it stays
    Delete(Named),
}

/// Set up a schedule, or change it
#[derive(Debug, ClapArgs)]
struct SetCommand {
    #[command(flatten)]
    named: Named,
    /// All its settings, as a config file has them below its name, in YAML or JSON; - for standard input. {{ env.NAME }} stands for a variable of
    /// the environment
    #[arg(long, value_name = "FILE")]
    file: String,
}

impl SchedulesCommand {
    pub(crate) async fn run(self, session: &Session) -> Result<(), Stop> {
        match self.action {
            Action::List(gateway) => show_all(session, &gateway).await,
            Action::Show(named) => SCHEDULES.show(session, &named).await,
            Action::Set(SetCommand { named, file }) => {
                SCHEDULES.set(session, &named, Draft::of(Some(&file), &session.env)?).await
            }
            Action::Run { named, restart } => {
                tell(session, &named, "run", Some(json!({ "restart": restart }))).await?;
                stderr::line(&format!("nuncio: {} runs", named.name));
                Ok(())
            }
            Action::Pause(named) => {
                tell(session, &named, "pause", None).await?;
                stderr::line(&format!("nuncio: {} is paused", named.name));
                Ok(())
            }
            Action::Resume(named) => {
                tell(session, &named, "resume", None).await?;
                stderr::line(&format!("nuncio: {} runs at its times", named.name));
                Ok(())
            }
            Action::Delete(named) => SCHEDULES.delete(session, &named).await,
        }
    }
}

async fn tell(session: &Session, named: &Named, what: &str, body: Option<Value>) -> Result<(), Stop> {
    let client = named.gateway.client(session)?;
    let mut call = client.post(format!("{}/{what}", SCHEDULES.place(&named.name)?));
    if let Some(body) = body {
        call = call.json(&body);
    }
    SCHEDULES.send(&client, &named.name, call).await?;
    Ok(())
}

/// With two columns more than the API has: when it runs, by cron or every so often, and how the last run went.
async fn show_all(session: &Session, gateway: &GatewayArgs) -> Result<(), Stop> {
    let mut schedules = SCHEDULES.all(&gateway.client(session)?).await?;
    if !session.global.json {
        for schedule in &mut schedules {
            let settings = &schedule["settings"];
            let when = if settings["cron"].is_null() { &settings["every"] } else { &settings["cron"] };
            (schedule["when"], schedule["last_run"]) = (when.clone(), last_run(&schedule["status"]));
        }
    }
    list::write(session, &schedules, SCHEDULES.columns)
}

fn last_run(status: &Value) -> Value {
    let last = &status["ended"][0];
    match (&status["run"], last["error"].as_str(), last.is_null()) {
        (Value::Object(_), ..) => json!("runs"),
        (_, Some(error), _) => json!(error.lines().next()),
        (_, None, false) => json!("went well"),
        (_, None, true) => Value::Null,
    }
}
