//! Diagnostics about named limits.

use actix_throttle::config::Format;

#[test]
fn each_error_of_a_limit_has_its_position() {
    let rows = [
        // Keys.
        (
            "limts.a = '1/s'",
            "1:1",
            "unknown key `limts`, did you mean `limits`?",
        ),
        (
            "[limits.a]\nrate = '1/s'\nalgoritm = 'x'",
            "3:1",
            "did you mean `algorithm`?",
        ),
        (
            "limits = 5",
            "1:10",
            "`limits` is a table of names, not an integer",
        ),
        (
            "limits.a = 5",
            "1:12",
            "a table, not an integer: write `rate = \"100/minute\"`",
        ),
        (
            "limits.'9/s' = '1/s'",
            "1:8",
            "a limit's name starts with a letter",
        ),
        ("limits.a = '1/s'\nlimits.a = '2/s'", "2:8", "duplicate key"),
        // Rates.
        (
            "limits.a = '1/fortnight'",
            "1:12",
            "unknown unit of time `fortnight`",
        ),
        (
            "limits.a = '0/s'",
            "1:12",
            "a rate of 0 would admit nothing",
        ),
        (
            "limits.a = '5000000000/s'",
            "1:12",
            "`times` must be from 1 to 1,000,000,000",
        ),
        (
            "limits.a.rate = 5",
            "1:17",
            "`rate` takes a string, not an integer: write `rate = \"100/minute\"`",
        ),
        (
            "limits.a = {}",
            "1:8",
            "the limit is missing: add `rate = \"100/minute\"`",
        ),
        (
            "limits.a.times = 5",
            "1:8",
            "the window is missing: add `seconds = 60`",
        ),
        ("limits.a.seconds = 5", "1:8", "`times` is missing"),
        (
            "limits.a = { rate = '1/s', times = 5 }",
            "1:28",
            "`rate` says this already: remove `times`",
        ),
        (
            "limits.a = { times = 0, seconds = 1 }",
            "1:22",
            "`times` must be at least 1",
        ),
        (
            "limits.a = { times = -3, seconds = 1 }",
            "1:22",
            "`times` must be at least 1",
        ),
        (
            "limits.a = { times = 1.5, seconds = 1 }",
            "1:22",
            "`times` takes an integer, not a fraction",
        ),
        (
            "limits.a = { times = 5000000000, seconds = 1 }",
            "1:22",
            "from 1 to 1,000,000,000",
        ),
        (
            "limits.a = { times = 1, days = 400 }",
            "1:32",
            "the window must be from 1 millisecond to 366 days",
        ),
        (
            "limits.a = { times = 2000000, days = 1 }",
            "1:22",
            "`sliding_window` keeps a log",
        ),
        // Lengths of blocks.
        (
            "limits.a = { rate = '1/s', block = ['1m', '10m'] }",
            "1:36",
            "`block` takes one string, not a list: write `block = \"1m, 10m, 1h\"`",
        ),
        (
            "limits.a = { rate = '1/s', block = '1m, 10m,' }",
            "1:36",
            "not a duration: value was empty; write `block = \"1m, 10m, 1h\"`",
        ),
        (
            "limits.a = { rate = '1/s', block = '1m; 10m' }",
            "1:36",
            "; write `block = \"1m, 10m, 1h\"`",
        ),
        (
            "limits.a = { rate = '1/s', block = '1m 10m' }",
            "1:36",
            "not a duration: each unit must be smaller than the one before; write `block = \"1m, \
             10m, 1h\"`",
        ),
        // Periods of the calendar.
        (
            "limits.a = { times = 5, every = 'moth' }",
            "1:33",
            "unknown period `moth`, did you mean `month`?",
        ),
        (
            "limits.a = { times = 5, every = 'day', hours = 24 }",
            "1:40",
            "`every` says this already: remove `hours`, or `every`",
        ),
        (
            "limits.a = { rate = '5/s', every = 'day' }",
            "1:28",
            "`rate` says this already: remove `every`, or `rate`",
        ),
        ("limits.a.every = 'day'", "1:8", "`times` is missing"),
        (
            "limits.a = { times = 5, every = 'day', algorithm = 'fixed_window' }",
            "1:52",
            "`every` counts by the calendar and takes no `algorithm`: remove it",
        ),
        (
            "limits.a = { times = 5, every = 'day', capacity = 5 }",
            "1:51",
            "`every` counts by the calendar and takes no `capacity`",
        ),
        (
            "limits.a = { times = 5, every = 'day', time_zone = 'Europe/Berln' }",
            "1:52",
            "unknown time zone `Europe/Berln`, did you mean `Europe/Berlin`?",
        ),
        (
            "limits.a = { rate = '5/s', time_zone = 'UTC' }",
            "1:40",
            "`time_zone` belongs to `every`: add `every = \"day\"`",
        ),
        ("limits.a = { max = 5, every = 'day' }", "1:23", "remove"),
        // Options beside the rate.
        (
            "limits.a = { rate = '1/s', algorithm = 'token' }",
            "1:40",
            "unknown algorithm `token`, did you mean `token_bucket`?",
        ),
        (
            "limits.a = { rate = '1/s', capacity = 5 }",
            "1:39",
            "`capacity` and `refill` belong to `token_bucket`",
        ),
        (
            "limits.a = { rate = '1/s', refill = 'greedy' }",
            "1:37",
            "`capacity` and `refill` belong to `token_bucket`",
        ),
        (
            "limits.a = { rate = '1/s', algorithm = 'token_bucket', refill = 'slow' }",
            "1:65",
            "unknown refill `slow`",
        ),
        (
            "limits.a = { rate = '1/s', algorithm = 'leaky_bucket', lease = 5 }",
            "1:64",
            "`leaky_bucket` never has more than one",
        ),
        (
            "limits.a = { rate = '9/s', lease = 1 }",
            "1:36",
            "`lease` must be at least 2",
        ),
        (
            "limits.a = { rate = '9/s', cost = 10 }",
            "1:35",
            "`cost` is more than this limit can ever hold",
        ),
        (
            "limits.a = { rate = '9/s', cost = 0 }",
            "1:35",
            "`cost` must be at least 1",
        ),
        (
            "limits.a = { rate = '9/s', block = 'soon' }",
            "1:36",
            "not a duration",
        ),
        (
            "limits.a = { rate = '9/s', block = '2 years' }",
            "1:36",
            "`block` must be from 1 millisecond to 366 days",
        ),
        (
            "limits.a = { rate = '9/s', block = '1m, soon' }",
            "1:36",
            "not a duration",
        ),
        (
            "limits.a = { rate = '9/s', block = '1h, 1m' }",
            "1:36",
            "no length of `block` may be shorter than the one before it",
        ),
        (
            "limits.a = { rate = '9/s', block = 60 }",
            "1:36",
            "`block` takes a string, not an integer: write `block = \"60s\"`",
        ),
        (
            "limits.a = { rate = '9/s', name = 'Städte' }",
            "1:35",
            "printable ASCII",
        ),
        (
            "limits.a = { rate = '9/s', zone = '' }",
            "1:35",
            "`zone` is empty",
        ),
        (
            "limits.a = { rate = '9/s', shadow = 1 }",
            "1:37",
            "`shadow` takes true or false, not an integer",
        ),
        (
            "limits.a = { rate = '9/s', failure_mode = 'close' }",
            "1:43",
            "unknown failure_mode `close`, did you mean `closed`?",
        ),
        (
            "limits.a = { rate = '9/s', refund_on = '5x' }",
            "1:40",
            "did you mean `5xx`?",
        ),
        (
            "limits.a = { rate = '9/s', group = 'pro' }",
            "1:28",
            "unknown key `group`",
        ),
    ];
    super::told(&rows, Format::Toml);
}
