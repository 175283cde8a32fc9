use actix_throttle::rate_limit;
use actix_web::get;

struct Plan;

#[get("/")]
#[rate_limit("2/second")]
async fn index() -> Plan {
    Plan
}

fn main() {}
