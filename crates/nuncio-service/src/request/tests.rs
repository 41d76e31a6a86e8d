use serde_json::json;

use super::*;
use crate::inputs::Inputs;
use crate::template::Env;

/// The request of the one operation in `file` for `inputs`.
fn request(file: &str, inputs: Value) -> Result<Prepared, Error> {
    let service = Service::from_yaml(file, "shop.yaml").unwrap_or_else(|error| panic!("{}", error.report()));
    let (name, operation) = service.operations.iter().next().expect("an operation");
    let checked = operation.check(Inputs::from_json(inputs)?)?;
    let env = Env::new(|name| (name == "PARTNER").then(|| "made-up-partner".to_owned()));
    let scope =
        Scope::new(&env).with("input", Value::Object(checked.values.clone())).with("operation", json!(name));
    prepare(&service, operation, &Plan::new(operation)?, &checked.values, checked.files, &scope)
}

fn operation(text: &str) -> String {
    format!("service: shop\nbase_url: https://shop.example.com\noperations:\n  op: {text}\n")
}

fn json_body(prepared: &Prepared) -> &Value {
    match &prepared.content {
        Content::Json(value) | Content::Form(value) => value,
        other => panic!("{other:?}"),
    }
}

#[test]
fn inputs_go_to_the_path_the_query_or_the_body_by_default() {
    let input = "input: { id: string!, q: string, n: integer }";
    let given = json!({"id": "a/b", "q": "x y", "n": 2});
    let get = request(&operation(&format!("{{ get: \"/v1/{{id}}\", {input} }}")), given.clone()).unwrap();
    assert_eq!((get.method.as_str(), get.path.as_str()), ("GET", "/v1/a%2Fb"));
    assert_eq!(get.query, [("n".into(), "2".into()), ("q".into(), "x y".into())]);
    assert!(matches!(get.content, Content::Empty));
    let post = request(&operation(&format!("{{ post: \"/v1/{{id}}\", {input} }}")), given).unwrap();
    assert_eq!(post.query, []);
    assert_eq!(*json_body(&post), json!({"q": "x y", "n": 2}));
}

#[test]
fn an_input_can_have_another_place_and_name() {
    let text = "{ post: /v1, input: { dry: { type: boolean, in: query, name: dry-run }, trace: { in: header, name: X-Trace } } }";
    let prepared = request(&operation(text), json!({"dry": true, "trace": "t1"})).unwrap();
    assert_eq!(prepared.query, [("dry-run".into(), "true".into())]);
    assert_eq!(prepared.headers["x-trace"], "t1");
    assert!(matches!(prepared.content, Content::Empty));
}

#[test]
fn lists_and_objects_in_a_query_are_written_out() {
    let text = "{ get: /v1, input: { tag: array, created: object, none: any } }";
    let given = json!({"tag": ["a", "b"], "created": {"gte": 1}, "none": null});
    let prepared = request(&operation(text), given.clone()).unwrap();
    let pairs = |prepared: &Prepared| -> Vec<String> {
        prepared.query.iter().map(|(name, value)| format!("{name}={value}")).collect()
    };
    assert_eq!(pairs(&prepared), ["created[gte]=1", "tag=a", "tag=b"]);
    let form = text.replace("get:", "encode: form, get:");
    let prepared = request(&operation(&form), given).unwrap();
    assert_eq!(pairs(&prepared), ["created[gte]=1", "tag[0]=a", "tag[1]=b"]);
}

#[test]
fn a_header_input_cannot_add_another_header() {
    let text = "{ get: /v1, input: { trace: { in: header, name: X-Trace } } }";
    let error = request(&operation(text), json!({"trace": "a\r\nX-Admin: 1"})).unwrap_err();
    assert_eq!(error.kind(), Kind::Validation);
}

#[test]
fn the_headers_of_an_operation_win_and_secrets_are_marked() {
    let file = "
service: shop
base_url: https://shop.example.com
version: { header: Api-Version, value: 2026-01-01 }
headers: { X-Mode: live, X-Partner: \"{{ env.PARTNER }}\", X-Name: \"{{ operation }}\", X-Opt: \"{{ input.opt }}\" }
operations:
  op: { get: /v1, headers: { X-Mode: test }, input: { opt: string } }
";
    let headers = request(file, json!({})).unwrap().headers;
    assert_eq!(headers["api-version"], "2026-01-01");
    assert_eq!(headers["x-mode"], "test");
    assert_eq!(headers["x-partner"], "made-up-partner");
    assert!(headers["x-partner"].is_sensitive());
    assert_eq!(headers["x-name"], "op");
    assert!(!headers.contains_key("x-opt"), "an input that is not given leaves its header out");
}

#[test]
fn a_body_template_stands_instead_of_the_inputs() {
    let text = "{ post: /v3/send, input: { to: string!, text: string }, body: { to: [{ email: \"{{ input.to }}\" }], text: \"{{ input.text }}\" } }";
    let prepared = request(&operation(text), json!({"to": "ada@example.com"})).unwrap();
    assert_eq!(*json_body(&prepared), json!({"to": [{"email": "ada@example.com"}]}));
}

#[test]
fn an_operation_with_body_inputs_sends_an_empty_object_when_none_is_given() {
    let prepared = request(&operation("{ post: /v1, input: { a: string } }"), json!({})).unwrap();
    assert_eq!(*json_body(&prepared), json!({}));
    let prepared = request(&operation("{ post: /v1 }"), json!({})).unwrap();
    assert!(matches!(prepared.content, Content::Empty));
}

#[test]
fn inputs_of_a_graphql_operation_are_its_variables() {
    let text = "{ graphql: \"query($n: Int!) { orders(first: $n) { id } }\", input: { n: integer! } }";
    let prepared = request(&operation(text), json!({"n": 3})).unwrap();
    let Content::GraphQl(request) = prepared.content else { panic!("{:?}", prepared.content) };
    assert_eq!((prepared.method.as_str(), prepared.path.as_str()), ("POST", "/graphql"));
    assert_eq!(Value::Object(request.variables), json!({"n": 3}));
}

#[test]
fn a_raw_body_is_its_one_input() {
    let text = "{ put: /v1, encode: raw, input: { content: any! } }";
    let media_type = |given: Value| match request(&operation(text), given).unwrap().content {
        Content::Raw(body, media_type) => (body.as_bytes().map(<[u8]>::to_vec).unwrap(), media_type),
        other => panic!("{other:?}"),
    };
    assert_eq!(media_type(json!({"content": "hi"})).0, b"hi");
    assert_eq!(
        media_type(json!({"content": [1]})),
        (b"[1]".to_vec(), HeaderValue::from_static("application/json"))
    );
}

#[tokio::test]
async fn files_are_parts_of_a_multipart_body() {
    let text = "{ post: /v1/files, encode: multipart, input: { purpose: string!, file: { in: file, required: true } } }";
    let service = Service::from_yaml(&operation(text), "shop.yaml").unwrap();
    let operation = &service.operations["op"];
    let inputs = Inputs::from([("purpose", "proof")]).with("file", File::new("a.csv", "x,y\n"));
    let checked = operation.check(inputs).unwrap();
    let prepared = prepare(
        &service,
        operation,
        &Plan::new(operation).unwrap(),
        &checked.values,
        checked.files,
        &Scope::default(),
    )
    .unwrap();
    let Content::Multipart(form) = prepared.content else { panic!("{:?}", prepared.content) };
    let encoded = form.encode(&nuncio_client::Random::new());
    let body = encoded.body.collect(1024).await.unwrap();
    let body = String::from_utf8(body.to_vec()).unwrap();
    assert!(body.contains("name=\"purpose\"\r\n\r\nproof\r\n"), "{body}");
    assert!(body.contains("name=\"file\"; filename=\"a.csv\""), "{body}");
}

// Airbyte: what a template comes to is guessed at, so that the text 1e5 becomes 100000.0 and None becomes null.
#[test]
fn a_text_stays_the_text_that_it_is() {
    let file = operation(
        "{ post: /x, input: { a: string, b: string }, body: { a: \"{{ input.a }}\", b: \"{{ input.b }}\" } }",
    );
    for text in ["1e5", "None", "true", "007", "[1]"] {
        let body = request(&file, json!({"a": text, "b": text})).unwrap();
        assert_eq!(*json_body(&body), json!({"a": text, "b": text}));
    }
}
