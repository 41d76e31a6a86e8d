//! Templates: hostile ones end in time and show no secret, hostile values come out as they went in.
#![no_main]

use libfuzzer_sys::fuzz_target;
use nuncio_fuzz::{SECRET, secret};
use nuncio_service::{Condition, Env, Scope, Template, Tree};
use serde_json::{Value, json};

fuzz_target!(|text: &str| {
    secret();
    hostile_template(text);
    hostile_value(text);
});

fn scope(value: &str) -> Scope {
    let env = Env::new(|name| (name == "TOKEN").then(|| SECRET.to_owned()));
    let input = json!({ "text": value, "n": 3, "f": 2.5, "null": null, "list": [1, "a", {}], "map": {"a": {"b": 1}} });
    Scope::new(&env).with("input", input.clone()).with("body", input).with("status", json!(200))
}

fn hostile_template(text: &str) {
    let scope = scope("value");
    if let Ok(condition) = text.parse::<Condition>()
        && let Err(error) = condition.holds(&scope)
    {
        assert!(!error.report().contains(SECRET));
    }
    let Ok(template) = text.parse::<Template>() else { return };
    assert_eq!(template.source(), text);
    match template.text(&scope) {
        Ok(rendered) => assert!(!template.is_literal() || rendered == text),
        Err(error) => assert!(!error.report().contains(SECRET)),
    }
    let alone = template.value(&scope);
    let tree: Tree =
        serde_json::from_value(json!({ "list": [text], "text": text })).expect("a template was read");
    assert_eq!(tree.render(&scope).is_ok(), alone.is_ok());
}

fn hostile_value(text: &str) {
    let scope = scope(text);
    let render = |template: &str| {
        template.parse::<Template>().expect("a template").text(&scope).expect("it has a value")
    };
    assert_eq!(render("{{ input.text }}"), text);
    assert_eq!(render("<{{ input['text'] }}>"), format!("<{text}>"));
    assert_eq!(render("{{ input.text ~ '' }}"), text);
    let tree: Tree = serde_json::from_value(json!(["{{ input.text }}"])).expect("a template");
    assert_eq!(tree.render(&scope).expect("it has a value"), Value::from(vec![text]));
}
