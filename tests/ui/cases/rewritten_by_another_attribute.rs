use actix_throttle::rate_limit;

// As apistos' `#[api_operation]` leaves a handler behind.
#[rate_limit("2/second")]
fn index() -> impl Future<Output = &'static str> + Unpin {
    std::future::ready("hello")
}

fn main() {}
