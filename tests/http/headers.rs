//! `X-RateLimit-*` and `Retry-After`: the styles, and the limit that they show.

use std::time::Duration;

use actix_throttle::{HeaderStyle, ManualClock, rate_limit};
use actix_web::{
    HttpResponse, Responder,
    error::{ErrorInternalServerError, ErrorNotFound},
    get,
    web::{self, Bytes, ServiceConfig},
};

use harness::http::app::TestApp;

#[get("/one")]
#[rate_limit("2/minute")]
async fn one() -> &'static str {
    "ok"
}

#[get("/three")]
#[rate_limit("3/second")]
#[rate_limit("5/10 seconds", algorithm = "fixed_window")]
#[rate_limit("8/minute")]
async fn three() -> &'static str {
    "ok"
}

/// Three limits with the same remaining quota.
#[get("/tie")]
#[rate_limit("3/second")]
#[rate_limit("3/minute")]
#[rate_limit("3/10 seconds")]
async fn tie() -> &'static str {
    "ok"
}

#[get("/parts")]
#[rate_limit(times = 2, milliseconds = 2_500)]
async fn parts() -> &'static str {
    "ok"
}

#[get("/fails/{how}")]
#[rate_limit("9/minute")]
async fn fails(how: web::Path<String>) -> actix_web::Result<HttpResponse> {
    match how.as_str() {
        "error" => Err(ErrorInternalServerError("broken")),
        "missing" => Err(ErrorNotFound("missing")),
        "response" => Ok(HttpResponse::NotFound().body("gone")),
        "busy" => Ok(HttpResponse::ServiceUnavailable()
            .insert_header(("Retry-After", "7"))
            .finish()),
        _ => Ok(HttpResponse::NoContent().finish()),
    }
}

#[get("/own")]
#[rate_limit("9/minute")]
async fn own_headers() -> impl Responder {
    HttpResponse::Ok()
        .insert_header(("X-RateLimit-Limit", "1000000"))
        .append_header(("X-RateLimit-Limit", "2000000"))
        .insert_header(("RateLimit", "\"own\";r=1;t=1"))
        .insert_header(("X-Own", "kept"))
        .finish()
}

/// A body that is not in memory.
#[get("/stream")]
#[rate_limit("9/minute")]
async fn stream() -> HttpResponse {
    struct Pieces(u8);
    impl futures_core::Stream for Pieces {
        type Item = Result<Bytes, actix_web::Error>;

        fn poll_next(
            mut self: std::pin::Pin<&mut Self>,
            _: &mut std::task::Context<'_>,
        ) -> std::task::Poll<Option<Self::Item>> {
            self.0 += 1;
            let piece = (self.0 < 4).then(|| Ok(Bytes::from(self.0.to_string())));
            std::task::Poll::Ready(piece)
        }
    }
    HttpResponse::Ok().streaming(Pieces(0))
}

fn routes(config: &mut ServiceConfig) {
    config
        .service((one, three, tie, parts))
        .service((fails, own_headers, stream));
}

async fn styled(style: HeaderStyle) -> TestApp {
    TestApp::with(|builder| builder.headers(style)).await
}

#[actix_web::test]
async fn allowed_shows_the_limit_with_the_least_remaining() {
    let test_app = TestApp::new().await;
    let service = test_app.service(routes).await;
    for quota in [[3, 2, 1], [3, 1, 1], [3, 0, 1]] {
        assert_eq!(service.get("/three").await.quota(), Some(quota));
    }
    test_app.after_seconds(1);
    for quota in [[5, 1, 9], [5, 0, 9]] {
        assert_eq!(service.get("/three").await.quota(), Some(quota));
    }
}

#[actix_web::test]
async fn equally_strict_limits_show_the_longest_reset() {
    let service = TestApp::new().await.service(routes).await;
    assert_eq!(service.get("/tie").await.quota(), Some([3, 2, 60]));
    assert_eq!(service.get("/tie").await.quota(), Some([3, 1, 60]));
}

#[actix_web::test]
async fn denied_shows_the_violated_limit_with_the_longest_wait() {
    let test_app = TestApp::new().await;
    let service = test_app.service(routes).await;
    assert_eq!(service.statuses("/three", 3).await, [200, 200, 200]);
    let denied = service.get("/three").await;
    assert_eq!(
        (denied.quota(), denied.retry_after()),
        (Some([3, 0, 1]), Some(1))
    );
    test_app.after_seconds(1);
    assert_eq!(service.statuses("/three", 2).await, [200, 200]);
    let denied = service.get("/three").await;
    assert_eq!(
        (denied.quota(), denied.retry_after()),
        (Some([5, 0, 9]), Some(9))
    );
    test_app.after_seconds(9);
    assert_eq!(service.statuses("/three", 3).await, [200, 200, 200]);
    // Two limits are violated, with waits of one second and fifty.
    let denied = service.get("/three").await;
    assert_eq!(denied.quota(), Some([8, 0, 60]));
    assert_eq!(denied.retry_after(), Some(50));
    let policies = serde_json::json!(["three", "three-3"]);
    assert_eq!(denied.json()["violated-policies"], policies);
}

#[actix_web::test]
async fn reset_and_retry_after_are_rounded_up() {
    let test_app = TestApp::new().await;
    let service = test_app.service(routes).await;
    assert_eq!(service.get("/parts").await.quota(), Some([2, 1, 3]));
    test_app.after_millis(500);
    assert_eq!(service.get("/parts").await.quota(), Some([2, 0, 3]));
    for (after, reset, wait) in [
        (0, 3, 2),
        (1, 3, 2),
        (499_999, 2, 2),
        (500_000, 2, 1),
        (499_999, 2, 1),
        (1, 1, 1),
        (499_999, 1, 1),
    ] {
        test_app.after_micros(after);
        let denied = service.get("/parts").await;
        assert_eq!(denied.status, 429);
        assert_eq!(denied.quota(), Some([2, 0, reset]), "after {after}");
        assert_eq!(denied.retry_after(), Some(wait), "after {after}");
    }
    test_app.after_micros(1);
    assert_eq!(service.get("/parts").await.status, 200);
}

#[actix_web::test]
async fn failures_of_the_handler_carry_the_headers() {
    let service = TestApp::new().await.service(routes).await;
    for (how, status, body, remaining) in [
        ("error", 500, "broken", 8),
        ("missing", 404, "missing", 7),
        ("response", 404, "gone", 6),
        ("nothing", 204, "", 5),
    ] {
        let answer = service.get(&format!("/fails/{how}")).await;
        assert_eq!((answer.status, answer.text()), (status, body));
        assert_eq!(answer.quota(), Some([9, remaining, 60]), "{how}");
        assert_eq!(answer.retry_after(), None, "{how}");
    }
    let busy = service.get("/fails/busy").await;
    assert_eq!((busy.status, busy.retry_after()), (503, Some(7)));
    assert_eq!(busy.remaining(), Some(4));
    assert!(service.get("/nowhere").await.is_unlimited());
}

#[actix_web::test]
async fn headers_of_handler_are_kept_beside_ours() {
    let service = styled(HeaderStyle::Both).await.service(routes).await;
    let answer = service.get("/own").await;
    assert_eq!(answer.quota(), Some([9, 8, 60]));
    assert_eq!(
        answer.header("RateLimit"),
        Some(r#""own_headers";r=8;t=60, "own";r=1;t=1"#)
    );
    assert_eq!(answer.header("X-Own"), Some("kept"));
}

#[actix_web::test]
async fn streamed_bodies_pass_with_the_headers_on_them() {
    let answer = TestApp::new()
        .await
        .service(routes)
        .await
        .get("/stream")
        .await;
    assert_eq!((answer.status, answer.text()), (200, "123"));
    assert_eq!(answer.quota(), Some([9, 8, 60]));
}

/// Reports which headers a response has: `X-RateLimit-*`, `RateLimit` and `RateLimit-Policy`.
fn shown(answer: &harness::http::app::TestResponse) -> [bool; 3] {
    [
        answer.quota().is_some(),
        answer.header("RateLimit").is_some(),
        answer.header("RateLimit-Policy").is_some(),
    ]
}

#[actix_web::test]
async fn style_says_which_headers_there_are() {
    for (style, headers) in [
        (HeaderStyle::XRateLimit, [true, false, false]),
        (HeaderStyle::Ietf, [false, true, true]),
        (HeaderStyle::Both, [true, true, true]),
        (HeaderStyle::GitHub, [true, false, false]),
        (HeaderStyle::Off, [false, false, false]),
    ] {
        let service = styled(style).await.service(routes).await;
        for _ in 0..2 {
            let answer = service.get("/one").await;
            assert_eq!((answer.status, shown(&answer)), (200, headers), "{style:?}");
            assert_eq!(answer.retry_after(), None, "{style:?}");
        }
        let denied = service.get("/one").await;
        assert_eq!((denied.status, shown(&denied)), (429, headers), "{style:?}");
        assert_eq!(denied.retry_after(), Some(60), "{style:?}");
    }
    assert_eq!(HeaderStyle::default(), HeaderStyle::XRateLimit);
}

#[actix_web::test]
async fn github_style_resets_at_a_time_of_day_rounded_up() {
    let test_app = styled(HeaderStyle::GitHub).await;
    let service = test_app.service(routes).await;
    let now = test_app.clock.now().as_secs();
    assert_eq!(service.get("/one").await.quota(), Some([2, 1, now + 60]));
    test_app.after_micros(1);
    assert_eq!(service.get("/one").await.quota(), Some([2, 0, now + 61]));
    test_app.after_seconds(30);
    let denied = service.get("/one").await;
    assert_eq!(denied.quota(), Some([2, 0, now + 61]));
    assert_eq!(denied.retry_after(), Some(30), "from now on, as ever");
}

#[actix_web::test]
async fn a_slow_handler_does_not_move_the_reset() {
    #[get("/slow")]
    #[rate_limit(times = 2, seconds = 60)]
    async fn slow(clock: web::Data<ManualClock>) -> &'static str {
        clock.advance(Duration::from_secs(30));
        "ok"
    }
    let test_app = styled(HeaderStyle::GitHub).await;
    let clock = web::Data::new(test_app.clock.clone());
    let now = test_app.clock.now().as_secs();
    let service = test_app
        .service(|config| {
            config.app_data(clock).service(slow);
        })
        .await;
    assert_eq!(service.get("/slow").await.quota(), Some([2, 1, now + 60]));
}
