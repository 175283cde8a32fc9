//! The program `examples/showcase` as a process of its own: on Redis, and on a Unix socket. A file
//! beside it has another program.

mod llm_gateway;

use std::{
    env,
    time::{Duration, Instant},
};

use harness::{
    Port, Process, Server, ServerVersion, eventually_async, example, free_port,
    http::live::{Wire, status},
    stores::unique,
};
use reqwest::{Client, RequestBuilder, Response};
use tokio::net::{TcpStream, UnixStream};

/// Bound for the program to start or to end.
const BOUND: Duration = Duration::from_secs(20);

/// The running program.
struct Showcase {
    process: Process,
    client: Client,
    port: Port,
    _server: Server,
}

impl Showcase {
    /// Starts the program on a Redis server. It believes `X-Client` of its clients.
    async fn start() -> Self {
        let (server, port) = (Server::start(ServerVersion::Redis7), free_port());
        let number = port.number.to_string();
        let process = Process::start(
            example("showcase"),
            &[
                ("PORT", &number),
                ("WORKERS", "2"),
                ("REDIS_URL", &server.url()),
                ("PREFIX", "shown"),
                // A deadline that a busy test machine meets.
                ("DEADLINE_MS", "5000"),
                ("TRUSTED_PROXIES", "127.0.0.1"),
                ("CLIENT_IP_HEADER", "X-Client"),
                ("ALLOW", "10.0.0.0/8"),
                ("DENY", "203.0.113.0/24"),
            ],
        );
        eventually_async("the program listens", BOUND, async || {
            let connected = TcpStream::connect(("127.0.0.1", port.number));
            connected.await.is_ok()
        })
        .await;
        Self {
            process,
            client: Client::new(),
            port,
            _server: server,
        }
    }

    fn get(&self, path: &str) -> RequestBuilder {
        let url = format!("http://127.0.0.1:{}{path}", self.port.number);
        self.client.get(url)
    }

    fn post(&self, path: &str) -> RequestBuilder {
        let url = format!("http://127.0.0.1:{}{path}", self.port.number);
        self.client.post(url)
    }

    fn log_in(&self, email: &str) -> RequestBuilder {
        self.post("/login")
            .header("Content-Type", "application/json")
            .body(format!(r#"{{"email": "{email}"}}"#))
    }

    fn with_key(&self, path: &str) -> RequestBuilder {
        self.get(path).header("X-Api-Key", "ann")
    }
}

async fn send(request: RequestBuilder) -> Response {
    request.send().await.expect("an answer")
}

async fn status_of(request: RequestBuilder) -> u16 {
    send(request).await.status().as_u16()
}

async fn text_of(request: RequestBuilder) -> String {
    send(request).await.text().await.expect("a text")
}

fn number(answer: &Response, name: &str) -> u64 {
    let value = answer.headers().get(name).expect(name);
    let text = value.to_str().expect("ASCII");
    text.parse().expect("a number")
}

/// One process serves all of the test: each route has counters of its own. The limits are real, so
/// an assertion allows for the seconds that a busy machine takes.
#[actix_web::test]
async fn rows_of_the_second_contract_are_served_on_redis() {
    let showcase = Showcase::start().await;
    assert_eq!(text_of(showcase.get("/health")).await, "ok");
    decisions(&showcase).await;
    logins(&showcase).await;
    tokens(&showcase).await;
    quotas(&showcase).await;
    clients(&showcase).await;
    escalating_block(&showcase).await;
    metrics(&showcase).await;
    status_page(&showcase).await;
    let printed = showcase.process.stop(BOUND);
    assert!(
        printed.contains("listening on http://127.0.0.1:"),
        "{printed}"
    );
}

async fn decisions(showcase: &Showcase) {
    for expected in [
        r#"{"remaining":2,"would_deny":false}"#,
        r#"{"remaining":1,"would_deny":true}"#,
        r#"{"remaining":0,"would_deny":true}"#,
    ] {
        assert_eq!(text_of(showcase.get("/decision")).await, expected);
    }
    let denied = send(showcase.get("/decision")).await;
    assert_eq!(denied.status().as_u16(), 429);
    assert!((1..=5).contains(&number(&denied, "Retry-After")));
}

async fn logins(showcase: &Showcase) {
    for left in [1, 0] {
        let answer = send(showcase.log_in("ann@example.com")).await;
        assert_eq!(answer.status().as_u16(), 200);
        assert_eq!(number(&answer, "X-RateLimit-Remaining"), left);
    }
    let denied = send(showcase.log_in(" Ann@Example.com")).await;
    assert_eq!(denied.status().as_u16(), 429);
    assert_eq!(number(&denied, "X-RateLimit-Limit"), 2);
    assert!((1..=5).contains(&number(&denied, "Retry-After")));
    assert_eq!(status_of(showcase.log_in("bob@example.com")).await, 200);
}

async fn tokens(showcase: &Showcase) {
    // The bucket gains a token a second.
    let some_seconds = |tokens: u64| tokens..=tokens + 10;
    let answer = send(showcase.with_key("/tokens?estimate=60&actual=30")).await;
    assert_eq!(answer.status().as_u16(), 200);
    let left = number(&answer, "X-RateLimit-Remaining");
    assert!(some_seconds(70).contains(&left), "{left}");
    let answer = send(showcase.with_key("/stream?estimate=10&actual=50")).await;
    let left = number(&answer, "X-RateLimit-Remaining");
    assert!(some_seconds(60).contains(&left), "{left}");
    assert_eq!(answer.text().await.expect("a body"), "ok\n");
    let answer = send(showcase.with_key("/tokens?estimate=1&actual=1")).await;
    let left = number(&answer, "X-RateLimit-Remaining");
    assert!(some_seconds(19).contains(&left), "{left}");
    // A debt, which a long time pays.
    let answer = send(showcase.with_key("/tokens?estimate=1&actual=900")).await;
    assert_eq!(number(&answer, "X-RateLimit-Remaining"), 0);
    let denied = send(showcase.with_key("/stream?estimate=1&actual=1")).await;
    assert_eq!(denied.status().as_u16(), 429);
    let wait = number(&denied, "Retry-After");
    assert!((850..=882).contains(&wait), "{wait}");
    let another = showcase.get("/tokens?estimate=1&actual=1");
    assert_eq!(status_of(another.header("X-Api-Key", "bob")).await, 200);
}

async fn quotas(showcase: &Showcase) {
    // At the end of a month the quota is whole again, so either month must have denied.
    let mut statuses = Vec::new();
    for _ in 0..11 {
        statuses.push(status_of(showcase.get("/month")).await);
    }
    assert_eq!(statuses[..5], [200; 5]);
    assert!(statuses.contains(&429), "{statuses:?}");
    let pair = |tenant: &str| showcase.get("/pair").header("X-Tenant", tenant);
    for (tenant, expected) in [("red", 200), ("red", 200), ("blue", 200), ("red", 429)] {
        assert_eq!(status_of(pair(tenant)).await, expected, "{tenant}");
    }
    let other = pair("red").header("X-Client", "198.51.100.9");
    assert_eq!(status_of(other).await, 200);
}

async fn clients(showcase: &Showcase) {
    let hello = |client: &str| showcase.get("/hello").header("X-Client", client);
    for (client, expected) in [
        ("198.51.100.1", [200, 200, 429]),
        ("198.51.100.2", [200, 200, 429]),
        ("10.1.2.3", [200, 200, 200]),
        ("203.0.113.7", [403, 403, 403]),
        // NAT64: the IPv4 address in it counts.
        ("64:ff9b::198.51.100.3", [200, 200, 429]),
    ] {
        let mut statuses = Vec::new();
        for _ in 0..3 {
            statuses.push(status_of(hello(client)).await);
        }
        assert_eq!(statuses, expected, "{client}");
    }
}

/// The first block lasts a second, the next one three.
async fn escalating_block(showcase: &Showcase) {
    let request = || showcase.get("/escalate");
    let denied = async || {
        let end = Instant::now() + BOUND;
        loop {
            let answer = send(request()).await;
            if answer.status().as_u16() == 429 {
                return number(&answer, "Retry-After");
            }
            assert!(Instant::now() < end, "never denied");
        }
    };
    assert_eq!(denied().await, 1);
    eventually_async("the block is over", BOUND, async || {
        status_of(request()).await == 200
    })
    .await;
    assert_eq!(denied().await, 3);
}

async fn metrics(showcase: &Showcase) {
    let text = text_of(showcase.get("/metrics")).await;
    for (result, count) in [("allowed", 6..=14), ("denied", 3..=4)] {
        let labels = format!("{{policy=\"hello\",result=\"{result}\"");
        let series = text
            .lines()
            .filter(|line| line.starts_with("rate_limit_requests_total") && line.contains(&labels));
        let values = series.filter_map(|line| line.rsplit_once(' ')?.1.parse::<u64>().ok());
        let sum: u64 = values.sum();
        assert!(count.contains(&sum), "{result}: {sum}\n{text}");
    }
}

async fn status_page(showcase: &Showcase) {
    assert_eq!(status_of(showcase.get("/status/")).await, 403);
    for access in ["read", "full"] {
        let page = send(showcase.get("/status/").header("X-Admin", access)).await;
        assert_eq!(page.status().as_u16(), 200);
        let html = page.text().await.expect("a page");
        assert!(
            html.contains("login-email") && html.contains("hello"),
            "{html}"
        );
    }
    let json = showcase.get("/status/?format=json");
    let json = text_of(json.header("X-Admin", "read")).await;
    let data: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    let policies = data["policies"].as_array().expect("policies");
    let tokens = policies.iter().find(|policy| policy["name"] == "tokens");
    let denied = &tokens.expect("a policy of this name")["denied"]["hour"];
    assert_eq!(denied, 1, "{json}");
}

/// The showcase with the in-memory store, on a Unix socket, where limits only count.
#[actix_web::test]
async fn environment_sets_a_socket_and_the_enforcement() {
    let path = env::temp_dir().join(format!("{}.sock", unique("throttle-showcase")));
    let text = path.to_str().expect("UTF-8");
    let process = Process::start(
        example("showcase"),
        &[
            ("UNIX_SOCKET", text),
            ("WORKERS", "1"),
            ("ENFORCEMENT", "shadow"),
        ],
    );
    eventually_async("the program listens", BOUND, async || {
        UnixStream::connect(&path).await.is_ok()
    })
    .await;
    for _ in 0..4 {
        let mut wire = Wire(UnixStream::connect(&path).await.expect("a server"));
        wire.send("GET /hello HTTP/1.1\r\nHost: a\r\n\r\n").await;
        let answer = wire.answer().await;
        assert_eq!(status(&answer), 200);
    }
    let printed = process.stop(BOUND);
    assert!(printed.contains(text), "{printed}");
    // The program may have removed the file itself.
    let _ = std::fs::remove_file(&path);
}
