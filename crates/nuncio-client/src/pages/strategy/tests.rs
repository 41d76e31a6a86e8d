use http::HeaderMap;
use serde_json::value::RawValue;

use super::*;
use crate::Body;
use crate::pages::{Record, Records, Size};

fn path(text: &str) -> json::Path {
    text.parse().expect(text)
}

fn query(name: &str) -> Param {
    Param::Query(name.to_owned())
}

fn body(text: &str) -> Place {
    Place::Body(path(text))
}

fn paging(strategy: Strategy) -> Pages {
    Pages::new(strategy, Records::Array(json::Path::ROOT))
}

fn page_number() -> Pages {
    paging(Strategy::Page { param: query("page"), start: 1, total_pages: None })
}

fn offset(size: Option<u64>) -> Pages {
    let mut pages = paging(Strategy::Offset { param: query("offset") });
    pages.size = size.map(|value| Size { param: query("limit"), value });
    pages
}

fn cursor() -> Pages {
    paging(Strategy::Cursor { param: query("cursor"), next: body("next") })
}

fn keyset() -> Pages {
    paging(Strategy::Keyset { param: query("starting_after"), id: path("id") })
}

/// A page with an answer as told.
struct Answered {
    envelope: &'static str,
    headers: HeaderMap,
    records: u64,
    fetched: u64,
    last: Option<Record>,
}

fn answered(envelope: &'static str, records: u64) -> Answered {
    Answered { envelope, headers: HeaderMap::new(), records, fetched: records, last: None }
}

impl Answered {
    fn header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.insert(name, value.parse().unwrap());
        self
    }

    fn fetched(mut self, fetched: u64) -> Self {
        self.fetched = fetched;
        self
    }

    fn last(mut self, record: &'static str) -> Self {
        self.last = Some(Record::checked(record.into()));
        self
    }

    fn after(&self, pages: &Pages, position: &Position) -> Result<Next, Error> {
        let url = "https://api.example.com/v1/items?page=1".parse().unwrap();
        let envelope = RawValue::from_string(self.envelope.to_owned()).unwrap();
        let (records, fetched) = (self.records, self.fetched);
        let page = PageView {
            url: &url,
            headers: &self.headers,
            envelope: &envelope,
            records,
            fetched,
            last: self.last.as_ref(),
        };
        pages.next(position, &page)
    }

    fn next(&self, pages: &Pages, position: &Position) -> Next {
        self.after(pages, position).expect("a next page or an end")
    }

    fn error(&self, pages: &Pages, position: &Position) -> String {
        let error = self.after(pages, position).expect_err("an error");
        assert_eq!(error.kind(), Kind::Pages);
        error.to_string()
    }
}

fn end(stop: Stop) -> Next {
    Next::End(stop)
}

fn at_cursor(value: impl Into<Value>) -> Next {
    Next::At(Position::Cursor(value.into()))
}

fn url(text: &str) -> Next {
    Next::At(Position::Url(text.parse().unwrap()))
}

fn get(uri: &str) -> Request {
    http::Request::get(uri).body(Body::Empty).unwrap()
}

#[test]
fn page_numbers_grow_by_one_until_a_page_is_empty() {
    let pages = page_number();
    assert_eq!(answered("[]", 10).next(&pages, &Position::Page(1)), Next::At(Position::Page(2)));
    assert_eq!(answered("[]", 1).next(&pages, &Position::Page(2)), Next::At(Position::Page(3)));
    assert_eq!(answered("[]", 0).next(&pages, &Position::Page(3)), end(Stop::EmptyPage));
}

#[test]
fn the_number_of_pages_ends_them() {
    let total_pages = Some(Place::Header("x-total-pages".parse().unwrap()));
    let pages = paging(Strategy::Page { param: query("page"), start: 0, total_pages });
    let page = answered("[]", 10).header("x-total-pages", "3");
    assert_eq!(page.next(&pages, &Position::Page(1)), Next::At(Position::Page(2)));
    assert_eq!(page.next(&pages, &Position::Page(2)), end(Stop::LastPage));
}

#[test]
fn a_total_ends_page_numbers_only_when_it_is_reached_exactly() {
    let mut pages = page_number();
    pages.total = Some(body("total"));
    let page = |fetched| answered(r#"{"total":"50"}"#, 10).fetched(fetched);
    assert_eq!(page(50).next(&pages, &Position::Page(5)), end(Stop::TotalReached));
    assert_eq!(page(49).next(&pages, &Position::Page(5)), Next::At(Position::Page(6)), "a row was filtered");
    assert_eq!(
        page(51).next(&pages, &Position::Page(5)),
        Next::At(Position::Page(6)),
        "the total is no total"
    );
}

#[test]
fn an_offset_grows_by_what_was_asked_for_not_by_what_came() {
    let filtered = answered("[]", 9);
    assert_eq!(filtered.next(&offset(Some(10)), &Position::Offset(10)), Next::At(Position::Offset(20)));
    assert_eq!(
        filtered.next(&offset(None), &Position::Offset(10)),
        Next::At(Position::Offset(19)),
        "all that is known"
    );
    assert_eq!(answered("[]", 0).next(&offset(Some(10)), &Position::Offset(50)), end(Stop::EmptyPage));
}

#[test]
fn a_total_ends_offsets_that_reach_it() {
    let mut pages = offset(Some(10));
    pages.total = Some(Place::Header("x-total-count".parse().unwrap()));
    let page = |fetched| answered("[]", 10).header("x-total-count", "50").fetched(fetched);
    assert_eq!(page(39).next(&pages, &Position::Offset(30)), Next::At(Position::Offset(40)));
    assert_eq!(page(49).next(&pages, &Position::Offset(40)), end(Stop::TotalReached));
    assert_eq!(
        page(60).next(&pages, &Position::Offset(50)),
        Next::At(Position::Offset(60)),
        "the total is no total"
    );
}

#[test]
fn a_short_page_is_the_last_only_where_the_service_promises_it() {
    let mut pages = offset(Some(10));
    assert_eq!(answered("[]", 9).next(&pages, &Position::Offset(0)), Next::At(Position::Offset(10)));
    pages.short_page_is_last = true;
    assert_eq!(answered("[]", 9).next(&pages, &Position::Offset(0)), end(Stop::ShortPage));
    assert_eq!(answered("[]", 10).next(&pages, &Position::Offset(0)), Next::At(Position::Offset(10)));

    let mut pages = cursor();
    assert_eq!(
        answered(r#"{"next":"c2"}"#, 0).next(&pages, &Position::Start),
        at_cursor("c2"),
        "rows were filtered"
    );
    pages.short_page_is_last = true;
    assert_eq!(answered(r#"{"next":"c2"}"#, 0).next(&pages, &Position::Start), end(Stop::EmptyPage));
}

#[test]
fn no_cursor_has_several_forms() {
    for envelope in
        [r#"{"next":null}"#, r#"{"next":""}"#, r#"{"next":false}"#, "{}", r#"{"next":{}, "next":null}"#]
    {
        assert_eq!(
            answered(envelope, 5).next(&cursor(), &Position::Start),
            end(Stop::NoCursor),
            "{envelope}"
        );
    }
}

#[test]
fn a_cursor_keeps_its_type_and_its_digits() {
    let next = |envelope| answered(envelope, 5).next(&cursor(), &Position::Start);
    assert_eq!(next(r#"{"next":"dXNlcjpVMDYx=="}"#), at_cursor("dXNlcjpVMDYx=="));
    assert_eq!(next(r#"{"next":0}"#), at_cursor(0));
    assert_eq!(next(r#"{"next":[17,"x"]}"#), at_cursor(serde_json::json!([17, "x"])));
    assert_eq!(next(r#"{"next":1234567890.1234567890123}"#), at_cursor("1234567890.1234567890123"));
}

#[test]
fn a_cursor_may_come_in_a_header() {
    let next = Place::Header("x-next-cursor".parse().unwrap());
    let pages = paging(Strategy::Cursor { param: query("cursor"), next });
    assert_eq!(
        answered("[]", 5).header("x-next-cursor", "c2").next(&pages, &Position::Start),
        at_cursor("c2")
    );
    assert_eq!(
        answered("[]", 5).header("x-next-cursor", "").next(&pages, &Position::Start),
        end(Stop::NoCursor)
    );
    assert_eq!(answered("[]", 5).next(&pages, &Position::Start), end(Stop::NoCursor));
}

#[test]
fn the_flag_decides_before_everything_else() {
    let mut pages = cursor();
    pages.more = Some(More::If(path("meta.has_more")));
    let next = |envelope| answered(envelope, 5).next(&pages, &Position::Start);
    assert_eq!(next(r#"{"meta":{"has_more":false},"next":"c2"}"#), end(Stop::NoMore));
    assert_eq!(next(r#"{"meta":{"has_more":"false"},"next":"c2"}"#), end(Stop::NoMore));
    assert_eq!(next(r#"{"meta":{"has_more":true},"next":"c2"}"#), at_cursor("c2"));
    assert_eq!(next(r#"{"meta":{"has_more":null},"next":"c2"}"#), at_cursor("c2"), "it says nothing");
    assert_eq!(next(r#"{"next":"c2"}"#), at_cursor("c2"), "it says nothing");

    let mut pages = offset(Some(10));
    pages.more = Some(More::Unless(path("is_last")));
    assert_eq!(answered(r#"{"is_last":true}"#, 10).next(&pages, &Position::Offset(0)), end(Stop::NoMore));
    let empty = answered(r#"{"is_last":false}"#, 0);
    assert_eq!(
        empty.next(&pages, &Position::Offset(0)),
        Next::At(Position::Offset(10)),
        "all its rows were filtered"
    );
}

#[test]
fn more_without_a_place_to_find_it_is_an_error() {
    let flag = Some(More::If(path("has_more")));
    let page = answered(r#"{"has_more":true,"next":null}"#, 5);
    let told = "the answer says that there is more, but has";
    let with = |mut pages: Pages| {
        pages.more = flag.clone();
        pages
    };
    assert_eq!(page.error(&with(cursor()), &Position::Start), format!("{told} nothing at `next`"));
    assert_eq!(
        page.error(&with(paging(Strategy::Link)), &Position::Start),
        format!("{told} nothing at the header `link`")
    );
    let empty = answered(r#"{"has_more":true}"#, 0);
    assert_eq!(empty.error(&with(keyset()), &Position::Start), format!("{told} no record to go on from"));
    assert_eq!(
        answered(r#"{"has_more":"maybe"}"#, 5).error(&with(cursor()), &Position::Start),
        "`has_more` should say whether there is more, but is maybe"
    );
}

#[test]
fn a_url_in_the_body_is_resolved_against_the_request() {
    let pages = paging(Strategy::NextUrl { next: path("links.next") });
    let next = |envelope| answered(envelope, 5).next(&pages, &Position::Start);
    let absolute = url("https://api.example.com/v1/items?page=2");
    assert_eq!(next(r#"{"links":{"next":"https://api.example.com/v1/items?page=2"}}"#), absolute);
    assert_eq!(next(r#"{"links":{"next":"/v1/items?page=2#top"}}"#), absolute);
    assert_eq!(next(r#"{"links":{"next":"?page=2"}}"#), absolute);
    assert_eq!(next(r#"{"links":{"next":"//user:word@api.example.com/v1/items?page=2"}}"#), absolute);
    assert_eq!(next(r#"{"links":{"next":null}}"#), end(Stop::NoCursor));
    let broken = answered(r#"{"links":{"next":"https://["}}"#, 5);
    assert_eq!(broken.error(&pages, &Position::Start), "the next page's URL cannot be read: https://[");
}

#[test]
fn a_link_header_leads_on() {
    let pages = paging(Strategy::Link);
    let page = answered("[]", 5).header("link", "</v1/items?page=2>; rel=next, </v1/items?page=9>; rel=last");
    assert_eq!(page.next(&pages, &Position::Start), url("https://api.example.com/v1/items?page=2"));
    let last = answered("[]", 5).header("link", "</v1/items?page=1>; rel=first");
    assert_eq!(last.next(&pages, &Position::Start), end(Stop::NoCursor));
    assert!(answered("[]", 5).header("link", "garbage").after(&pages, &Position::Start).is_err());
}

#[test]
fn a_keyset_goes_on_behind_the_last_record() {
    let next = |record| answered("[]", 2).last(record).next(&keyset(), &Position::Start);
    assert_eq!(next(r#"{"id":"cus_2","name":"x"}"#), at_cursor("cus_2"));
    assert_eq!(next(r#"{"id":98765432109876543210987}"#), at_cursor("98765432109876543210987"));
    assert_eq!(answered("[]", 0).next(&keyset(), &Position::Start), end(Stop::EmptyPage));
    let without = answered("[]", 2).last(r#"{"name":"x"}"#);
    assert_eq!(
        without.error(&keyset(), &Position::Start),
        "the last record has nothing at `id` to go on from"
    );
}

#[test]
fn a_connection_goes_on_behind_its_end_cursor() {
    let pages = Pages::connection(&path("data.repository.issues"), "after");
    let envelope = r#"{"data":{"repository":{"issues":{"nodes":[],"pageInfo":{"hasNextPage":true,"endCursor":"Y3Vy"}}}}}"#;
    assert_eq!(answered(envelope, 2).next(&pages, &Position::Start), at_cursor("Y3Vy"));
    let envelope = r#"{"data":{"repository":{"issues":{"nodes":[],"pageInfo":{"hasNextPage":false,"endCursor":"Y3Vy"}}}}}"#;
    assert_eq!(answered(envelope, 2).next(&pages, &Position::Start), end(Stop::NoMore));

    let query = r#"{"query":"query($n: Int) {…}","variables":{"n":5}}"#;
    let mut request =
        http::Request::post("https://api.example.com/graphql").body(Body::from(query.to_owned())).unwrap();
    pages.apply(&Position::Cursor("Y3Vy".into()), &mut request).unwrap();
    let sent = r#"{"query":"query($n: Int) {…}","variables":{"n":5,"after":"Y3Vy"}}"#;
    assert_eq!(request.body().as_bytes(), Some(sent.as_bytes()));
}

#[test]
fn a_list_without_pages_notices_that_there_are_more() {
    let pages = paging(Strategy::Single);
    assert_eq!(answered("[]", 5).next(&pages, &Position::Start), end(Stop::SinglePage));
    let linked = answered("[]", 5).header("link", "</v1/items?page=2>; rel=next");
    assert_eq!(linked.next(&pages, &Position::Start), end(Stop::NextIgnored));
}

#[test]
fn the_position_and_the_size_are_put_into_the_request() {
    let mut pages = page_number();
    pages.size = Some(Size { param: query("per_page"), value: 100 });
    let mut request = get("https://api.example.com/items?sort=id");
    pages.apply(&Position::Page(3), &mut request).unwrap();
    assert_eq!(request.uri().to_string(), "https://api.example.com/items?sort=id&per_page=100&page=3");

    let mut request = get("https://api.example.com/items?sort=id");
    cursor().apply(&Position::Start, &mut request).unwrap();
    assert_eq!(request.uri().to_string(), "https://api.example.com/items?sort=id");
}

#[test]
fn the_services_own_url_is_sent_as_it_is() {
    let mut pages = paging(Strategy::Link);
    pages.size = Some(Size { param: query("per_page"), value: 100 });
    let mut request = get("https://api.example.com/items?sort=id");
    pages.apply(&Position::Url("https://api.example.com/x?c=%2B~".parse().unwrap()), &mut request).unwrap();
    assert_eq!(request.uri().to_string(), "https://api.example.com/x?c=%2B~");
}

#[test]
fn a_request_may_begin_elsewhere() {
    assert_eq!(page_number().first(&get("https://a.example/?page=5")).unwrap(), Position::Page(5));
    assert_eq!(offset(None).first(&get("https://a.example/?offset=40")).unwrap(), Position::Offset(40));
    assert_eq!(page_number().first(&get("https://a.example/")).unwrap(), Position::Page(1));
    assert_eq!(cursor().first(&get("https://a.example/?cursor=c7")).unwrap(), Position::Start);
    assert_eq!(
        page_number().first(&get("https://a.example/?page=x")).unwrap_err().kind(),
        Kind::Configuration
    );
}

#[test]
fn a_request_keeps_its_own_page_size() {
    let mut pages = offset(Some(100));
    pages.settle_size(&get("https://a.example/?limit=7"));
    assert_eq!(answered("[]", 7).next(&pages, &Position::Offset(0)), Next::At(Position::Offset(7)));
}

#[test]
fn a_position_of_another_strategy_is_refused() {
    let error = cursor().apply(&Position::Page(3), &mut get("https://a.example/")).unwrap_err();
    assert_eq!(error.kind(), Kind::Configuration);
}

#[test]
fn only_pages_below_a_known_total_are_foreseen() {
    let known = Known { total: Some(45), pages: None, page_size: Some(10) };
    assert_eq!(page_number().foresee(&Position::Page(4), &known), Some(Position::Page(5)));
    assert_eq!(page_number().foresee(&Position::Page(5), &known), None);
    assert_eq!(offset(Some(10)).foresee(&Position::Offset(30), &known), Some(Position::Offset(40)));
    assert_eq!(offset(Some(10)).foresee(&Position::Offset(40), &known), None);
    assert_eq!(offset(None).foresee(&Position::Offset(30), &known), None, "it depends on what comes");
    assert_eq!(page_number().foresee(&Position::Page(1), &Known::default()), None);
    assert_eq!(cursor().foresee(&Position::Cursor("c1".into()), &known), None);
}
