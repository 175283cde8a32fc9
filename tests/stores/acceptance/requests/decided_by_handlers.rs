//! Decisions that handlers read (`RateLimits`) and limits that they decide (`enforce`).

use actix_throttle::{
    Enforcement, Limit, LimitStatus, RateLimiter, RateLimits, RequestError, Rule, Throttle,
    rate_limit,
};
use actix_web::{
    HttpRequest, get, post,
    web::{self, ServiceConfig},
};

use super::{
    super::{SECOND, for_every_store, remaining, wait},
    behind, left, service,
};
use harness::{
    http::app::{TestResponse, TestService, get_from, post as request},
    stores::{StoreFixture, every_algorithm},
};

for_every_store!(
    handler_reads_the_limits_of_its_request,
    handler_reads_limits_of_several_identities,
    handler_reads_the_limits_of_a_middleware,
    handler_decides_by_the_body,
    denial_by_a_handler_is_that_of_the_attribute,
    denial_by_a_handler_tells_the_exact_wait,
    handler_and_check_share_a_counter,
    handler_decides_as_the_switch_says,
);

const PER_EMAIL: Limit = Limit::per_minute(2).name("email").zone("email");

/// Writes each limit as its name, what remains, and `!` if it is exceeded; then the strictest one,
/// and whether a shadow would deny.
fn shown(limits: &RateLimits) -> String {
    let one = |limit: &LimitStatus| {
        let exceeded = if limit.is_exceeded() { "!" } else { "" };
        format!("{}={}{exceeded}", limit.name(), limit.remaining())
    };
    let all: Vec<_> = limits.iter().map(one).collect();
    let strictest = limits.strictest().map_or("none", LimitStatus::name);
    format!("{} {strictest} {}", all.join(","), limits.would_deny())
}

#[get("/shadowed")]
#[rate_limit("3/minute", name = "hard")]
#[rate_limit("1/minute", name = "soft", shadow)]
async fn shadowed(limits: RateLimits) -> String {
    shown(&limits)
}

#[get("/several")]
#[rate_limit("2/minute", name = "address")]
#[rate_limit("5/minute", name = "tenant", identifier = header("X-Tenant"))]
async fn several(limits: RateLimits) -> String {
    shown(&limits)
}

#[get("/unlimited")]
async fn unlimited(limits: RateLimits) -> String {
    shown(&limits)
}

#[post("/login")]
#[rate_limit("5/minute", name = "ip", zone = "ip", refund_on = "429")]
async fn login(
    http: HttpRequest,
    limits: RateLimits,
    limiter: RateLimiter,
    email: String,
) -> Result<String, RequestError> {
    limiter.enforce(&http, &PER_EMAIL, &*email).await?;
    Ok(shown(&limits))
}

#[post("/attribute")]
#[rate_limit("2/minute", name = "email", zone = "attribute", identifier = header("X-Email"))]
async fn by_attribute() -> &'static str {
    "ok"
}

/// Decides the limit of an algorithm, by its index.
#[post("/algorithm/{index}")]
async fn by_algorithm(
    http: HttpRequest,
    limiter: RateLimiter,
    index: web::Path<usize>,
    email: String,
) -> Result<&'static str, RequestError> {
    let limit = every_algorithm(2, 60)[*index];
    limiter.enforce(&http, &limit, &*email).await?;
    Ok("ok")
}

fn routes(config: &mut ServiceConfig) {
    config
        .service((shadowed, several, unlimited, login))
        .service((by_attribute, by_algorithm));
}

async fn log_in(service: &TestService, email: &'static str) -> TestResponse {
    service.send(request("/login").set_payload(email)).await
}

async fn handler_reads_the_limits_of_its_request(store: &StoreFixture) {
    let service = service(store, routes).await;
    for expected in [
        "hard=2,soft=0 hard false",
        "hard=1,soft=0! hard true",
        "hard=0,soft=0! hard true",
    ] {
        assert_eq!(service.get("/shadowed").await.text(), expected);
    }
    // The second denial may come out of a cache.
    assert_eq!(service.statuses("/shadowed", 2).await, [429, 429]);
    store.advance(60 * SECOND);
    let answer = service.get("/shadowed").await;
    assert_eq!(answer.text(), "hard=2,soft=0 hard false");
    assert_eq!(service.get("/unlimited").await.text(), " none false");
}

/// In a cluster, the two counters may be on different nodes.
async fn handler_reads_limits_of_several_identities(store: &StoreFixture) {
    let service = service(store, routes).await;
    let send = async |address: &str, tenant: &'static str| {
        let request = get_from(address, "/several").insert_header(("X-Tenant", tenant));
        service.send(request).await
    };
    for (address, tenant, expected) in [
        ("192.0.2.1", "red", "address=1,tenant=4 address false"),
        ("192.0.2.1", "red", "address=0,tenant=3 address false"),
        ("192.0.2.2", "red", "address=1,tenant=2 address false"),
        ("192.0.2.2", "blue", "address=0,tenant=4 address false"),
    ] {
        assert_eq!(send(address, tenant).await.text(), expected);
    }
    // Denied by the one, nothing is charged to the other.
    assert_eq!(send("192.0.2.1", "red").await.status, 429);
    let answer = send("192.0.2.3", "red").await;
    assert_eq!(answer.text(), "address=1,tenant=1 address false");
}

async fn handler_reads_the_limits_of_a_middleware(store: &StoreFixture) {
    let throttle = Throttle::new()
        .paths(".*", [Rule::new(Limit::per_minute(9).name("all"))])
        .unwrap();
    let service = behind(store, throttle, routes).await;
    let answer = service.get("/shadowed").await;
    assert_eq!(answer.text(), "all=8,hard=2,soft=0 hard false");
    let answer = service.get("/unlimited").await;
    assert_eq!(answer.text(), "all=7 all false");
}

async fn handler_decides_by_the_body(store: &StoreFixture) {
    let service = service(store, routes).await;
    let answer = log_in(&service, "a@x").await;
    assert_eq!(answer.text(), "ip=4,email=1 email false");
    assert_eq!(answer.quota(), Some([2, 1, 60]));
    let answer = log_in(&service, "a@x").await;
    assert_eq!(answer.text(), "ip=3,email=0 email false");
    for _ in 0..2 {
        let denied = log_in(&service, "a@x").await;
        assert_eq!((denied.status, denied.retry_after()), (429, Some(60)));
        assert_eq!(denied.quota(), Some([2, 0, 60]));
        let content_type = denied.header("content-type");
        assert_eq!(content_type, Some("application/problem+json"));
        assert_eq!(denied.json()["violated-policies"][0], "email");
    }
    // The charges by address stay, although the status is one of `refund_on`.
    let answer = log_in(&service, "b@x").await;
    assert_eq!(answer.text(), "ip=0,email=1 ip false");
    // Now the attribute denies, and the handler decides nothing.
    assert_eq!(log_in(&service, "b@x").await.status, 429);
    assert_eq!(remaining(store, &PER_EMAIL, "b@x").await, 1);
}

async fn denial_by_a_handler_is_that_of_the_attribute(store: &StoreFixture) {
    let service = service(store, routes).await;
    let ask_attribute = async || {
        let request = request("/attribute").insert_header(("X-Email", "a@x"));
        service.send(request).await
    };
    for _ in 0..2 {
        assert_eq!(ask_attribute().await.status, 200);
        assert_eq!(log_in(&service, "a@x").await.status, 200);
    }
    store.advance(20 * SECOND + SECOND / 4);
    for _ in 0..2 {
        let (handler, attribute) = (log_in(&service, "a@x").await, ask_attribute().await);
        assert_eq!((handler.status, handler.retry_after()), (429, Some(40)));
        assert_eq!(handler.json()["retry_after_ms"], 39_750);
        assert_eq!(attribute.status, handler.status);
        assert_eq!(attribute.json(), handler.json());
        for name in [
            "content-type",
            "retry-after",
            "x-ratelimit-limit",
            "x-ratelimit-remaining",
            "x-ratelimit-reset",
        ] {
            assert_eq!(attribute.header(name), handler.header(name), "{name}");
        }
    }
}

async fn denial_by_a_handler_tells_the_exact_wait(store: &StoreFixture) {
    let service = service(store, routes).await;
    for (index, limit) in every_algorithm(2, 60).iter().enumerate() {
        let path = format!("/algorithm/{index}");
        let send = async || service.send(request(&path).set_payload("a@x")).await;
        while send().await.status == 200 {}
        store.advance(SECOND);
        let denied = send().await;
        let wait = wait(store, limit, "a@x").await;
        assert_eq!(denied.json()["retry_after_ms"], wait.div_ceil(1_000));
        store.advance(wait - 1);
        assert_eq!(send().await.status, 429, "{limit:?}");
        store.advance(1);
        assert_eq!(send().await.status, 200, "{limit:?}");
    }
}

async fn handler_and_check_share_a_counter(store: &StoreFixture) {
    let service = service(store, routes).await;
    log_in(&service, "a@x").await;
    let decision = store.limiter.check(&PER_EMAIL, "a@x").await.unwrap();
    assert_eq!(decision.limits()[0].remaining(), 0);
    assert_eq!(log_in(&service, "a@x").await.status, 429);
    store.limiter.reset(&PER_EMAIL, "a@x").await.unwrap();
    let answer = log_in(&service, "a@x").await;
    assert_eq!(answer.text(), "ip=2,email=1 email false");
    let minute = std::time::Duration::from_secs(60);
    store
        .limiter
        .block(&PER_EMAIL, "b@x", minute)
        .await
        .unwrap();
    let denied = log_in(&service, "b@x").await;
    assert_eq!((denied.status, denied.retry_after()), (429, Some(60)));
}

async fn handler_decides_as_the_switch_says(store: &StoreFixture) {
    let service = service(store, routes).await;
    store.limiter.set_enforcement(Enforcement::Shadow);
    for expected in [
        "ip=4,email=1 none false",
        "ip=3,email=0 none false",
        "ip=2,email=0! none true",
    ] {
        assert_eq!(log_in(&service, "a@x").await.text(), expected);
    }
    store.limiter.set_enforcement(Enforcement::Off);
    assert_eq!(log_in(&service, "a@x").await.text(), " none false");
    store.limiter.set_enforcement(Enforcement::On);
    assert_eq!(log_in(&service, "a@x").await.status, 429);
    let per_address = Limit::per_minute(5).zone("ip");
    assert_eq!(left(store, &per_address).await, 1);
}
