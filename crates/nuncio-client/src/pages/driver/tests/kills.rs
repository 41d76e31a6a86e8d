//! Nothing is lost and nothing comes twice, wherever a pull is killed.

use proptest::prelude::{ProptestConfig, any, prop, prop_assert_eq, proptest};
use proptest::strategy::Strategy as Generator;

use super::*;

/// `total` rows by any of the strategies, so that a page can be asked for in any of their ways.
fn list(query: &BTreeMap<String, String>, total: u64) -> Response {
    let number = |name: &str| query.get(name).map(|text| text.parse::<u64>().unwrap());
    let from = number("offset")
        .or_else(|| number("page").map(|page| (page - 1) * 3))
        .or_else(|| number("after").map(|id| id + 1))
        .or_else(|| number("cursor"))
        .unwrap_or_default()
        .min(total);
    let to = (from + 3).min(total);
    let next = (to < total).then_some(to);
    let url = next.map(|next| format!("/items?cursor={next}"));
    let body = json!({"data": rows(from..to), "next": next, "url": url, "total": total});
    let mut response = answer(body.to_string());
    if let Some(url) = url {
        response.headers_mut().insert("link", format!("<{url}>; rel=next").parse().unwrap());
    }
    response
}

fn any_paging() -> impl Generator<Value = Pages> {
    let after = Strategy::Keyset { param: Param::Query("after".into()), id: "id".parse().unwrap() };
    let strategies = vec![
        by_cursor().strategy,
        by_number().strategy,
        by_offset(3).strategy,
        Strategy::Link,
        Strategy::NextUrl { next: "url".parse().unwrap() },
        after,
    ];
    (proptest::sample::select(strategies), any::<bool>(), 1_usize..4, any::<bool>()).prop_map(
        |(strategy, counted, parallel, whole)| {
            let mut pages = Pages::new(strategy, records());
            pages.size = by_offset(3).size;
            pages.total = counted.then(|| Place::Body("total".parse().unwrap()));
            pages.parallel = NonZeroUsize::new(parallel).unwrap();
            pages.whole = whole;
            pages
        },
    )
}

/// Takes `items` items, keeps what a page end confirms, and drops the rest as a kill would.
async fn take(
    items: &mut Items,
    mut count: usize,
    kept: &mut Vec<u64>,
) -> (Option<Checkpoint>, Option<Verdict>) {
    let (mut page, mut checkpoint) = (Vec::new(), None);
    while count > 0 {
        count -= 1;
        match items.next().await.expect("a verdict comes first").expect("no error") {
            Item::Record(record) => page.push(record.parse::<Value>().unwrap()["id"].as_u64().unwrap()),
            Item::Page(next) => {
                kept.append(&mut page);
                checkpoint = Some(next);
            }
            Item::End(verdict) => return (checkpoint, Some(verdict)),
        }
    }
    (checkpoint, None)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn a_pull_that_is_killed_anywhere_has_every_record_once(
        pages in any_paging(), total in 0_u64..20, kills in prop::collection::vec(1_usize..12, 0..8),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        let (kept, verdict) = runtime.block_on(async {
            let script = Script::new(move |query| list(query, total));
            let (mut kept, mut checkpoint) = (Vec::new(), None);
            let mut kills = kills.into_iter();
            loop {
                let mut items = match &checkpoint {
                    None => script.read(&pages),
                    Some(from) => pages.resume(script.service.clone(), first_page(), Checkpoint::clone(from)).unwrap(),
                };
                let count = kills.next().unwrap_or(usize::MAX);
                let (reached, verdict) = take(&mut items, count, &mut kept).await;
                checkpoint = reached.or(checkpoint);
                if let Some(verdict) = verdict {
                    break (kept, verdict);
                }
            }
        });
        prop_assert_eq!(kept, (0..total).collect::<Vec<_>>());
        prop_assert_eq!(verdict.completeness, Completeness::Complete);
        prop_assert_eq!(verdict.progress.records, total);
    }
}
