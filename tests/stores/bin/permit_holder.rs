//! The program of [`harness::permit_holder`], for tests that kill it.

use std::error::Error;

#[actix_web::main]
async fn main() -> Result<(), Box<dyn Error>> {
    harness::permit_holder::run().await
}
