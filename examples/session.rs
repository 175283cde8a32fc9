//! Users and plans out of a session (`actix-session`), and a login that is limited by address.

use actix_session::{Session, SessionMiddleware, storage::CookieSessionStore};
use actix_throttle::{Identifier, RateLimiter, actix_session, rate_limit};
use actix_web::{App, HttpServer, cookie::Key, get, web};

/// A login of anyone, who gets a session. A real application asks for a password here.
#[get("/login/{user}/{plan}")]
#[rate_limit("5/minute", identifier = ip)]
async fn login(path: web::Path<(String, String)>, session: Session) -> actix_web::Result<String> {
    let (user, plan) = path.into_inner();
    session.insert("user", &user)?;
    session.insert("group", plan)?;
    Ok(format!("hello {user}\n"))
}

/// Each user has 2 requests a minute, and 4 with the plan `pro`. A request without a session counts
/// by its address.
#[get("/report")]
#[rate_limit("2/minute")]
#[rate_limit("4/minute", group = "pro")]
async fn report() -> &'static str {
    "a report\n"
}

#[actix_web::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    RateLimiter::builder()
        .memory()
        .identifier(Identifier::session())
        .init()
        .await?;
    // Sessions end when the program does. Load the key from a secret to keep them.
    let key = Key::generate();
    println!("try, and then the second line several times:");
    println!("  curl -c ada.txt http://127.0.0.1:8080/login/ada/pro");
    println!("  curl -b ada.txt -i http://127.0.0.1:8080/report");
    HttpServer::new(move || {
        // The cookie is sent without TLS, too: there is none here.
        let sessions = SessionMiddleware::builder(CookieSessionStore::default(), key.clone());
        App::new()
            .service(login)
            .service(report)
            .wrap(sessions.cookie_secure(false).build())
    })
    .bind(("127.0.0.1", 8080))?
    .run()
    .await?;
    Ok(())
}
