use actix_throttle::StatusPage;
use actix_web::{App, web};

fn main() {
    let _ = App::new().service(web::scope("/limits").service(StatusPage::new()));
}
