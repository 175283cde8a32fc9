//! Calls a service that has limits, without ever getting a 429: a hundred random calls at once to
//! three paths. The service admits ten calls in ten seconds, and one a second for each path. Failed
//! calls are refunded, by the service and by the client. The example ends by itself, after a minute
//! or so.
//!
//! The service is in this file, too. The client knows only its limits. The client's store has the
//! environment of `showcase`, and several copies of the client can share it. Further variables:
//!
//! | variable | value | default |
//! |---|---|---|
//! | `CALLS` | number of calls | 100 |
//! | `SPEED` | factor by which all windows are shorter | 1 |

mod environment;

use std::{collections::BTreeMap, error::Error, net::SocketAddr, time::Duration};

use actix_throttle::{Limit, Outgoing, Paths, RateLimiter, Rule, StatusSet, Throttle};
use actix_web::{App, HttpResponse, HttpServer, dev::ServerHandle, get, rt};
use futures_util::future::join_all;
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware};

use self::environment::number;

const PATHS: [&str; 3] = ["/test", "/example", "/error"];

/// The time by which a window of the client is longer than one of the service. Calls take different
/// times to arrive, so calls from two client windows could arrive within one window of the service.
const MARGIN: Duration = Duration::from_millis(100);

/// The limits of the service.
#[derive(Clone, Copy)]
struct Allowed {
    overall: Limit,
    path: Limit,
}

impl Allowed {
    fn new(speed: u32, margin: Duration) -> Self {
        let window = |seconds| Duration::from_secs(seconds) / speed + margin;
        Self {
            overall: Limit::new(10, window(10)).name("overall"),
            path: Limit::new(1, window(1)).name("path"),
        }
    }
}

#[actix_web::main]
async fn main() -> Result<(), Box<dyn Error>> {
    env_logger::init();
    let calls: usize = number("CALLS")?.unwrap_or(100);
    let speed: u32 = number("SPEED")?.unwrap_or(1).max(1);

    let (address, service) = start(Allowed::new(speed, Duration::ZERO)).await?;
    let limiter = environment::limiter()?.build().await?;
    let client = client(&limiter, Allowed::new(speed, MARGIN))?;

    let paths = (0..calls).map(|_| PATHS[fastrand::usize(..PATHS.len())]);
    let statuses = join_all(paths.map(|path| call(&client, address, path)));
    let mut counts = BTreeMap::new();
    for status in statuses.await {
        *counts.entry(status?).or_insert(0) += 1;
    }
    for (status, count) in counts {
        println!("{status} -> {count}");
    }
    service.stop(true).await;
    Ok(())
}

fn client(limiter: &RateLimiter, allowed: Allowed) -> Result<ClientWithMiddleware, Box<dyn Error>> {
    let outgoing = Outgoing::new(limiter)
        .limit(allowed.overall)
        .limit_by(allowed.path, |call| {
            format!("{}{}", call.host(), call.path())
        })
        .refund_on("5xx".parse()?);
    let client = ClientBuilder::new(reqwest::Client::new());
    Ok(client.with(outgoing).build())
}

async fn call(
    client: &ClientWithMiddleware,
    address: SocketAddr,
    path: &str,
) -> reqwest_middleware::Result<u16> {
    let response = client.get(format!("http://{address}{path}")).send().await?;
    Ok(response.status().as_u16())
}

#[get("/test")]
async fn test() -> &'static str {
    "test ok"
}

#[get("/example")]
async fn example() -> &'static str {
    "examples!"
}

#[get("/error")]
async fn error() -> HttpResponse {
    HttpResponse::InternalServerError().finish()
}

/// Starts the service, with an in-memory store of its own.
async fn start(allowed: Allowed) -> Result<(SocketAddr, ServerHandle), Box<dyn Error>> {
    let limiter = RateLimiter::builder().memory().build().await?;
    let mut throttle = Throttle::new();
    for path in PATHS {
        let errors: StatusSet = "5xx".parse()?;
        let limits = [allowed.path.zone(path), allowed.overall.zone("overall")];
        let rules = limits.map(|limit| Rule::new(limit).refund_on(errors.clone()));
        throttle = throttle.paths(Paths::regex(&format!("^{path}$"))?, rules)?;
    }
    let app = move || {
        App::new()
            .app_data(limiter.clone())
            .wrap(throttle.clone())
            .service(test)
            .service(example)
            .service(error)
    };
    let server = HttpServer::new(app).workers(1).bind(("127.0.0.1", 0))?;
    let address = server.addrs()[0];
    let server = server.run();
    let handle = server.handle();
    rt::spawn(server);
    Ok((address, handle))
}
