//! Runs [`harness::load_client`] as a separate process.

use std::error::Error;

#[actix_web::main]
async fn main() -> Result<(), Box<dyn Error>> {
    harness::load_client::run().await
}
