//! The application: all limiters behind one HTTP server, each on paths of its own.

mod ours;
mod peers;

use std::{sync::mpsc, thread, time::Duration};

use actix_throttle::{FailureMode, RateLimiter};
use actix_web::{App, HttpServer, get, web};

use self::peers::Peers;
use crate::{Result, case::MILLION, redis_server::Urls};

/// Longer than any stall of a busy machine: a late answer would fail the run.
const DEADLINE: Duration = Duration::from_secs(2);

/// More than a run can use, and within everyone's bounds.
const PLENTY: u32 = 1_000_000_000;

#[get("/bare")]
async fn bare() -> &'static str {
    "ok"
}

/// Starts the application on a thread of its own, for as long as this process lives, and says at
/// which port.
pub(crate) fn start(urls: Urls, workers: usize) -> Result<u16> {
    let (port, started) = mpsc::channel();
    thread::spawn(move || {
        // The main thread of the application. Peers that keep one connection keep it here, as
        // their documentation has it.
        let served = actix_web::rt::System::new().block_on(serve(&urls, workers, &port));
        if let Err(error) = served {
            // Nobody listens any more if it had started before; then wrk reports the failure.
            drop(port.send(Err(error)));
        }
    });
    started.recv()?
}

async fn serve(urls: &Urls, workers: usize, port: &mpsc::Sender<Result<u16>>) -> Result<()> {
    let ours = Ours::new(urls).await?;
    let peers = Peers::new(&urls.main).await?;
    let server = HttpServer::new(move || {
        App::new()
            .service(bare)
            .configure(|config| ours.configure(config))
            .configure(|config| peers.configure(config))
    })
    .workers(workers)
    .disable_signals()
    .bind(("127.0.0.1", 0))?;
    let address = server.addrs().first().copied();
    let address = address.ok_or("the server listens nowhere")?;
    port.send(Ok(address.port()))?;
    Ok(server.run().await?)
}

/// One limiter a store; their handlers are the same.
#[derive(Clone)]
struct Ours(Vec<(&'static str, RateLimiter)>);

impl Ours {
    async fn new(urls: &Urls) -> Result<Self> {
        let embedded = || RateLimiter::builder().memory();
        let redis = |url: &str| {
            RateLimiter::builder()
                .redis_url(url)
                // 503 in place of a request that was let through uncounted.
                .failure_mode(FailureMode::Closed)
                .deadline(DEADLINE)
        };
        // Room beyond the keys in use: what a full store does is not measured.
        let room = usize::try_from(MILLION)? * 2;
        Ok(Self(vec![
            ("/embedded", embedded().build().await?),
            ("/embedded-thousand", embedded().build().await?),
            (
                "/embedded-million",
                embedded().max_keys(room).build().await?,
            ),
            ("/redis", redis(&urls.main).build().await?),
            ("/redis-thousand", redis(&urls.thousand).build().await?),
            ("/redis-million", redis(&urls.million).build().await?),
        ]))
    }

    fn configure(&self, config: &mut web::ServiceConfig) {
        for (path, limiter) in &self.0 {
            let scope = web::scope(path).app_data(limiter.clone());
            config.service(scope.configure(ours::routes));
        }
    }
}
