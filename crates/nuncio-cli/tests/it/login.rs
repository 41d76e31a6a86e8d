//! Logging in through the browser and with a device, and out again.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Stdio};

use nuncio_client::Clock;
use nuncio_client::auth::oauth2::Tokens;
use nuncio_credentials::{Account, CredentialStore, Keys, Options, StoredConnection};
use serde_json::Value;
use url::Url;

use crate::authority::{Authority, Habits};
use crate::support::{Home, Ran};

fn home(authority: &Authority, more: &str) -> Home {
    let home = Home::new();
    home.write("services/shop.yaml", &authority.service(more));
    home
}

pub(crate) fn store(home: &Home) -> CredentialStore {
    let keys = Keys { given: None, keyring: None, file: home.path(".local/share/nuncio/credentials.key") };
    let database = home.path(".local/state/nuncio/credentials.db");
    CredentialStore::open(Options { database, keys, clock: Clock::system() }).unwrap()
}

fn stored(home: &Home, name: &str) -> Option<StoredConnection> {
    store(home).get(&Account::new("shop", name).unwrap()).unwrap()
}

/// Starts `args`; the first line on standard error, and the rest of it.
fn begin(home: &Home, args: &[&str]) -> (Child, String) {
    let mut command = home.command(args);
    let mut child =
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut first = String::new();
    let mut reader = BufReader::with_capacity(1, child.stderr.take().unwrap());
    reader.read_line(&mut first).unwrap();
    child.stderr = Some(reader.into_inner());
    (child, first)
}

/// What a browser does with `url`: its answer.
fn visit(url: &Url) -> String {
    let mut stream = TcpStream::connect((url.host_str().unwrap(), url.port().unwrap())).unwrap();
    let target = &url[url::Position::BeforePath..url::Position::AfterQuery];
    write!(stream, "GET {target} HTTP/1.1\r\nhost: made-up\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

/// Opens the page, agrees, and goes where the browser is sent.
fn agree(login_page: &str) -> String {
    let answer = visit(&login_page.parse().unwrap());
    let location = answer.lines().find_map(|line| line.strip_prefix("location: ")).unwrap();
    visit(&location.parse().unwrap())
}

fn ended(child: Child) -> Ran {
    Ran::from(child.wait_with_output().unwrap())
}

const CODE: &str = ", grant: authorization_code";

#[tokio::test(flavor = "multi_thread")]
async fn a_login_in_the_browser_is_stored_used_and_given_back() {
    let authority = Authority::start(Habits::default(), 1).await;
    let home = home(&authority, CODE);
    let (child, line) = begin(&home, &["login", "shop", "--as", "ada", "--no-browser"]);
    let page = agree(line.strip_prefix("log in at ").unwrap().trim());
    assert!(page.contains("You are logged in"), "{page}");
    let ran = ended(child).ends_with(0);
    assert!(ran.err.contains("stored shop as ada"), "{}", ran.err);
    assert_eq!(authority.state().form["grant_type"], "authorization_code");

    home.run(&["call", "shop", "touch", "--as", "ada"]).ends_with(0);
    assert_eq!(authority.state().calls, 1);
    let ran = home.run(&["connections", "list", "--json"]).ends_with(0);
    let listed: Value = serde_json::from_str(&ran.out).unwrap();
    assert!(["expires", "expired"].contains(&listed[0]["state"]["name"].as_str().unwrap()), "{listed}");
    let ran = home.run(&["connections", "test", "shop", "--as", "ada"]).ends_with(0);
    assert!(ran.err.contains("authorization: ***"), "{}", ran.err);
    let ran = home.run(&["auth", "explain", "shop", "--as", "ada"]).ends_with(0);
    assert!(ran.out.contains("connection: ada (token "), "{}", ran.out);

    let ran = home.run(&["logout", "shop", "--as", "ada"]).ends_with(0);
    assert!(ran.err.contains("the provider has been told"), "{}", ran.err);
    assert_eq!(authority.state().revoked.len(), 2);
    assert!(stored(&home, "ada").is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_with_a_device_shows_the_code_and_where_to_enter_it() {
    let authority = Authority::start(Habits::default(), 1).await;
    let home = home(&authority, CODE);
    let ran = home.run(&["login", "shop", "--device"]).ends_with(0);
    assert!(
        ran.err
            .starts_with("open https://auth.example.com/device on any device and enter the code MADE-UP\n")
    );
    assert!(stored(&home, "default").unwrap().tokens.unwrap().refresh_token.is_some());
    // Without a name, too: tokens are nowhere else.
    home.run(&["call", "shop", "touch"]).ends_with(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redirect_of_another_login_is_refused_and_nothing_is_stored() {
    let authority = Authority::start(Habits::default(), 1).await;
    let home = home(&authority, CODE);
    let (child, line) = begin(&home, &["login", "shop", "--no-browser", "--json"]);
    let told: Value = serde_json::from_str(&line).unwrap();
    let mut page: Url = told["login"]["url"].as_str().unwrap().parse().unwrap();
    let pairs: Vec<(String, String)> = page.query_pairs().into_owned().collect();
    let other =
        pairs.iter().map(|(name, value)| (name, if name == "state" { "made-up-other" } else { value }));
    page.query_pairs_mut().clear().extend_pairs(other);
    assert!(agree(page.as_str()).contains("The login failed"));
    let ran = ended(child).ends_with(8);
    assert!(ran.err.contains("`state` that is not of this login"), "{}", ran.err);
    assert!(stored(&home, "default").is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_port_that_is_taken_is_told() {
    let authority = Authority::start(Habits::default(), 1).await;
    let home = home(&authority, CODE);
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let ran = home.run(&["login", "shop", "--no-browser", "--port", &port]).ends_with(1);
    assert!(ran.err.contains(&port), "{}", ran.err);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_machine_without_a_browser_says_so_and_goes_on() {
    let authority = Authority::start(Habits::default(), 1).await;
    // There is nothing in the search path.
    let home = home(&authority, CODE).with_env("PATH", "/nonexistent");
    let (child, line) = begin(&home, &["login", "shop"]);
    agree(line.strip_prefix("log in at ").unwrap().trim());
    let ran = ended(child).ends_with(0);
    assert!(ran.err.contains("no browser could be opened"), "{}", ran.err);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_nobody_logs_in_to_refuses_a_device() {
    let home = Home::new();
    home.write(
        "services/plain.yaml",
        "service: plain\nbase_url: http://127.0.0.1:1\nauth: none\noperations: {}\n",
    );
    let ran = home.run(&["login", "plain", "--device"]).ends_with(1);
    assert!(ran.err.contains("leave --device"), "{}", ran.err);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_logged_in_is_a_state_and_an_error_with_a_code() {
    let authority = Authority::start(Habits::default(), 1).await;
    let home = home(&authority, CODE);
    let ran = home.run(&["call", "shop", "touch"]).ends_with(8);
    assert!(ran.err.contains("nobody has logged in yet"), "{}", ran.err);
    store(&home).put(&Account::new("shop", "default").unwrap(), &Default::default(), None).unwrap();
    let ran = home.run(&["connections", "list"]).ends_with(0);
    assert_eq!(ran.out, "shop  default  oauth2  needs login: nobody has logged in yet\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_are_not_used_for_another_client_that_the_environment_names() {
    let authority = Authority::start(Habits::default(), 1).await;
    let home = home(&authority, ", client_secret: '{{ env.SHOP_SECRET }}'");
    home.run_with(&["login", "shop"], "made-up-secret-of-one").ends_with(0);
    home.run(&["call", "shop", "touch"]).ends_with(0);
    assert!(stored(&home, "default").unwrap().tokens.is_some(), "processes share what was got");
    let before = stored(&home, "default").unwrap().updated;
    let home = home.with_env("SHOP_SECRET", "made-up-secret-of-two");
    authority.state().form.clear();
    home.run(&["call", "shop", "touch"]).ends_with(0);
    assert_eq!(authority.state().form["grant_type"], "client_credentials");
    assert_eq!(stored(&home, "default").unwrap().updated, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_tokens_of_a_login_are_in_no_file_listing_log_or_error() {
    let authority = Authority::start(Habits::default(), 1).await;
    let home = home(&authority, CODE).with_env("NUNCIO_LOG", "trace");
    let (child, line) = begin(&home, &["login", "shop", "--no-browser", "-v"]);
    let url: Url = line.strip_prefix("log in at ").unwrap().trim().parse().unwrap();
    agree(url.as_str());
    let mut told = vec![ended(child).ends_with(0)];
    told.extend([
        home.run(&["call", "shop", "touch", "-v"]).ends_with(0),
        home.run(&["connections", "list", "--json"]).ends_with(0),
        home.run(&["connections", "show", "shop"]).ends_with(0),
        home.run(&["connections", "show", "shop", "--json"]).ends_with(0),
        home.run(&["connections", "test", "shop", "-v"]).ends_with(0),
        home.run(&["auth", "explain", "shop", "touch"]).ends_with(0),
        home.run_with(&["connections", "export"], "made-up-passphrase").ends_with(0),
    ]);
    // A new login elsewhere has made the refresh token a used one.
    authority.new_login();
    let old = Tokens {
        refresh_token: Some("made-up-refresh-1-0".into()),
        ..stored(&home, "default").unwrap().tokens.unwrap_or_default()
    };
    let old = Tokens { access_token: None, ..old };
    store(&home).put(&Account::new("shop", "default").unwrap(), &Default::default(), Some(&old)).unwrap();
    told.push(home.run(&["call", "shop", "touch", "-v"]).ends_with(8));
    told.push(home.run(&["connections", "list"]).ends_with(0));
    for Ran { out, err, .. } in &told {
        for secret in ["made-up-access", "made-up-refresh", "made-up-code"] {
            assert!(!out.contains(secret) && !err.contains(secret), "{secret} in {out}{err}");
        }
    }
    assert!(told[told.len() - 1].out.contains("needs login: "), "{}", told[told.len() - 1].out);
    for entry in std::fs::read_dir(home.path(".local/state/nuncio")).unwrap() {
        let path = entry.unwrap().path();
        let bytes = if path.is_file() { std::fs::read(&path).unwrap() } else { Vec::new() };
        for secret in [&b"made-up-access"[..], b"made-up-refresh", b"bWFkZS11cC1", b"6d6164652d75702d"] {
            assert!(!bytes.windows(secret.len()).any(|window| window == secret), "{}", path.display());
        }
    }
}
