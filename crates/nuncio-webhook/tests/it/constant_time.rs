//! Where secrets are compared. How long that takes is shown by `cargo xtask bench constant_time`; that nothing else compares them is shown here.

use std::fs;

/// The files through which secrets and computed signatures pass.
const FILES: &[&str] = &["crypto.rs", "secret.rs", "verify.rs"];

const COMPARISONS: &[&str] =
    &["==", "!=", ".eq(", ".ne(", ".cmp(", ".contains(", "starts_with", "ends_with", "matches!"];

/// What those files compare beside secrets: how a scheme is written, and kinds of refusals.
const PUBLIC: &[&str] =
    &["algorithm == Algorithm::Token", "signature.encoding == Encoding::Jwt", "matches!("];

/// The lines of code of a file, without its tests and comments.
fn code(file: &str) -> Vec<String> {
    let path = format!("{}/src/{file}", env!("CARGO_MANIFEST_DIR"));
    let text = fs::read_to_string(&path).unwrap();
    let lines = text.lines().take_while(|line| *line != "#[cfg(test)]").map(str::trim);
    lines.filter(|line| !line.starts_with("//")).map(str::to_owned).collect()
}

#[test]
fn only_one_function_compares_secrets() {
    let lines: Vec<_> = FILES.iter().flat_map(|file| code(file)).collect();
    assert_eq!(lines.iter().filter(|line| line.contains("verify_slices_are_equal")).count(), 1);
    let is_comparison = |line: &&String| COMPARISONS.iter().any(|comparison| line.contains(comparison));
    let others: Vec<_> = lines
        .iter()
        .filter(is_comparison)
        .filter(|line| !PUBLIC.iter().any(|public| line.contains(public)))
        .collect();
    assert!(
        others.is_empty(),
        "is this of secrets? then crypto::same; if not, it is to be named here: {others:#?}"
    );
}
