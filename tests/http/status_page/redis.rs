//! The page of a service on Redis: what it changes is changed for all processes, and an outage is
//! shown as what it is.

use std::time::Duration;

use actix_throttle::{CircuitState, RateLimiter, rate_limit};
use actix_web::{App, get, web::ServiceConfig};
use harness::{
    Server, ServerVersion, eventually_async,
    http::app::{CLIENT, TestResponse, TestService, get_from, in_own_process},
    shared,
    stores::unique,
};

use super::{looking, routes, sending};

const OTHER: &str = "192.0.2.2";

#[get("/login")]
#[rate_limit("2/hour", name = "login")]
async fn login() -> &'static str {
    "ok"
}

fn all_routes(config: &mut ServiceConfig) {
    config.service(login).configure(routes);
}

/// One process of a service.
struct Process {
    limiter: RateLimiter,
    service: TestService,
}

impl Process {
    async fn start(url: String, prefix: &str, deadline: Duration) -> Self {
        let builder = RateLimiter::builder().redis_url(url).prefix(prefix);
        let limiter = builder.deadline(deadline).build().await.expect("a server");
        let app = App::new().app_data(limiter.clone()).configure(all_routes);
        let service = TestService::of(app).await;
        Self { limiter, service }
    }

    async fn statuses(&self, client: &str, count: usize) -> Vec<u16> {
        let mut statuses = Vec::new();
        for _ in 0..count {
            let answer = self.service.send(get_from(client, "/login")).await;
            statuses.push(answer.status);
        }
        statuses
    }

    async fn look(&self, query: &str) -> TestResponse {
        self.service.send(looking(query, "full")).await
    }

    /// Makes a change of `CLIENT` by the form of the page.
    async fn change(&self, change: &str) -> TestResponse {
        let form = [
            ("identity", CLIENT),
            ("policy", "login"),
            ("change", change),
            ("length", "10m"),
            ("confirmed", "yes"),
        ];
        let request = sending("?view=change", &form)
            .insert_header(("X-Admin", "full"))
            .insert_header(("Sec-Fetch-Site", "same-origin"));
        self.service.send(request).await
    }
}

/// A deadline that a busy test machine meets.
const PATIENCE: Duration = Duration::from_secs(5);

#[actix_web::test]
async fn changes_apply_to_the_handlers_of_all_processes() {
    let (url, prefix) = (shared(ServerVersion::Redis7).url(), unique("page"));
    let process = Process::start(url.clone(), &prefix, PATIENCE).await;
    let another = Process::start(url, &prefix, PATIENCE).await;
    for client in [CLIENT, OTHER] {
        assert_eq!(process.statuses(client, 3).await, [200, 200, 429]);
    }
    let store = process.look("?format=json").await.json()["store"].clone();
    assert_eq!(
        (&store["kind"], &store["circuit"]),
        (&"redis".into(), &"closed".into())
    );

    let answer = process.change("reset").await;
    assert_eq!(answer.status, 303, "{}", answer.text());
    let shown = process.look("?identity=192.0.2.1").await;
    assert!(shown.text().contains("2 of 2"), "{}", shown.text());
    assert_eq!(another.statuses(CLIENT, 1).await, [200]);
    assert_eq!(process.statuses(CLIENT, 2).await, [200, 429]);
    assert_eq!(
        process.statuses(OTHER, 1).await,
        [429],
        "of one identity alone"
    );

    process.change("reset").await;
    assert_eq!(process.change("block").await.status, 303);
    let shown = process.look("?identity=192.0.2.1").await;
    assert!(shown.text().contains(">blocked<"), "{}", shown.text());
    for process in [&another, &process] {
        let denied = process.service.send(get_from(CLIENT, "/login")).await;
        assert_eq!(denied.status, 429);
        let wait = denied.retry_after().expect("an end of the block");
        assert!((540..=600).contains(&wait), "{wait}");
    }

    assert_eq!(process.change("unblock").await.status, 303);
    assert_eq!(process.statuses(CLIENT, 3).await, [200, 200, 429]);
    assert_eq!(process.statuses(OTHER, 1).await, [429]);
}

#[actix_web::test]
async fn outage_is_shown_until_it_is_over() {
    const BOUND: Duration = Duration::from_secs(30);
    let mut server = Server::start(ServerVersion::Redis7);
    let process = Process::start(server.url(), "page", Duration::from_millis(300)).await;
    assert_eq!(process.statuses(CLIENT, 1).await, [200]);
    let overview = process.look("").await;
    assert!(
        overview.text().contains("Redis</b>, circuit closed"),
        "{}",
        overview.text()
    );

    server.kill();
    eventually_async("the circuit is open", BOUND, async || {
        assert_eq!(process.statuses(CLIENT, 1).await, [200], "it fails open");
        process.limiter.circuit() == CircuitState::Open
    })
    .await;
    // It may be verified at any moment, and is open again then.
    eventually_async("the page shows it", BOUND, async || {
        let overview = process.look("").await;
        let shown = "circuit open: the failure mode decides";
        overview.text().contains(shown) && overview.text().contains("Latest failure")
    })
    .await;
    eventually_async("the data has it", BOUND, async || {
        let store = process.look("?format=json").await.json()["store"].clone();
        store["circuit"] == "open" && store["failures"].as_u64() > Some(0)
    })
    .await;
    let policy = process.look("?policy=login&format=json").await.json();
    assert!(policy["undecided"]["total"].as_u64() > Some(0), "{policy}");
    // How an identity stands is in the store alone.
    let shown = process.look("?identity=192.0.2.1").await;
    assert_eq!(shown.status, 503);
    assert!(
        shown.text().contains("The store could not say"),
        "{}",
        shown.text()
    );
    for change in ["reset", "block", "unblock"] {
        assert_eq!(process.change(change).await.status, 503, "{change}");
    }
    assert!(
        process.limiter.snapshot().changes.is_empty(),
        "nothing was done"
    );

    server.restart();
    eventually_async("the circuit is closed", BOUND, async || {
        process.look("?format=json").await.json()["store"]["circuit"] == "closed"
    })
    .await;
    assert_eq!(process.statuses(CLIENT, 3).await, [200, 200, 429]);
    assert_eq!(process.look("?identity=192.0.2.1").await.status, 200);
}

#[actix_web::test]
async fn change_that_the_store_refuses_is_logged() {
    let this = "status_page::redis::change_that_the_store_refuses_is_logged";
    let Some(log) = in_own_process(this) else {
        return refused().await;
    };
    let line = "WARN  actix_throttle] status page: 192.0.2.1 may have reset ip=192.0.2.1 under \
                [\"login\"]: ";
    assert!(log.contains(line), "{log}");
    assert!(!log.contains("has reset"), "{log}");
    let line = "INFO  actix_throttle] status page: 192.0.2.1 has blocked for 10m ip=192.0.2.1 \
                under [\"login\"]\n";
    assert!(log.contains(line), "{log}");
}

/// Makes changes by a user that may run scripts and delete nothing.
async fn refused() {
    env_logger::init();
    let server = Server::start(ServerVersion::Redis7);
    let process = Process::start(server.url(), "page", PATIENCE).await;
    assert_eq!(process.statuses(CLIENT, 3).await, [200, 200, 429]);
    let _: String = server.cli(&["ACL", "SETUSER", "default", "-del"]);
    let answer = process.change("reset").await;
    assert_eq!(answer.status, 503);
    assert!(
        answer.text().contains("The store has made 0 of 1 changes"),
        "{}",
        answer.text()
    );
    assert_eq!(process.change("block").await.status, 303);
}
