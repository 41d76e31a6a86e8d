//! Prints `docs/catalog.md`, for `cargo xtask generate`.

use std::collections::BTreeSet;

use nuncio_service::model::{Limit, Pages, Strategy, Target};
use nuncio_service::{Catalog, Operation, Service};

const INTRODUCTION: &str = "\
<!-- Written by `cargo xtask generate`. -->

# The catalog

The services that come with nuncio. Each is described by one file in `services/`, which says more: optional inputs, pages, errors, retries.

Limits are a burst and what flows in after it, `25 + 25/s`. An operation without limits of its own is held to those of its service.
";

fn main() {
    let catalog = Catalog::built_in();
    print!("{INTRODUCTION}");
    for (name, _) in catalog.iter() {
        let text = catalog.text(name).expect("a text");
        let service = catalog.get(name).unwrap_or_else(|error| panic!("{}", error.report()));
        print!("{}", section(&text, &service));
    }
}

fn section(text: &str, service: &Service) -> String {
    let version = service.version.as_ref().map(|it| format!("`{}: {}`", it.header, it.value.source()));
    let facts = [
        ("Address", format!("<{}>", service.base_url.source())),
        ("Version", version.unwrap_or_default()),
        ("Environment", list(variables(text).iter().map(|name| format!("`{name}`")))),
        ("Limits", limits(&service.limits)),
        ("Pages", service.pages.as_ref().map(pages).unwrap_or_default().to_owned()),
        ("Documentation", service.docs.as_ref().map(|url| format!("<{url}>")).unwrap_or_default()),
        ("Source", source(text)),
    ];
    let facts = facts.into_iter().filter(|(_, value)| !value.is_empty());
    let facts: String = facts.map(|(label, value)| format!("- {label}: {value}\n")).collect();
    let rows: String = service.operations.iter().map(|(name, operation)| row(name, operation)).collect();
    format!(
        "\n## {}\n\n{}.\n\n{facts}\n| Operation | Request | Required inputs | Limits | What it does |\n|---|---|---|---|---|\n{rows}",
        service.service,
        service.about.as_deref().unwrap_or_default(),
    )
}

fn row(name: &str, operation: &Operation) -> String {
    let required = operation.input.iter().filter(|(name, _)| operation.requires(name));
    format!(
        "| `{name}` | {} | {} | {} | {} |\n",
        request(operation),
        list(required.map(|(name, input)| format!("`{name}` {}", input.kind.name()))),
        operation.limits.as_deref().map(limits).unwrap_or_default(),
        operation.about.as_deref().unwrap_or_default(),
    )
}

fn request(operation: &Operation) -> String {
    match operation.target().expect("a target") {
        Target::Http { method, path } => format!("`{method} {path}`"),
        Target::GraphQl { .. } => "GraphQL".to_owned(),
    }
}

fn limits(limits: &[Limit]) -> String {
    list(limits.iter().map(|limit| {
        let per = limit.key.as_ref().map(|key| format!(" for each `{}`", key.source())).unwrap_or_default();
        format!("{} + {}{per}", limit.capacity, limit.refill)
    }))
}

fn pages(pages: &Pages) -> &'static str {
    match pages.strategy().expect("a strategy") {
        Strategy::Page(_) => "numbered",
        Strategy::Offset(_) => "offset",
        Strategy::Cursor(_) => "cursor",
        Strategy::HeaderCursor(_) => "cursor in a header",
        Strategy::NextUrl(_) => "next URL",
        Strategy::Link => "`Link` header",
        Strategy::Keyset(_) => "id of the last record",
        Strategy::Connection(_) => "GraphQL connection",
    }
}

fn variables(text: &str) -> BTreeSet<&str> {
    text.split("{{ env.").skip(1).filter_map(|rest| rest.split(' ').next()).collect()
}

/// What the comment at the head of the file says.
fn source(text: &str) -> String {
    let head = text.lines().map_while(|line| line.strip_prefix("# "));
    head.collect::<Vec<_>>().join(" ")
}

fn list(items: impl Iterator<Item = String>) -> String {
    items.collect::<Vec<_>>().join(", ")
}
