use actix_throttle::concurrency_limit;
use actix_web::get;

const MAX: u32 = 2;

#[get("/")]
#[concurrency_limit(MAX)]
async fn index() -> String {
    MAX.to_string()
}

fn main() {}
