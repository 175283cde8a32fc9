//! Handlers outside of a module: in functions, of types, of traits. Each has a counter of its own,
//! and compiles as it would without its limit.

use std::fmt::Display;

use actix_throttle::{Identity, Limited, rate_limit};
use actix_web::{
    FromRequest, HttpRequest, HttpResponse, Responder, body::to_bytes, get, test::TestRequest, web,
    web::ServiceConfig,
};

use harness::http::app::{TestApp, get, in_own_process, post};

fn first(config: &mut ServiceConfig) {
    #[rate_limit("2/minute")]
    async fn index() -> &'static str {
        "first"
    }
    config.route("/first", web::get().to(index));
}

fn second(config: &mut ServiceConfig) {
    #[get("/second")]
    #[rate_limit("2/minute")]
    async fn index() -> &'static str {
        "second"
    }
    config.service(index);
}

#[get("/third")]
#[rate_limit("2/minute")]
async fn index() -> &'static str {
    "third"
}

struct Hello;

struct Numbers<T>(T);

impl Hello {
    const TIMES: u32 = 2;

    #[rate_limit("2/minute")]
    async fn index() -> impl Responder {
        Self::text()
    }

    #[rate_limit(times = Self::TIMES, minutes = 1, identifier = Self::user, cost = Self::cost)]
    async fn own(_: HttpRequest) -> Result<impl Responder, actix_web::Error> {
        Ok::<_, actix_web::Error>(Self::text())
    }

    fn user(request: &HttpRequest) -> Option<Identity> {
        let user = request.headers().get("X-User")?;
        Some(Identity::new(user.to_str().ok()?))
    }

    async fn cost(_: &HttpRequest) -> u32 {
        2
    }

    fn text() -> &'static str {
        "hello"
    }
}

impl<T: FromRequest + Display + Times + 'static> Numbers<T> {
    #[rate_limit("2/minute")]
    async fn index(number: T) -> String {
        Self(number).show()
    }

    /// Two limits whose quotas and identities depend on `T`: each type counts apart.
    #[rate_limit(times = Self::TIMES, minutes = 1, identifier = Self::everyone, zone = "numbers")]
    #[rate_limit(
        times = Self::MANY, minutes = 1 + Self::MANY, identifier = Self::everyone, zone = "numbers"
    )]
    async fn own(number: T) -> String {
        Self(number).show()
    }

    const TIMES: u32 = T::TIMES;
    const MANY: u32 = 9 * T::TIMES;

    fn everyone(_: &HttpRequest) -> &'static str {
        T::NAME
    }

    fn show(self) -> String {
        format!("{} {}", T::NAME, self.0)
    }
}

trait Times {
    const TIMES: u32;
    const NAME: &'static str;
}

impl Times for String {
    const TIMES: u32 = 1;
    const NAME: &'static str = "text";
}

/// An extractor that keeps the length of the body.
struct Length(usize);

impl Times for Length {
    const TIMES: u32 = 3;
    const NAME: &'static str = "length";
}

impl Display for Length {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl FromRequest for Length {
    type Error = actix_web::Error;
    type Future = std::pin::Pin<Box<dyn Future<Output = Result<Self, Self::Error>>>>;

    fn from_request(request: &HttpRequest, payload: &mut actix_web::dev::Payload) -> Self::Future {
        let text = String::from_request(request, payload);
        Box::pin(async move { Ok(Self(text.await?.len())) })
    }
}

trait Resource {
    fn index(id: Limited<(web::Path<u32>,)>) -> impl Future<Output = HttpResponse>;

    #[rate_limit("2/minute")]
    async fn provided() -> &'static str {
        "provided"
    }
}

impl Resource for Hello {
    #[rate_limit("2/minute")]
    async fn index(id: web::Path<u32>) -> String {
        format!("{} {id}", Self::text())
    }
}

fn routes(config: &mut ServiceConfig) {
    config
        .configure(first)
        .configure(second)
        .service(index)
        .route("/hello", web::get().to(Hello::index))
        .route("/numbers", web::get().to(Numbers::<String>::index))
        .route("/resource/{id}", web::get().to(<Hello as Resource>::index))
        .route("/provided", web::get().to(Hello::provided))
        .route("/own", web::get().to(Hello::own))
        .route("/text", web::post().to(Numbers::<String>::own))
        .route("/length", web::post().to(Numbers::<Length>::own));
}

#[actix_web::test]
async fn handlers_of_one_name_count_apart() {
    let service = TestApp::new().await.service(routes).await;
    for (path, text) in [
        ("/first", "first"),
        ("/second", "second"),
        ("/third", "third"),
        ("/hello", "hello"),
        ("/numbers", "text "),
        ("/resource/7", "hello 7"),
        ("/provided", "provided"),
    ] {
        let answer = service.get(path).await;
        assert_eq!(
            (answer.text(), answer.remaining()),
            (text, Some(1)),
            "{path}"
        );
        assert_eq!(service.statuses(path, 2).await, [200, 429], "{path}");
    }
}

#[actix_web::test]
async fn arguments_may_speak_of_self_and_of_its_parameters() {
    let service = TestApp::new().await.service(routes).await;
    for user in ["ann", "bob"] {
        for status in [200, 429] {
            let request = get("/own").insert_header(("X-User", user));
            assert_eq!(service.send(request).await.status, status, "{user}");
        }
    }
    for (path, times, text) in [("/length", 3, "length 4"), ("/text", 1, "text body")] {
        for left in (0..times).rev() {
            let answer = service.send(post(path).set_payload("body")).await;
            assert_eq!(
                (answer.text(), answer.quota()),
                (text, Some([times, left, 60]))
            );
        }
        assert_eq!(service.send(post(path)).await.status, 429, "{path}");
    }
}

/// Two handlers have the same default zone. An error names them and says what to do.
#[actix_web::test]
async fn handlers_that_share_a_default_zone_are_reported() {
    let test = "homes::handlers_that_share_a_default_zone_are_reported";
    let Some(output) = in_own_process(test) else {
        fn nested(config: &mut ServiceConfig) {
            {
                #[rate_limit("2/minute")]
                async fn twin() -> &'static str {
                    "one"
                }
                config.route("/one", web::get().to(twin));
            }
            #[rate_limit("2/minute")]
            async fn twin() -> &'static str {
                "other"
            }
            config.route("/other", web::get().to(twin));
        }
        env_logger::init();
        let service = TestApp::new().await.service(nested).await;
        for path in ["/one", "/other", "/other"] {
            service.get(path).await;
        }
        return;
    };
    let told = "two handlers named `twin` share the default zone";
    assert_eq!(output.matches(told).count(), 1, "{output}");
}

#[actix_web::test]
async fn handler_is_called_without_its_limit_and_without_a_limiter() {
    #[rate_limit("1/minute")]
    async fn sum(numbers: web::Json<Vec<u32>>, request: HttpRequest) -> impl Responder {
        format!("{} {}", request.path(), numbers.iter().sum::<u32>())
    }
    #[rate_limit("1/minute")]
    async fn found() -> Option<&'static str> {
        None
    }
    for _ in 0..3 {
        let request = TestRequest::with_uri("/sum").to_http_request();
        let arguments = (web::Json(vec![1, 2, 3]), request);
        let response = sum(Limited::bypass(arguments)).await;
        assert_eq!(response.status(), 200);
        assert_eq!(
            to_bytes(response.into_body()).await.expect("a body"),
            "/sum 6"
        );

        assert_eq!(found(Limited::bypass(())).await.status(), 404);
        let response = Hello::index(Limited::bypass(())).await;
        assert_eq!(
            to_bytes(response.into_body()).await.expect("a body"),
            "hello"
        );
        let response = <Hello as Resource>::index(Limited::bypass((web::Path::from(5),))).await;
        assert_eq!(
            to_bytes(response.into_body()).await.expect("a body"),
            "hello 5"
        );
    }
}

#[actix_web::test]
async fn response_of_a_handler_called_by_hand_is_for_the_request() {
    #[rate_limit("1/minute")]
    async fn method() -> ByMethod {
        ByMethod
    }
    struct ByMethod;
    impl Responder for ByMethod {
        type Body = actix_web::body::BoxBody;

        fn respond_to(self, request: &HttpRequest) -> HttpResponse {
            HttpResponse::Ok().body(request.method().to_string())
        }
    }
    let request = TestRequest::post().to_http_request();
    let response = method(Limited::bypass_for(request, ())).await;
    assert_eq!(
        to_bytes(response.into_body()).await.expect("a body"),
        "POST"
    );
}
