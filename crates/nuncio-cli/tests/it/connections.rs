//! Credentials are stored, used, shown without their secrets, and forgotten.

use base64::prelude::{BASE64_STANDARD, Engine as _};
use serde_json::Value;

use crate::support::{Home, Ran, json, serve};

const SERVICE: &str = "service: shop\nbase_url: 'http://{{ env.SHOP_HOST }}'\n\
    auth: { basic: { user: '{{ env.SHOP_USER }}', password: '{{ env.SHOP_PASSWORD }}' } }\n\
    operations:\n  whoami: { get: /whoami }\n  list: { get: /list, records: data, pages: { page: { param: page } } }\n";

/// Says whose credentials came.
async fn shop() -> String {
    let url = serve(|request| {
        let sent = request.headers().get("authorization").map(|sent| sent.to_str().unwrap().to_owned());
        let pair = sent.and_then(|sent| BASE64_STANDARD.decode(sent.strip_prefix("Basic ")?).ok());
        let pair = pair.and_then(|pair| String::from_utf8(pair).ok()).unwrap_or_default();
        let user = pair.split(':').next().unwrap_or_default();
        json(200, &serde_json::json!({ "user": user }).to_string())
    })
    .await;
    url.strip_prefix("http://").unwrap().to_owned()
}

fn home() -> Home {
    let home = Home::new();
    home.write("services/shop.yaml", SERVICE);
    home
}

fn login(home: &Home, args: &[&str], host: &str, user: &str) -> Ran {
    let values = format!("SHOP_HOST={host}\nSHOP_USER={user}\nSHOP_PASSWORD=made-up-password-of-{user}\n");
    home.run_with(&[&["login", "shop"], args].concat(), &values).ends_with(0)
}

#[track_caller]
fn user(ran: Ran) -> String {
    let body: Value = serde_json::from_str(&ran.ends_with(0).out).unwrap();
    body["user"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_is_made_as_the_account_that_is_named() {
    let (home, host) = (home(), shop().await);
    login(&home, &[], &host, "ada");
    login(&home, &["--as", "test"], &host, "grace");
    let call = ["call", "shop", "whoami"];
    assert_eq!(user(home.run(&call)), "ada");
    assert_eq!(user(home.run(&[&call[..], &["--as", "test"]].concat())), "grace");
    let home = home.with_env("NUNCIO_AS", "test");
    assert_eq!(user(home.run(&call)), "grace");
    assert_eq!(user(home.run(&[&call[..], &["--as", "default"]].concat())), "ada");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_goes_before_the_environment_and_that_before_the_default() {
    let (home, host) = (home(), shop().await);
    login(&home, &[], &host, "ada");
    let home = home.with_env("SHOP_USER", "mary");
    assert_eq!(user(home.run(&["call", "shop", "whoami"])), "mary");
    assert_eq!(user(home.run(&["call", "shop", "whoami", "--as", "default"])), "ada");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_environment_fills_what_a_connection_lacks() {
    let (home, host) = (home(), shop().await);
    let home = home.with_env("SHOP_HOST", &host);
    // A file that knew less when the account was stored.
    home.write("services/shop.yaml", &SERVICE.replace("{{ env.SHOP_HOST }}", &host));
    home.run_with(&["login", "shop", "--as", "test"], "SHOP_USER=grace\nSHOP_PASSWORD=made-up-password")
        .ends_with(0);
    home.write("services/shop.yaml", SERVICE);
    assert_eq!(user(home.run(&["call", "shop", "whoami", "--as", "test"])), "grace");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_complete_environment_needs_no_store() {
    let host = shop().await;
    let env = [("SHOP_HOST", host.as_str()), ("SHOP_USER", "mary"), ("SHOP_PASSWORD", "made-up-password")];
    let home = env.into_iter().fold(home(), |home, (name, value)| home.with_env(name, value));
    home.write(
        ".local/state/nuncio/credentials.db",
        "made-up text that is no store, and longer than its head",
    );
    assert_eq!(user(home.run(&["call", "shop", "whoami"])), "mary");
    let ran = home.run(&["call", "shop", "whoami", "--as", "test"]).ends_with(1);
    assert!(ran.err.contains("credentials.db is damaged"), "{}", ran.err);
}

#[test]
fn an_account_that_is_not_stored_is_told_with_the_way_to_store_it() {
    let home = home();
    let ran = home.run(&["call", "shop", "whoami", "--as", "test"]).ends_with(1);
    assert!(ran.err.contains("there is no connection shop as test"), "{}", ran.err);
    assert!(ran.err.contains("nuncio login shop --as test"), "{}", ran.err);
    assert!(!home.path(".local").exists(), "what only reads makes no store");
    for args in
        [&["logout", "shop"][..], &["connections", "show", "shop"], &["connections", "remove", "shop"]]
    {
        assert!(home.run(args).ends_with(1).err.contains("there is no connection shop as default"));
    }
    let ran = home.run(&["call", "GET", "http://127.0.0.1:1", "--as", "test"]).ends_with(1);
    assert!(ran.err.contains("leave --as and NUNCIO_AS out"), "{}", ran.err);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_stored_is_listed_shown_and_forgotten() {
    let (home, host) = (home(), shop().await);
    assert_eq!(home.run(&["connections", "list"]).ends_with(0).out, "");
    login(&home, &[], &host, "ada");
    login(&home, &["--as", "test"], &host, "grace");
    let ran = home.run(&["connections", "list"]).ends_with(0);
    assert_eq!(ran.out, "shop  default  basic  ready\nshop  test     basic  ready\n");
    let listed: Value =
        serde_json::from_str(&home.run(&["connections", "list", "--json"]).ends_with(0).out).unwrap();
    assert_eq!(listed[1]["name"], "test");
    assert_eq!(listed[1]["state"]["name"], "ready");
    assert_eq!(listed[1]["key"]["source"], "the key file");

    let ran = home.run(&["connections", "show", "shop"]).ends_with(0);
    assert!(ran.out.contains("stored: SHOP_HOST, SHOP_PASSWORD, SHOP_USER\n"), "{}", ran.out);
    home.run(&["logout", "shop"]).ends_with(0);
    home.run(&["connections", "remove", "shop", "--as", "test"]).ends_with(0);
    assert_eq!(home.run(&["connections", "list", "--json"]).ends_with(0).out, "[]\n");
}

#[test]
fn a_value_that_is_missing_is_named_and_nothing_is_stored() {
    let home = home();
    let ran = home.run_with(&["login", "shop"], "SHOP_USER=ada\n").ends_with(1);
    assert!(ran.err.contains("no value for SHOP_HOST, SHOP_PASSWORD"), "{}", ran.err);
    assert_eq!(home.run(&["connections", "list"]).ends_with(0).out, "");
}

#[test]
fn a_wrong_key_has_an_exit_code_and_says_what_to_do() {
    let key = |byte| BASE64_STANDARD.encode([byte; 32]);
    let home = home().with_env("NUNCIO_KEY", &key(1));
    login(&home, &[], "127.0.0.1:1", "ada");
    let home = home.with_env("NUNCIO_KEY", &key(2));
    for args in [
        &["connections", "list"][..],
        &["call", "shop", "whoami"],
        &["logout", "shop"],
        &["connections", "rekey"],
    ] {
        let ran = home.run(args).ends_with(1);
        assert!(
            ran.err.contains("NUNCIO_KEY has the key") && ran.err.contains("nothing was changed"),
            "{}",
            ran.err
        );
    }
    let home = home.with_env("NUNCIO_KEY", "made-up passphrase");
    assert!(home.run(&["connections", "list"]).ends_with(1).err.contains("openssl rand -base64 32"));
    let home = home.with_env("NUNCIO_KEY", &key(1));
    assert_eq!(home.run(&["connections", "list"]).ends_with(0).out, "shop  default  basic  ready\n");
}

#[test]
fn a_new_key_is_told_with_what_changes() {
    let key = |byte| BASE64_STANDARD.encode([byte; 32]);
    let home = home();
    login(&home, &[], "127.0.0.1:1", "ada");
    home.run(&["connections", "rekey"]).ends_with(0);
    let home = home.with_env("NUNCIO_NEW_KEY", &key(5));
    let ran = home.run(&["connections", "rekey"]).ends_with(0);
    assert!(ran.err.contains("NUNCIO_KEY has to be what NUNCIO_NEW_KEY was"), "{}", ran.err);
    assert!(home.run(&["connections", "list"]).ends_with(1).err.contains("credentials.key is not there"));
    let home = home.with_env("NUNCIO_KEY", &key(5)).with_env("NUNCIO_NEW_KEY", "");
    let ran = home.run(&["connections", "rekey"]).ends_with(0);
    assert!(ran.err.contains("NUNCIO_KEY must not be set"), "{}", ran.err);
    let home = home.with_env("NUNCIO_KEY", "");
    assert_eq!(home.run(&["connections", "list"]).ends_with(0).out, "shop  default  basic  ready\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_is_tested_by_its_credentials_or_by_a_call() {
    let (home, host) = (home(), shop().await);
    login(&home, &["--as", "test"], &host, "grace");
    let test = ["connections", "test", "shop", "--as", "test"];
    let ran = home.run(&test).ends_with(0);
    assert_eq!(ran.err, "shop as test: has credentials (authorization: ***); the service was not called\n");
    let ran = home.run(&[&test[..], &["whoami"]].concat()).ends_with(0);
    assert_eq!(ran.err, "shop as test: whoami answered 200 OK\n");
    let ran = home.run(&["connections", "test", "shop"]).ends_with(1);
    assert!(ran.err.contains("SHOP_PASSWORD is neither stored nor set"), "{}", ran.err);
}

#[test]
fn what_a_call_would_carry_is_explained_with_where_it_comes_from() {
    let home = home().with_env("SHOP_HOST", "127.0.0.1:1").with_env("SHOP_USER", "mary");
    assert_eq!(
        home.run(&["auth", "explain", "shop"]).ends_with(0).out,
        "service: shop\nscheme: basic\nconnection: none is used\nSHOP_PASSWORD: not set\nSHOP_USER: from the environment\n"
    );
    login(&home, &[], "127.0.0.1:1", "ada");
    assert_eq!(
        home.run(&["auth", "explain", "shop"]).ends_with(0).out,
        "service: shop\nscheme: basic\nconnection: default (ready)\n\
         SHOP_PASSWORD: from the connection shop as default\nSHOP_USER: from the environment\n"
    );
    let ran = home.run(&["auth", "explain", "shop", "whoami", "--as", "default"]).ends_with(0);
    assert!(ran.out.contains("SHOP_USER: from the connection shop as default\n"), "{}", ran.out);
    assert!(
        ran.out.contains("GET http://***/whoami\n") && ran.out.contains("authorization: Basic ***"),
        "{}",
        ran.out
    );
    assert!(ran.out.ends_with("signs nothing\n"), "{}", ran.out);
}

#[test]
fn what_would_be_signed_is_shown_byte_for_byte() {
    let home = home();
    home.write(
        "services/signed.yaml",
        "service: signed\nbase_url: http://127.0.0.1:1\n\
         auth: { hmac: { secret: '{{ env.KEY }}', sign: \"{method}\\n{path_and_query}\\n{body}\" } }\n\
         operations:\n  a: { post: /a, input: { n: any }, query: { q: '1' } }\n",
    );
    home.run_with(&["login", "signed"], "made-up-signing-key").ends_with(0);
    let args = ["auth", "explain", "signed", "a", "n=two"];
    let ran = home.run(&args).ends_with(0);
    assert!(ran.out.contains("\nstring to sign:\n  POST\n  /a?q=1\n  {\"n\":\"two\"}\n"), "{}", ran.out);
    let ran = home.run(&[&args[..], &["--json"]].concat()).ends_with(0);
    let explained: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(explained["signed"][0]["text"], "POST\n/a?q=1\n{\"n\":\"two\"}");
    assert_eq!(explained["variables"][0]["from"], "from the connection signed as default");
}
