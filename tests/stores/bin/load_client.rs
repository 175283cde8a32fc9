//! The program of [`harness::load_client`], for tests that need several processes.

use std::error::Error;

#[actix_web::main]
async fn main() -> Result<(), Box<dyn Error>> {
    harness::load_client::run().await
}
