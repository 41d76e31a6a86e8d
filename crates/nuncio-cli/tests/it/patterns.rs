//! The service files and commands of `docs/patterns.md`, run against a sandbox that demands the described credentials.

use std::path::Path;
use std::process::Command;

use nuncio_sandbox::{Options, Sandbox};
use nuncio_service::{Catalog, Env, Service};

use crate::support::Home;

const SERVICES: [&str; 4] = ["example", "stripe", "sendgrid", "slack"];

const VARIABLES: [&str; 7] = [
    "EXAMPLE_API_KEY",
    "EXAMPLE_CLIENT_ID",
    "EXAMPLE_CLIENT_SECRET",
    "EXAMPLE_SIGNING_SECRET",
    "SENDGRID_API_KEY",
    "SLACK_BOT_TOKEN",
    "STRIPE_SECRET_KEY",
];

fn value(name: &str) -> String {
    format!("made-up-{}", name.to_lowercase())
}

/// The blocks of the document in the languages `yaml` and `sh`, in order.
fn blocks() -> impl Iterator<Item = (&'static str, &'static str)> {
    let document = include_str!("../../../../docs/patterns.md");
    let blocks = document.split("```").skip(1).step_by(2).filter_map(|block| block.split_once('\n'));
    blocks.filter(|(language, _)| ["yaml", "sh"].contains(language))
}

/// Runs a line of shell whose third word is a service, `nuncio call SERVICE …`.
fn run(line: &str, home: &Home, sandbox: &Sandbox) {
    let service = line.split(' ').nth(2).unwrap();
    let binaries = Path::new(env!("CARGO_BIN_EXE_nuncio")).parent().unwrap();
    let output = Command::new("/bin/sh")
        .args(["-c", line])
        .current_dir(home.dir.path())
        .env_clear()
        .env("PATH", binaries)
        .env("HOME", home.dir.path())
        .env("NUNCIO_BASE_URL", sandbox.url(service).unwrap())
        .envs(VARIABLES.map(|name| (name, value(name))))
        .output()
        .unwrap();
    assert!(output.status.success(), "{line}\n{}", String::from_utf8_lossy(&output.stderr));
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn every_service_file_and_command_of_the_document_works() {
    let catalog = Catalog::built_in();
    let services = SERVICES.map(|name| catalog.get(name).unwrap()).into();
    let options = Options { services, env: Env::new(|name| Some(value(name))), ..Options::default() };
    let sandbox = Sandbox::start(options).await.unwrap();

    let (home, mut commands) = (Home::new(), 0);
    for (language, text) in blocks() {
        if language == "yaml" {
            let service =
                Service::from_yaml(text, "patterns.md").unwrap_or_else(|error| panic!("{}", error.report()));
            home.write(&format!("services/{}.yaml", service.service), text);
            continue;
        }
        for line in text.lines() {
            tokio::task::block_in_place(|| run(line, &home, &sandbox));
            commands += 1;
        }
    }
    assert_eq!(commands, 15);

    // They did what they say.
    let counts = sandbox.counts();
    assert_eq!(counts.operation("stripe", "payment_intents.create").applied, 1);
    assert_eq!(counts.operation("example", "payouts.create").applied, 1);
    assert_eq!(home.read("items.jsonl").lines().count(), 250);
}
