//! `GET /metrics`: what the limiter has counted, as Prometheus reads it.

use std::{io, time::Duration};

use actix_throttle::Metrics;
use actix_web::{HttpResponse, get, rt, web};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};

/// Installs the recorder of the process, and a task that sorts in its samples if no scrape does.
pub(crate) fn install() -> io::Result<PrometheusHandle> {
    let mut exporter = PrometheusBuilder::new();
    for (name, buckets) in Metrics::buckets() {
        exporter = exporter
            .set_buckets_for_metric(Matcher::Full(name.to_owned()), buckets)
            .map_err(io::Error::other)?;
    }
    let prometheus = exporter.install_recorder().map_err(io::Error::other)?;
    let upkeep = prometheus.clone();
    rt::spawn(async move {
        loop {
            rt::time::sleep(Duration::from_secs(5)).await;
            upkeep.run_upkeep();
        }
    });
    Ok(prometheus)
}

#[get("/metrics")]
async fn metrics(prometheus: web::Data<PrometheusHandle>) -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/plain; version=0.0.4")
        .body(prometheus.render())
}

pub(crate) fn routes(config: &mut web::ServiceConfig) {
    config.service(metrics);
}
