//! Networks of clients: allowed and denied ones charge nothing in the store, and all addresses of
//! one client have one counter there.

use actix_throttle::{
    Config, Identity, Limit, Paths, RequestError, Rule, Throttle, config::Format, rate_limit,
};
use actix_web::{HttpResponse, get, test::TestRequest, web::ServiceConfig};

use super::{super::for_every_store, behind, service};
use harness::{
    http::app::{TestService, get_from},
    stores::StoreFixture,
};

for_every_store!(
    allowed_and_denied_clients_charge_nothing,
    longer_prefix_decides,
    reported_address_has_the_counter_of_its_client,
    socket_has_no_network,
    entry_counts_the_clients_of_its_networks,
    reloaded_networks_decide_the_next_request,
);

const LIMIT: Limit = Limit::per_minute(3).name("networks").zone("networks");

#[get("/")]
#[rate_limit("3/minute", name = "networks", zone = "networks")]
async fn limited() -> HttpResponse {
    HttpResponse::Ok().finish()
}

#[get("/free")]
async fn free() -> HttpResponse {
    HttpResponse::Ok().finish()
}

fn routes(config: &mut ServiceConfig) {
    config.service((limited, free));
}

/// Sends a request from this address, and returns its status.
async fn status(service: &TestService, address: &str, path: &str) -> u16 {
    service.send(get_from(address, path)).await.status
}

/// Returns what an address has left of the limit.
async fn left(store: &StoreFixture, address: &str) -> u32 {
    let client = Identity::ip(address.parse().unwrap());
    store.limiter.remaining(&LIMIT, client).await.unwrap()
}

async fn allowed_and_denied_clients_charge_nothing(store: &StoreFixture) {
    let store = store.with_settings(|builder| {
        let builder = builder.allow(["10.0.0.0/8", "2001:db8:1::/48"]).unwrap();
        builder
            .deny(["198.51.100.0/24", "2001:db8:2::/48"])
            .unwrap()
    });
    let store = store.await;
    let throttle = Throttle::new().paths("^/free", [Rule::new(LIMIT)]).unwrap();
    let service = behind(&store, throttle, routes).await;
    for path in ["/", "/free"] {
        for (address, expected) in [
            ("10.1.2.3", 200),
            ("64:ff9b::10.1.2.3", 200),
            ("2001:db8:1::7", 200),
            ("198.51.100.9", 403),
            ("::ffff:198.51.100.9", 403),
            ("2001:db8:2::7", 403),
        ] {
            for _ in 0..5 {
                let replied = status(&service, address, path).await;
                assert_eq!(replied, expected, "{address} {path}");
            }
        }
    }
    for address in ["10.1.2.3", "2001:db8:1::7", "198.51.100.9", "2001:db8:2::7"] {
        assert_eq!(left(&store, address).await, 3, "{address}");
    }
    let others = service.statuses("/", 4).await;
    assert_eq!(others, [200, 200, 200, 429]);

    let denied = get_from("198.51.100.9", "/").to_http_request();
    let by_hand = store
        .limiter
        .check_request(&denied, &[Rule::new(LIMIT)])
        .await;
    assert!(matches!(by_hand, Err(RequestError::Forbidden)));
    let allowed = get_from("10.1.2.3", "/").to_http_request();
    let by_hand = store.limiter.enforce(&allowed, &LIMIT, "ann").await;
    assert!(by_hand.unwrap().limits().is_empty());
    assert_eq!(store.limiter.remaining(&LIMIT, "ann").await.unwrap(), 3);
}

async fn longer_prefix_decides(store: &StoreFixture) {
    let store = store.with_settings(|builder| {
        let builder = builder.allow(["10.0.0.0/8", "192.0.2.66"]).unwrap();
        builder.deny(["10.66.0.0/16", "192.0.2.64/28"]).unwrap()
    });
    let store = store.await;
    let service = service(&store, routes).await;
    for (address, expected) in [
        ("10.65.255.255", [200; 4]),
        ("10.66.0.0", [403; 4]),
        ("10.67.0.0", [200; 4]),
        ("192.0.2.65", [403; 4]),
        ("192.0.2.66", [200; 4]),
        ("192.0.2.80", [200, 200, 200, 429]),
    ] {
        for expected in expected {
            assert_eq!(status(&service, address, "/").await, expected, "{address}");
        }
    }
}

async fn reported_address_has_the_counter_of_its_client(store: &StoreFixture) {
    let store = store.with_settings(|builder| {
        let builder = builder.trusted_proxies(["10.9.9.9", "unix"]).unwrap();
        let builder = builder.client_ip_header("CF-Connecting-IP");
        builder.deny(["203.0.113.0/24"]).unwrap()
    });
    let store = store.await;
    let service = service(&store, routes).await;
    let reported = async |request: TestRequest, client: &'static str| {
        let request = request.insert_header(("CF-Connecting-IP", client));
        service.send(request).await.status
    };
    let by_proxy = || get_from("10.9.9.9", "/");
    let by_socket = || TestRequest::get().uri("/");
    assert_eq!(status(&service, "192.0.2.7", "/").await, 200);
    assert_eq!(reported(by_proxy(), "64:ff9b::192.0.2.7").await, 200);
    assert_eq!(reported(by_socket(), "192.0.2.7").await, 200);
    assert_eq!(left(&store, "192.0.2.7").await, 0);
    assert_eq!(reported(by_proxy(), "192.0.2.7").await, 429);

    assert_eq!(reported(by_proxy(), "203.0.113.1").await, 403);
    // A client cannot report an address.
    assert_eq!(
        reported(get_from("192.0.2.8", "/"), "203.0.113.1").await,
        200
    );
    assert_eq!(left(&store, "192.0.2.8").await, 2);
    assert_eq!(left(&store, "203.0.113.1").await, 3);
}

async fn socket_has_no_network(store: &StoreFixture) {
    let everyone = ["0.0.0.0/0", "::/0"];
    let store = store.with_settings(|builder| builder.deny(everyone).unwrap());
    let store = store.await;
    let service = service(&store, routes).await;
    let by_socket = async || service.send(TestRequest::get().uri("/")).await.status;
    for expected in [200, 200, 200, 429] {
        assert_eq!(by_socket().await, expected);
    }
    assert_eq!(status(&service, "192.0.2.7", "/").await, 403);
}

async fn entry_counts_the_clients_of_its_networks(store: &StoreFixture) {
    let office = Paths::all().networks(["10.0.0.0/8", "2001:db8::/32"]);
    let throttle = Throttle::new()
        .paths(office.unwrap(), [Rule::new(LIMIT)])
        .unwrap();
    let text = "[[rules]]\nnetworks = ['10.0.0.0/8', '2001:db8::/32']\n\
                limits = [{ times = 3, seconds = 60, name = 'networks', zone = 'networks' }]";
    let config = Config::parse(text, Format::Toml).unwrap();
    let by_file = store.with_settings(|builder| builder.config(&config)).await;
    for (store, throttle) in [
        (store, throttle),
        (&by_file, Throttle::from_config(&config)),
    ] {
        let service = behind(store, throttle, routes).await;
        for address in ["10.1.1.1", "2001:db8::1"] {
            for expected in [200, 200, 200, 429] {
                assert_eq!(status(&service, address, "/free").await, expected);
            }
            assert_eq!(left(store, address).await, 0, "{address}");
        }
        for _ in 0..5 {
            assert_eq!(status(&service, "192.0.2.7", "/free").await, 200);
        }
        assert_eq!(left(store, "192.0.2.7").await, 3);
    }
}

async fn reloaded_networks_decide_the_next_request(store: &StoreFixture) {
    let config = Config::parse("deny = ['192.0.2.0/24']\nrules = []", Format::Toml).unwrap();
    let store = store.with_settings(|builder| builder.config(&config)).await;
    let service = service(&store, routes).await;
    assert_eq!(status(&service, "192.0.2.7", "/").await, 403);
    config.replace("allow = ['192.0.2.7']\nrules = []").unwrap();
    for _ in 0..5 {
        assert_eq!(status(&service, "192.0.2.7", "/").await, 200);
    }
    assert_eq!(left(&store, "192.0.2.7").await, 3);
    config.replace("rules = []").unwrap();
    for expected in [200, 200, 200, 429] {
        assert_eq!(status(&service, "192.0.2.7", "/").await, expected);
    }
}
