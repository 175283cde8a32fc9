//! Methods of HTTP that the page knows, and what it says to the others.

use actix_web::http::Method;
use harness::http::app::{get, post};

use super::Page;

#[actix_web::test]
async fn method_that_is_not_allowed_is_answered_with_those_that_are() {
    let page = Page::new().await;
    for method in [Method::PUT, Method::DELETE, Method::PATCH, Method::OPTIONS] {
        let request = get("/limits/").method(method.clone());
        let answer = page
            .service
            .send(request.insert_header(("X-Admin", "full")));
        let answer = answer.await;
        assert_eq!(answer.status, 405, "{method}");
        assert_eq!(answer.header("Allow"), Some("GET, HEAD, POST"), "{method}");
    }
    // A view without a form.
    for query in ["", "?policy=login", "?view=configuration"] {
        let request = post(&format!("/limits/{query}")).set_form([("change", "reset")]);
        let answer = page
            .service
            .send(request.insert_header(("X-Admin", "full")));
        let answer = answer.await;
        assert_eq!(answer.status, 405, "{query}");
        assert_eq!(answer.header("Allow"), Some("GET, HEAD"), "{query}");
    }
}
