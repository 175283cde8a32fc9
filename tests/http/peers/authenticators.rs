//! asgi-ratelimit's authenticators: `client_ip`, `from_session`, `create_jwt_auth("KEY", "HS256")`.

use actix_session::{Session, SessionMiddleware, storage::CookieSessionStore};
use actix_throttle::{Identifier, Jwt, JwtKey, Limit, ManualClock, RateLimiter, Rule, Throttle};
use actix_web::{
    App, HttpResponse,
    cookie::{Cookie, Key},
    test::{TestRequest, call_service, init_service},
    web,
};
use serde_json::json;

use super::{
    super::tokens::issuer::{Issuer, in_seconds},
    Service,
};

const KEY: &str = "KEY, in 32 bytes or more of them.";

fn rules() -> [Rule; 3] {
    [
        Rule::new(Limit::per_minute(1)).group("default"),
        Rule::new(Limit::per_minute(3)).group("pro"),
        Rule::unlimited("admin"),
    ]
}

#[actix_web::test]
async fn client_ip() {
    let throttle = Throttle::new().identifier(Identifier::ip());
    let rules = [Rule::new(Limit::per_minute(1))];
    let service = Service::behind(throttle.paths("^/towns", rules).expect("an entry")).await;
    // asgi-ratelimit trusts `X-Real-IP` of any client. This crate trusts no client's header.
    assert_eq!(service.admitted("/towns", &[], 1).await, 1);
    for address in ["203.0.113.7", "203.0.113.8"] {
        let headers = [("X-Real-IP", address), ("X-Forwarded-For", address)];
        assert_eq!(service.admitted("/towns", &headers, 1).await, 0);
    }
}

#[actix_web::test]
async fn json_web_token() {
    let jwt = Jwt::builder().key(JwtKey::secret(KEY)).user_claim("user");
    let jwt = jwt.build().expect("a key");
    let throttle = Throttle::new().identifier(Identifier::jwt(jwt));
    let service = Service::behind(throttle.paths("^/towns", rules()).expect("an entry")).await;
    let issuer = Issuer::secret(KEY);
    let expiry = in_seconds(3_600);
    for (claims, admitted) in [
        (json!({ "user": "ann", "exp": expiry }), 1),
        (json!({ "user": "bob", "group": "pro", "exp": expiry }), 3),
        (json!({ "user": "eve", "group": "admin", "exp": expiry }), 5),
    ] {
        let token = format!("Bearer {}", issuer.token(&claims));
        let headers = [("Authorization", &*token)];
        assert_eq!(service.admitted("/towns", &headers, 5).await, admitted);
    }
}

#[actix_web::test]
async fn session() {
    let clock = ManualClock::new();
    let limiter = RateLimiter::builder().memory().clock(clock).build().await;
    let throttle = Throttle::new()
        .identifier(Identifier::session())
        .on_unidentified(|_: &_| HttpResponse::Unauthorized().finish())
        .paths("^/towns", rules())
        .expect("an entry");
    let sessions = SessionMiddleware::new(CookieSessionStore::default(), Key::from(&[7; 64]));
    async fn login(session: Session, user: web::Path<(String, String)>) -> HttpResponse {
        let (user, group) = user.into_inner();
        session.insert("user", user).expect("JSON");
        if group != "none" {
            session.insert("group", group).expect("JSON");
        }
        HttpResponse::Ok().finish()
    }
    let app = App::new()
        .app_data(limiter.expect("valid settings"))
        .route("/login/{user}/{group}", web::get().to(login))
        .route("/towns", web::get().to(HttpResponse::Ok))
        .wrap(throttle)
        // The outermost layer, so that the session exists before the throttle reads it.
        .wrap(sessions);
    let app = init_service(app).await;
    let towns = async |cookie: Option<Cookie<'static>>| {
        let mut request = TestRequest::get().uri("/towns");
        if let Some(cookie) = cookie {
            request = request.cookie(cookie);
        }
        call_service(&app, request.to_request())
            .await
            .status()
            .as_u16()
    };
    assert_eq!(towns(None).await, 401);
    for (user, group, admitted) in [("ann", "none", 1), ("bob", "pro", 3), ("eve", "admin", 5)] {
        let request = TestRequest::get().uri(&format!("/login/{user}/{group}"));
        let response = call_service(&app, request.to_request()).await;
        let cookie = response.response().cookies().next().expect("a session");
        let cookie = cookie.into_owned();
        let mut served = 0;
        for _ in 0..5 {
            served += usize::from(towns(Some(cookie.clone())).await == 200);
        }
        assert_eq!(served, admitted, "{user}");
    }
}
