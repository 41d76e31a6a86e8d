//! Prints `docs/catalog.md`, for `cargo xtask generate`.

use std::collections::BTreeSet;
use std::path::Path;

use nuncio_service::model::{Limit, Pages};
use nuncio_service::{Operation, Service};

const INTRODUCTION: &str = "\
<!-- Written by `cargo xtask generate`. -->

# The catalog

The services that come with nuncio. Each is described by one file in `services/`, which says more: optional inputs, pages, errors, retries.

Limits are a burst and what flows in after it, `25 + 25/s`. An operation without limits of its own is held to those of its service.
";

fn main() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../services");
    let entries = std::fs::read_dir(folder).expect("the folder of the catalog");
    let mut paths: Vec<_> = entries.map(|entry| entry.expect("a file of the catalog").path()).collect();
    paths.retain(|path| path.extension().is_some_and(|end| end == "yaml"));
    paths.sort();
    let sections = paths.iter().map(|path| {
        let text = std::fs::read_to_string(path).expect("a file of the catalog");
        let service = Service::from_yaml(&text, &path.display().to_string());
        section(&text, &service.unwrap_or_else(|error| panic!("{}", error.report())))
    });
    print!("{INTRODUCTION}{}", sections.collect::<String>());
}

fn section(text: &str, service: &Service) -> String {
    let version = service.version.as_ref().map(|it| format!("`{}: {}`", it.header, it.value.source()));
    let facts = [
        ("Address", format!("<{}>", service.base_url.source())),
        ("Version", version.unwrap_or_default()),
        ("Environment", list(variables(text).iter().map(|name| format!("`{name}`")))),
        ("Limits", limits(&service.limits)),
        ("Pages", service.pages.as_ref().map(strategy).unwrap_or_default().to_owned()),
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
    let required = operation.input.iter().filter(|(_, input)| input.required);
    format!(
        "| `{name}` | {} | {} | {} | {} |\n",
        request(operation),
        list(required.map(|(name, input)| format!("`{name}` {}", input.kind.name()))),
        operation.limits.as_deref().map(limits).unwrap_or_default(),
        operation.about.as_deref().unwrap_or_default(),
    )
}

fn request(operation: &Operation) -> String {
    let Operation { get, post, put, patch, delete, head, .. } = operation;
    [("GET", get), ("POST", post), ("PUT", put), ("PATCH", patch), ("DELETE", delete), ("HEAD", head)]
        .into_iter()
        .find_map(|(method, path)| path.as_ref().map(|path| format!("`{method} {path}`")))
        .unwrap_or_else(|| "GraphQL".to_owned())
}

fn limits(limits: &[Limit]) -> String {
    list(limits.iter().map(|limit| {
        let per = limit.key.as_ref().map(|key| format!(" for each `{}`", key.source())).unwrap_or_default();
        format!("{} + {}{per}", limit.capacity, limit.refill)
    }))
}

fn strategy(pages: &Pages) -> &'static str {
    match pages {
        Pages { page: Some(_), .. } => "numbered",
        Pages { offset: Some(_), .. } => "offset",
        Pages { cursor: Some(_), .. } => "cursor",
        Pages { header_cursor: Some(_), .. } => "cursor in a header",
        Pages { next_url: Some(_), .. } => "next URL",
        Pages { link: Some(_), .. } => "`Link` header",
        Pages { keyset: Some(_), .. } => "id of the last record",
        Pages { connection: Some(_), .. } => "GraphQL connection",
        _ => "",
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
