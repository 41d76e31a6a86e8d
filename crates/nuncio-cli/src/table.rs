//! Columns for people.

use serde_json::Value;

use crate::exit::Stop;
use crate::output::Output;

/// Writes `rows` of JSON objects: a column for each of `columns`, with its name above.
pub(crate) fn write(output: &mut Output, columns: &[&str], rows: &[Value]) -> Result<(), Stop> {
    let heads = columns.iter().map(|column| (*column).to_owned()).collect();
    let cells = rows.iter().map(|row| columns.iter().map(|column| text(&row[*column])).collect());
    let lines: Vec<Vec<String>> = std::iter::once(heads).chain(cells).collect();
    let widths: Vec<usize> = (0..columns.len())
        .map(|column| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or_default())
        .collect();
    for line in lines {
        let padded: Vec<String> =
            line.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        output.line(padded.join("  ").trim_end())?;
    }
    Ok(())
}

/// A value in a line: strangers wrote it, so what cannot be seen or moves the cursor is escaped.
pub(crate) fn text(value: &Value) -> String {
    match value {
        Value::Null => "-".to_owned(),
        Value::String(text) if text.is_empty() => "-".to_owned(),
        Value::String(text) => visible(text),
        other => visible(&other.to_string()),
    }
}

/// The text with escapes for what cannot be seen or moves the cursor.
pub(crate) fn visible(text: &str) -> String {
    let escaped = |c: char| match c {
        '"' | '\'' | '\\' => vec![c],
        _ => c.escape_debug().collect(),
    };
    text.chars().flat_map(escaped).collect()
}
