use nuncio_client::{Kind, Redactor};
use serde_json::json;

use super::*;

fn template(source: &str) -> Template {
    source.parse().expect(source)
}

fn scope() -> Scope {
    let env = Env::new(|name| (name == "TOKEN").then(|| "made-up-token-1".to_owned()));
    Scope::new(&env)
        .with("input", json!({"n": 3, "name": "ada", "null": null, "big": 18_446_744_073_709_551_615_u64}))
        .with("item", json!({"z": 1, "a": {"deep": [1, 2.5]}}))
}

#[test]
fn text_around_expressions_stays_as_it_is() {
    assert_eq!(template("v={{ input.n }}, {not} }} one").text(&scope()).unwrap(), "v=3, {not} }} one");
    assert_eq!(template("").text(&scope()).unwrap(), "");
}

#[test]
fn braces_inside_an_expression_do_not_end_it() {
    assert_eq!(template(r#"{{ "}}" }}"#).text(&scope()).unwrap(), "}}");
    assert_eq!(template(r#"{{ {"a": {"b": input.n}}["a"]["b"] }}!"#).text(&scope()).unwrap(), "3!");
}

#[test]
fn one_expression_keeps_its_type() {
    assert_eq!(template("{{ input.n }}").value(&scope()).unwrap(), Some(json!(3)));
    assert_eq!(template("{{ input.n + 1 }}").value(&scope()).unwrap(), Some(json!(4)));
    assert_eq!(template("{{ input.n == 3 }}").value(&scope()).unwrap(), Some(json!(true)));
    assert_eq!(template("{{ input.null }}").value(&scope()).unwrap(), Some(json!(null)));
    assert_eq!(template("{{ input.big }}").value(&scope()).unwrap(), Some(json!(u64::MAX)));
    assert_eq!(template("n{{ input.n }}").value(&scope()).unwrap(), Some(json!("n3")));
}

#[test]
fn a_place_keeps_the_order_of_its_keys() {
    let value = template("{{ item }}").value(&scope()).unwrap().unwrap();
    assert_eq!(value.to_string(), r#"{"z":1,"a":{"deep":[1,2.5]}}"#);
}

#[test]
fn an_expression_can_walk_into_json() {
    assert_eq!(template("{{ item.a.deep[1] * 2 }}").value(&scope()).unwrap(), Some(json!(5.0)));
    assert_eq!(template("{{ item.a.deep | length }}").value(&scope()).unwrap(), Some(json!(2)));
    assert_eq!(template("{{ item | list | join('+') }}").text(&scope()).unwrap(), "z+a");
}

#[test]
fn an_input_that_is_not_given_has_no_value_and_no_text() {
    assert_eq!(template("{{ input.other }}").value(&scope()).unwrap(), None);
    let error = template("x{{ input.other }}").text(&scope()).unwrap_err();
    assert_eq!(error.kind(), Kind::Configuration);
    assert!(error.to_string().contains("input.other"), "{error}");
}

#[test]
fn null_is_never_written_into_a_text() {
    assert!(template("x{{ input.null }}").text(&scope()).is_err());
}

#[test]
fn a_missing_item_field_is_an_error_and_not_left_out() {
    assert!(template("{{ item.emial }}").value(&scope()).is_err());
}

#[test]
fn what_is_emptied_by_missing_inputs_is_left_out_with_them() {
    let tree: Tree = serde_json::from_value(json!({
        "cc": [{ "email": "{{ input.cc }}" }],
        "to": [{ "email": "a@example.com", "name": "{{ input.other }}" }],
        "meant": {}
    }))
    .unwrap();
    assert_eq!(tree.render(&scope()).unwrap(), json!({ "to": [{ "email": "a@example.com" }], "meant": {} }));
    let tree: Tree = serde_json::from_value(json!({ "cc": "{{ input.cc }}" })).unwrap();
    assert_eq!(tree.render(&scope()).unwrap(), json!({}));
}

#[test]
fn a_missing_variable_is_named() {
    let error = template("{{ env.MISSING }}").value(&scope()).unwrap_err();
    assert!(error.report().contains("environment variable MISSING"), "{}", error.report());
}

#[test]
fn an_environment_value_is_a_secret_from_then_on() {
    assert_eq!(template("Bearer {{ env.TOKEN }}").text(&scope()).unwrap(), "Bearer made-up-token-1");
    assert_eq!(Redactor::global().redact("made-up-token-1"), "***");
}

#[test]
fn variables_are_known_before_anything_is_rendered() {
    let found = template("{{ env.A }}{{ input.b if env.C else 'x' }}").variables();
    assert_eq!(found.into_iter().collect::<Vec<_>>(), ["env.A", "env.C", "input.b"]);
}

#[test]
fn a_variable_with_a_fallback_is_not_needed() {
    let needs = |text: &str| template(text).needs().into_iter().collect::<Vec<_>>();
    assert_eq!(needs("{{ env.A | default('') }}{{ env.B }}{{ env.C | upper }}"), ["env.B", "env.C"]);
    assert_eq!(needs("{{ env.A|default(env.B) }}"), ["env.B"]);
    assert_eq!(template("{{ env.MISSING | default('') }}").text(&scope()).unwrap(), "");
}

#[test]
fn a_wrong_expression_is_refused_with_its_text() {
    for (source, part) in [("{{ input. }}", "input."), ("{{ a", "no end"), ("{% if a %}", "{%")] {
        let error = source.parse::<Template>().unwrap_err();
        assert!(error.contains(part), "{error}");
    }
}

#[test]
fn an_endless_expression_is_stopped() {
    let error =
        template("{{ range(100000) | map('string') | join('x') | length }}").text(&scope()).unwrap_err();
    assert!(error.to_string().contains("fuel"), "{error}");
}

#[test]
fn a_condition_on_what_is_not_there_does_not_hold() {
    let scope = Scope::new(&Env::default()).with("body", json!({"ok": false, "errors": []}));
    let holds = |source: &str| source.parse::<Condition>().expect(source).holds(&scope).unwrap();
    assert!(holds("body.ok == false"));
    assert!(holds("not body.ok"));
    assert!(!holds("body.errors"));
    assert!(!holds("body.error.code == 'x'"));
    assert!(!holds("headers['x'] == '0'"));
}
