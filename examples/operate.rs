//! A service to practise on: five limits, traffic in the background, metrics, and the status page.
//!
//! Open <http://127.0.0.1:8080/limits/> in a browser, with the name `admin` and the password
//! `secret`. Block `203.0.113.9`, who asks too much, and see what `curl
//! http://127.0.0.1:8080/metrics` says of it.

mod environment;

use std::{io, time::Duration};

use actix_throttle::{
    Access, Enforcement, Metrics, RateLimiter, StatusPage, concurrency_limit, rate_limit,
};
use actix_web::{
    App, Error, HttpResponse, HttpServer,
    body::MessageBody,
    dev::{ServiceRequest, ServiceResponse},
    error::InternalError,
    get,
    http::header::{AUTHORIZATION, WWW_AUTHENTICATE},
    middleware::{self, Next},
    post, rt, web,
};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};

#[get("/search")]
#[rate_limit("30/minute", algorithm = "token_bucket", name = "search")]
async fn search() -> &'static str {
    "found\n"
}

#[post("/login")]
#[rate_limit("5/minute", name = "login", block = "1m, 10m, 1h")]
async fn login() -> &'static str {
    "welcome\n"
}

#[get("/feed")]
#[rate_limit("60/minute", name = "feed")]
#[rate_limit("20/minute", shadow, name = "feed-stricter")]
async fn feed() -> &'static str {
    "news\n"
}

#[get("/export")]
#[concurrency_limit(max = 2, name = "export", max_wait = "2s")]
async fn export() -> &'static str {
    rt::time::sleep(Duration::from_millis(fastrand::u64(200..900))).await;
    "rows\n"
}

#[get("/metrics")]
async fn metrics(prometheus: web::Data<PrometheusHandle>) -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/plain; version=0.0.4")
        .body(prometheus.render())
}

/// Rejects requests to the page without the password `secret` of `admin`, in base64.
async fn log_in(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let given = request.headers().get(AUTHORIZATION);
    if given.is_some_and(|value| value == "Basic YWRtaW46c2VjcmV0") {
        return next.call(request).await;
    }
    let response = HttpResponse::Unauthorized()
        .insert_header((WWW_AUTHENTICATE, "Basic realm=\"limits\""))
        .finish();
    Err(InternalError::from_response("not logged in", response).into())
}

/// Sends requests of a few clients, one of whom asks far more than the others.
async fn send_traffic(base: String) {
    let client = reqwest::Client::new();
    loop {
        let address = match fastrand::u8(0..10) {
            0..6 => "203.0.113.9".to_owned(),
            _ => format!("198.51.100.{}", fastrand::u8(1..20)),
        };
        let request = match fastrand::u8(0..10) {
            0..4 => client.get(format!("{base}/search")),
            4..8 => client.get(format!("{base}/feed")),
            8 => client.post(format!("{base}/login")),
            _ => client.get(format!("{base}/export")),
        };
        // Several requests at a time: an export takes a while.
        rt::spawn(request.header("X-Forwarded-For", address).send());
        rt::time::sleep(Duration::from_millis(fastrand::u64(20..200))).await;
    }
}

#[actix_web::main]
async fn main() -> io::Result<()> {
    env_logger::init_from_env(env_logger::Env::default().default_filter_or("info"));
    let mut exporter = PrometheusBuilder::new();
    for (name, buckets) in Metrics::buckets() {
        let name = Matcher::Full(name.to_owned());
        exporter = exporter
            .set_buckets_for_metric(name, buckets)
            .map_err(io::Error::other)?;
    }
    let prometheus = exporter.install_recorder().map_err(io::Error::other)?;

    environment::limiter()?
        .trusted_proxies(["127.0.0.1"])
        .map_err(io::Error::other)?
        .enforcement(Enforcement::On)
        .observer(Metrics::new().policies(["search", "login", "feed", "feed-stricter", "export"]))
        .init()
        .await?;

    let server = HttpServer::new(move || {
        let limits = web::scope("/limits")
            .wrap(middleware::from_fn(log_in))
            .service(StatusPage::new(|_| Access::Full));
        App::new()
            .app_data(web::Data::new(prometheus.clone()))
            .service((search, login, feed, export, metrics))
            .service(limits)
    });
    let port = environment::number("PORT")?.unwrap_or(8080);
    let server = server.bind(("127.0.0.1", port))?;
    println!("open http://127.0.0.1:{port}/limits/ as admin, with the password secret");
    println!("  curl http://127.0.0.1:{port}/metrics");
    rt::spawn(send_traffic(format!("http://127.0.0.1:{port}")));
    server.run().await?;

    RateLimiter::close().await;
    Ok(())
}
