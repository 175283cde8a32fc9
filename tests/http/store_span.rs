//! The span of the wait for Redis, `rate_limit.store`: inside the span of the request, with the
//! number of checks that went out together and how the wait ended.

use std::{
    collections::BTreeMap,
    fmt::Debug,
    sync::{Arc, Mutex},
    time::Duration,
};

use actix_throttle::{Event, Observer, RateLimiter, rate_limit};
use actix_web::{App, get, web, web::ServiceConfig};
use futures_util::future::join_all;
use tracing::{
    Subscriber,
    field::{Field, Visit},
    span::{Attributes, Id, Record},
    subscriber,
};
use tracing_actix_web::TracingLogger;
use tracing_subscriber::{
    Layer, Registry,
    filter::LevelFilter,
    layer::{Context, SubscriberExt},
    registry::LookupSpan,
};

use harness::{
    Server, ServerVersion,
    http::app::{TestApp, TestService},
    shared,
    stores::unique,
};

#[get("/one")]
#[rate_limit("1/hour", name = "one")]
async fn one() -> &'static str {
    "ok"
}

#[get("/by/{id}")]
#[rate_limit("9/hour", name = "by id", identifier = path("id"))]
async fn by_id(_: web::Path<String>) -> &'static str {
    "ok"
}

fn routes(config: &mut ServiceConfig) {
    config.service((one, by_id));
}

/// A span of the limiter, with the name of the one around it.
#[derive(Clone, Debug, Default, PartialEq)]
struct Span {
    name: &'static str,
    parent: Option<&'static str>,
    fields: BTreeMap<&'static str, String>,
}

impl Span {
    fn batch_size(&self) -> usize {
        let size = self.fields.get("rate_limit.batch_size").expect("a size");
        size.parse().expect("a number")
    }
}

impl Visit for Span {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.fields.insert(field.name(), format!("{value:?}"));
    }
}

/// A layer that records the spans of the limiter, in the order in which they began.
#[derive(Clone, Default)]
struct Spans(Arc<Mutex<Vec<(Id, Span)>>>);

impl Spans {
    /// Takes what was recorded since the last call.
    fn take(&self) -> Vec<Span> {
        let spans = std::mem::take(&mut *self.0.lock().expect("no panic"));
        spans.into_iter().map(|(_, span)| span).collect()
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Spans {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        if attributes.metadata().target() != "actix_throttle" {
            return;
        }
        let mut span = Span {
            name: attributes.metadata().name(),
            parent: context
                .span(id)
                .and_then(|span| span.parent())
                .map(|parent| parent.name()),
            ..Span::default()
        };
        attributes.record(&mut span);
        self.0.lock().expect("no panic").push((id.clone(), span));
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, _: Context<'_, S>) {
        let mut spans = self.0.lock().expect("no panic");
        if let Some((_, span)) = spans.iter_mut().rfind(|(known, _)| known == id) {
            values.record(span);
        }
    }
}

/// The number of checks in each call of Redis.
#[derive(Clone, Default)]
struct Calls(Arc<Mutex<Vec<usize>>>);

impl Observer for Calls {
    fn observe(&self, event: &Event<'_>) {
        if let Event::StoreCalled { batch_size, .. } = event {
            self.0.lock().expect("no panic").push(*batch_size);
        }
    }
}

/// A service on Redis whose requests have a span each, and the calls of Redis.
async fn service(url: String, deadline: Duration) -> (TestService, Calls) {
    let calls = Calls::default();
    let builder = RateLimiter::builder()
        .redis_url(url)
        .prefix(unique("span"))
        .deadline(deadline)
        .observer(calls.clone());
    let limiter = builder.build().await.expect("a server");
    let app = App::new().app_data(limiter).configure(routes);
    (
        TestService::of(app.wrap(TracingLogger::default())).await,
        calls,
    )
}

/// A deadline that a busy test machine meets.
const PATIENCE: Duration = Duration::from_secs(5);

fn store_span(fields: &[(&'static str, &str)]) -> Span {
    let fields = fields
        .iter()
        .map(|(name, value)| (*name, (*value).to_owned()));
    Span {
        name: "rate_limit.store",
        parent: Some("HTTP request"),
        fields: fields.collect(),
    }
}

#[actix_web::test]
async fn wait_for_redis_is_a_span_of_the_request() {
    let spans = Spans::default();
    let _subscribed = subscriber::set_default(Registry::default().with(spans.clone()));
    let (service, _) = service(shared(ServerVersion::Redis7).url(), PATIENCE).await;
    spans.take();
    let decided = [
        ("rate_limit.batch_size", "1"),
        ("rate_limit.outcome", "\"decided\""),
    ];
    assert_eq!(service.get("/one").await.status, 200);
    assert_eq!(spans.take(), [store_span(&decided)]);
    assert_eq!(service.get("/one").await.status, 429);
    assert_eq!(spans.take(), [store_span(&decided)]);
    // The denial is cached by now, so nothing waits for Redis.
    assert_eq!(service.get("/one").await.status, 429);
    assert_eq!(spans.take(), []);
}

#[actix_web::test]
async fn requests_that_go_out_together_have_the_size_of_their_batch() {
    const REQUESTS: usize = 12;
    let spans = Spans::default();
    let _subscribed = subscriber::set_default(Registry::default().with(spans.clone()));
    let (service, calls) = service(shared(ServerVersion::Redis7).url(), PATIENCE).await;
    spans.take();
    let paths: Vec<_> = (0..REQUESTS).map(|id| format!("/by/{id}")).collect();
    let answers = join_all(paths.iter().map(|path| service.get(path))).await;
    assert!(answers.iter().all(|answer| answer.status == 200));
    let spans = spans.take();
    assert!(spans.iter().all(|span| span.name == "rate_limit.store"));
    let mut sizes: Vec<_> = spans.iter().map(Span::batch_size).collect();
    sizes.sort_unstable();
    // A call of `n` checks is in `n` spans.
    let calls = calls.0.lock().expect("no panic").clone();
    let mut expected: Vec<_> = calls.iter().flat_map(|size| vec![*size; *size]).collect();
    expected.sort_unstable();
    assert_eq!(sizes, expected);
    assert_eq!(sizes.len(), REQUESTS);
    assert!(calls.len() < REQUESTS, "checks go out together: {calls:?}");
}

#[actix_web::test]
async fn wait_without_a_reply_ends_late() {
    let server = Server::start(ServerVersion::Redis7);
    let spans = Spans::default();
    let _subscribed = subscriber::set_default(Registry::default().with(spans.clone()));
    let (service, _) = service(server.url(), Duration::from_millis(500)).await;
    assert_eq!(service.get("/by/ann").await.status, 200);
    spans.take();
    server.stop();
    let answer = service.get("/by/ann").await;
    assert_eq!(
        (answer.status, answer.remaining()),
        (200, None),
        "it fails open"
    );
    let spans = spans.take();
    let expected = store_span(&[
        ("rate_limit.batch_size", "1"),
        ("rate_limit.outcome", "\"late\""),
    ]);
    assert_eq!(spans, [expected]);
}

#[actix_web::test]
async fn subscriber_of_other_levels_has_no_span() {
    let spans = Spans::default();
    let filtered = spans.clone().with_filter(LevelFilter::INFO);
    let _subscribed = subscriber::set_default(Registry::default().with(filtered));
    let (service, _) = service(shared(ServerVersion::Redis7).url(), PATIENCE).await;
    assert_eq!(service.get("/one").await.status, 200);
    assert_eq!(spans.take(), []);
}

#[actix_web::test]
async fn decision_in_memory_waits_for_nothing() {
    let spans = Spans::default();
    let _subscribed = subscriber::set_default(Registry::default().with(spans.clone()));
    let service = TestApp::new().await.service(routes).await;
    assert_eq!(service.get("/one").await.status, 200);
    assert_eq!(spans.take(), []);
}
