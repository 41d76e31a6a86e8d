//! Did you mean …?

/// The one of `known` that `name` was probably meant to be: fewer than half of its letters differ.
///
/// ```
/// use nuncio_service::suggest;
///
/// assert_eq!(suggest("retires", ["limits", "retry"]), Some("retry"));
/// assert_eq!(suggest("headers", ["limits", "retry"]), None);
/// ```
pub fn suggest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let name = name.to_lowercase();
    known
        .into_iter()
        .map(|candidate| (distance(&name, &candidate.to_lowercase()), candidate))
        .filter(|(distance, candidate)| *distance <= (candidate.len().max(name.len()) * 9 / 20).max(1))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// What to say of `name`, which is none of `known`: the nearest of them, or all of them.
pub(crate) fn unknown(what: &str, name: &str, known: &[&str]) -> String {
    match suggest(name, known.iter().copied()) {
        Some(meant) => format!("unknown {what} `{name}`, did you mean `{meant}`?"),
        None if known.is_empty() => format!("unknown {what} `{name}`, there is none here"),
        None => format!("unknown {what} `{name}`, expected one of: {}", known.join(", ")),
    }
}

/// Insertions, deletions, changes and swaps of neighbours (optimal string alignment).
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let changed = last[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut least = changed.min(last[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                least = least.min(before[j - 2] + 1);
            }
            row.push(least);
        }
        before = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}
