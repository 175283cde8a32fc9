use actix_throttle::rate_limit;

struct Api;

impl Api {
    #[rate_limit("2/second")]
    async fn index(&self) -> &'static str {
        "hello"
    }
}

fn main() {
    let _ = Api.index();
}
