//! The applications, one for each service, all at the same path: an application searches its list
//! of resources for each request, and the last of twenty resources would pay for it as much as for
//! a limiter.

mod ours;
mod peers;

use std::{collections::BTreeMap, sync::mpsc, thread, time::Duration};

use actix_throttle::{FailureMode, HeaderStyle, RateLimiter};
use actix_web::{App, HttpServer, web};
use futures_util::future::try_join_all;

use self::peers::Peers;
use crate::{
    Result,
    case::{Case, MILLION, PATH},
    redis_server::Urls,
    settings::Settings,
};

/// Longer than any stall of a busy machine: a late decision would fail the run.
const DEADLINE: Duration = Duration::from_secs(2);

/// More than a run can use, and within the bounds of all limiters.
const PLENTY: u32 = 1_000_000_000;

async fn ok() -> &'static str {
    "ok"
}

/// The port of each service.
pub(crate) struct Ports(BTreeMap<&'static str, u16>);

impl Ports {
    pub(crate) fn of(&self, case: &Case) -> Result<u16> {
        let port = self.0.get(case.service).copied();
        port.ok_or_else(|| format!("{}: nothing serves {}", case.id, case.service).into())
    }
}

/// Starts what the cases need on a thread of its own, until this process ends.
pub(crate) fn start(urls: Urls, settings: &Settings) -> Result<Ports> {
    let (ports, started) = mpsc::channel();
    let (cases, workers) = (settings.cases(), settings.workers);
    thread::spawn(move || {
        // The applications' main thread. Limiters that keep one connection keep it here, as their
        // documentation advises.
        let served = actix_web::rt::System::new().block_on(serve(&urls, &cases, workers, &ports));
        if let Err(error) = served {
            // After a successful start the receiver is gone; wrk then reports the failure.
            drop(ports.send(Err(error)));
        }
    });
    started.recv()?
}

async fn serve(
    urls: &Urls,
    cases: &[&Case],
    workers: usize,
    started: &mpsc::Sender<Result<Ports>>,
) -> Result<()> {
    let ours = Ours::new(urls).await?;
    let peers = Peers::new(urls).await?;
    let mut ports = BTreeMap::new();
    let mut servers = Vec::new();
    for service in cases.iter().map(|case| case.service) {
        if ports.contains_key(service) {
            continue;
        }
        let (ours, peers) = (ours.clone(), peers.clone());
        let server = HttpServer::new(move || {
            App::new().configure(|config| match service {
                "bare" => drop(config.service(web::resource(PATH).get(ok))),
                _ => {
                    ours.configure(config, service);
                    peers.configure(config, service);
                }
            })
        })
        .workers(workers)
        .disable_signals()
        .bind(("127.0.0.1", 0))?;
        let address = server.addrs().first().copied();
        ports.insert(service, address.ok_or("a server listens nowhere")?.port());
        servers.push(server.run());
    }
    started.send(Ok(Ports(ports)))?;
    try_join_all(servers).await?;
    Ok(())
}

/// One limiter for each store; the handlers are the same.
#[derive(Clone)]
struct Ours(Vec<(&'static str, RateLimiter)>);

impl Ours {
    async fn new(urls: &Urls) -> Result<Self> {
        let in_memory = || RateLimiter::builder().memory();
        let redis = |url: &str| {
            RateLimiter::builder()
                .redis_url(url)
                // Respond with 503 rather than admit a request without counting it.
                .failure_mode(FailureMode::Closed)
                .deadline(DEADLINE)
        };
        // Room beyond the keys in use: evictions are not measured.
        let room = usize::try_from(MILLION)? * 2;
        Ok(Self(vec![
            ("memory", in_memory().build().await?),
            (
                "memory-plain",
                in_memory().headers(HeaderStyle::Off).build().await?,
            ),
            ("memory-thousand", in_memory().build().await?),
            ("memory-million", in_memory().max_keys(room).build().await?),
            ("redis", redis(&urls.main).build().await?),
            ("redis-thousand", redis(&urls.thousand).build().await?),
            ("redis-million", redis(&urls.million).build().await?),
            ("valkey", redis(&urls.valkey).build().await?),
        ]))
    }

    fn configure(&self, config: &mut web::ServiceConfig, service: &str) {
        for (stem, limiter) in &self.0 {
            if let Some(resource) = ours::resource(service, stem) {
                config.service(resource.app_data(limiter.clone()));
            }
        }
    }
}
