//! tracing spans have the name of the handler and its arguments as they were written, under
//! whatever name `instrument` was imported and wherever it stands.

use std::sync::{Arc, Mutex};

use actix_throttle::{RateLimiter, rate_limit};
use actix_web::{
    App, get,
    test::{TestRequest, call_service, init_service},
    web,
};
use tracing::{Subscriber, instrument, instrument as traced, span};
use tracing_subscriber::{Layer, Registry, layer::Context, layer::SubscriberExt};

#[get("/above/{id}")]
#[instrument(skip(pool))]
#[rate_limit("1/minute")]
async fn above(pool: web::Data<u32>, id: web::Path<u32>) -> String {
    format!("{id} {}", **pool)
}

#[get("/below/{id}")]
#[rate_limit("1/minute")]
#[instrument(skip(pool))]
async fn below(pool: web::Data<u32>, id: web::Path<u32>) -> String {
    format!("{id} {}", **pool)
}

#[get("/renamed/{id}")]
#[rate_limit("1/minute")]
#[traced(skip(pool))]
#[rate_limit("9/hour")]
async fn renamed(pool: web::Data<u32>, id: web::Path<u32>) -> String {
    format!("{id} {}", **pool)
}

#[rate_limit("1/minute")]
#[traced(skip(pool))]
#[get("/outermost/{id}")]
async fn outermost(pool: web::Data<u32>, id: web::Path<u32>) -> String {
    format!("{id} {}", **pool)
}

/// A layer that records the name and fields of each span that begins.
#[derive(Clone, Default)]
struct Spans(Arc<Mutex<Vec<String>>>);

impl<S: Subscriber> Layer<S> for Spans {
    fn on_new_span(&self, attributes: &span::Attributes<'_>, _: &span::Id, _: Context<'_, S>) {
        let metadata = attributes.metadata();
        if metadata.module_path() == Some(module_path!()) {
            let mut text = metadata.name().to_owned();
            for field in metadata.fields() {
                text.push(' ');
                text.push_str(field.name());
            }
            self.0.lock().expect("no panic").push(text);
        }
    }
}

#[actix_web::test]
async fn span_is_of_the_handler_as_it_was_written() -> Result<(), Box<dyn std::error::Error>> {
    let spans = Spans::default();
    let subscriber = Registry::default().with(spans.clone());
    let _guard = tracing::subscriber::set_default(subscriber);
    let limiter = RateLimiter::builder().memory().build().await?;
    let app = App::new()
        .app_data(limiter)
        .app_data(web::Data::new(5_u32))
        .service((above, below, renamed, outermost));
    let app = init_service(app).await;
    for name in ["above", "below", "renamed", "outermost"] {
        for (status, begun) in [(200, vec![format!("{name} id")]), (429, vec![])] {
            let request = TestRequest::get().uri(&format!("/{name}/7"));
            let request = request.peer_addr(([192, 0, 2, 1], 1).into());
            let answer = call_service(&app, request.to_request()).await;
            assert_eq!(answer.status(), status, "{name}");
            let spans = std::mem::take(&mut *spans.0.lock().expect("no panic"));
            // A denied request does not reach the handler.
            assert_eq!(spans, begun, "{name}");
        }
    }
    Ok(())
}
