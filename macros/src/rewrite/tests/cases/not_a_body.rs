use actix_throttle::rate_limit;

trait Api {
    #[rate_limit("2/second")]
    async fn index() -> &'static str;
}

fn main() {}
