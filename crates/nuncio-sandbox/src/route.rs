//! Which operation a request is for.

use std::collections::BTreeMap;

use http::Method;
use nuncio_service::model::Target;
use nuncio_service::{Operation, Service};
use percent_encoding::percent_decode_str;

/// A described path, taken apart.
struct Route {
    method: Method,
    steps: Vec<Step>,
    operation: String,
    has_body_template: bool,
}

/// What stands between two slashes: texts and inputs in turn, beginning and ending with a text.
struct Step {
    texts: Vec<String>,
    inputs: Vec<String>,
}

/// The paths of a service.
pub(crate) struct Routes(Vec<Route>);

/// The operation that a request is for, and what stands in its path.
#[derive(Debug, PartialEq)]
pub(crate) struct Found<'a> {
    pub(crate) operation: &'a str,
    pub(crate) path: BTreeMap<String, String>,
}

impl Routes {
    pub(crate) fn new(service: &Service) -> Self {
        let mut routes: Vec<Route> =
            service.operations.iter().filter_map(|(name, operation)| Route::new(name, operation)).collect();
        // Among paths that fit alike the first one counts: texts before inputs, and of operations that send to the same path the one
        // that tells what its requests look like.
        routes.sort_by_key(|route| {
            let inputs: Vec<bool> = route.steps.iter().map(|step| !step.inputs.is_empty()).collect();
            (inputs, route.has_body_template)
        });
        Self(routes)
    }

    /// The operation for `method` and `path`. What is described as GET answers to HEAD, and to POST where no other operation does: some
    /// vendors' SDKs send everything as POST.
    pub(crate) fn find(&self, method: &Method, path: &str) -> Option<Found<'_>> {
        let own = self.find_exactly(method, path);
        if own.is_none() && (method == Method::HEAD || method == Method::POST) {
            return self.find_exactly(&Method::GET, path);
        }
        own
    }

    fn find_exactly(&self, method: &Method, path: &str) -> Option<Found<'_>> {
        let steps: Vec<&str> = path.split('/').collect();
        self.0.iter().filter(|route| route.method == *method).find_map(|route| route.matches(&steps))
    }
}

impl Route {
    fn new(name: &str, operation: &Operation) -> Option<Self> {
        let Target::Http { method, path } = operation.target()? else { return None };
        let steps = path.split('/').map(Step::new).collect();
        Some(Self { method, steps, operation: name.to_owned(), has_body_template: operation.body.is_some() })
    }

    fn matches(&self, steps: &[&str]) -> Option<Found<'_>> {
        if steps.len() != self.steps.len() {
            return None;
        }
        let mut path = BTreeMap::new();
        for (step, text) in self.steps.iter().zip(steps) {
            step.matches(text, &mut path)?;
        }
        Some(Found { operation: &self.operation, path })
    }
}

impl Step {
    fn new(text: &str) -> Self {
        let mut step = Self { texts: Vec::new(), inputs: Vec::new() };
        let mut rest = text;
        while let Some((before, name, after)) = rest
            .split_once('{')
            .and_then(|(before, behind)| behind.split_once('}').map(|(name, after)| (before, name, after)))
        {
            step.texts.push(before.to_owned());
            step.inputs.push(name.to_owned());
            rest = after;
        }
        step.texts.push(rest.to_owned());
        step
    }

    fn matches(&self, text: &str, found: &mut BTreeMap<String, String>) -> Option<()> {
        let mut rest = text.strip_prefix(self.texts[0].as_str())?;
        for (index, (input, following)) in self.inputs.iter().zip(&self.texts[1..]).enumerate() {
            let is_last = index + 1 == self.inputs.len();
            let end = if is_last {
                rest.strip_suffix(following.as_str())?.len()
            } else {
                rest.find(following.as_str())?
            };
            let value = percent_decode_str(&rest[..end]).decode_utf8().ok()?;
            if value.is_empty() {
                return None;
            }
            found.insert(input.clone(), value.into_owned());
            rest = &rest[end + following.len()..];
        }
        rest.is_empty().then_some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(method: &Method, path: &str) -> Option<(String, Vec<String>)> {
        let text = "
service: example
base_url: https://api.example.com
operations:
  files.get: { get: '/files/{id}', input: { id: string! } }
  files.search: { get: /files/search }
  files.rows: { get: '/files/{id}/rows-{row}.json', input: { id: string!, row: string! } }
  files.create: { post: /files, input: { name: string } }
  files.create_named: { post: /files, input: { name: string }, body: { name: '{{ input.name }}' } }
";
        let service = Service::from_yaml(text, "example.yaml").expect("a service");
        let routes = Routes::new(&service);
        let found = routes.find(method, path)?;
        Some((found.operation.to_owned(), found.path.into_values().collect()))
    }

    #[test]
    fn a_text_fits_better_than_an_input() {
        assert_eq!(found(&Method::GET, "/files/search").unwrap().0, "files.search");
        assert_eq!(
            found(&Method::GET, "/files/a%2Fb"),
            Some(("files.get".to_owned(), vec!["a/b".to_owned()]))
        );
    }

    #[test]
    fn inputs_stand_within_a_step() {
        let inputs = vec!["1".to_owned(), "2.3".to_owned()];
        assert_eq!(found(&Method::GET, "/files/1/rows-2.3.json"), Some(("files.rows".to_owned(), inputs)));
        assert_eq!(found(&Method::GET, "/files/1/rows-.json"), None);
        assert_eq!(found(&Method::GET, "/files/1/rows-2.csv"), None);
    }

    #[test]
    fn the_operation_without_a_body_template_tells_what_requests_look_like() {
        assert_eq!(found(&Method::POST, "/files").unwrap().0, "files.create");
    }

    #[test]
    fn a_get_answers_to_head_and_to_post_but_to_nothing_else() {
        assert_eq!(found(&Method::HEAD, "/files/search").unwrap().0, "files.search");
        assert_eq!(found(&Method::POST, "/files/search").unwrap().0, "files.search");
        assert_eq!(found(&Method::DELETE, "/files/search"), None);
    }
}
