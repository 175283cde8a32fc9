//! Changes by a program, as JSON.

use super::{LOGIN, Page, changes::form};

#[actix_web::test]
async fn change_answers_as_json_too() {
    let page = Page::new().await;
    page.tries(&LOGIN, "ann", 9).await;
    let answer = page
        .send("?view=change&format=json", &form("reset", "", "yes"))
        .await;
    let expected = serde_json::json!({
        "change": "reset", "identity": "user=ann", "policies": ["login"],
    });
    assert_eq!((answer.status, answer.json()), (200, expected));
    let mut wrong = form("block", "", "yes");
    wrong[3].1 = "soon";
    let answer = page.send("?view=change&format=json", &wrong).await;
    assert_eq!(answer.status, 400);
    let error = answer.json()["error"].as_str().unwrap().to_owned();
    assert!(
        error.starts_with("The length of the block is not a duration"),
        "{error}"
    );
}

/// A program gets an error in place of the question that a person is asked.
#[actix_web::test]
async fn unconfirmed_change_as_json_is_an_error() {
    let page = Page::new().await;
    page.tries(&LOGIN, "ann", 9).await;
    for query in ["?view=change", "?view=reset&policy=login"] {
        let query = format!("{query}&format=json");
        let answer = page.send(&query, &form("reset", "", "")).await;
        assert_eq!(answer.status, 400);
        let error = "Nothing has changed: send `confirmed=yes` with the form.";
        assert_eq!(answer.json()["error"], error);
    }
    let answer = page.look("?view=find&format=json").await;
    assert_eq!(answer.status, 400);
    assert!(answer.json()["error"].is_string());
    assert_eq!(page.remaining(&LOGIN, "ann").await, 0);
}
