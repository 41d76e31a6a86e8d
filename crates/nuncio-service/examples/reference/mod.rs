//! Tables of all keys, made from the JSON Schema of service files, whose texts are the documentation of the types.

use std::collections::BTreeSet;

use serde_json::Value;

/// Prints a type, and behind it the types that it mentions and that were not printed yet.
pub(crate) fn section(title: &str, section_schema: &Value, types: &Value, printed: &mut BTreeSet<String>) {
    if !printed.insert(title.to_owned()) {
        return;
    }
    println!("\n### {title}\n\n{}", text(section_schema));
    table(section_schema);
    for name in references(section_schema) {
        section(&name, &types[&name], types, printed);
    }
}

/// Keys of a map, words of a choice, or examples of a text.
fn table(section: &Value) {
    if let Some(keys) = section["properties"].as_object() {
        let required: BTreeSet<&str> =
            section["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        println!("\n| key | value | |\n|---|---|---|");
        for (key, schema) in keys {
            let mark = if required.contains(&**key) { " (required)" } else { "" };
            println!("| `{key}`{mark} | {} | {} |", kind(schema), text(schema));
        }
    } else if let Some(choices) = section["oneOf"].as_array() {
        println!("\n| write | |\n|---|---|");
        for choice in choices {
            let words = choice["enum"].as_array().map(Vec::as_slice).unwrap_or_default();
            for word in words.iter().chain(choice.get("const")) {
                println!("| `{}` | {} |", word.as_str().unwrap_or_default(), text(choice));
            }
            for (key, schema) in choice["properties"].as_object().into_iter().flatten() {
                println!("| `{key}:` {} | {} |", kind(schema), text(choice));
            }
        }
    } else if let Some(examples) = section["examples"].as_array() {
        let examples: Vec<String> =
            examples.iter().map(|example| format!("`{}`", example.as_str().unwrap_or_default())).collect();
        println!("\nExamples: {}.", examples.join(", "));
    }
}

/// What a value is, in words, with links to the sections of other types.
fn kind(schema: &Value) -> String {
    if let Some(name) = schema["$ref"].as_str().and_then(|path| path.rsplit('/').next()) {
        return format!("[{name}](#{})", name.to_lowercase());
    }
    if let Some(choices) = schema["anyOf"].as_array() {
        let kinds: Vec<String> = choices.iter().filter(|choice| choice["type"] != "null").map(kind).collect();
        return kinds.join(" or ");
    }
    if let Some(items) = schema.get("items") {
        return format!("list of {}", kind(items));
    }
    if let Some(values) = schema.get("additionalProperties").filter(|values| values.is_object()) {
        return format!("{} by name", kind(values));
    }
    let types = match &schema["type"] {
        Value::Array(types) => types.iter().filter_map(Value::as_str).find(|name| *name != "null"),
        single => single.as_str(),
    };
    match types {
        Some("string") => "text",
        Some("integer") => "whole number",
        Some("boolean") => "true or false",
        Some("object") => "JSON Schema",
        _ => "anything",
    }
    .to_owned()
}

fn text(schema: &Value) -> String {
    let text = schema["description"].as_str().unwrap_or_default();
    text.split_whitespace().collect::<Vec<_>>().join(" ").replace('|', "\\|")
}

/// Names of the types that a section mentions, in order.
fn references(section: &Value) -> Vec<String> {
    match section {
        Value::Object(map) => {
            let own = map.get("$ref").and_then(Value::as_str).and_then(|path| path.rsplit('/').next());
            let inner =
                map.iter().filter(|(key, _)| *key != "$defs").flat_map(|(_, value)| references(value));
            own.map(str::to_owned).into_iter().chain(inner).collect()
        }
        Value::Array(items) => items.iter().flat_map(references).collect(),
        _ => Vec::new(),
    }
}
