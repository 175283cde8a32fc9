//! The program `examples/llm_gateway` as a process of its own. Its client leaves while the charges
//! of the request are settled.

use std::time::Duration;

use actix_throttle::{RateLimiter, UsageState};
use harness::{Mode, Process, Proxy, Server, ServerVersion, eventually_async, example, free_port};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// Bound for the program to start, and to do what a test waits for.
const BOUND: Duration = Duration::from_secs(20);
/// A prompt of two words is answered by six.
const REQUEST: &str = "POST /chat HTTP/1.1\r\nHost: a\r\nX-Api-Key: ann\r\n\
                       Content-Length: 3\r\n\r\na b";
const KEY: &str = "header.X-Api-Key=ann";

/// Returns what an identity has used in each zone but that of the requests.
async fn used(limiter: &RateLimiter, identity: &str) -> Vec<u32> {
    let usage = limiter.peek_written(identity).await.expect("a server");
    let limits = usage.limits().iter();
    let tokens = limits.filter(|limit| !matches!(limit.zone(), "requests" | "model-calls"));
    let used = tokens.filter_map(|limit| match limit.state() {
        UsageState::Used { used, .. } => Some(used),
        _ => None,
    });
    used.collect()
}

#[actix_web::test]
async fn both_charges_are_settled_if_the_client_leaves_meanwhile() {
    let server = Server::start(ServerVersion::Redis7);
    let (proxy, port) = (Proxy::start(server.port()), free_port());
    let number = port.number.to_string();
    let variables = [
        ("PORT", &*number),
        ("REDIS_URL", &proxy.url()),
        // A deadline that outlasts what the test does meanwhile.
        ("DEADLINE_MS", "20000"),
    ];
    let _process = Process::start(example("llm_gateway"), &variables);
    let connect = async || TcpStream::connect(("127.0.0.1", port.number)).await;
    eventually_async("the program listens", BOUND, async || {
        connect().await.is_ok()
    })
    .await;
    let limiter = RateLimiter::builder().redis_url(server.url());
    let limiter = limiter.build().await.expect("a server");

    let mut client = connect().await.expect("the gateway");
    client.write_all(REQUEST.as_bytes()).await.expect("sent");
    // The answer has begun, so both estimates are charged.
    let mut answer = Vec::new();
    while !answer.ends_with(b"a ") {
        answer.push(client.read_u8().await.expect("an answer"));
    }
    assert_eq!(used(&limiter, KEY).await, [50]);
    let keys: Vec<String> = server.cli(&["KEYS", "*model-tokens*"]);
    let key = keys.first().expect("the model's limit has a counter");
    let (_, model) = key.split_once('{').expect("an identity");
    let (model, _) = model.split_once('}').expect("an identity");
    assert_eq!(used(&limiter, model).await, [50]);

    proxy.set(Mode::Stall);
    eventually_async("the first charge is settled", BOUND, async || {
        used(&limiter, KEY).await == [6]
    })
    .await;
    client.shutdown().await.expect("a connection");
    // The gateway has closed the connection, so it has dropped the answer.
    let _ = client.read_to_end(&mut answer).await;
    proxy.set(Mode::Pass);
    eventually_async("the second charge is settled", BOUND, async || {
        used(&limiter, model).await == [6]
    })
    .await;
}
