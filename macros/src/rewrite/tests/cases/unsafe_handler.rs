use actix_throttle::rate_limit;

#[rate_limit("2/second")]
async unsafe fn index() -> &'static str {
    "hello"
}

fn main() {
    let _ = unsafe { index() };
}
