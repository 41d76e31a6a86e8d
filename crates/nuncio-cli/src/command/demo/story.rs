//! The calls of the demo, in the order they are told.

use std::collections::BTreeSet;
use std::path::Path;

use nuncio_bulk::{each, pull};
use nuncio_client::{Error, Kind, graphql};
use nuncio_sandbox::Sandbox;
use nuncio_service::{Connection, Inputs};
use serde_json::{Value, json};

use super::ledger::Ledger;
use super::say;

/// The buyers whom the demo deals with, as a user's file would name them.
const BUYERS: &str = include_str!("../../../demo/buyers.jsonl");

/// A message a second goes to a channel; with a few of them the demo need not wait long.
const CHANNELS: usize = 5;

/// A customer, a payment, a mail and a message for each buyer of a file.
pub(super) async fn buyers(
    ledger: &Ledger,
    folder: &Path,
    stripe: &Connection,
    sendgrid: &Connection,
    slack: &Connection,
) -> Result<(), Error> {
    let buyers: Vec<Value> = lines(BUYERS)?;
    let count = buyers.len() as u64;

    let customers = run_each(folder, stripe, "customers.create", buyers, |buyer| {
        json!({"name": buyer["name"], "email": buyer["email"], "metadata": {"amount": buyer["amount"], "currency": buyer["currency"]}})
    })
    .await?;
    ledger.wanted("stripe", "customers.create", count);
    say(&format!("{count} Stripe customers were created, one for each line of buyers.jsonl."));

    let paid = run_each(folder, stripe, "payment_intents.create", customers, |customer| {
        let order = &customer["metadata"];
        let amount: Option<u64> = order["amount"].as_str().and_then(|cents| cents.parse().ok());
        json!({"amount": amount, "currency": order["currency"], "customer": customer["id"], "receipt_email": customer["email"]})
    })
    .await?;
    ledger.wanted("stripe", "payment_intents.create", count);
    let cents: u64 = paid.iter().filter_map(|intent| intent["amount"].as_u64()).sum();
    say(&format!("{} payment intents were made over {}.{:02} eur.", paid.len(), cents / 100, cents % 100));

    let buyers: Vec<Value> = lines(BUYERS)?;
    run_each(folder, sendgrid, "mail.send", buyers.clone(), |buyer| {
        json!({
            "to": buyer["email"], "to_name": buyer["name"], "from": "shop@example.com",
            "subject": "Your order", "text": format!("Thank you, {}.", text(&buyer["name"])),
        })
    })
    .await?;
    // On the wire all ways to send a mail are one; the sandbox knows it by the plainest of them.
    ledger.wanted("sendgrid", "mail.send_raw", count);
    say(&format!("{count} mails were sent by SendGrid."));

    let numbered = buyers.into_iter().enumerate().map(|(index, mut buyer)| {
        buyer["channel"] = format!("C0MADEUP{}", index % CHANNELS).into();
        buyer
    });
    run_each(folder, slack, "chat.postMessage", numbered.collect(), |buyer| {
        let line = format!("*{}* bought something.", text(&buyer["name"]));
        json!({
            "channel": buyer["channel"], "text": line,
            "blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": line}}],
        })
    })
    .await?;
    ledger.wanted("slack", "chat.postMessage", count);
    say(&format!("{count} messages with blocks were posted to Slack, a second apart in each channel."));
    Ok(())
}

/// Calls `operation` for each item, and gives what was answered in the order of the items.
async fn run_each(
    folder: &Path,
    connection: &Connection,
    operation: &str,
    items: Vec<Value>,
    inputs: impl Fn(&Value) -> Value,
) -> Result<Vec<Value>, Error> {
    let options = each::Options::new(folder.join(operation), operation);
    let results = options.results.clone();
    let input: String = items.iter().map(|item| format!("{item}\n")).collect();
    let make_call = |item: &each::Item| connection.call(operation, Inputs::from_json(inputs(&item.value))?);
    let summary =
        each(std::io::Cursor::new(input), options, make_call, |_| {}, std::future::pending()).await.map_err(
            |error| Error::new(Kind::Validation, format!("{operation} could not be run")).because(error),
        )?;
    if !summary.complete {
        return Err(Error::new(
            Kind::Validation,
            format!(
                "{operation}: {} done, {} failed, {} of unknown fate",
                summary.ok, summary.failed, summary.unknown
            ),
        ));
    }
    let mut answers: Vec<Value> = lines(&read(&results)?)?;
    answers.sort_by_key(|answer| answer["index"].as_u64());
    Ok(answers.into_iter().map(|mut answer| answer["body"].take()).collect())
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn lines(text: &str) -> Result<Vec<Value>, Error> {
    text.lines()
        .map(|line| {
            serde_json::from_str(line)
                .map_err(|error| Error::new(Kind::Decode, format!("{line:?} is no JSON")).because(error))
        })
        .collect()
}

fn read(file: &Path) -> Result<String, Error> {
    std::fs::read_to_string(file)
        .map_err(|error| Error::configuration(format!("{} cannot be read", file.display())).because(error))
}

/// A token, a signature, a query and a mutation.
pub(super) async fn single_calls(ledger: &Ledger, example: &Connection) -> Result<(), Error> {
    let call = async |operation, inputs: Value| -> Result<Value, Error> {
        example.call(operation, Inputs::from_json(inputs)?)?.send().await?.json()
    };
    let payout =
        call("payouts.create", json!({"amount": 12_000, "currency": "eur", "iban": "DE00MADEUP"})).await?;
    ledger.wanted("example", "payouts.create", 1);
    say(&format!("A request signed by HMAC paid out 120.00 eur as {}.", payout["id"]));

    let user = call("graphql.user", json!({"id": "7"})).await?;
    let order =
        call("graphql.create_order", json!({"user_id": "7", "items": [{"item": "3", "quantity": 2}]}))
            .await?;
    ledger.wanted("example", "graphql.create_order", 1);
    say(&format!(
        "A GraphQL query with variables found {}, and a mutation placed the order {} (by an OAuth 2.0 token).",
        user["data"]["user"]["name"], order["data"]["createOrder"]["order"]["id"]
    ));

    let unknown = graphql::Request::new("query { nobody { id } }");
    match example.graphql(&unknown)?.send().await {
        Err(error) if error.kind() == Kind::GraphQl => {
            say(&format!("A wrong query is an error under status 200: {error}"));
        }
        Err(error) => return Err(error),
        Ok(_) => {
            return Err(Error::new(Kind::GraphQl, "a query for a field that does not exist was answered"));
        }
    }
    Ok(())
}

/// Two lists at once, one by cursor and one by page number, each of as many records as the sandbox has.
pub(super) async fn pulls(folder: &Path, example: &Connection, sandbox: &Sandbox) -> Result<(), Error> {
    let has = |resource| sandbox.objects("example", resource).len() as u64;
    let (orders, users) = tokio::try_join!(
        pull_all(folder, example, "orders.list", has("orders")),
        pull_all(folder, example, "users.list", has("users")),
    )?;
    say(&format!("By cursor came {orders}."));
    say(&format!("By page number came {users}."));
    Ok(())
}

async fn pull_all(
    folder: &Path,
    example: &Connection,
    operation: &str,
    wanted: u64,
) -> Result<String, Error> {
    let file = folder.join(format!("{operation}.jsonl"));
    let pages = example.pages(operation)?;
    let call = example.call(operation, Inputs::new())?;
    let options = pull::Options::to_file(&file, operation);
    let start = |checkpoint: Option<_>| match checkpoint {
        Some(checkpoint) => call.resume(&pages, checkpoint),
        None => call.pages(&pages),
    };
    let summary = pull(options, start, |_| {}, std::future::pending())
        .await
        .map_err(|error| Error::new(Kind::Pages, "the pull failed").because(error))?;
    let distinct = ids(&file)?;
    if !summary.complete || summary.progress.records != wanted || distinct != wanted {
        return Err(Error::new(
            Kind::Pages,
            format!(
                "{} records came, {distinct} of them distinct, where {wanted} are",
                summary.progress.records
            ),
        ));
    }
    Ok(format!(
        "{} records on {} pages, every one of them once: {} bytes",
        summary.progress.records, summary.progress.pages, summary.bytes
    ))
}

/// The number of distinct ids in a file of records, each of which has one.
fn ids(file: &Path) -> Result<u64, Error> {
    let records = lines(&read(file)?)?;
    Ok(records.iter().map(|record| record["id"].to_string()).collect::<BTreeSet<_>>().len() as u64)
}
