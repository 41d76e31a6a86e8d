//! The Rust of `docs/patterns.md`, run against a sandbox. What the document shows stands here word for word.

use std::error::Error;
use std::time::Duration;

use futures_util::TryStreamExt as _;
use nuncio::auth::hmac::Key;
use nuncio::auth::oauth2::{self, OAuth2, Server};
use nuncio::auth::{ApiKey, Auth, HmacSigner};
use nuncio::limit::{Limiter, Limits, Quota, Scope};
use nuncio::pages::{Pages, Param, Place, Records, Size, Strategy};
use nuncio::retry::{Backoff, Jitter, Policy};
use nuncio::service::{Catalog, Connection, Env, Inputs, Settings};
use nuncio::{Client, Secret, graphql};
use nuncio_sandbox::{Options, Sandbox};
use serde_json::Value;

type Outcome = Result<(), Box<dyn Error>>;

fn env() -> Env {
    Env::new(|name| Some(format!("made-up-{}", name.to_lowercase())))
}

fn secret(name: &str) -> Secret {
    format!("made-up-{}", name.to_lowercase()).into()
}

async fn play(name: &str) -> Result<(Sandbox, String), Box<dyn Error>> {
    let options =
        Options { services: vec![Catalog::built_in().get(name)?], env: env(), ..Options::default() };
    let sandbox = Sandbox::start(options).await?;
    let url = sandbox.url(name).ok_or("not played")?;
    Ok((sandbox, url))
}

/// A client with a token, as the patterns after the one of OAuth 2.0 use it.
fn shop(url: &str) -> Result<Client, Box<dyn Error>> {
    let server = Server::new(format!("{url}/oauth/token").parse()?);
    let shop =
        oauth2::Client::new(server, "made-up-example_client_id").secret(secret("EXAMPLE_CLIENT_SECRET"));
    Ok(Client::builder().base_url(url).auth(Auth::oauth2(OAuth2::client_credentials(shop))).build()?)
}

#[tokio::test]
async fn api_key() -> Outcome {
    let (_sandbox, url) = play("example").await?;
    let in_header = ApiKey::header("X-API-Key".parse()?, secret("EXAMPLE_API_KEY"));
    let client = Client::builder().base_url(&url).auth(Auth::api_key(in_header)).build()?;
    let report: Value = client.get("/v1/reports/2026-11-24").send().await?.json()?;
    assert_eq!(report["orders"], 12);

    let in_query = ApiKey::query("api_key", secret("EXAMPLE_API_KEY"));
    client.get("/v0/report").param("day", "2026-11-24").auth(Auth::api_key(in_query)).send().await?;
    Ok(())
}

#[tokio::test]
async fn bearer() -> Outcome {
    let (_sandbox, url) = play("stripe").await?;
    let auth = Auth::bearer(secret("STRIPE_SECRET_KEY"));
    let client = Client::builder().base_url(url).auth(auth).build()?;
    client.get("/v1/customers").send().await?;
    Ok(())
}

#[tokio::test]
async fn oauth2() -> Outcome {
    let (_sandbox, url) = play("example").await?;
    let server = Server::new(format!("{url}/oauth/token").parse()?);
    let shop =
        oauth2::Client::new(server, "made-up-example_client_id").secret(secret("EXAMPLE_CLIENT_SECRET"));
    let shop = shop.scopes(["orders.read"]).audience("https://api.example.com");
    let auth = Auth::oauth2(OAuth2::client_credentials(shop));
    let client = Client::builder().base_url(url).auth(auth).build()?;
    // One token for both.
    tokio::try_join!(client.get("/v1/users/1").send(), client.get("/v1/users/2").send())?;
    Ok(())
}

#[tokio::test]
async fn hmac() -> Outcome {
    let (_sandbox, url) = play("example").await?;
    let signer = HmacSigner::new(Key::verbatim(&secret("EXAMPLE_SIGNING_SECRET")));
    let client = Client::builder().base_url(url).auth(Auth::hmac(signer)).build()?;
    let payout = serde_json::json!({"amount": 1250, "currency": "eur", "iban": "DE02120300000000202051"});
    client.post("/v1/payouts").json(&payout).send().await?;
    Ok(())
}

#[tokio::test]
async fn retry() -> Outcome {
    let (_sandbox, url) = play("example").await?;
    let client = shop(&url)?;
    let policy = Policy {
        backoff: Backoff { base: Duration::from_millis(500), jitter: Jitter::Full, ..Backoff::default() },
        max_wait: Duration::from_secs(60),
        ..Policy::default()
    };
    let answer = client.get("/v1/users/1").retry(policy).send().await?;
    println!("{:?}", answer.history.summary());
    Ok(())
}

#[tokio::test]
async fn token_bucket() -> Outcome {
    let (_sandbox, url) = play("example").await?;
    let client = shop(&url)?;
    let quota =
        Quota { name: "burst".into(), capacity: 100.try_into()?, refill: "50/s".parse()?, per: Scope::All };
    let limiter = Limiter::new(Limits { quotas: vec![quota], ..Limits::default() });
    client.get("/v1/users/1").limiter(limiter).send().await?;
    Ok(())
}

#[tokio::test]
async fn offset_pages() -> Outcome {
    let (_sandbox, url) = play("example").await?;
    let client = shop(&url)?;
    let strategy = Strategy::Offset { param: Param::Query("offset".into()) };
    let mut pages = Pages::new(strategy, Records::Array("items".parse()?));
    pages.size = Some(Size { param: Param::Query("limit".into()), value: 50 });
    pages.total = Some(Place::Body("total".parse()?));
    let items: Vec<Value> = client.get("/v1/items").pages(&pages)?.records().try_collect().await?;
    assert_eq!(items.len(), 250);
    Ok(())
}

#[tokio::test]
async fn cursor_pages() -> Outcome {
    let (_sandbox, url) = play("example").await?;
    let client = shop(&url)?;
    let strategy =
        Strategy::Cursor { param: Param::Query("cursor".into()), next: Place::Body("next_cursor".parse()?) };
    let mut pages = Pages::new(strategy, Records::Array("data".parse()?));
    pages.max_records = Some(300.try_into()?);
    let mut orders = client.get("/v1/orders").pages(&pages)?.records::<Value>();
    while let Some(order) = orders.try_next().await? {
        assert!(order["id"].is_string());
    }
    Ok(())
}

#[tokio::test]
async fn graphql_query_and_mutation() -> Outcome {
    let (_sandbox, url) = play("example").await?;
    let client = shop(&url)?;
    let query = graphql::Request::new("query User($id: ID!) { user(id: $id) { id name email } }")
        .variables(&serde_json::json!({"id": "1"}))?;
    let answer: Value = client.graphql(&query).send().await?.json()?;
    assert_eq!(answer["data"]["user"]["name"], "User 1");

    let mutation = "mutation CreateOrder($user_id: ID!, $items: [OrderItem!]!) {
        createOrder(userId: $user_id, items: $items) { order { id status total } }
    }";
    let mutation = graphql::Request::new(mutation)
        .variables(&serde_json::json!({"user_id": "1", "items": [{"sku": "lamp"}]}))?;
    client.graphql(&mutation).send().await?;
    Ok(())
}

#[tokio::test]
async fn stripe() -> Outcome {
    let (_sandbox, url) = play("stripe").await?;
    let settings = Settings { env: env(), base_url: Some(url), ..Settings::default() };
    let stripe = Connection::new(Catalog::built_in().get("stripe")?, settings)?;
    let inputs = Inputs::from([("email", "ada@example.com")]);
    let customer: Value = stripe.call("customers.create", inputs)?.send().await?.json()?;
    let id = customer["id"].as_str().ok_or("no id")?;
    // 12.50 €: amounts are whole cents.
    let inputs = Inputs::from([("amount", "1250"), ("currency", "eur"), ("customer", id)]);
    let intent: Value = stripe.call("payment_intents.create", inputs)?.send().await?.json()?;
    assert_eq!(intent["amount"], 1250);
    Ok(())
}

#[tokio::test]
async fn sendgrid() -> Outcome {
    let (_sandbox, url) = play("sendgrid").await?;
    let settings = Settings { env: env(), base_url: Some(url), ..Settings::default() };
    let sendgrid = Connection::new(Catalog::built_in().get("sendgrid")?, settings)?;
    let inputs = Inputs::from([
        ("to", "ada@example.com"),
        ("from", "shop@example.com"),
        ("subject", "Your order"),
        ("text", "It is on its way."),
    ]);
    sendgrid.call("mail.send", inputs)?.send().await?;
    Ok(())
}

#[tokio::test]
async fn slack() -> Outcome {
    let (_sandbox, url) = play("slack").await?;
    let client = Client::builder().base_url(url).auth(Auth::bearer(secret("SLACK_BOT_TOKEN"))).build()?;
    let message = serde_json::json!({
        "channel": "C0123456789",
        "text": "Order shipped",
        "blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": "*Order shipped*"}}],
    });
    client.post("/chat.postMessage").json(&message).send().await?;
    Ok(())
}

#[test]
fn the_document_shows_what_is_run_here() {
    let source = include_str!("patterns.rs");
    let document = include_str!("../../../../docs/patterns.md");
    let blocks = document.split("```rust\n").skip(1).map(|rest| rest.split("```").next().expect("a block"));
    let mut count = 0;
    for block in blocks {
        let indented: String = block
            .lines()
            .map(|line| if line.is_empty() { "\n".into() } else { format!("    {line}\n") })
            .collect();
        assert!(source.contains(&indented), "not run by a test:\n{block}");
        count += 1;
    }
    assert_eq!(count, 12);
}
