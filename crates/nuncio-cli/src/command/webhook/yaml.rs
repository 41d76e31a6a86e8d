//! JSON values written as YAML, for people to copy into service files.

use serde_json::Value;

/// `value` as YAML: maps and lists over several lines, but what holds nothing nested and fits a line on one.
pub(super) fn write(value: &Value) -> String {
    let mut out = String::new();
    block(value, 0, &mut out);
    out
}

/// Bound on what stands on one line.
const LINE: usize = 100;

fn block(value: &Value, indent: usize, out: &mut String) {
    match value {
        Value::Object(map) if !map.is_empty() => {
            for (index, (key, value)) in map.iter().enumerate() {
                if index > 0 {
                    out.push_str(&" ".repeat(indent));
                }
                out.push_str(&scalar(key));
                out.push(':');
                beside_or_below(value, indent + 2, out);
            }
        }
        Value::Array(items) if !items.is_empty() => {
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push_str(&" ".repeat(indent));
                }
                out.push('-');
                out.push(' ');
                block(item, indent + 2, out);
            }
        }
        other => {
            out.push_str(&flow(other));
            out.push('\n');
        }
    }
}

fn beside_or_below(value: &Value, indent: usize, out: &mut String) {
    let line = flow(value);
    let is_scalar = !value.is_object() && !value.is_array();
    let is_flat = value.as_object().is_some_and(|map| map.len() <= 3) && line.len() + indent <= LINE;
    if is_scalar || is_flat {
        out.push(' ');
        out.push_str(&line);
        out.push('\n');
    } else {
        out.push('\n');
        out.push_str(&" ".repeat(indent));
        block(value, indent, out);
    }
}

fn flow(value: &Value) -> String {
    match value {
        Value::Object(map) => {
            let pairs: Vec<String> =
                map.iter().map(|(key, value)| format!("{}: {}", scalar(key), flow(value))).collect();
            format!("{{ {} }}", pairs.join(", "))
        }
        Value::Array(items) => format!("[{}]", items.iter().map(flow).collect::<Vec<_>>().join(", ")),
        Value::String(text) => scalar(text),
        other => other.to_string(),
    }
}

/// Text that could be read as something else stands in quotes, as JSON has them.
fn scalar(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '/' | '.' | '=');
    let is_word =
        text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/') && text.chars().all(is_plain);
    let is_other = matches!(text, "true" | "false" | "null");
    if is_word && !is_other { text.to_owned() } else { Value::from(text).to_string() }
}

#[cfg(test)]
mod tests {
    use nuncio_service::WebhookFile;
    use serde_json::json;

    use super::*;

    #[test]
    fn every_scheme_is_read_as_it_was_written() {
        for (name, provider) in nuncio_webhook::providers() {
            let text = write(&serde_json::to_value(&provider.scheme).unwrap());
            match WebhookFile::from_yaml(&text, name) {
                Ok(WebhookFile::Scheme(read)) => assert_eq!(*read, provider.scheme, "{text}"),
                other => panic!("{other:?}: {text}"),
            }
        }
    }

    #[test]
    fn short_maps_stand_on_a_line_and_doubtful_texts_in_quotes() {
        let value = json!({ "at": { "header": { "name": "X", "list": ",", "prefix": "v1=" } }, "n": 300,
            "all": [{ "a": "true", "b": "1" }, { "a": "{x}" }], "none": [] });
        let expected = "at: { header: { name: X, list: \",\", prefix: v1= } }\nn: 300\nall:\n  - a: \"true\"\n    b: \"1\"\n  - a: \"{x}\"\nnone:\n  []\n";
        assert_eq!(write(&value), expected);
    }
}
