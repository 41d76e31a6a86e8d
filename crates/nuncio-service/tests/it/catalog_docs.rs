//! `docs/catalog.md` says what the files say.

#[expect(dead_code, reason = "its main prints what is compared here")]
#[path = "../../examples/catalog_docs.rs"]
mod generator;

#[test]
fn the_documentation_of_the_catalog_is_up_to_date() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/catalog.md");
    let written = std::fs::read_to_string(path).unwrap_or_default();
    let stale =
        "docs/catalog.md is stale; cargo run -p nuncio-service --example catalog_docs > docs/catalog.md";
    assert!(written == generator::render(), "{stale}");
}
