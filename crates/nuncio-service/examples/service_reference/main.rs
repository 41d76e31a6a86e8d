//! Prints `docs/service-files.md`, for `cargo xtask generate`: an introduction, and tables of all keys.

#[path = "../reference/mod.rs"]
mod reference;

use std::collections::BTreeSet;

const INTRODUCTION: &str = include_str!("introduction.md");

/// Has a guide of its own.
const SCHEME: &str = "Scheme";

fn main() {
    let schema = nuncio_service::service_schema();
    print!("<!-- Written by `cargo xtask generate`. -->\n\n{INTRODUCTION}");
    let mut printed = BTreeSet::from([SCHEME.to_owned()]);
    reference::section("Service", &schema, &schema["$defs"], &mut printed);
    println!(
        "\n### {SCHEME}\n\nHow webhooks are signed: [webhooks.md](webhooks.md#scheme) has all its keys."
    );
}
