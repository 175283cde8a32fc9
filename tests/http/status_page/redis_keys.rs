//! The page of one process on Redis, and keys that other processes have written there.

use std::time::Duration;

use actix_throttle::{Access, Algorithm, Concurrency, Limit, RateLimiter, StatusPage};
use actix_web::{App, web};
use futures_util::FutureExt;
use harness::{
    Server, ServerVersion,
    http::app::{TestResponse, TestService},
    shared,
    stores::unique,
};
use serde_json::{Value, json};

use super::{looking, sending};

const LOGIN: Limit = Limit::per_hour(2).name("login").zone("login");
const SEARCH: Limit = Limit::per_hour(100)
    .algorithm(Algorithm::FixedWindow)
    .name("search")
    .zone("shop::handlers::search");
const CODE: Limit = Limit::per_hour(1)
    .name("code")
    .zone("code")
    .block_steps(&[Duration::from_secs(600), Duration::from_secs(3_600)]);
const ANN: &str = "?identity=user%3Dann";

/// One process of a service, with its page.
struct Process {
    limiter: RateLimiter,
    service: TestService,
}

impl Process {
    async fn start(url: String, prefix: &str) -> Self {
        let builder = RateLimiter::builder().redis_url(url).prefix(prefix);
        // A deadline that a busy test machine meets.
        let builder = builder.deadline(Duration::from_secs(5));
        let limiter = builder.build().await.expect("a server");
        let page = web::scope("/limits").service(StatusPage::new(|_| Access::Full));
        let app = App::new().app_data(limiter.clone()).service(page);
        let service = TestService::of(app).await;
        Self { limiter, service }
    }

    async fn tries(&self, limit: &Limit, identity: &str, times: usize) {
        for _ in 0..times {
            self.limiter.check(limit, identity).await.expect("decided");
        }
    }

    async fn look(&self, query: &str) -> TestResponse {
        self.service.send(looking(query, "full")).await
    }

    async fn send(&self, query: &str, form: &[(&str, &str)]) -> TestResponse {
        let request = sending(query, form).insert_header(("Sec-Fetch-Site", "same-origin"));
        self.service.send(request).await
    }
}

fn other<'d>(data: &'d Value, limit: &str) -> &'d Value {
    let others = data["look_up"]["others"].as_array().expect("a list");
    let found = others.iter().find(|one| one["limit"] == limit);
    found.unwrap_or_else(|| panic!("{limit}: {data}"))
}

#[actix_web::test]
async fn limits_of_other_processes_are_found() {
    let (url, prefix) = (shared(ServerVersion::Redis7).url(), unique("page"));
    let process = Process::start(url.clone(), &prefix).await;
    let another = Process::start(url, &prefix).await;
    process.tries(&LOGIN, "ann", 1).await;
    another.tries(&SEARCH, "ann", 3).await;
    another.tries(&SEARCH, "anna", 9).await;
    another.tries(&CODE, "ann", 2).await;
    let jobs = Concurrency::new(3).zone("jobs");
    let held = another.limiter.semaphore(&jobs, "ann").acquire().await;

    let data = process.look(&format!("{ANN}&format=json")).await.json();
    assert_eq!(data["limits"].as_array().map(Vec::len), Some(1), "{data}");
    assert_eq!(data["limits"][0]["policy"], "login");
    assert_eq!(data["look_up"]["is_complete"], true);
    let others = data["look_up"]["others"].as_array().map(Vec::len);
    assert_eq!(
        others,
        Some(4),
        "a counter, a counter and its block, permits: {data}"
    );
    assert_eq!(other(&data, "fixed_window 1h")["used"], 3);
    assert_eq!(other(&data, "concurrency limit")["used"], 1);
    let block = other(&data, "block");
    assert_eq!(block["zone"], "code");
    let left = block["block"]["left_seconds"].as_f64().expect("a time");
    assert!((550.0..=600.0).contains(&left), "{block}");
    assert_eq!(
        (&block["offences"]["count"], &block["offences"]["steps"]),
        (&json!(1), &json!(2))
    );
    let view = process.look(ANN).await;
    for text in [
        "Also in the store",
        "3 used",
        "1 held",
        ">blocked<",
        "offence 1 of 2",
    ] {
        assert!(view.text().contains(text), "{text}: {}", view.text());
    }
    // In the process that knows the limit, it is in the row of that.
    let data = another.look(&format!("{ANN}&format=json")).await.json();
    let limits = data["limits"].as_array().expect("a list");
    let code = limits.iter().find(|limit| limit["policy"] == "code");
    assert_eq!(code.expect("it has decided")["offences"]["count"], 1);
    drop(held);
}

#[actix_web::test]
async fn policy_is_reset_for_everyone_in_all_processes() {
    let (url, prefix) = (shared(ServerVersion::Valkey9).url(), unique("page"));
    let process = Process::start(url.clone(), &prefix).await;
    let another = Process::start(url, &prefix).await;
    for user in ["ann", "bob"] {
        another.tries(&LOGIN, user, 3).await;
        another.tries(&SEARCH, user, 3).await;
    }
    let unknown = process
        .send("?view=reset&policy=login", &[("confirmed", "yes")])
        .await;
    assert_eq!(unknown.status, 404, "nothing tells its limits");
    process.tries(&LOGIN, "eve", 1).await;
    let question = process.send("?view=reset&policy=login", &[]).await;
    assert!(
        question.text().contains("for every identity?"),
        "{}",
        question.text()
    );
    let query = "?view=reset&policy=login&format=json";
    let data = process.send(query, &[("confirmed", "yes")]).await.json();
    assert_eq!(
        (&data["deleted"], &data["is_complete"]),
        (&json!(3), &json!(true)),
        "{data}"
    );
    for user in ["ann", "bob", "eve"] {
        let left = process.limiter.remaining(&LOGIN, user).await;
        assert_eq!(left.expect("decided"), 2, "{user}");
    }
    let left = process.limiter.remaining(&SEARCH, "ann").await;
    assert_eq!(left.expect("decided"), 97);
}

#[actix_web::test]
async fn search_that_ends_early_or_is_not_allowed_is_told() {
    let server = Server::start(ServerVersion::Redis7);
    let process = Process::start(server.url(), "throttle").await;
    process.tries(&LOGIN, "ann", 1).await;
    // More keys of another application than a look-up goes through.
    let fill = "for i = 1, 210000 do redis.call('SET', 'other:' .. i, '') end";
    let _: Option<String> = server.cli(&["EVAL", fill, "0"]);
    let data = process.look(&format!("{ANN}&format=json")).await.json();
    assert_eq!(data["look_up"]["is_complete"], false, "{}", data["look_up"]);
    assert_eq!(
        data["limits"][0]["remaining"], 1,
        "it is known without a search"
    );
    let view = process.look(ANN).await;
    assert!(
        view.text().contains("The search has ended after about"),
        "{}",
        view.text()
    );

    let _: String = server.cli(&["ACL", "SETUSER", "default", "-scan"]);
    let view = process.look(ANN).await;
    assert_eq!(view.status, 200);
    assert!(
        view.text().contains("The store could not be searched"),
        "{}",
        view.text()
    );
    assert!(view.text().contains("1 of 2"), "{}", view.text());
    let data = process.look(&format!("{ANN}&format=json")).await.json();
    assert!(data["look_up"]["error"].as_str().is_some(), "{data}");
    let answer = process
        .send("?view=reset&policy=login", &[("confirmed", "yes")])
        .await;
    assert_eq!(answer.status, 503);
    assert!(
        process.limiter.snapshot().changes.is_empty(),
        "nothing was done"
    );
    // No limit counts such identities here, so there is nothing to show without a search.
    assert_eq!(process.look("?identity=192.0.2.1").await.status, 503);
}

/// Anybody who may look can load the page often, and each look-up goes through many keys.
#[actix_web::test]
async fn one_look_up_runs_at_a_time() {
    let (url, prefix) = (shared(ServerVersion::Redis7).url(), unique("page"));
    let process = Process::start(url, &prefix).await;
    process.tries(&LOGIN, "ann", 1).await;
    let ann = format!("{ANN}&format=json");
    // No limit counts addresses here, so the first thing that the store is asked is the search.
    let mut running = Box::pin(process.look("?identity=192.0.2.1"));
    assert!((&mut running).now_or_never().is_none(), "it asks Redis");
    let data = process.look(&ann).await.json();
    let error = data["look_up"]["error"].as_str();
    let expected = "another look-up is running; load this page again";
    assert_eq!(error, Some(expected), "{data}");
    assert_eq!(data["look_up"]["is_complete"], false);
    assert_eq!(data["limits"][0]["remaining"], 1, "this needs no search");
    let view = process.look(ANN).await;
    assert_eq!(view.status, 200);
    assert!(view.text().contains(expected), "{}", view.text());

    assert_eq!(running.await.status, 200);
    let data = process.look(&ann).await.json();
    assert_eq!(data["look_up"]["error"], json!(null), "that one is over");
    assert_eq!(data["look_up"]["is_complete"], true);
    // A browser that leaves makes room for the next one.
    let mut left = Box::pin(process.look("?identity=192.0.2.1"));
    assert!((&mut left).now_or_never().is_none(), "it asks Redis");
    drop(left);
    let data = process.look(&ann).await.json();
    assert_eq!(data["look_up"]["error"], json!(null), "{data}");
}
