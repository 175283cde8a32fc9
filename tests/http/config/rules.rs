//! The rules of a configuration file, applied by the middleware.

use actix_throttle::{Config, Identity, Throttle, config::Format};
use actix_web::{
    HttpRequest,
    http::Method,
    web::{self, ServiceConfig},
};

use harness::http::app::{TestApp, TestService, get, get_from, post};

const TOML: &str = r#"
exempt = ["/towns/free"]
skip_preflight = true

[limits.login]
times = 2
minutes = 1
block = "5m"

[limits]
search = "3/minute"

[[rules]]
path = "^/towns"
name = "towns"
identifier = "by_group"
limits = [
  "2/minute",
  { rate = "4/minute", group = "pro" },
  { group = "admin", unlimited = true },
]

[[rules]]
path = "^/login$"
methods = ["POST"]
limits = ["login"]

[[rules]]
pattern = '^/user/\{id\}$'
limits = [{ rate = "1/minute", identifier = "query:q" }]

[[rules]]
path = "^/shadow"
shadow = true
limits = ["1/minute"]

[[rules]]
path = "^/health"
exempt = true

[[rules]]
limits = [{ limit = "search", identifier = { header = "X-Api-Key" } }]
"#;

const YAML: &str = r#"
exempt: [/towns/free]
skip_preflight: true
limits:
  login: { times: 2, minutes: 1, block: 5m }
  search: 3/minute
rules:
  - path: ^/towns
    name: towns
    identifier: by_group
    limits:
      - 2/minute
      - rate: 4/minute
        group: pro
      - group: admin
        unlimited: true
  - path: ^/login$
    methods: [POST]
    limits: [login]
  - pattern: ^/user/\{id\}$
    limits: [{ rate: 1/minute, identifier: "query:q" }]
  - path: ^/shadow
    shadow: true
    limits: [1/minute]
  - path: ^/health
    exempt: true
  - limits: [{ limit: search, identifier: { header: X-Api-Key } }]
"#;

fn by_group(request: &HttpRequest) -> Option<Identity> {
    let group = request.headers().get("X-Group")?.to_str().ok()?.to_owned();
    Some(Identity::new("ann").group(group))
}

fn routes(app: &mut ServiceConfig) {
    for path in [
        "/towns",
        "/towns/free",
        "/login",
        "/user/{id}",
        "/shadow",
        "/health",
        "/",
    ] {
        app.route(path, web::route().to(async || "ok"));
    }
}

async fn service(text: &str, format: Format) -> TestService {
    let config = Config::builder().identifier("by_group", by_group);
    let config = config.parse(text, format).expect("a right file");
    let throttle = Throttle::from_config(&config);
    let test_app = TestApp::new().await;
    let service = test_app.service(|app| {
        app.service(web::scope("").wrap(throttle).configure(routes));
    });
    service.await
}

#[actix_web::test]
async fn both_formats_say_the_same() {
    for (text, format) in [(TOML, Format::Toml), (YAML, Format::Yaml)] {
        let service = service(text, format).await;
        assert_eq!(service.statuses("/towns", 3).await, [200, 200, 429]);
        for (group, expected) in [("pro", [200, 200, 200, 200, 429]), ("admin", [200; 5])] {
            for status in expected {
                let request = get("/towns").insert_header(("X-Group", group));
                assert_eq!(service.send(request).await.status, status, "{group}");
            }
        }
        assert_eq!(service.statuses("/towns/free", 5).await, [200; 5]);
        assert_eq!(service.statuses("/health", 5).await, [200; 5]);

        for status in [200, 200, 429] {
            assert_eq!(service.send(post("/login")).await.status, status);
        }
        assert_eq!(
            service.send(post("/login")).await.retry_after(),
            Some(300),
            "blocked"
        );

        for (path, status) in [
            ("/user/1?q=a", 200),
            ("/user/2?q=b", 200),
            ("/user/3?q=a", 429),
        ] {
            assert_eq!(service.get(path).await.status, status, "{path}");
        }

        // The shadow rule denies no request, and the search continues to the last rule.
        let keyed = |path, key| get(path).insert_header(("X-Api-Key", key));
        for status in [200, 200, 200, 429] {
            assert_eq!(service.send(keyed("/shadow", "a")).await.status, status);
        }
        assert_eq!(service.send(keyed("/", "a")).await.status, 429);
        assert_eq!(service.send(keyed("/", "b")).await.status, 200);
        let preflight = keyed("/", "a")
            .method(Method::OPTIONS)
            .insert_header(("Origin", "https://a.example"))
            .insert_header(("Access-Control-Request-Method", "GET"));
        assert_eq!(service.send(preflight).await.status, 200);
    }
}

#[actix_web::test]
async fn every_identifier_has_a_word() {
    for (identifier, header, one, other) in [
        ("'ip'", "X-None", "a", "a"),
        ("'header:X-Api-Key'", "X-Api-Key", "a", "b"),
        ("{ cookie = 'sid' }", "Cookie", "sid=a", "sid=b"),
        ("'query:q'", "X-None", "a", "a"),
        ("'global'", "X-None", "a", "a"),
    ] {
        let text = format!("rules = [{{ identifier = {identifier}, limits = ['1/minute'] }}]");
        let service = service(&text, Format::Toml).await;
        let first = get_from("192.0.2.1", "/?q=1").insert_header((header, one));
        let second = get_from("192.0.2.2", "/?q=2").insert_header((header, other));
        let same = get_from("192.0.2.1", "/?q=1").insert_header((header, one));
        assert_eq!(service.send(first).await.status, 200, "{identifier}");
        let apart = if identifier == "'global'" { 429 } else { 200 };
        assert_eq!(service.send(second).await.status, apart, "{identifier}");
        assert_eq!(service.send(same).await.status, 429, "{identifier}");
    }
}

#[test]
fn entries_cannot_be_added_to_those_of_a_file() {
    let config = Config::parse("rules = []", Format::Toml).expect("a right file");
    let throttle = Throttle::from_config(&config);
    let error = throttle.paths("^/a", []).expect_err("two sources");
    assert!(
        error.to_string().contains("those of a configuration"),
        "{error}"
    );
}
