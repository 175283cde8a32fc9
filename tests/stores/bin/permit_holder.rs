//! [`harness::permit_holder`] as a program of its own.

use std::error::Error;

#[actix_web::main]
async fn main() -> Result<(), Box<dyn Error>> {
    harness::permit_holder::run().await
}
