use actix_throttle::rate_limit;

#[rate_limit("2/second")]
#[rate_limit("5/minute")]
struct Api;

impl Api {
    const PATH: &str = "/api";
}

fn main() {
    println!("{}", Api::PATH);
}
