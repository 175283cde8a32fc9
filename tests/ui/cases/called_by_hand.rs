use actix_throttle::rate_limit;
use actix_web::web;

#[rate_limit("2/second")]
async fn index(id: web::Path<u32>) -> String {
    id.to_string()
}

fn main() {
    let _ = index(web::Path::from(7));
}
