use nuncio_client::Kind;

use super::*;

fn load(text: &str) -> Result<Service, Error> {
    Service::from_yaml(text, "shop.yaml")
}

/// The mistakes of `text`, without the lines they stand in.
fn mistakes(text: &str) -> Vec<String> {
    let error = load(text).expect_err("the file has mistakes");
    assert_eq!(error.kind(), Kind::Configuration);
    let problems: &Problems = error.cause().expect("the mistakes are the cause");
    problems.list.iter().map(|p| format!("{}:{}: {}", p.line, p.column, p.message)).collect()
}

/// A file with nothing wrong but what `rest` says, from line 3 on.
fn with(rest: &str) -> String {
    format!("service: shop\nbase_url: https://shop.example.com\n{rest}")
}

#[test]
fn an_unknown_key_is_told_with_its_place_and_the_nearest_key() {
    let text = with("retires: { attempts: 2 }\n");
    assert_eq!(mistakes(&text), ["3:1: unknown key `retires`, did you mean `retry`?"]);
    assert_eq!(
        load(&text).unwrap_err().report(),
        "the file shop.yaml has a mistake\n  because: shop.yaml:3:1: unknown key `retires`, did you mean \
         `retry`?\n 3 | retires: { attempts: 2 }\n   | ^"
    );
}

#[test]
fn an_unknown_key_that_is_near_to_none_lists_those_there_are() {
    assert_eq!(
        mistakes(&with("idempotency: { header: Key, zzz: 1 }")),
        ["3:29: unknown key `zzz`, expected one of: header"]
    );
}

#[test]
fn all_mistakes_are_told_at_once_in_the_order_of_the_file() {
    let text = with(
        "timeout: 30
retry: { attempts: none }
allow_http: yes
operations:
  a.get: { get: /a, cost: 0, inputs: {} }
  b.get: { get: /b, input: { x: strin } }
  c.get: { gett: /c }
",
    );
    assert_eq!(
        mistakes(&text),
        [
            "3:10: \"30\" is no duration: write a number and its unit, such as 200ms, 30s, 5m, 1h",
            "4:20: expected a whole number above 0, found the text \"none\"",
            "5:13: expected true or false, found the text \"yes\"",
            "7:27: expected a whole number above 0, found 0",
            "7:30: unknown key `inputs`, did you mean `input`?",
            "8:33: \"strin\" is no type: write one of string, integer, number, boolean, object, array, any, with ! behind it \
             when the input is required",
            "9:12: unknown key `gett`, did you mean `get`?",
        ]
    );
}

#[test]
fn a_key_that_stands_twice_is_told() {
    let text = with("operations:\n  a: { get: /a }\n  a: { get: /b }\n");
    assert_eq!(mistakes(&text), ["5:3: the key `a` stands twice, first in line 4"]);
}

#[test]
fn a_missing_key_is_named() {
    assert_eq!(mistakes("service: shop\n"), ["1:1: the key `base_url` is missing"]);
    assert_eq!(mistakes(&with("auth: { api_key: { header: X-Key } }")), ["3:18: the key `value` is missing"]);
}

#[test]
fn what_is_no_yaml_is_told_with_its_place() {
    assert_eq!(mistakes(""), ["1:1: the file is empty"]);
    assert_eq!(mistakes("- a\n"), ["1:1: expected keys such as service, found a list"]);
    let [told] = &mistakes("service: [a\nbase_url: x\n")[..] else { panic!("one mistake") };
    assert!(told.contains("this is no YAML"), "{told}");
    assert_eq!(
        mistakes(&with("--- \nservice: b\n")),
        ["3:1: a second document begins here: a service file has one"]
    );
}

#[test]
fn text_is_taken_as_it_was_written() {
    let service = load(&with("version: { header: Api-Version, value: 1.10 }\nabout: 08012\n")).unwrap();
    assert_eq!(service.version.unwrap().value.source(), "1.10");
    assert_eq!(service.about.as_deref(), Some("08012"));
}

#[test]
fn only_what_json_calls_a_number_is_one() {
    let file = with(
        "operations: { a: { post: /a, body: { n: [1, -2, 1.5, 08012, 1_000, 0x10, yes, ~, true, \"1\"] } } }",
    );
    let service = load(&file).unwrap();
    let body = service.operations["a"].body.as_ref().unwrap().render(&Default::default()).unwrap();
    assert_eq!(body.to_string(), r#"{"n":[1,-2,1.5,"08012","1_000","0x10","yes",null,true,"1"]}"#);
    let file = with("operations: { a: { post: /a, body: { n: 12345678901234567890123 } } }");
    assert!(mistakes(&file)[0].contains("quote it"), "{:?}", mistakes(&file));
}

#[test]
fn an_alias_bomb_is_stopped() {
    let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..12 {
        let item = format!("*a{}", level - 1);
        text += &format!("a{level}: &a{level} [{}]\n", vec![item; 10].join(", "));
    }
    let told = mistakes(&with(&text));
    assert!(told.iter().any(|told| told.contains("aliases counted each time")), "{told:?}");
}

#[test]
fn a_bomb_of_one_long_text_is_stopped() {
    let text = format!("x: &x {}\ny: [{}]\n", "x".repeat(500_000), vec!["*x"; 100_000].join(","));
    let told = mistakes(&with(&text));
    assert!(told[0].contains("bytes of text, aliases counted each time"), "{}", told.len());
}

#[test]
fn a_mistake_on_each_of_many_lines_is_told() {
    let told = mistakes(&with(&"x: 1\n".repeat(50_000)));
    assert_eq!(told.len(), 50_000, "one unknown key, and the others stand twice");
}

#[test]
fn a_mistake_is_shown_where_yaml_and_editors_count_lines_differently() {
    // A carriage return alone ends a line of YAML; the mistake is far out on the second.
    let error = load(&format!("service: x\ry: {}*none", " ".repeat(70_000))).unwrap_err();
    assert!(error.report().contains(":70004: "), "{}", error.report());
}

#[test]
fn deep_nesting_is_stopped() {
    for (bracket, said) in [("[", "recursion limit"), ("- ", "nested deeper than 64 levels")] {
        let told = mistakes(&with(&format!("x:\n  {}", bracket.repeat(50_000))));
        assert!(told[0].contains(said), "{told:?}");
    }
}

#[test]
fn a_huge_file_is_refused() {
    let error = load(&"#".repeat(MAX_FILE_BYTES + 1)).unwrap_err();
    assert!(error.to_string().contains("larger than 1048576 bytes"), "{error}");
}

#[test]
fn an_alias_is_what_its_anchor_was() {
    let service = load(&with("operations:\n  a: &a { get: /a }\n  b: *a\n")).unwrap();
    assert_eq!(service.operations["b"].get.as_deref(), Some("/a"));
}

#[test]
fn a_wrong_expression_is_told_where_it_stands() {
    let told = mistakes(&with("headers:\n  X-Key: \"{{ env. }}\"\n"));
    assert_eq!(told.len(), 1);
    assert!(told[0].starts_with("4:10: the expression \"env.\" is wrong: "), "{told:?}");
}

#[test]
fn names_that_do_not_exist_are_told_where_they_are_used() {
    let text = with(
        "auth: { bearer: \"{{ evn.TOKEN }}\" }
operations:
  a.get: { get: \"/a/{idd}\", input: { id: string! } }
  a.put: { put: \"/a/{id}\", input: { id: string!, name: string }, body: { n: \"{{ input.nam }}\" } }
  a.see: { get: /a, sandbox: { resource: as } }
sandbox: { resources: { a: {} } }
",
    );
    assert_eq!(
        mistakes(&text),
        [
            "3:9: unknown variable `evn`, did you mean `env`?",
            "5:12: unknown input `idd`, did you mean `id`? (the path names it: declare it under input, idd: string!)",
            "6:66: unknown input `nam`, did you mean `name`?",
            "7:32: unknown resource `as`, did you mean `a`?",
        ]
    );
}

#[test]
fn keys_that_exclude_one_another_are_told() {
    let text = with(
        "auth: { api_key: { header: A, query: b, value: x } }
pages: { link: {}, page: { param: page } }
operations:
  a: { get: /a, post: /a }
  b: { about: nothing }
",
    );
    assert_eq!(
        mistakes(&text),
        [
            "3:9: a key goes to exactly one of: header, query, cookie",
            "4:1: pages need exactly one of: page, offset, cursor, header_cursor, next_url, link, keyset, connection",
            "6:3: an operation has exactly one of: get, post, put, patch, delete, head, graphql",
            "7:3: an operation has exactly one of: get, post, put, patch, delete, head, graphql",
        ]
    );
}

#[test]
fn auth_is_a_word_or_one_key() {
    let told = |auth: &str| mistakes(&with(&format!("auth: {auth}\n"))).join("; ");
    assert_eq!(told("bearer"), "3:7: `bearer` needs a value: write { bearer: … }");
    assert_eq!(told("{ none: x }"), "3:9: `none` takes no value");
    assert_eq!(
        told("{ bearer: x, basic: { user: y } }"),
        "3:7: expected exactly one of: none, api_key, basic, bearer, oauth2, digest, jwt, hmac, sigv4, oauth1, message_signature, session"
    );
    assert_eq!(told("{ baerer: x }"), "3:9: unknown word `baerer`, did you mean `bearer`?");
    assert!(load(&with("auth: none\n")).is_ok());
}

#[test]
fn what_cannot_sign_is_told_where_it_stands() {
    let told = |auth: &str| mistakes(&with(&format!("auth: {auth}\n"))).join("; ");
    let one_key = "what signs is exactly one of: private_key, secret";
    assert_eq!(told("{ jwt: { key: {} } }"), format!("3:16: {one_key}"));
    assert_eq!(
        told("{ message_signature: { key: { secret: a, private_key: b } } }"),
        format!("3:30: {one_key}")
    );
    let none = told("{ jwt: { key: { secret: a }, algorithm: none } }");
    assert!(none.contains("tokens cannot be signed by \"none\": known are HS256, "), "{none}");
    assert!(
        told("{ message_signature: { key: { secret: a }, algorithm: rsa } }")
            .contains("messages cannot be signed by \"rsa\"")
    );
    assert!(
        told("{ message_signature: { key: { secret: a }, components: ['@status'] } }")
            .contains("is nothing of a request")
    );
    let rsa = "3:9: a private_key goes with the method rsa_sha1, and with it alone";
    assert_eq!(told("{ oauth1: { consumer_key: a, method: rsa_sha1 } }"), rsa);
    assert_eq!(told("{ oauth1: { consumer_key: a, private_key: b } }"), rsa);
    assert!(told("{ sigv4: { access_key_id: a, secret_access_key: b, service: s3 } }").contains("region"));
}

#[test]
fn a_session_is_begun_by_an_operation_that_needs_none() {
    let told = |session: &str, login: &str| {
        let text =
            format!("auth: {{ session: {session} }}\noperations:\n  login: {{ post: /login, {login} }}\n");
        load(&with(&text)).err().map(|_| mistakes(&with(&text)).join("; ")).unwrap_or_default()
    };
    let login = "auth: none, input: { user: string }";
    assert_eq!(told("{ login: login, input: { user: a }, token: ticket }", login), "");
    assert_eq!(told("{ login: login, cookie: sid }", login), "");
    assert!(told("{ login: login }", login).contains("exactly one of: token, cookie"));
    assert!(told("{ login: login, token: a, cookie: b }", login).contains("exactly one of: token, cookie"));
    assert!(told("{ login: logni, token: a }", login).contains("did you mean `login`?"));
    assert!(told("{ login: login, token: a, input: { usr: b } }", login).contains("did you mean `user`?"));
    assert!(told("{ login: login, token: a }", "input: { user: string }").contains("give it `auth: none`"));
}

#[test]
fn plain_http_is_only_for_this_machine() {
    let base = |url: &str, rest: &str| load(&format!("service: shop\nbase_url: {url}\n{rest}"));
    assert!(base("http://localhost:8080", "").is_ok());
    assert!(base("http://127.0.0.1:8080/api", "").is_ok());
    assert!(base("http://shop.example.com", "").is_err());
    assert!(base("http://shop.example.com", "allow_http: true").is_ok());
    assert!(base("\"{{ env.SHOP_URL }}\"", "").is_ok());
    for wrong in [
        "shop.example.com",
        "ftp://shop.example.com",
        "https://shop.example.com?x=1",
        "https://u:p@shop.example.com",
    ] {
        assert!(base(wrong, "").is_err(), "{wrong}");
    }
}

/// What an editor would check, by the schema, is checked in the catalog and in the documentation.
#[test]
fn what_loads_fits_the_schema_too() {
    let validator = crate::schema::compile(&crate::service_schema()).unwrap();
    let texts = crate::catalog::BUILT_IN.iter().map(|(_, text)| *text).chain(documented());
    for text in texts {
        load(text).unwrap_or_else(|error| panic!("{}\n{text}", error.report()));
        let root = node::parse(text, &mut Vec::new()).unwrap();
        let unknown = RefCell::new(Vec::new());
        let value = serde::Deserialize::deserialize(Cursor { node: &root, unknown: &unknown }).unwrap();
        let misfits = crate::schema::misfits(&validator, &value);
        assert!(misfits.is_empty(), "{misfits:?}\n{text}");
    }
}

/// The service files in the guides.
fn documented() -> impl Iterator<Item = &'static str> {
    const GUIDES: [(&str, usize); 2] = [
        (include_str!("../../../../docs/service-files.md"), 5),
        (include_str!("../../../../docs/auth.md"), 20),
    ];
    GUIDES.into_iter().flat_map(|(guide, least)| {
        let blocks: Vec<_> =
            guide.split("```yaml\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect();
        assert!(blocks.len() >= least, "the guide has examples");
        blocks
    })
}

#[test]
fn a_file_that_breaks_off_or_lacks_a_line_never_panics() {
    for (_, text) in crate::catalog::BUILT_IN {
        let lines: Vec<&str> = text.lines().collect();
        for at in (0..lines.len()).step_by(29) {
            let _ = load(&lines[..at].join("\n"));
            let _ = load(&[&lines[..at], &lines[at + 1..]].concat().join("\n"));
            let half = lines[at].chars().count() / 2;
            let half: String = lines[at].chars().take(half).collect();
            let _ = load(&format!("{}\n{half}", lines[..at].join("\n")));
        }
    }
}

proptest::proptest! {
    #[test]
    fn no_text_makes_the_loader_panic(text in "[\\[\\]{}:,&*!|>'\"#?%@a1~ \n-]{0,80}") {
        let _ = load(&text);
        let _ = load(&with(&format!("operations:\n  {text}")));
    }
}

#[test]
fn of_many_mistakes_the_first_are_shown() {
    let keys: String = (0..100).map(|n| format!("k{n}: 1\n")).collect();
    let report = load(&with(&keys)).unwrap_err().report();
    assert!(report.contains("k19") && !report.contains("k20") && report.ends_with("and 80 more"), "{report}");
}

#[test]
fn a_default_must_fit_its_input() {
    let told = mistakes(&with(
        "operations: { a: { get: /a, input: { n: { type: integer, maximum: 10, default: 11 } } } }",
    ));
    assert!(told[0].starts_with("3:71: the default does not fit: the value is greater"), "{told:?}");
}

#[test]
fn limits_of_one_name_are_one_bucket_and_say_the_same() {
    let text = with(
        "limits: [{ name: all, capacity: 5, refill: 5/s }, { name: all, capacity: 5, refill: 5/s }]
operations:
  a: { get: /a, limits: [{ name: all, capacity: 5, refill: 5/s }, { capacity: 1, refill: 1/s }] }
  b: { get: /b, limits: [{ name: all, capacity: 6, refill: 5/s }] }
",
    );
    assert_eq!(
        mistakes(&text),
        [
            "3:53: the limit \"all\" stands twice here",
            "6:28: the limit \"all\" says something else elsewhere, and limits of one name are one bucket",
        ]
    );
}

#[test]
fn a_mistake_in_webhooks_is_told_with_its_place() {
    let text = with("webhooks: { scheme: strip, secret: '{{ input.x }}' }");
    assert_eq!(
        mistakes(&text),
        [
            "3:13: unknown provider `strip`, did you mean `stripe`?",
            "3:28: unknown variable `input`, expected one of: env"
        ]
    );
    assert_eq!(
        mistakes(&with("webhooks:\n  scheme: pusher\n  secret: x\n  settings: { appkey: y }")),
        ["6:15: unknown setting `appkey`, did you mean `app_key`?"]
    );
}

#[test]
fn a_mistake_deep_in_a_scheme_is_told_with_its_place() {
    let scheme = |signature: &str| {
        with(&format!("webhooks:\n  secret: x\n  scheme:\n    signatures:\n      - {{ {signature} }}\n"))
    };
    let rest = "algorithm: hmac-sha256, encoding: hex";
    for (signature, expected) in [
        ("at: { header: { name: X, lst: ',' } }", "7:36: unknown key `lst`, did you mean `list`?"),
        ("at: { header: { name: X, list: ', ' } }", "7:42: expected a character, found the text \", \""),
        ("at: { header: X }, signed: '{bdoy}'", "7:38: there is no part {bdoy} of a request to sign"),
        (
            "at: { header: X }, signed: '{id}'",
            "7:30: {id} is signed: say where it stands, under `id` of the scheme",
        ),
        ("at: { heder: X }", "7:17: unknown word `heder`, did you mean `header`?"),
    ] {
        assert_eq!(mistakes(&scheme(&format!("{signature}, {rest}"))), [expected]);
    }
}

#[test]
fn a_file_of_a_scheme_is_told_from_one_of_a_service_by_its_key() {
    let file = |text: &str| WebhookFile::from_yaml(text, "hook.yaml");
    let scheme = "signatures: [{ at: { header: X-Signature }, signed: '{body}', algorithm: hmac-sha256, encoding: hex }]";
    assert!(matches!(file(scheme), Ok(WebhookFile::Scheme(_))));
    assert!(matches!(file(&with("")), Ok(WebhookFile::Service(_))));
    assert!(
        file("signatures: []")
            .unwrap_err()
            .report()
            .contains("hook.yaml:1:1: a scheme has at least one signature, or a handshake")
    );
    // As JSON, which is YAML too.
    for (name, provider) in nuncio_webhook::providers() {
        let json = serde_json::to_string_pretty(&provider.scheme).unwrap();
        match file(&json) {
            Ok(WebhookFile::Scheme(read)) => assert_eq!(*read, provider.scheme, "{name}"),
            other => panic!("{name}: {other:?}"),
        }
    }
}
