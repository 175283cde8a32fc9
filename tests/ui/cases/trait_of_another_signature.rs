use actix_throttle::rate_limit;
use actix_web::web;

trait Resource {
    fn show(id: web::Path<u32>) -> impl Future<Output = String>;
}

struct Items;

impl Resource for Items {
    #[rate_limit("2/second")]
    async fn show(id: web::Path<u32>) -> String {
        id.to_string()
    }
}

fn main() {}
