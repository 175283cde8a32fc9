use actix_throttle::rate_limit;
use actix_web::{get, web};

struct Plan(u32);

#[get("/")]
#[rate_limit("2/second")]
async fn index(path: web::Path<u32>, plan: Plan) -> String {
    format!("{path}{}", plan.0)
}

fn main() {}
