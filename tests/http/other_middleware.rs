//! Middleware that other people have written, around limited handlers and around a `Throttle`: a
//! denial is a response like any other to it.

use actix_throttle::{Limit, Paths, Rule, Throttle, rate_limit};
use actix_web::{App, HttpResponse, get, middleware::Logger, web, web::ServiceConfig};
use actix_web_prom::PrometheusMetricsBuilder;
use opentelemetry_instrumentation_actix_web::RequestMetrics;
use opentelemetry_sdk::metrics::{
    InMemoryMetricExporter, SdkMeterProvider,
    data::{AggregatedMetrics, MetricData},
};

use harness::http::app::{TestApp, TestService, in_own_process};

#[get("/one/{id}")]
#[rate_limit("2/minute", name = "one")]
async fn one(_: web::Path<u32>) -> &'static str {
    "ok"
}

fn routes(config: &mut ServiceConfig) {
    config
        .service(one)
        .route("/behind", web::get().to(HttpResponse::Ok));
}

fn throttle() -> Throttle {
    let behind = Paths::regex("^/behind").expect("valid");
    let rule = Rule::new(Limit::per_minute(1).name("behind"));
    Throttle::new().paths(behind, [rule]).expect("valid")
}

#[actix_web::test]
async fn actix_web_prom_counts_denials_by_status() {
    let test_app = TestApp::new().await;
    let prometheus = PrometheusMetricsBuilder::new("api")
        .endpoint("/metrics")
        .build()
        .expect("valid");
    let app = App::new()
        .app_data(test_app.limiter.clone())
        .configure(routes)
        .wrap(throttle())
        .wrap(prometheus);
    let service = TestService::of(app).await;
    assert_eq!(
        service.statuses("/one/7", 5).await,
        [200, 200, 429, 429, 429]
    );
    assert_eq!(service.statuses("/behind", 3).await, [200, 429, 429]);
    let metrics = service.get("/metrics").await;
    let count = |endpoint: &str, status: u16| {
        let series = format!(
            "api_http_requests_total{{endpoint=\"{endpoint}\",method=\"GET\",status=\"{status}\"}} "
        );
        let mut lines = metrics.text().lines();
        let value = lines.find_map(|line| line.strip_prefix(&series));
        value.map(|value| value.parse::<u32>().expect("a number"))
    };
    for (endpoint, status, expected) in [
        // The pattern of the route, and not each path: an attribute decides behind the router.
        ("/one/{id}", 200, 2),
        ("/one/{id}", 429, 3),
        ("/behind", 200, 1),
        ("/behind", 429, 2),
    ] {
        assert_eq!(
            count(endpoint, status),
            Some(expected),
            "{endpoint} {status}: {}",
            metrics.text()
        );
    }
}

#[actix_web::test]
async fn opentelemetry_counts_denials_by_status() {
    let exporter = InMemoryMetricExporter::default();
    let provider = SdkMeterProvider::builder().with_periodic_exporter(exporter.clone());
    let provider = provider.build();
    let test_app = TestApp::new().await;
    let app = App::new()
        .app_data(test_app.limiter.clone())
        .configure(routes)
        .wrap(throttle())
        .wrap(
            RequestMetrics::builder()
                .with_meter_provider(provider.clone())
                .build(),
        );
    let service = TestService::of(app).await;
    assert_eq!(service.statuses("/one/7", 3).await, [200, 200, 429]);
    assert_eq!(service.statuses("/behind", 3).await, [200, 429, 429]);
    provider.force_flush().expect("an exporter in memory");
    let counts = counts_of(&exporter);
    let count = |route: &str, status: &str| {
        let mut series = counts.iter();
        let found = series.find(|(attributes, _)| {
            attributes.contains(&("http.route".to_owned(), route.to_owned()))
                && attributes.contains(&("http.response.status_code".to_owned(), status.to_owned()))
        });
        found.map(|(_, count)| *count)
    };
    for (route, status, expected) in [
        ("/one/{id}", "200", 2),
        ("/one/{id}", "429", 1),
        ("/behind", "200", 1),
        ("/behind", "429", 2),
    ] {
        assert_eq!(
            count(route, status),
            Some(expected),
            "{route} {status}: {counts:?}"
        );
    }
}

/// Returns the numbers of finished requests, each with its attributes.
fn counts_of(exporter: &InMemoryMetricExporter) -> Vec<(Vec<(String, String)>, u64)> {
    let exported = exporter.get_finished_metrics().expect("metrics");
    let mut counts = Vec::new();
    let scopes = exported
        .iter()
        .flat_map(|resource| resource.scope_metrics());
    for metric in scopes.flat_map(|scope| scope.metrics()) {
        if metric.name() != "http.server.request.duration" {
            continue;
        }
        let AggregatedMetrics::F64(MetricData::Histogram(times)) = metric.data() else {
            panic!("durations are a histogram: {metric:?}");
        };
        counts.extend(times.data_points().map(|point| {
            let attributes = point.attributes();
            let attributes = attributes.map(|pair| (pair.key.to_string(), pair.value.to_string()));
            (attributes.collect(), point.count())
        }));
    }
    counts
}

#[actix_web::test]
async fn logger_writes_denials() {
    let this = "other_middleware::logger_writes_denials";
    let Some(log) = in_own_process(this) else {
        return make_lines().await;
    };
    for (line, times) in [
        ("GET /one/7 200 2", 2),
        ("GET /one/7 429 ", 1),
        ("GET /behind 200 0", 1),
        ("GET /behind 429 ", 2),
    ] {
        let lines = log.lines().filter(|found| found.contains(line));
        assert_eq!(lines.count(), times, "{line}: {log}");
    }
}

async fn make_lines() {
    env_logger::Builder::new()
        .filter_level(log::LevelFilter::Info)
        .init();
    let test_app = TestApp::new().await;
    let app = App::new()
        .app_data(test_app.limiter.clone())
        .configure(routes)
        .wrap(throttle())
        // Method, path, status and bytes.
        .wrap(Logger::new("%{METHOD}xi %U %s %b").custom_request_replace("METHOD", |request| {
            request.method().to_string()
        }));
    let service = TestService::of(app).await;
    assert_eq!(service.statuses("/one/7", 3).await, [200, 200, 429]);
    assert_eq!(service.statuses("/behind", 3).await, [200, 429, 429]);
}
