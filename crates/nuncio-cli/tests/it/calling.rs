//! The examples of `docs/relay.md` that call services: served as they stand there, sent a webhook, and what the services then have.

use std::time::Duration;

use nuncio_sandbox::Sandbox;
use serde_json::{Value, json};

use crate::serving::{SECRET, Serving, call, signed_webhook};
use crate::support::{Home, sandbox};

const GUIDE: &str = include_str!("../../../../docs/relay.md");

/// The example of this name, which the guide marks as tested.
fn example(name: &str) -> &'static str {
    let (_, after) = GUIDE.split_once(&format!("<!-- tested: {name} -->\n```yaml\n")).unwrap();
    after.split_once("```").unwrap().0
}

/// A gateway that serves an example against sandboxes.
struct Scene {
    home: Home,
    sandbox: Sandbox,
    serving: Serving,
}

impl Scene {
    async fn new(name: &str, services: &[&str]) -> Self {
        let sandbox = sandbox(services).await;
        let mut home = Home::new();
        for variable in ["STRIPE_WEBHOOK_SECRET", "TYPEFORM_SECRET"] {
            home = home.with_env(variable, SECRET);
        }
        for variable in ["SLACK_BOT_TOKEN", "SENDGRID_API_KEY", "EXAMPLE_CLIENT_ID", "EXAMPLE_CLIENT_SECRET"]
        {
            home = home.with_env(variable, "made-up-token-of-a-service");
        }
        let place =
            |name: &&str| format!("[services.{name}]\nbase_url = \"{}\"\n", sandbox.url(name).unwrap());
        home.write("config/nuncio/config.toml", &services.iter().map(place).collect::<String>());
        home.write("relay.yaml", example(name));
        let serving = Serving::start(&home, &["relay.yaml"]);
        Self { home, sandbox, serving }
    }

    fn send(&self, source: &str, scheme: &str, body: &Value) {
        let url = format!("{}/in/{source}", self.serving.url);
        assert_eq!(signed_webhook(&self.home, &url, scheme, &body.to_string()), 0);
    }

    fn ask(&self, path: &str) -> Value {
        let (code, answer) = call(&self.home, &["GET", &format!("{}{path}", self.serving.url)]);
        assert_eq!(code, 0, "{answer}");
        answer
    }

    /// All deliveries, when none of so many waits any more.
    async fn deliveries(&self, count: usize) -> Vec<Value> {
        for _ in 0..300 {
            let deliveries = self.ask("/v1/deliveries")["items"].as_array().unwrap().clone();
            if deliveries.len() == count && deliveries.iter().all(|one| one["state"] != "waiting") {
                return deliveries;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let deliveries = self.ask("/v1/deliveries")["items"].as_array().unwrap().clone();
        panic!("{:#?}", deliveries.iter().map(|one| (one, self.attempts(one))).collect::<Vec<_>>());
    }

    fn attempts(&self, delivery: &Value) -> Vec<Value> {
        self.ask(&format!("/v1/deliveries/{}/attempts", delivery["id"]))["items"].as_array().unwrap().clone()
    }

    fn texts(&self) -> Vec<String> {
        let messages = self.sandbox.objects("slack", "messages");
        messages.iter().map(|message| message["text"].as_str().unwrap().to_owned()).collect()
    }

    fn end(self) {
        self.serving.signal("TERM");
        assert_eq!(self.serving.end().0, Some(0));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failed_charge_becomes_one_message_however_often_it_is_told() {
    let scene = Scene::new("charge-failed", &["slack"]).await;
    let object =
        json!({ "billing_details": { "name": "Ada" }, "failure_message": "Your card was declined." });
    let event = json!({ "id": "evt_made_up", "type": "charge.failed", "data": { "object": object } });
    scene.send("payments", "stripe", &event);
    scene.send("payments", "stripe", &event);
    let deliveries = scene.deliveries(1).await;
    assert_eq!(deliveries[0]["state"], "delivered", "{:?}", scene.attempts(&deliveries[0]));
    assert_eq!(scene.texts(), ["Ada: Your card was declined."]);
    assert_eq!(scene.attempts(&deliveries[0])[0]["step"], "chat.postMessage");
    let event = deliveries[0]["event"].as_str().unwrap();
    let shown = scene.home.run(&["events", "show", event, "--gateway", &scene.serving.url]).ends_with(0);
    assert!(shown.out.contains("chat.postMessage"), "{shown:?}");
    scene.end();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_form_becomes_a_mail() {
    let scene = Scene::new("form", &["sendgrid"]).await;
    let answers =
        json!([{ "type": "text", "text": "Hello!" }, { "type": "email", "email": "ada@example.com" }]);
    let form = json!({ "event_id": "01MADEUP", "event_type": "form_response", "form_response": { "answers": answers } });
    scene.send("forms", "typeform", &form);
    let deliveries = scene.deliveries(1).await;
    assert_eq!(deliveries[0]["state"], "delivered", "{:?}", scene.attempts(&deliveries[0]));
    // Several operations of the catalog are this request.
    let counts = scene.sandbox.counts();
    assert_eq!(counts.0["sendgrid"].operations.values().map(|operation| operation.applied).sum::<u64>(), 1);
    scene.end();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_order_is_placed_by_a_mutation_and_told_of_if_it_is_big() {
    let scene = Scene::new("order", &["example", "slack"]).await;
    let user = scene.sandbox.objects("example", "users")[0].clone();
    let before = scene.sandbox.objects("example", "orders").len();
    let session = |amount: u32, number: u32| {
        let object = json!({ "client_reference_id": user["id"].to_string(), "metadata": { "sku": "book" }, "amount_total": amount });
        json!({ "id": format!("evt_{number}"), "type": "checkout.session.completed", "data": { "object": object } })
    };
    scene.send("shop", "stripe", &session(120_000, 1));
    scene.send("shop", "stripe", &session(1_000, 2));
    let deliveries = scene.deliveries(2).await;
    for delivery in &deliveries {
        assert_eq!(delivery["state"], "delivered", "{:?}", scene.attempts(delivery));
    }
    let orders = scene.sandbox.objects("example", "orders");
    assert_eq!(orders.len(), before + 2);
    let texts = scene.texts();
    assert_eq!(texts.len(), 1, "{texts:?}");
    let is_told = |order: &Value| {
        let (id, name) = (
            order["id"].as_str().map_or_else(|| order["id"].to_string(), str::to_owned),
            user["name"].as_str().unwrap(),
        );
        texts[0] == format!("Order {id} of {name}")
    };
    assert!(orders.iter().any(is_told), "{texts:?}");
    scene.end();
}
