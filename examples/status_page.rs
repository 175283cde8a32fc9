//! The status page of a service, behind a password. Open http://127.0.0.1:8080/limits/ in a
//! browser, with the name `admin` and the password `secret`; the name `reader` may look, but not
//! change anything. The service limits its own traffic meanwhile:
//!
//! ```console
//! $ for i in $(seq 100); do curl -so /dev/null http://127.0.0.1:8080/search; done
//! ```
//!
//! `PORT` is another port to listen on.

mod environment;

use std::io;

use actix_throttle::{Access, RateLimiter, StatusPage, rate_limit};
use actix_web::{
    App, Error, HttpMessage, HttpResponse, HttpServer,
    body::{EitherBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    get,
    http::header::{AUTHORIZATION, WWW_AUTHENTICATE},
    middleware::{self, Next},
    web,
};

#[get("/search")]
#[rate_limit("20/minute")]
async fn search() -> &'static str {
    "found\n"
}

/// A person who has logged in. A service of yours knows who that is.
#[derive(Clone, Copy)]
enum Staff {
    Operator,
    Reader,
}

/// Rejects requests of people who have not logged in. The password is in every request, as HTTP
/// basic authentication has it: serve it over TLS.
async fn log_in(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<EitherBody<impl MessageBody>>, Error> {
    let given = request.headers().get(AUTHORIZATION);
    let staff = match given.map(|value| value.as_bytes()) {
        // admin:secret and reader:secret, in base64.
        Some(b"Basic YWRtaW46c2VjcmV0") => Staff::Operator,
        Some(b"Basic cmVhZGVyOnNlY3JldA==") => Staff::Reader,
        _ => {
            let response = HttpResponse::Unauthorized()
                .insert_header((WWW_AUTHENTICATE, "Basic realm=\"limits\""))
                .finish();
            return Ok(request.into_response(response).map_into_right_body());
        }
    };
    request.extensions_mut().insert(staff);
    Ok(next.call(request).await?.map_into_left_body())
}

#[actix_web::main]
async fn main() -> io::Result<()> {
    env_logger::init_from_env(env_logger::Env::default().default_filter_or("info"));
    environment::limiter()?.init().await?;

    let server = HttpServer::new(|| {
        let page = StatusPage::new(|request| match request.extensions().get::<Staff>() {
            Some(Staff::Operator) => Access::Full,
            Some(Staff::Reader) => Access::ReadOnly,
            None => Access::Forbidden,
        });
        let limits = web::scope("/limits")
            .wrap(middleware::from_fn(log_in))
            .service(page);
        App::new().service(search).service(limits)
    });
    let port = environment::number("PORT")?.unwrap_or(8080);
    let server = server.bind(("127.0.0.1", port))?;
    println!("open http://127.0.0.1:{port}/limits/ as admin, with the password secret");
    server.run().await?;

    RateLimiter::close().await;
    Ok(())
}
