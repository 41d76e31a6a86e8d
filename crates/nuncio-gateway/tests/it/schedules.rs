//! Schedules, over the API and in the config file.

use nuncio_gateway::{Config, Options};
use serde_json::{Value, json};

use crate::support::{Served, env, until};

async fn put(served: &Served, name: &str, settings: &Value) -> (u16, Value) {
    let request = served.client.put(format!("{}/v1/schedules/{name}", served.url)).json(settings);
    let response = request.send().await.unwrap();
    (response.status().as_u16(), response.json().await.unwrap())
}

async fn post(served: &Served, path: &str, body: &Value) -> u16 {
    served.post(path).json(body).send().await.unwrap().status().as_u16()
}

async fn status(served: &Served) -> Value {
    let shown: Value = served.get("/v1/schedules/yearly").send().await.unwrap().json().await.unwrap();
    shown["status"].clone()
}

fn yearly() -> Value {
    json!({ "cron": "@yearly", "call": { "service": "nobody", "operation": "ping" } })
}

#[tokio::test]
async fn a_schedule_is_set_up_run_paused_and_removed_by_the_api() {
    let served = Served::start(Options::default(), Vec::new()).await;
    assert_eq!(put(&served, "yearly", &yearly()).await.0, 201);
    let next = status(&served).await["next_due"].clone();
    assert!(next.as_str().unwrap().ends_with("-01-01T00:00:00Z"), "{next}");

    assert_eq!(post(&served, "/v1/schedules/yearly/pause", &json!({})).await, 204);
    assert_eq!(status(&served).await["next_due"], Value::Null);
    assert_eq!(post(&served, "/v1/schedules/yearly/run", &json!({})).await, 204);
    until(async || status(&served).await["ended"][0].is_object()).await;
    let ended = status(&served).await["ended"].clone();
    assert!(ended[0]["error"].as_str().unwrap().contains("there is no service nobody"), "{ended}");
    assert_eq!(post(&served, "/v1/schedules/yearly/resume", &json!({})).await, 204);
    assert_eq!(status(&served).await["next_due"], next);
    let told: Value = served.get("/v1/events?origin=relay").send().await.unwrap().json().await.unwrap();
    assert_eq!(told["items"][0]["type"], "schedule.failed", "{told}");

    let path = format!("{}/v1/schedules/yearly", served.url);
    assert_eq!(served.client.delete(path).send().await.unwrap().status(), 204);
    assert_eq!(post(&served, "/v1/schedules/yearly/run", &json!({})).await, 404);
    served.stop().await;
}

#[tokio::test]
async fn an_endpoint_takes_what_comes_of_a_schedule_that_there_is() {
    let served = Served::start(Options::default(), Vec::new()).await;
    let endpoint =
        json!({ "from": "schedule/yearly", "to": { "http": { "url": "https://made-up.example.com" } } });
    let set_up = async || {
        let request = served.client.put(format!("{}/v1/endpoints/ledger", served.url)).json(&endpoint);
        request.send().await.unwrap().status().as_u16()
    };
    assert_eq!(set_up().await, 422);
    assert_eq!(put(&served, "yearly", &yearly()).await.0, 201);
    assert_eq!(set_up().await, 201);
    served.stop().await;
}

#[tokio::test]
async fn the_api_lets_no_file_of_this_machine_be_read() {
    let served = Served::start(Options::default(), Vec::new()).await;
    let each = json!({ "service": "nobody", "operation": "ping", "file": "/made/up" });
    let (status, told) = put(&served, "yearly", &json!({ "every": "1h", "each": each })).await;
    assert_eq!(status, 422, "{told}");
    assert!(told["detail"].as_str().unwrap().contains("config file"), "{told}");
    served.stop().await;
}

#[test]
fn a_mistake_in_a_schedule_is_told_with_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("relay.yaml");
    let text = "schedules:\n  one:\n    cron: \"61 * * * *\"\n    call: { service: a, operation: b }\n  two:\n    \
                every: 1h\n    pull: { service: a, operation: b }\n    call: { service: a, operation: b }\n";
    std::fs::write(&path, text).unwrap();
    let told = Config::read(&path, &env()).unwrap_err().report();
    for expected in
        ["relay.yaml:2:3", "\"61 * * * *\" is no time", "relay.yaml:5:3", "one of `pull`, `call` and `each`"]
    {
        assert!(told.contains(expected), "{expected}: {told}");
    }
}
