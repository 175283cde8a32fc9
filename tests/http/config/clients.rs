//! Clients in a configuration file: networks, proxies, the header of the address, and
//! combinations. A reload replaces it.

use actix_throttle::{Config, Throttle, config::Format, rate_limit};
use actix_web::{get, web::ServiceConfig};

use harness::http::app::{TestApp, TestService, get_from};

const TOML: &str = r#"
allow = ["10.0.0.0/8"]
deny = ["10.66.0.0/16", "2001:db8::/32"]
trusted_proxies = ["172.16.0.1", "unix"]
client_ip_header = "X-Client"

[[rules]]
name = "office"
networks = ["192.0.2.0/24"]
limits = ["50/minute"]

[[rules]]
path = "^/pair"
identifier = ["ip", { header = "X-Tenant" }]
limits = ["2/minute"]

[[rules]]
limits = ["5/minute"]
"#;

const YAML: &str = r#"
allow: [10.0.0.0/8]
deny: [10.66.0.0/16, "2001:db8::/32"]
trusted_proxies: [172.16.0.1, unix]
client_ip_header: X-Client
rules:
  - name: office
    networks: [192.0.2.0/24]
    limits: [50/minute]
  - path: ^/pair
    identifier: [ip, "header:X-Tenant"]
    limits: [2/minute]
  - limits: [5/minute]
"#;

#[get("/limited")]
#[rate_limit("3/minute")]
async fn limited() -> &'static str {
    "ok"
}

#[get("/{tail:.*}")]
async fn rest() -> &'static str {
    "ok"
}

fn routes(config: &mut ServiceConfig) {
    config.service((limited, rest));
}

async fn service(config: &Config) -> TestService {
    let test_app = TestApp::with(|builder| {
        let builder = builder.allow(["198.51.100.0/24"]).expect("valid");
        builder.config(config)
    });
    let throttle = Throttle::from_config(config);
    test_app.await.behind(throttle, routes).await
}

/// The status of a request, and the times of the limit that decided it.
async fn decided(service: &TestService, address: &str, path: &str) -> (u16, Option<u64>) {
    let answer = service.send(get_from(address, path)).await;
    (answer.status, answer.number("X-RateLimit-Limit"))
}

#[actix_web::test]
async fn file_allows_denies_and_limits_by_network() {
    for (text, format) in [(TOML, Format::Toml), (YAML, Format::Yaml)] {
        let config = Config::parse(text, format).expect("a right file");
        let service = service(&config).await;
        for (address, path, expected) in [
            ("10.1.1.1", "/", (200, None)),
            ("10.1.1.1", "/limited", (200, None)),
            ("10.66.1.1", "/", (403, None)),
            ("2001:db8::1", "/limited", (403, None)),
            ("198.51.100.1", "/", (200, None)),
            ("192.0.2.9", "/", (200, Some(50))),
            ("203.0.113.9", "/", (200, Some(5))),
        ] {
            assert_eq!(
                decided(&service, address, path).await,
                expected,
                "{address}"
            );
        }
        let reported =
            |client: &'static str| get_from("172.16.0.1", "/").insert_header(("X-Client", client));
        assert_eq!(service.send(reported("10.66.1.1")).await.status, 403);
        let answer = service.send(reported("192.0.2.7")).await;
        assert_eq!(answer.number("X-RateLimit-Limit"), Some(50));
        let of_tenant = |tenant: &'static str| {
            get_from("203.0.113.1", "/pair").insert_header(("X-Tenant", tenant))
        };
        for (tenant, remaining) in [("a", 1), ("b", 1), ("a", 0)] {
            let answer = service.send(of_tenant(tenant)).await;
            assert_eq!(answer.remaining(), Some(remaining), "{tenant}");
        }
    }
}

#[actix_web::test]
async fn reload_replaces_networks_for_handlers_and_middleware() {
    let config = Config::parse("deny = ['192.0.2.1']\nrules = []", Format::Toml);
    let config = config.expect("a right file");
    let service = service(&config).await;
    for path in ["/", "/limited"] {
        assert_eq!(service.get(path).await.status, 403, "{path}");
    }
    let next = "allow = ['192.0.2.0/24']\ndeny = ['198.51.100.0/25']\nrules = []";
    let diff = config.replace(next).expect("a right file").to_string();
    let lines = [
        "allow changed: 192.0.2.0/24 added",
        "deny changed: 192.0.2.1/32 removed; 198.51.100.0/25 added",
    ];
    assert_eq!(diff.lines().collect::<Vec<_>>(), lines);
    assert_eq!(
        decided(&service, "192.0.2.1", "/limited").await,
        (200, None)
    );
    assert_eq!(
        decided(&service, "198.51.100.1", "/limited").await,
        (403, None)
    );
    assert_eq!(
        decided(&service, "198.51.100.200", "/limited").await,
        (200, None)
    );
    // An invalid file changes nothing.
    let equal = "allow = ['192.0.2.0/24']\ndeny = ['192.0.2.7/24']\nrules = []";
    let error = config.replace(equal).expect_err("equal networks");
    let expected = "configuration:2:9: `192.0.2.0/24` is in `allow` and in `deny`: remove it from \
                    one of them";
    assert_eq!(error.to_string(), expected);
    assert_eq!(
        decided(&service, "192.0.2.1", "/limited").await,
        (200, None)
    );
    config.replace("rules = []").expect("a right file");
    assert_eq!(
        decided(&service, "192.0.2.1", "/limited").await,
        (200, Some(3))
    );
}

#[actix_web::test]
async fn file_decides_where_builder_and_file_have_the_same_network() {
    let text = "deny = ['198.51.100.0/24']\nrules = []";
    let config = Config::parse(text, Format::Toml).expect("a right file");
    let service = service(&config).await;
    assert_eq!(
        decided(&service, "198.51.100.1", "/limited").await,
        (403, None)
    );
    let wider = "deny = ['198.51.0.0/16']\nrules = []";
    config.replace(wider).expect("a right file");
    assert_eq!(
        decided(&service, "198.51.100.1", "/limited").await,
        (200, None)
    );
    assert_eq!(
        decided(&service, "198.51.101.1", "/limited").await,
        (403, None)
    );
}
