//! The ways to write quotas, windows and the shorthand.

use actix_throttle::rate_limit;
use actix_web::{get, web::ServiceConfig};

use harness::http::app::TestApp;

const LOGINS: u32 = 3;
const MINUTE: u32 = 60;

mod limits {
    pub(super) const FEW: u32 = 2;

    pub(super) const fn twice(number: u32) -> u32 {
        number * 2
    }
}

macro_rules! handlers {
    ($($name:ident $path:literal $argument:tt)*) => {
        $(
            #[get($path)]
            #[rate_limit $argument]
            async fn $name() -> &'static str {
                "ok"
            }
        )*

        fn routes(config: &mut ServiceConfig) {
            $(config.service($name);)*
        }
    };
}

handlers! {
    constant "/constant" (times = LOGINS, seconds = 2 * MINUTE)
    in_module "/module" (times = limits::FEW + 1, minutes = limits::FEW)
    computed "/computed" (times = limits::twice(limits::FEW), seconds = 1 + 1)
    summed "/summed" (times = 7, days = 1, hours = 2, minutes = 3, seconds = 4, milliseconds = 5)
    suffixed "/suffixed" (times = 1_000u32, seconds = 0x10)
    per_minute "/per-minute" ("100/minute")
    per_seconds "/per-seconds" ("5 per 10 seconds")
    short "/short" ("10/5s")
    per_day "/per-day" ("1000 per day")
    spaced "/spaced" ("20 / hour")
    trailing "/trailing" ("4/second",)
    with_more "/more" ("4/second", algorithm = "fixed_window", name = "more")
    millis "/millis" (times = 3, milliseconds = 1)
    longest "/longest" (times = 1, days = 366)
    most "/most" (times = 1_000_000_000, days = 1, algorithm = "fixed_window")
    burst "/burst" ("6/minute", algorithm = "token_bucket", capacity = 2 * LOGINS + 2)
}

#[actix_web::test]
async fn times_and_window_are_what_was_written() {
    let service = TestApp::new().await.service(routes).await;
    for (path, quota) in [
        ("/constant", [3, 2, 120]),
        ("/module", [3, 2, 120]),
        ("/computed", [4, 3, 2]),
        ("/summed", [7, 6, 93_785]),
        ("/suffixed", [1_000, 999, 16]),
        ("/per-minute", [100, 99, 60]),
        ("/per-seconds", [5, 4, 10]),
        ("/short", [10, 9, 5]),
        ("/per-day", [1_000, 999, 86_400]),
        ("/spaced", [20, 19, 3_600]),
        ("/trailing", [4, 3, 1]),
        ("/more", [4, 3, 1]),
        ("/millis", [3, 2, 1]),
        ("/longest", [1, 0, 31_622_400]),
        ("/most", [1_000_000_000, 999_999_999, 86_400]),
        ("/burst", [8, 7, 10]),
    ] {
        assert_eq!(service.get(path).await.quota(), Some(quota), "{path}");
    }
}
