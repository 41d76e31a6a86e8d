//! `nuncio demo`: everything once, against a sandbox on this machine that misbehaves on purpose.
//!
//! What it prints at the end is what the sandbox counted, beside what the client believes; the demo fails if they differ.

mod ledger;
mod story;
mod tally;

use std::io::Write as _;

use nuncio_client::Error;
use nuncio_sandbox::{Options, Sandbox};
use nuncio_service::{Catalog, Connection, Env, Settings};

use ledger::Ledger;
use tally::Tally;

/// Tells the same story each time.
const SEED: u64 = 2026;

/// What goes wrong on purpose: refusals, failures after and before the work is done, broken connections, and a token that expires
/// in the middle of a pull.
const FAULTS: [&str; 9] = [
    "503:every=7,on=customers.create",
    "500:every=7,after,on=payment_intents.create",
    "429:every=7,retry-after=1,on=mail.send_raw",
    "429:every=7,retry-after=1,on=chat.postMessage",
    "429:every=25,retry-after=1,on=orders.list",
    "503:every=33,on=orders.list",
    "expired-token:every=60,on=orders.list",
    "reset:every=33,on=users.list",
    "truncate:every=40,on=users.list",
];

const SERVICES: [&str; 4] = ["stripe", "sendgrid", "slack", "example"];

/// Runs the demo.
///
/// # Errors
/// Whatever fails, and a difference between what was asked for and what the sandbox did.
pub(crate) async fn run() -> Result<(), Error> {
    let folder = scratch_folder()?;
    let outcome = tell(&folder).await;
    // The files were made by this run for itself.
    let _ = std::fs::remove_dir_all(&folder);
    outcome
}

async fn tell(folder: &std::path::Path) -> Result<(), Error> {
    let catalog = Catalog::built_in();
    let services = SERVICES.iter().map(|name| catalog.get(name)).collect::<Result<Vec<_>, _>>()?;
    let faults = FAULTS.iter().map(|fault| fault.parse()).collect::<Result<Vec<_>, String>>();
    let options = Options {
        services: services.clone(),
        seed: SEED,
        faults: faults.map_err(Error::configuration)?,
        env: credentials(),
        ..Options::default()
    };
    let sandbox = Sandbox::start(options)
        .await
        .map_err(|error| Error::configuration("the sandbox cannot be started").because(error))?;
    say(
        "A sandbox on this machine plays Stripe, SendGrid, Slack and an API of the usual kind, and misbehaves:",
    );
    for fault in FAULTS {
        say(&format!("  {fault}"));
    }
    say("");

    let tally = Tally::default();
    let mut connections = Vec::new();
    for service in services {
        let name = service.service.clone();
        let base_url = sandbox.url(&name);
        let client = nuncio_client::Client::builder().observer(tally.observer());
        let settings = Settings { env: credentials(), base_url, client, ..Settings::default() };
        connections.push(Connection::new(service, settings)?);
    }
    let [stripe, sendgrid, slack, example] = &connections[..] else {
        unreachable!("one connection a service")
    };

    let ledger = Ledger::default();
    tokio::try_join!(story::buyers(&ledger, folder, stripe, sendgrid, slack), async {
        story::single_calls(&ledger, example).await?;
        story::pulls(folder, example, &sandbox).await
    })?;

    say("");
    say(&tally.summary());
    let lines = ledger.settle(&sandbox.counts())?;
    say("The sandbox counted:");
    for line in lines {
        say(&format!("  {line}"));
    }
    say("Nothing was lost and nothing was done twice.");
    Ok(())
}

/// Made-up credentials, which the sandbox demands and the client presents.
fn credentials() -> Env {
    Env::new(|name| Some(format!("made-up-{}", name.to_lowercase().replace('_', "-"))))
}

fn scratch_folder() -> Result<std::path::PathBuf, Error> {
    let folder = std::env::temp_dir().join(format!("nuncio-demo-{}", std::process::id()));
    std::fs::create_dir_all(&folder).map_err(|error| {
        Error::configuration(format!("{} cannot be made", folder.display())).because(error)
    })?;
    Ok(folder)
}

fn say(line: &str) {
    // Whoever closed the pipe has read enough.
    let _ = writeln!(std::io::stdout(), "{line}");
}
