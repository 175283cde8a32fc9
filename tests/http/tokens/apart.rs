//! One user name from several sources makes several identities.

use std::sync::atomic::{AtomicUsize, Ordering};

use actix_session::{SessionExt, SessionMiddleware, storage::CookieSessionStore};
use actix_web::{cookie::Key, dev::Service, web};

use super::*;

static ASKED: AtomicUsize = AtomicUsize::new(0);

async fn by_function(_: &HttpRequest) -> Result<(String, &'static str), std::fmt::Error> {
    ASKED.fetch_add(1, Ordering::SeqCst);
    Ok(("42".to_owned(), "pro"))
}

static BY_SESSION: LazyLock<Identifier> = LazyLock::new(Identifier::session);
static BY_OTHER_KEY: LazyLock<Identifier> =
    LazyLock::new(|| Identifier::session_keys("account", "group"));

/// The remaining quota, of three, for each of these identifiers, in one zone and one group.
#[get("/")]
async fn one_zone(request: HttpRequest) -> String {
    static RULES: LazyLock<Vec<Rule>> = LazyLock::new(|| {
        let limit = || Rule::new(Limit::per_minute(3).zone("one")).group("pro");
        vec![
            limit().identifier(&BY_TOKEN),
            limit().identifier(&BY_SESSION),
            limit().identifier(&BY_OTHER_KEY),
            limit().identifier(by_function),
        ]
    });
    let limiter: &RateLimiter = request.app_data().expect("a limiter");
    let mut remaining = Vec::new();
    for rule in &*RULES {
        let rule = std::slice::from_ref(rule);
        let decision = limiter.check_request(&request, rule).await;
        let decision = decision.expect("a decision").expect("a limit");
        remaining.push(decision.limits().first().map(|limit| limit.remaining()));
    }
    format!("{remaining:?}")
}

fn routes(config: &mut ServiceConfig) {
    let sessions = SessionMiddleware::new(CookieSessionStore::default(), Key::from(&[7; 64]));
    let scope = web::scope("")
        .service(one_zone)
        .wrap_fn(|request, service| {
            let session = request.get_session();
            for (key, value) in [("user", "42"), ("account", "42"), ("group", "pro")] {
                session.insert(key, value).expect("JSON");
            }
            service.call(request)
        })
        .wrap(sessions);
    config.service(scope);
}

#[actix_web::test]
async fn users_of_different_sources_count_separately() {
    let service = TestApp::new().await.service(routes).await;
    let claims = json!({ "sub": "42", "group": "pro", "exp": in_seconds(600) });
    let token = format!("Bearer {}", Issuer::secret(SECRET).token(&claims));
    for remaining in [2, 1, 0] {
        let request = get("/").insert_header(("Authorization", token.clone()));
        let answer = service.send(request).await;
        assert_eq!(answer.text(), format!("{:?}", [Some(remaining); 4]));
    }
    assert_eq!(ASKED.load(Ordering::SeqCst), 3);
}
