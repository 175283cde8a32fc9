//! Identities that consist of two parts: one counter for each combination.

use actix_throttle::{Identifier, Limit, Rule, Throttle, rate_limit};
use actix_web::{HttpResponse, get, web};

use super::{super::for_every_store, behind, service};
use harness::{http::app::get_from, stores::StoreFixture};

for_every_store!(each_combination_has_a_counter);

#[get("/")]
#[rate_limit("2/minute", identifier = (ip, header("X-Tenant")))]
async fn by_attribute() -> &'static str {
    "ok"
}

async fn each_combination_has_a_counter(store: &StoreFixture) {
    let identifier = Identifier::all([Identifier::ip(), Identifier::header("X-Tenant")]);
    let rule = Rule::new(Limit::per_minute(2).name("pair")).identifier(identifier);
    let throttle = Throttle::new().paths(".*", [rule]).unwrap();
    let free = |config: &mut web::ServiceConfig| {
        config.route("/", web::get().to(HttpResponse::Ok));
    };
    let attribute = service(store, |config| {
        config.service(by_attribute);
    });
    for service in [attribute.await, behind(store, throttle, free).await] {
        let send = async |address: &str, tenant: &'static str| {
            let request = get_from(address, "/").insert_header(("X-Tenant", tenant));
            service.send(request).await.status
        };
        for (address, tenant) in [
            ("192.0.2.1", "red"),
            ("192.0.2.1", "blue"),
            ("192.0.2.2", "red"),
            ("2001:db8::1", "red"),
            // Texts that a careless key would confuse with others.
            ("192.0.2.1", "red,blue"),
            ("192.0.2.1", "{red}"),
            ("192.0.2.1", "red}:x"),
        ] {
            let statuses = [
                send(address, tenant).await,
                send(address, tenant).await,
                send(address, tenant).await,
            ];
            assert_eq!(statuses, [200, 200, 429], "{address} {tenant}");
        }
    }
}
