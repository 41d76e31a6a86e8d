//! Parameters that paging puts into requests.

use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http::uri::PathAndQuery;
use http::{HeaderValue, Uri};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value};

use crate::{Body, Error, Request, json};

/// All but the unreserved characters of RFC 3986, so that a cursor with `+`, `/` or `=` arrives as it left.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Where a parameter of paging goes. The rest of the request stays byte for byte as it was, except that a JSON body is written anew.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Param {
    /// In the URL's query.
    Query(String),
    /// In the body: a place in a JSON document (`variables.after` in a GraphQL request), or a field of a form.
    Body(json::Path),
}

impl Param {
    /// What the request has there, as text.
    #[must_use]
    pub fn get(&self, request: &Request) -> Option<String> {
        match self {
            Self::Query(name) => get_pair(request.uri().query()?, name),
            Self::Body(path) if is_form(request) => {
                get_pair(std::str::from_utf8(request.body().as_bytes()?).ok()?, &field(path))
            }
            Self::Body(path) => path.text(&serde_json::from_slice(request.body().as_bytes()?).ok()?),
        }
    }

    /// Puts `value` there, in place of what was there. In a query or a form, arrays and objects are written as JSON.
    ///
    /// # Errors
    /// [`Kind::Configuration`](crate::Kind::Configuration) when it goes into a body that is not held in memory, or is no JSON document
    /// with room for it.
    pub fn set(&self, request: &mut Request, value: &Value) -> Result<(), Error> {
        match self {
            Self::Query(name) => {
                let query = set_pair(request.uri().query().unwrap_or_default(), name, &text(value));
                *request.uri_mut() = with_query(request.uri(), &query)?;
            }
            Self::Body(path) => {
                let Some(body) = request.body().as_bytes() else {
                    return Err(Error::configuration(format!("`{path}` cannot be put into a streamed body")));
                };
                let body = if is_form(request) {
                    let form = String::from_utf8_lossy(body);
                    set_pair(&form, &field(path), &text(value)).into_bytes()
                } else {
                    set_place(body, path, value)?
                };
                *request.body_mut() = Body::from(body);
                request.headers_mut().remove(CONTENT_LENGTH);
                request
                    .headers_mut()
                    .entry(CONTENT_TYPE)
                    .or_insert(HeaderValue::from_static("application/json"));
            }
        }
        Ok(())
    }
}

fn is_form(request: &Request) -> bool {
    let content_type = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    content_type
        .is_some_and(|value| value.to_ascii_lowercase().starts_with("application/x-www-form-urlencoded"))
}

fn field(path: &json::Path) -> String {
    path.steps().join(".")
}

fn text(value: &Value) -> String {
    json::scalar_text(value).unwrap_or_else(|| value.to_string())
}

fn name_of(pair: &str) -> String {
    form_urlencoded::parse(pair.as_bytes()).map(|(name, _)| name.into_owned()).next().unwrap_or_default()
}

fn get_pair(pairs: &str, name: &str) -> Option<String> {
    form_urlencoded::parse(pairs.as_bytes()).find(|(own, _)| own == name).map(|(_, value)| value.into_owned())
}

fn set_pair(pairs: &str, name: &str, value: &str) -> String {
    let mut new =
        Some(format!("{}={}", utf8_percent_encode(name, ENCODED), utf8_percent_encode(value, ENCODED)));
    let mut all: Vec<String> = Vec::new();
    for pair in pairs.split('&').filter(|pair| !pair.is_empty()) {
        if name_of(pair) == name {
            all.extend(new.take());
        } else {
            all.push(pair.to_owned());
        }
    }
    all.extend(new);
    all.join("&")
}

fn with_query(uri: &Uri, query: &str) -> Result<Uri, Error> {
    let mut parts = uri.clone().into_parts();
    let changed = PathAndQuery::try_from(format!("{}?{query}", uri.path()))
        .map_err(|source| Error::configuration("the query grew too long").because(source))?;
    parts.path_and_query = Some(changed);
    Uri::from_parts(parts)
        .map_err(|source| Error::configuration("the URL cannot take a query").because(source))
}

fn set_place(body: &[u8], path: &json::Path, value: &Value) -> Result<Vec<u8>, Error> {
    let no_room = || Error::configuration(format!("the request's body has no room for `{path}`"));
    let mut document = if body.is_empty() {
        Value::Object(Map::new())
    } else {
        serde_json::from_slice(body).map_err(|source| no_room().because(source))?
    };
    let mut place = &mut document;
    for step in path.steps() {
        place = match place {
            Value::Array(items) => step.parse().ok().and_then(|index: usize| items.get_mut(index)),
            Value::Object(map) => Some(map.entry(step).or_insert(Value::Object(Map::new()))),
            _ => None,
        }
        .ok_or_else(no_room)?;
    }
    *place = value.clone();
    Ok(document.to_string().into_bytes())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn query(name: &str) -> Param {
        Param::Query(name.to_owned())
    }

    fn body(path: &str) -> Param {
        Param::Body(path.parse().unwrap())
    }

    fn post(content_type: &str, text: &str) -> Request {
        http::Request::post("https://api.example.com/search")
            .header(CONTENT_TYPE, content_type)
            .body(Body::from(text.to_owned()))
            .unwrap()
    }

    fn text_of(request: &Request) -> &str {
        std::str::from_utf8(request.body().as_bytes().unwrap()).unwrap()
    }

    #[test]
    fn a_query_parameter_is_replaced_and_the_others_stay_as_they_were() {
        let uri = "https://api.example.com/items?q=a%20b+c&cur%73or=old&x=%7e&cursor=older&y";
        let mut request = http::Request::get(uri).body(Body::Empty).unwrap();
        query("cursor").set(&mut request, &json!("a+/=& b")).unwrap();
        assert_eq!(
            request.uri().to_string(),
            "https://api.example.com/items?q=a%20b+c&cursor=a%2B%2F%3D%26%20b&x=%7e&y"
        );
        assert_eq!(query("cursor").get(&request).as_deref(), Some("a+/=& b"));
        assert_eq!(query("z").get(&request), None);
    }

    #[test]
    fn a_query_is_begun_where_there_is_none() {
        let mut request = http::Request::get("https://api.example.com").body(Body::Empty).unwrap();
        query("page[number]").set(&mut request, &json!(2)).unwrap();
        assert_eq!(request.uri().to_string(), "https://api.example.com/?page%5Bnumber%5D=2");
    }

    #[test]
    fn a_place_in_a_json_body_keeps_the_cursors_type() {
        let mut request = post("application/json", r#"{"query":"{ a }","sort":[{"by":"id"}]}"#);
        body("variables.after").set(&mut request, &json!("c1")).unwrap();
        body("sort.0.after").set(&mut request, &json!([1700000000, "x"])).unwrap();
        assert_eq!(
            text_of(&request),
            r#"{"query":"{ a }","sort":[{"by":"id","after":[1700000000,"x"]}],"variables":{"after":"c1"}}"#
        );
        assert_eq!(body("variables.after").get(&request).as_deref(), Some("c1"));
    }

    #[test]
    fn an_empty_body_becomes_json() {
        let mut request = http::Request::post("https://api.example.com/").body(Body::Empty).unwrap();
        body("page").set(&mut request, &json!(1)).unwrap();
        assert_eq!(
            (text_of(&request), &request.headers()[CONTENT_TYPE]),
            (r#"{"page":1}"#, &"application/json".parse().unwrap())
        );
    }

    #[test]
    fn a_form_field_is_replaced() {
        let mut request = post("application/x-www-form-urlencoded; charset=utf-8", "a=1&cursor=x");
        body("cursor").set(&mut request, &json!("y z")).unwrap();
        assert_eq!(text_of(&request), "a=1&cursor=y%20z");
        assert_eq!(body("cursor").get(&request).as_deref(), Some("y z"));
    }

    #[test]
    fn a_body_without_room_is_refused() {
        for (text, path) in [("[1]", "a"), ("{\"a\":1}", "a.b"), ("nonsense", "a")] {
            let error = body(path).set(&mut post("application/json", text), &json!(1)).expect_err(text);
            assert_eq!(error.to_string(), format!("the request's body has no room for `{path}`"));
        }
    }
}
