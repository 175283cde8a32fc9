//! The switch for all limits of a limiter, while the service runs.

use actix_throttle_core::enforcement::Enforcement;

use super::RateLimiter;

impl RateLimiter {
    /// Sets what becomes of all limits from now on, for all clones of this limiter: they are
    /// enforced, only counted, or off.
    ///
    /// Requests that wait for room, or are delayed, go on at once when limits are no longer
    /// enforced. What was charged before stays charged, and permits are held until they are
    /// released.
    ///
    /// If the configuration file of this limiter says `enforcement` too, the lesser of both is in
    /// force, and a warning in the log says so. A limiter that was built without a store
    /// stays [`Off`](Enforcement::Off), with an error in the log: it has nowhere to count.
    /// [`enforcement`](Self::enforcement) returns what is in force.
    ///
    /// ```
    /// # #[actix_web::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use actix_throttle::{Enforcement, RateLimiter};
    /// use actix_web::{HttpResponse, web};
    ///
    /// /// For operators: `PUT /enforcement/shadow`.
    /// async fn set_enforcement(
    ///     word: web::Path<String>,
    ///     limiter: web::Data<RateLimiter>,
    /// ) -> HttpResponse {
    ///     limiter.set_enforcement(match word.as_str() {
    ///         "on" => Enforcement::On,
    ///         "shadow" => Enforcement::Shadow,
    ///         "off" => Enforcement::Off,
    ///         _ => return HttpResponse::NotFound().finish(),
    ///     });
    ///     HttpResponse::Ok().body(limiter.enforcement().as_str())
    /// }
    /// # let limiter = RateLimiter::builder().memory().build().await?;
    /// # let limiter = web::Data::new(limiter);
    /// # let response = set_enforcement("shadow".to_owned().into(), limiter.clone()).await;
    /// # assert_eq!(response.status(), 200);
    /// # assert_eq!(limiter.enforcement(), Enforcement::Shadow);
    /// # Ok(()) }
    /// ```
    pub fn set_enforcement(&self, enforcement: Enforcement) {
        self.engine.set_enforcement(enforcement);
    }

    /// Returns what becomes of all limits: the lesser of what code and a configuration file say.
    #[must_use]
    pub fn enforcement(&self) -> Enforcement {
        self.engine.enforcement()
    }
}
