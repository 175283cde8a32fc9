//! utoipa documents the arguments of a handler, wherever the limit stands among its attributes.

use actix_throttle::{RateLimiter, rate_limit};
use actix_web::{
    App, Responder, get, post,
    test::{TestRequest, call_service, init_service, read_body},
    web,
};
use utoipa::OpenApi;

#[derive(serde::Deserialize, utoipa::IntoParams)]
struct Page {
    number: u32,
}

#[derive(serde::Deserialize, utoipa::ToSchema)]
struct Item {
    price: u32,
}

/// Defines handlers that take a path, a query and a body, and the OpenAPI document of them.
macro_rules! documented {
    ($($name:ident { $(#[$attribute:meta])+ })+) => {
        $(
            $(#[$attribute])+
            async fn $name(
                id: web::Path<u32>,
                page: web::Query<Page>,
                item: web::Json<Item>,
            ) -> impl Responder {
                format!("{id} {} {}", page.number, item.price)
            }
        )+

        #[derive(OpenApi)]
        #[openapi(paths($($name),+))]
        struct Document;

        fn routes(config: &mut web::ServiceConfig) {
            $(config.service($name);)+
        }

        const NAMES: &[&str] = &[$(stringify!($name)),+];
    };
}

documented! {
    unlimited {
        #[utoipa::path(responses((status = 200, body = String)))]
        #[post("/unlimited/{id}")]
    }
    innermost {
        #[utoipa::path(responses((status = 200, body = String)))]
        #[post("/innermost/{id}")]
        #[rate_limit("2/minute")]
    }
    between {
        #[utoipa::path(responses((status = 200, body = String)))]
        #[rate_limit("2/minute")]
        #[post("/between/{id}")]
    }
    outermost {
        #[rate_limit("2/minute")]
        #[utoipa::path(responses((status = 200, body = String)))]
        #[post("/outermost/{id}")]
    }
    stacked {
        #[rate_limit("2/minute")]
        #[utoipa::path(responses((status = 200, body = String)))]
        #[rate_limit("9/hour")]
        #[post("/stacked/{id}")]
        #[rate_limit("99/day")]
    }
    conditional {
        #[rate_limit("2/minute")]
        #[cfg_attr(not(any()), utoipa::path(responses((status = 200, body = String))))]
        #[post("/conditional/{id}")]
    }
}

#[get("/other")]
async fn other() -> &'static str {
    "other"
}

#[test]
fn document_has_arguments_in_every_order() {
    let document = serde_json::to_value(Document::openapi()).expect("a document");
    let operation = |name: &str| {
        let mut operation = document["paths"][format!("/{name}/{{id}}")]["post"].clone();
        operation["operationId"] = serde_json::Value::Null;
        operation
    };
    let expected = operation("unlimited");
    // The path is the only parameter: utoipa documents a query only if its attribute names it.
    assert_eq!(expected["parameters"].as_array().map(Vec::len), Some(1));
    assert!(expected["requestBody"].is_object());
    for name in NAMES {
        assert_eq!(operation(name), expected, "{name}");
    }
}

#[actix_web::test]
async fn documented_handlers_are_limited() -> Result<(), Box<dyn std::error::Error>> {
    let limiter = RateLimiter::builder().memory().build().await?;
    let app = App::new()
        .app_data(limiter)
        .configure(routes)
        .service(other);
    let app = init_service(app).await;
    for name in NAMES {
        let ask = async || {
            let request = TestRequest::post().uri(&format!("/{name}/7?number=3"));
            let request = request.peer_addr(([192, 0, 2, 1], 1).into());
            let body = serde_json::json!({ "price": 5 });
            call_service(&app, request.set_json(body).to_request()).await
        };
        let answer = ask().await;
        assert_eq!(answer.status(), 200, "{name}");
        assert_eq!(read_body(answer).await, "7 3 5", "{name}");
        assert_eq!(ask().await.status(), 200, "{name}");
        let third = if *name == "unlimited" { 200 } else { 429 };
        assert_eq!(ask().await.status(), third, "{name}");
    }
    Ok(())
}
