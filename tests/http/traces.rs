//! Traces: decisions as events on the request's span, as tracing-actix-web makes it.

use std::{
    fmt::Debug,
    sync::{Arc, Mutex},
};

use actix_throttle::rate_limit;
use actix_web::{App, get, middleware::Logger, web::ServiceConfig};
use tracing::{
    Event, Subscriber,
    field::{Field, Visit},
    subscriber,
};
use tracing_actix_web::TracingLogger;
use tracing_subscriber::{
    Layer, Registry,
    layer::{Context, SubscriberExt},
    registry::LookupSpan,
};

use harness::http::app::{TestApp, TestService};

#[get("/one")]
#[rate_limit("1/minute", name = "one")]
async fn one() -> &'static str {
    "ok"
}

fn routes(config: &mut ServiceConfig) {
    config.service(one);
}

/// The events of the limiter: the span that each is on, and its fields.
#[derive(Clone, Default)]
struct Traced(Arc<Mutex<Vec<String>>>);

#[derive(Default)]
struct Fields(String);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        if field.name().starts_with("rate_limit.") {
            self.0 += &format!(" {}={value:?}", field.name());
        }
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Traced {
    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        if event.metadata().target() != "actix_throttle" {
            return;
        }
        let mut fields = Fields::default();
        event.record(&mut fields);
        let span = context.event_span(event).map(|span| span.name());
        let level = event.metadata().level();
        let line = format!("{level} on {}:{}", span.unwrap_or("nothing"), fields.0);
        self.0.lock().expect("no panic").push(line);
    }
}

#[actix_web::test]
async fn decisions_are_events_on_the_span_of_the_request() {
    let traced = Traced::default();
    let subscriber = Registry::default().with(traced.clone());
    let _subscribed = subscriber::set_default(subscriber);
    let test_app = TestApp::new().await;
    let app = App::new()
        .app_data(test_app.limiter.clone())
        .configure(routes)
        .wrap(Logger::default())
        .wrap(TracingLogger::default());
    let service = TestService::of(app).await;
    assert_eq!(service.statuses("/one", 2).await, [200, 429]);
    let lines = traced.0.lock().expect("no panic").clone();
    assert_eq!(
        lines,
        [
            "TRACE on HTTP request: rate_limit.policy=\"one\" rate_limit.result=\"allowed\" \
             rate_limit.source=\"store\" rate_limit.remaining=0",
            "DEBUG on HTTP request: rate_limit.policy=\"one\" rate_limit.result=\"denied\" \
             rate_limit.source=\"store\" rate_limit.remaining=0 rate_limit.retry_after=60.0",
        ]
    );
}

#[actix_web::test]
async fn subscriber_of_other_levels_hears_nothing() {
    let traced = Traced::default();
    let filter = tracing_subscriber::filter::LevelFilter::INFO;
    let subscriber = Registry::default().with(traced.clone().with_filter(filter));
    let _subscribed = subscriber::set_default(subscriber);
    let service = TestApp::new().await.service(routes).await;
    assert_eq!(service.statuses("/one", 2).await, [200, 429]);
    assert!(traced.0.lock().expect("no panic").is_empty());
}
