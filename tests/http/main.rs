//! Applications as their clients see them: statuses, headers, bodies. Also limits in a
//! configuration file, and limits of outbound calls.
//!
//! Every test builds a limiter of its own on a clock that only the test moves, and gives it to its
//! `App`. Where a socket adds nothing, the test calls the `App` directly; `harness::http::live`
//! starts real servers.

mod hostile;
mod ws_client;

mod any_text;
mod attribute;
mod block;
mod by_hand;
mod calendar;
mod client_header;
mod combinations;
mod concurrency;
mod conditional;
mod config;
mod cost;
mod decision_in_handler;
mod denials;
mod duplicates;
mod dynamic;
mod enforce_often;
mod enforcement;
mod errors;
mod extractors;
mod fast_path;
mod foreign;
mod functions;
mod functions_async;
mod groups;
mod handlers;
mod headers;
mod homes;
mod identities;
mod identities_by_hand;
mod identity_accessors;
mod ietf;
mod ietf_time;
mod logs;
mod metrics;
mod networks;
mod nonsense;
mod numbers;
mod observer;
mod observer_calls;
mod on_limited;
mod other_middleware;
mod outgoing;
mod patterns;
mod peers;
mod proxies;
mod refund;
mod refund_on;
mod resets;
mod sessions;
mod settle;
mod setup;
mod shared_responses;
mod showcase;
mod slow_down;
mod slow_down_told;
mod sockets;
mod stacking;
mod status_page;
mod store_span;
mod throttle;
mod throttle_choice;
mod throttle_errors;
mod throttle_exempt;
mod throttle_invalid;
mod throttle_kept;
mod throttle_layers;
mod throttle_overlap;
mod throttle_paths;
mod throttle_responses;
mod throttle_shadow;
mod tokens;
mod traces;
#[cfg(unix)]
mod unix_socket;
mod websocket;
mod wire;
mod zones;
