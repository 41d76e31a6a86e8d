//! The catalog: facts about services, held to what its files promise.

use std::collections::{BTreeMap, BTreeSet};

use nuncio_service::model::{Action, Auth, Input, Target};
use nuncio_service::{Catalog, Env, Operation, Scope, Service, Template};
use serde_json::{Value, json};

pub(crate) struct File {
    pub(crate) text: String,
    pub(crate) service: Service,
}

pub(crate) fn catalog() -> BTreeMap<String, File> {
    let catalog = Catalog::built_in();
    let file = |name: &str| {
        let text = catalog.text(name).expect("a text");
        let service = catalog.get(name).unwrap_or_else(|error| panic!("{}", error.report()));
        (name.to_owned(), File { text, service })
    };
    catalog.iter().map(|(name, _)| file(name)).collect()
}

/// Every operation, with its full name for messages.
pub(crate) fn operations(
    catalog: &BTreeMap<String, File>,
) -> impl Iterator<Item = (String, &Service, &str, &Operation)> {
    catalog.iter().flat_map(|(file, File { service, .. })| {
        let named =
            move |(name, operation)| (format!("{file} {name}"), service, String::as_str(name), operation);
        service.operations.iter().map(named)
    })
}

fn sends(operation: &Operation) -> (String, &str) {
    match operation.target().expect("a target") {
        Target::Http { method, path } => (method.to_string(), path),
        Target::GraphQl { query } => ("GraphQL".to_owned(), query),
    }
}

#[test]
fn a_file_describes_the_service_that_it_is_named_after() {
    let catalog = catalog();
    assert!(catalog.len() >= 5);
    for (name, File { service, .. }) in &catalog {
        assert_eq!(service.service, *name);
        assert!(service.about.is_some(), "{name}");
    }
}

#[test]
fn facts_about_a_vendor_have_a_source_and_a_date() {
    for (name, File { text, service }) in catalog() {
        if name == "example" {
            continue;
        }
        let head: String = text.lines().take_while(|line| line.starts_with('#')).collect();
        assert!(head.contains("Checked 20") && head.contains("https://"), "{name}");
        assert!(service.docs.is_some(), "{name}");
    }
}

#[test]
fn an_operation_says_what_it_does() {
    for (name, _, _, operation) in operations(&catalog()) {
        let about = operation.about.as_deref().unwrap_or_default();
        assert!((1..120).contains(&about.len()) && !about.ends_with('.'), "{name}: {about:?}");
    }
}

#[test]
fn a_list_has_pages() {
    for (name, service, _, operation) in operations(&catalog()) {
        assert!(
            operation.records.is_none() || operation.pages.is_some() || service.pages.is_some(),
            "{name}"
        );
    }
}

#[test]
fn a_variable_of_a_query_is_an_input_or_set_by_the_pages() {
    for (name, _, _, operation) in operations(&catalog()) {
        let Some(query) = &operation.graphql else { continue };
        let connection = operation.pages.as_ref().and_then(|pages| pages.connection.as_ref());
        let size = operation.pages.as_ref().and_then(|pages| pages.size.as_ref());
        let paged = [connection.map(|it| it.variable.as_str()), size.map(|it| it.param.as_str())];
        let words = query.split(|c: char| !c.is_alphanumeric() && c != '_' && c != '$');
        for variable in words.filter_map(|word| word.strip_prefix('$')) {
            assert!(
                operation.input.contains_key(variable) || paged.contains(&Some(variable)),
                "{name}: ${variable}"
            );
        }
    }
}

fn credentials(auth: &Auth) -> Vec<&Template> {
    match auth {
        Auth::None => Vec::new(),
        Auth::ApiKey(key) => vec![&key.value],
        Auth::Basic(basic) => vec![&basic.user, &basic.password],
        Auth::Bearer(token) => vec![token],
        Auth::OAuth2(oauth2) => oauth2.client_id.iter().chain(&oauth2.client_secret).collect(),
        Auth::Hmac(hmac) => vec![&hmac.secret],
        other => other.templates(),
    }
}

#[test]
fn credentials_come_from_the_environment_and_nothing_else_does() {
    for (name, File { text, service }) in catalog() {
        let own = service.operations.values().filter_map(|operation| operation.auth.as_ref());
        let auths: Vec<&Auth> = own.chain([&service.auth]).collect();
        let mut declared = BTreeSet::new();
        let of_webhooks = service.webhooks.iter().map(|webhooks| &webhooks.secret);
        for credential in auths.into_iter().flat_map(credentials).chain(of_webhooks) {
            let variables = credential.variables();
            let [variable] = variables.iter().collect::<Vec<_>>()[..] else {
                panic!("{name}: {credential:?}")
            };
            assert_eq!(credential.source(), format!("{{{{ {variable} }}}}"), "{name}");
            declared.insert(variable.strip_prefix("env.").expect("from the environment").to_owned());
        }
        let mentioned = text.split("env.").skip(1).filter_map(|rest| rest.split(' ').next());
        assert_eq!(declared, mentioned.map(str::to_owned).collect(), "{name}");
    }
}

#[test]
fn every_vendor_that_signs_webhooks_has_a_scheme_for_them() {
    for (name, File { service, .. }) in catalog() {
        let scheme = service.webhooks.as_ref().map(|webhooks| webhooks.scheme.scheme().is_some());
        assert_eq!(scheme, (name != "example").then_some(true), "{name}");
    }
}

#[test]
fn of_operations_that_send_alike_one_tells_what_its_requests_look_like() {
    let catalog = catalog();
    let mut plain = BTreeMap::<_, Vec<_>>::new();
    for (name, service, _, operation) in operations(&catalog) {
        let (method, target) = sends(operation);
        let of_target = plain.entry((service.service.as_str(), method, target)).or_default();
        if operation.body.is_none() {
            of_target.push(name);
        }
    }
    for (target, names) in plain {
        assert_eq!(names.len(), 1, "{target:?}: {names:?}");
    }
}

#[test]
fn the_sandbox_knows_every_resource_that_an_operation_acts_on() {
    for (name, service, operation_name, operation) in operations(&catalog()) {
        let reply = operation.sandbox.clone().unwrap_or_default();
        let (before, last) = operation_name.rsplit_once('.').unwrap_or(("", operation_name));
        let acts = match reply.action {
            Some(action) => action != Action::Reply,
            None => {
                operation.records.is_some() || ["create", "get", "list", "update", "delete"].contains(&last)
            }
        };
        let resource = reply.resource.as_deref().unwrap_or(before);
        assert!(!acts || service.sandbox.resources.contains_key(resource), "{name}: no resource {resource}");
    }
}

#[test]
fn what_a_vendor_demands_is_demanded_before_the_request() {
    let catalog = catalog();
    let is_required = |service: &str, operation: &str, input: &str| {
        catalog[service].service.operations[operation].input.get(input).map(|input: &Input| input.required)
    };
    assert_eq!(is_required("stripe", "payment_intents.create", "amount"), Some(true));
    assert_eq!(is_required("stripe", "payment_intents.create", "customer"), Some(false));
    assert_eq!(is_required("slack", "chat.postMessage", "channel"), Some(true));
    assert_eq!(is_required("sendgrid", "mail.send", "subject"), Some(true));
    assert_eq!(is_required("github", "issues.create", "title"), Some(true));
}

fn body(operation: &str, input: Value) -> Value {
    let scope = Scope::new(&Env::default()).with("input", input);
    let catalog = catalog();
    let operation = &catalog["sendgrid"].service.operations[operation];
    operation.body.as_ref().expect("a body").render(&scope).expect("renders")
}

#[test]
fn a_mail_has_only_what_it_was_given() {
    let least =
        json!({ "to": "a@example.com", "from": "b@example.com", "subject": "Hi", "html": "<b>Hi</b>" });
    let expected = json!({
        "personalizations": [{ "to": [{ "email": "a@example.com" }] }],
        "from": { "email": "b@example.com" },
        "subject": "Hi",
        "content": [{ "type": "text/html", "value": "<b>Hi</b>" }]
    });
    assert_eq!(body("mail.send", least), expected);
}

#[test]
fn the_text_of_a_mail_stands_before_its_html() {
    let both = json!({ "to": "a@example.com", "from": "b@example.com", "subject": "Hi", "html": "<b>Hi</b>", "text": "Hi" });
    let types = [json!("text/plain"), json!("text/html")];
    let body = body("mail.send", both);
    assert_eq!([&body["content"][0]["type"], &body["content"][1]["type"]], [&types[0], &types[1]]);
}

#[test]
fn a_mail_from_a_template_has_data_and_no_content() {
    let input = json!({
        "to": "a@example.com", "to_name": "Ada", "from": "b@example.com", "template_id": "d-1", "data": { "total": 12 },
        "cc": "c@example.com"
    });
    let expected = json!({
        "personalizations": [{
            "to": [{ "email": "a@example.com", "name": "Ada" }],
            "cc": [{ "email": "c@example.com" }],
            "dynamic_template_data": { "total": 12 }
        }],
        "from": { "email": "b@example.com" },
        "template_id": "d-1"
    });
    assert_eq!(body("mail.send_template", input), expected);
}
