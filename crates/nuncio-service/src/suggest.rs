//! Did you mean …?

/// Longer names, in bytes, are nobody's slip of the hand, and comparing them takes the product of their lengths.
const LONGEST: usize = 100;

/// More names than these are not listed.
const LISTED: usize = 50;

/// The one of `known` that `name` was probably meant to be: fewer than half of its letters differ.
///
/// ```
/// use nuncio_service::suggest;
///
/// assert_eq!(suggest("retires", ["limits", "retry"]), Some("retry"));
/// assert_eq!(suggest("headers", ["limits", "retry"]), None);
/// ```
pub fn suggest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if name.len() > LONGEST {
        return None;
    }
    let name = name.to_lowercase();
    known
        .into_iter()
        .filter(|candidate| candidate.len() <= LONGEST)
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
        None if known.len() > LISTED => {
            let (listed, more) = known.split_at(LISTED);
            format!("unknown {what} `{name}`, expected one of: {} and {} more", listed.join(", "), more.len())
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_any_length_and_number_make_a_short_message() {
        let long = "x".repeat(1_000_000);
        assert_eq!(suggest(&long, [long.as_str(), "y"]), None);
        assert_eq!(suggest("limit", [long.as_str(), "limits"]), Some("limits"));
        let many: Vec<String> = (0..60).map(|n| format!("name{n}")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        let told = unknown("key", "other", &many);
        assert!(told.ends_with("name48, name49 and 10 more"), "{told}");
    }
}
