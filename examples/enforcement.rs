//! New limits in an old service: they count first, and are enforced by a switch.

use actix_throttle::{Enforcement, RateLimiter, rate_limit};
use actix_web::{App, HttpResponse, HttpServer, get, put, web};

#[get("/")]
#[rate_limit("2/minute")]
async fn index() -> &'static str {
    "hello\n"
}

/// The switch. A service of yours asks who wants that.
#[put("/enforcement/{mode}")]
async fn switch(limiter: web::Data<RateLimiter>, mode: web::Path<String>) -> HttpResponse {
    let mode = match mode.as_str() {
        "on" => Enforcement::On,
        "shadow" => Enforcement::Shadow,
        "off" => Enforcement::Off,
        _ => return HttpResponse::BadRequest().body("on, shadow or off?\n"),
    };
    limiter.set_enforcement(mode);
    HttpResponse::Ok().body("done\n")
}

#[actix_web::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    env_logger::init_from_env(env_logger::Env::default().default_filter_or("info"));
    let limiter = RateLimiter::builder()
        .memory()
        .enforcement(Enforcement::Shadow)
        .build()
        .await?;
    println!("try:");
    println!("  for i in 1 2 3; do curl -i http://127.0.0.1:8080/; done");
    println!("  curl -X PUT http://127.0.0.1:8080/enforcement/on");
    println!("  curl -i http://127.0.0.1:8080/");
    HttpServer::new(move || {
        App::new()
            .app_data(limiter.clone()) // for limited handlers
            .app_data(web::Data::new(limiter.clone())) // for the switch
            .service((index, switch))
    })
    .bind(("127.0.0.1", 8080))?
    .run()
    .await?;
    Ok(())
}
