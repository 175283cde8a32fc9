use actix_throttle::rate_limit;

// A handler as apistos' `#[api_operation]` leaves it behind.
#[rate_limit("2/second")]
fn index() -> impl Future<Output = &'static str> + Unpin {
    std::future::ready("hello")
}

fn main() {}
