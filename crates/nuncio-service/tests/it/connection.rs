//! From a service file to what goes over the wire.

use std::sync::{Arc, Mutex};

use futures_util::TryStreamExt as _;
use http::{HeaderMap, StatusCode};
use nuncio_client::pages::Item;
use nuncio_client::{Body, Client, Error, Kind, Request, Response};
use nuncio_service::model::Auth;
use nuncio_service::{Catalog, Connection, Env, Inputs, Service, Settings};
use serde_json::{Value, json};

/// A request as it came over the wire.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) method: String,
    pub(crate) url: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

pub(crate) type Log = Arc<Mutex<Vec<Seen>>>;

/// `service` with a wire that answers with `answer`, and what went over it.
pub(crate) fn connect(
    service: Service,
    answer: impl Fn(&Seen) -> (u16, Value) + Clone + Send + Sync + 'static,
) -> (Connection, Log) {
    let log = Log::default();
    let seen = Arc::clone(&log);
    let wire = tower::service_fn(move |request: Request| {
        let (answer, seen) = (answer.clone(), Arc::clone(&seen));
        async move {
            let (parts, body) = request.into_parts();
            let body = String::from_utf8(body.collect(1 << 20).await?.to_vec()).expect("text");
            let request = Seen {
                method: parts.method.to_string(),
                url: parts.uri.to_string(),
                headers: parts.headers,
                body,
            };
            let (status, body) = answer(&request);
            seen.lock().unwrap().push(request);
            let mut response = Response::new(Body::from(body.to_string()));
            *response.status_mut() = StatusCode::from_u16(status).expect("a status");
            Ok::<_, Error>(response)
        }
    });
    let env =
        Env::new(|name| name.strip_prefix("MADE_UP_").map(|rest| format!("made-up-{}", rest.to_lowercase())));
    let client = Client::builder().transport(wire);
    let settings = Settings { env, client, ..Settings::default() };
    (Connection::new(service, settings).unwrap_or_else(|error| panic!("{}", error.report())), log)
}

pub(crate) fn file(text: &str) -> Service {
    let text = format!("service: shop\nbase_url: https://shop.example.com/v1\n{text}");
    Service::from_yaml(&text, "shop.yaml").unwrap_or_else(|error| panic!("{}", error.report()))
}

fn ok(_: &Seen) -> (u16, Value) {
    (200, json!({"ok": true}))
}

/// The first request of a call of `op` with `inputs`.
async fn sent(text: &str, inputs: Value) -> Seen {
    let (connection, log) = connect(file(text), ok);
    connection.call("op", Inputs::from_json(inputs).unwrap()).unwrap().send().await.unwrap();
    log.lock().unwrap()[0].clone()
}

#[tokio::test]
async fn a_call_is_what_the_file_says() {
    let text = "
version: { header: Api-Version, value: 2026-01-01 }
auth: { bearer: \"{{ env.MADE_UP_TOKEN }}\" }
encode: form
idempotency: { header: Idempotency-Key }
operations:
  op: { post: \"/things/{id}\", input: { id: string!, meta: object, dry: { type: boolean, in: query } } }
";
    let seen = sent(text, json!({"id": "a/b", "meta": {"k": "v w"}, "dry": true})).await;
    assert_eq!(
        (seen.method.as_str(), seen.url.as_str()),
        ("POST", "https://shop.example.com/v1/things/a%2Fb?dry=true")
    );
    assert_eq!(seen.body, "meta%5Bk%5D=v+w");
    assert_eq!(seen.headers["content-type"], "application/x-www-form-urlencoded");
    assert_eq!(seen.headers["authorization"], "Bearer made-up-token");
    assert_eq!(seen.headers["api-version"], "2026-01-01");
    assert!(seen.headers.contains_key("idempotency-key"));
}

#[tokio::test]
async fn every_way_of_auth_is_put_on() {
    let headers = |auth: &str| {
        let text = format!("auth: {auth}\noperations: {{ op: {{ get: /x }} }}");
        async move { sent(&text, json!({})).await }
    };
    let key =
        headers("{ api_key: { header: X-Key, value: \"{{ env.MADE_UP_KEY }}\", prefix: \"Key \" } }").await;
    assert_eq!(key.headers["x-key"], "Key made-up-key");
    let key = headers("{ api_key: { query: key, value: \"{{ env.MADE_UP_KEY }}\" } }").await;
    assert!(key.url.ends_with("/x?key=made-up-key"), "{}", key.url);
    let basic =
        headers("{ basic: { user: \"{{ env.MADE_UP_USER }}\", password: \"{{ env.MADE_UP_PASS }}\" } }")
            .await;
    assert_eq!(basic.headers["authorization"], "Basic bWFkZS11cC11c2VyOm1hZGUtdXAtcGFzcw==");
    let hmac = "{ hmac: { secret: \"{{ env.MADE_UP_SECRET }}\", sign: \"{method}{nonce}\", signature: { header: X-Sign, prefix: v0= }, \
                nonce: { header: X-Once }, key_id: { header: X-Who, value: \"{{ env.MADE_UP_ID }}\" } } }";
    let signed = headers(hmac).await;
    assert!(signed.headers["x-sign"].to_str().unwrap().starts_with("v0="));
    assert!(signed.headers.contains_key("x-once") && !signed.headers.contains_key("x-timestamp"));
    assert_eq!(signed.headers["x-who"], "made-up-id");
}

#[tokio::test]
async fn a_token_url_can_be_a_path_under_the_base_url() {
    let text = "
auth: { oauth2: { token_url: /oauth/token, client_id: me, client_secret: \"{{ env.MADE_UP_SECRET }}\", scopes: [read], audience: aud } }
operations: { op: { get: /x } }
";
    let (connection, log) = connect(file(text), |request| {
        let token = json!({"access_token": "made-up-access", "token_type": "Bearer", "expires_in": 3600});
        if request.url.ends_with("/token") { (200, token) } else { (200, json!({})) }
    });
    connection.call("op", Inputs::new()).unwrap().send().await.unwrap();
    let log = log.lock().unwrap();
    assert_eq!(log[0].url, "https://shop.example.com/v1/oauth/token");
    assert_eq!(log[0].body, "grant_type=client_credentials&scope=read&audience=aud");
    assert_eq!(log[1].headers["authorization"], "Bearer made-up-access");
}

#[tokio::test]
async fn what_an_operation_says_stands_instead_of_what_its_service_says() {
    let text = "
auth: { bearer: \"{{ env.MADE_UP_TOKEN }}\" }
retry: { attempts: 3, backoff: { base: 1ms, jitter: none } }
operations:
  open: { get: /x, auth: none, retry: { attempts: 1 } }
  op: { get: /x }
";
    let (connection, log) = connect(file(text), |_| (503, json!({})));
    connection.call("open", Inputs::new()).unwrap().send().await.unwrap_err();
    assert_eq!(log.lock().unwrap().len(), 1);
    assert!(!log.lock().unwrap()[0].headers.contains_key("authorization"));
    connection.call("op", Inputs::new()).unwrap().send().await.unwrap_err();
    assert_eq!(log.lock().unwrap().len(), 1 + 3);
}

#[tokio::test]
async fn all_missing_variables_are_named_before_any_request() {
    let text = "
auth: { basic: { user: \"{{ env.SHOP_USER }}\", password: \"{{ env.SHOP_PASS }}\" } }
operations: { op: { get: /x, headers: { X-Tenant: \"{{ env.TENANT }}\" } }, free: { get: /y, auth: none } }
";
    let (connection, log) = connect(file(text), ok);
    let error = connection.call("op", Inputs::new()).unwrap_err();
    assert_eq!(error.kind(), Kind::Configuration);
    assert_eq!(error.to_string(), "op: the environment variables SHOP_PASS, SHOP_USER, TENANT are not set");
    assert!(log.lock().unwrap().is_empty());
    connection.call("free", Inputs::new()).unwrap().send().await.unwrap();
}

#[tokio::test]
async fn wrong_inputs_and_names_stop_a_call_before_any_request() {
    let text = "operations: { things.get: { get: \"/things/{id}\", input: { id: string! } } }";
    let (connection, log) = connect(file(text), ok);
    let error = connection.call("things.gte", Inputs::new()).unwrap_err();
    assert!(error.to_string().contains("did you mean `things.get`?"), "{error}");
    let error = connection.call("things.get", Inputs::from([("idd", "1")])).unwrap_err();
    assert_eq!(error.kind(), Kind::Validation);
    assert_eq!(error.to_string(), "things.get: unknown input `idd`, did you mean `id`?; `id` is missing");
    assert!(log.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_good_status_can_be_a_failure() {
    let text = "
errors: { when: \"body.ok == false\", code: error, message: why.text }
operations: { op: { get: /x } }
";
    let (connection, _) =
        connect(file(text), |_| (200, json!({"ok": false, "error": "no_such", "why": {"text": "gone"}})));
    let error = connection.call("op", Inputs::new()).unwrap().send().await.unwrap_err();
    assert_eq!((error.kind(), error.code()), (Kind::Status, Some("no_such")));
    assert!(error.to_string().contains("gone"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_throttle_under_another_status_is_waited_for() {
    let text = "
errors: { throttled: \"status == 403 and body.slow\" }
operations: { op: { post: /x } }
";
    let (connection, log) = connect(file(text), |_| (403, json!({"slow": true})));
    let error = connection.call("op", Inputs::new()).unwrap().send().await.unwrap_err();
    assert_eq!(error.kind(), Kind::Limit);
    assert_eq!(log.lock().unwrap().len(), 5, "a throttled POST did nothing and is sent again");
}

#[tokio::test(start_paused = true)]
async fn an_exhausted_quota_fails_at_once() {
    let text = "
retry: { quota: \"body.reason == 'daily' and headers['content-length'] != 'x'\" }
operations: { op: { get: /x } }
";
    let (connection, log) = connect(file(text), |_| (429, json!({"reason": "daily"})));
    connection.call("op", Inputs::new()).unwrap().send().await.unwrap_err();
    assert_eq!(log.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn an_answer_is_held_against_its_schema() {
    let text = "
validate: fail
operations: { op: { get: /x, response: { type: object, required: [id] } }, lax: { get: /x, validate: off, response: { required: [id] } } }
";
    let (connection, _) = connect(file(text), ok);
    let error = connection.call("op", Inputs::new()).unwrap().send().await.unwrap_err();
    assert_eq!(error.kind(), Kind::Validation);
    connection.call("lax", Inputs::new()).unwrap().send().await.unwrap();
}

/// The URLs (and bodies) of a pull of `op`, and its number of records.
async fn pulled(
    text: &str,
    answer: impl Fn(&Seen) -> (u16, Value) + Clone + Send + Sync + 'static,
) -> (Vec<String>, u64) {
    let (connection, log) = connect(file(text), answer);
    let pages = connection.pages("op").unwrap();
    let items = connection.call("op", Inputs::new()).unwrap().pages(&pages).unwrap();
    let records = items
        .try_fold(0, |records, item| async move { Ok(records + u64::from(matches!(item, Item::Record(_)))) });
    let records = records.await.unwrap_or_else(|error| panic!("{}", error.report()));
    let log = log.lock().unwrap();
    let urls = log.iter().map(|seen| {
        let url = seen.url.strip_prefix("https://shop.example.com/v1").unwrap_or(&seen.url);
        format!("{url}{}", seen.body)
    });
    (urls.collect(), records)
}

#[tokio::test]
async fn a_list_is_read_page_after_page() {
    let text = "
pages: { keyset: { param: after, more: has_more }, size: { param: limit, value: 2 } }
operations: { op: { get: /x, records: data } }
";
    let (urls, records) = pulled(text, |request| {
        let more = !request.url.contains("after");
        let ids = if more { [1, 2] } else { [3, 4] };
        (200, json!({"data": ids.map(|id| json!({"id": id})), "has_more": more}))
    })
    .await;
    assert_eq!(urls, ["/x?limit=2", "/x?limit=2&after=2"]);
    assert_eq!(records, 4);
}

#[tokio::test]
async fn paging_parameters_of_a_post_go_into_its_body() {
    let text = "
pages: { cursor: { param: cursor, next: next } }
operations: { op: { post: /search, input: { q: { default: all } }, records: hits } }
";
    let (urls, records) = pulled(text, |request| {
        let next = if request.body.contains("cursor") { Value::Null } else { json!("c2") };
        (200, json!({"hits": [{"n": request.body.len()}], "next": next}))
    })
    .await;
    assert_eq!(urls, [r#"/search{"q":"all"}"#, r#"/search{"q":"all","cursor":"c2"}"#]);
    assert_eq!(records, 2);
}

#[tokio::test]
async fn a_graphql_connection_is_read_by_its_cursors() {
    let text = "
operations:
  op:
    graphql: \"query($first: Int, $after: String) { orders(first: $first, after: $after) { nodes { id } pageInfo { hasNextPage endCursor } } }\"
    pages: { connection: { path: orders }, size: { param: first, value: 1 } }
";
    let (urls, records) = pulled(text, |request| {
        let last = request.body.contains("c1");
        let info = json!({"hasNextPage": !last, "endCursor": if last { Value::Null } else { json!("c1") }});
        (200, json!({"data": {"orders": {"nodes": [{"id": last}], "pageInfo": info}}}))
    })
    .await;
    assert_eq!((urls.len(), records), (2, 2));
    assert!(urls[0].starts_with("/graphql") && urls[0].contains(r#""first":1"#), "{}", urls[0]);
}

#[test]
fn an_operation_without_records_is_no_list() {
    let (connection, _) = connect(file("operations: { op: { get: /x } }"), ok);
    let error = connection.pages("op").unwrap_err();
    assert_eq!(error.to_string(), "op: it is no list: the service file names no records for it");
}

#[tokio::test(start_paused = true)]
async fn operations_with_the_same_limits_share_them() {
    let text = "
limits: [{ capacity: 1, refill: 1/m }]
operations:
  a: { get: /a }
  b: { get: /b, limits: [{ capacity: 1, refill: 1/m }] }
  c: { get: /c, limits: [] }
";
    let (connection, _) = connect(file(text), ok);
    let start = tokio::time::Instant::now();
    let call = |name: &str| connection.call(name, Inputs::new()).unwrap().send();
    call("a").await.unwrap();
    call("c").await.unwrap();
    assert_eq!(start.elapsed().as_secs(), 0);
    call("b").await.unwrap();
    assert_eq!(start.elapsed().as_secs(), 60);
}

#[tokio::test(start_paused = true)]
async fn limits_of_one_name_share_a_bucket_though_the_lists_differ() {
    let text = "
limits: [{ name: all, capacity: 2, refill: 1/m }]
operations:
  a: { get: /a }
  b: { get: /b, limits: [{ name: all, capacity: 2, refill: 1/m }, { name: b, capacity: 9, refill: 9/s }] }
  c: { get: /c, limits: [{ name: c, capacity: 2, refill: 1/m }] }
";
    let (connection, _) = connect(file(text), ok);
    let start = tokio::time::Instant::now();
    let call = |name: &str| connection.call(name, Inputs::new()).unwrap().send();
    for (name, expected) in [("a", 0), ("b", 0), ("c", 0), ("a", 60), ("b", 120), ("c", 120)] {
        call(name).await.unwrap();
        assert_eq!(start.elapsed().as_secs(), expected, "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn githubs_primary_limit_is_one_for_reads_and_writes() {
    let service = Service { auth: Auth::None, ..Catalog::built_in().get("github").unwrap() };
    let (connection, _) = connect(service, ok);
    let start = tokio::time::Instant::now();
    let send =
        async |name: &str, inputs: Inputs| connection.call(name, inputs).unwrap().send().await.unwrap();
    let issue = || Inputs::from([("owner", "octo"), ("repo", "lamp"), ("issue_number", "1")]);
    // More than a thousand and what flows in meanwhile: the bucket is empty then.
    for _ in 0..1_100 {
        send("issues.get", issue()).await;
    }
    let read = start.elapsed();
    assert_eq!(read.as_secs(), 90);
    for _ in 0..10 {
        send("issues.update", issue()).await;
    }
    // At 4000 an hour. What is the writes' own would have let them all go at once.
    assert_eq!((start.elapsed() - read).as_secs(), 9);
}

#[tokio::test(start_paused = true)]
async fn a_limit_can_have_a_bucket_for_each_key_or_operation() {
    let text = "
limits: [{ capacity: 1, refill: 1/m, key: \"{{ operation }}\" }]
operations:
  a: { get: /a }
  b: { get: /b }
  c: { get: /c, input: { room: string! }, limits: [{ capacity: 1, refill: 1/m, key: \"{{ input.room }}\" }] }
";
    let (connection, _) = connect(file(text), ok);
    let start = tokio::time::Instant::now();
    let call = |name: &str, inputs: Inputs| connection.call(name, inputs).unwrap().send();
    call("a", Inputs::new()).await.unwrap();
    call("b", Inputs::new()).await.unwrap();
    call("c", Inputs::from([("room", "1")])).await.unwrap();
    call("c", Inputs::from([("room", "2")])).await.unwrap();
    assert_eq!(start.elapsed().as_secs(), 0);
    call("c", Inputs::from([("room", "1")])).await.unwrap();
    assert_eq!(start.elapsed().as_secs(), 60);
}

#[tokio::test]
async fn a_limit_by_an_input_lets_calls_without_it_share_a_bucket() {
    let text = "
limits: [{ capacity: 2, refill: 1/m, key: \"{{ input.room }}\" }]
operations: { op: { get: /x }, talk: { get: /y, input: { room: integer } } }
";
    let (connection, log) = connect(file(text), ok);
    connection.call("op", Inputs::new()).unwrap().send().await.unwrap();
    connection.call("talk", Inputs::new().with("room", json!(7))).unwrap().send().await.unwrap();
    connection.call("talk", Inputs::new()).unwrap().send().await.unwrap();
    assert_eq!(log.lock().unwrap().len(), 3);
}

#[tokio::test]
async fn the_base_url_can_be_another() {
    let service = file("operations: { op: { get: /x } }");
    let settings = |url: &str| Settings { base_url: Some(url.to_owned()), ..Settings::default() };
    let connection = Connection::new(service.clone(), settings("http://127.0.0.1:4010/shop")).unwrap();
    let request = connection.call("op", Inputs::new()).unwrap().preview().unwrap();
    assert_eq!(request.uri(), "http://127.0.0.1:4010/shop/x");
    assert!(Connection::new(service, settings("no url")).is_err());
}

#[test]
fn every_operation_of_the_catalog_can_be_connected() {
    let catalog = Catalog::built_in();
    for (name, _) in catalog.iter() {
        let service = catalog.get(name).unwrap();
        let env = Env::new(|name| Some(format!("made-up-{name}")));
        let connection = Connection::new(service, Settings { env, ..Settings::default() }).unwrap();
        for (operation, described) in &connection.service().operations {
            // Bound, and refused for inputs that are missing at worst.
            if let Err(error) = connection.call(operation, Inputs::new()) {
                assert_eq!(error.kind(), Kind::Validation, "{name}: {}", error.report());
            }
            if described.records.is_some() {
                connection.pages(operation).unwrap_or_else(|error| panic!("{name}: {}", error.report()));
            }
        }
    }
}

#[test]
fn the_variables_of_a_service_are_those_of_its_account() {
    let text = "
service: shop
base_url: 'https://{{ env.SHOP_HOST }}'
version: { header: X-Version, value: '{{ env.SHOP_VERSION }}' }
headers: { X-Team: '{{ env.SHOP_TEAM }}' }
auth: { basic: { user: '{{ env.SHOP_USER }}', password: '{{ env.SHOP_PASSWORD | upper }}' } }
operations:
  a: { get: /a, auth: { bearer: '{{ env.SHOP_TOKEN }}' }, headers: { X-Own: '{{ env.SHOP_OWN }}' }, query: { q: '{{ env.OTHER }}' } }
";
    let service = Service::from_yaml(text, "shop.yaml").unwrap();
    let variables: Vec<String> = service.variables().into_iter().collect();
    assert_eq!(
        variables,
        ["SHOP_HOST", "SHOP_OWN", "SHOP_PASSWORD", "SHOP_TEAM", "SHOP_TOKEN", "SHOP_USER", "SHOP_VERSION"]
    );
}
