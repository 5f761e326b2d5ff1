//! Lists in pages: nothing twice, nothing left out.

use futures::TryStreamExt;
use serde_json::{Value, json};
use uuid::Uuid;

use super::stage::{User, local, wanted, with};
use crate::support::Server;

/// The lists that come in pages, each with the field that holds its items.
const LISTS: [(&str, &str); 3] =
    [("/bucket", "buckets"), ("/repo", "repos"), ("/ai/llm", "aiLlms")];
/// Most items of one page.
const MOST: usize = 1_000;

/// Every page of a list, each as the ids in it.
async fn pages(user: &User, (path, field): (&str, &str), query: &str) -> Vec<Vec<String>> {
    let mut pages = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = user.read(&format!("{path}?{query}&cursor={cursor}")).await;
        let items = page[field].as_array().expect("a list");
        pages.push(items.iter().map(|item| item["id"].as_str().expect("id").to_owned()).collect());
        match page.get("nextCursor") {
            None => return pages,
            Some(next) => cursor = next.as_str().expect("text").to_owned(),
        }
    }
}

#[tokio::test]
async fn pages_neither_overlap_nor_leave_gaps_and_only_the_last_has_no_cursor() {
    let server = Server::start().await;
    let user = User::owner(&server);
    let other = user.workspace("other").await;
    for n in 0..6 {
        let place = if n == 3 { json!({ "workspaceId": other }) } else { json!({}) };
        let name = format!("n{n}");
        user.create_bucket(with(local(&name), place.clone())).await.expect("made");
        let repo = with(wanted(&name, "NORMAL", json!([])), place.clone());
        user.create_repo(repo).await.expect("made");
        let llm = with(json!({ "name": name, "aiType": "OPENAI" }), place);
        assert_eq!(user.send("POST", "/ai/llm", llm).await.0, 200);
    }
    for list in LISTS {
        let all = pages(&user, list, "").await;
        assert_eq!(all.iter().map(Vec::len).collect::<Vec<_>>(), [6], "{list:?}");
        for (limit, sizes) in
            [(1, vec![1; 6]), (2, vec![2; 3]), (4, vec![4, 2]), (6, vec![6]), (1000, vec![6])]
        {
            let paged = pages(&user, list, &format!("limit={limit}")).await;
            assert_eq!(paged.iter().map(Vec::len).collect::<Vec<_>>(), sizes, "{list:?}");
            assert_eq!(paged.concat(), all[0], "{list:?} by {limit}");
        }
        let narrow = pages(&user, list, "workspaceId=Default&limit=2").await;
        assert_eq!(narrow.iter().map(Vec::len).collect::<Vec<_>>(), [2, 2, 1], "{list:?}");
        assert_eq!(narrow.concat(), [&all[0][..3], &all[0][4..]].concat(), "{list:?}");

        // A page goes on behind an item that is gone.
        let first = user.read(&format!("{}?limit=2", list.0)).await;
        let cursor = first["nextCursor"].as_str().expect("text");
        assert_eq!(user.send("DELETE", &format!("{}/{cursor}", list.0), Value::Null).await.0, 200);
        let rest = user.read(&format!("{}?limit=2&cursor={cursor}", list.0)).await;
        assert_eq!(rest[list.1][0]["id"], all[0][2], "{list:?}");
    }
    let one = std::num::NonZeroU32::MIN;
    let streamed = user.client.list_ai_llms().limit(one).stream().try_collect::<Vec<_>>().await;
    let names: Vec<_> = streamed.expect("all pages").into_iter().map(|llm| llm.name).collect();
    assert_eq!(names, user.names("/ai/llm").await);
    server.stop().await;
}

#[tokio::test]
async fn a_limit_or_cursor_out_of_bounds_is_refused() {
    let server = Server::start().await;
    let user = User::owner(&server);
    for (path, _) in LISTS {
        for (query, word) in [
            ("limit=0", "limit: must be 1 to 1000"),
            ("limit=1001", "limit: must be 1 to 1000"),
            ("limit=-1", "limit"),
            ("limit=many", "limit"),
            ("cursor=nonsense", "cursor"),
            ("page=2", "page"),
        ] {
            let path = format!("{path}?{query}");
            let (status, answer) = user.send("GET", &path, Value::Null).await;
            assert_eq!((status, &answer["success"]), (400, &json!(false)), "{path}: {answer}");
            assert!(answer["message"].as_str().expect("text").contains(word), "{path}: {answer}");
        }
        let none = user.read(&format!("{path}?cursor={}", Uuid::max())).await;
        assert_eq!(none.get("nextCursor"), None);
    }
    server.stop().await;
}

#[tokio::test]
async fn without_a_limit_a_page_has_a_thousand() {
    let server = Server::start().await;
    let user = User::owner(&server);
    user.bucket("0").await;
    user.repo("0", "NORMAL", json!([])).await;
    user.ai_llm("0").await;
    // As many again by hand: the doors write each to disk on its own.
    let pool = sqlx::AnyPool::connect(&server.database_url()).await.expect("the test's database");
    let mut tx = pool.begin().await.expect("a transaction");
    for statement in [
        "INSERT INTO buckets (id, org_id, workspace_id, name, storage_type, bucket, status,
             status_at, version, created_at)
         SELECT $1, org_id, workspace_id, $2, storage_type, bucket, status, status_at, version,
             created_at FROM buckets WHERE name = '0'",
        "INSERT INTO storage_repos (id, org_id, workspace_id, name, storage_type, mode, disabled,
             version, created_at, updated_at)
         SELECT $1, org_id, workspace_id, $2, storage_type, mode, disabled, version, created_at,
             updated_at FROM storage_repos WHERE name = '0'",
        "INSERT INTO ai_llms (id, org_id, workspace_id, user_id, name, ai_type, endpoint,
             created_at)
         SELECT $1, org_id, workspace_id, user_id, $2, ai_type, endpoint, created_at
         FROM ai_llms WHERE name = '0'",
    ] {
        for n in 1..=MOST {
            let copy = sqlx::query(statement).bind(Uuid::now_v7().to_string());
            copy.bind(n.to_string()).execute(&mut *tx).await.expect("a copy");
        }
    }
    tx.commit().await.expect("committed");
    pool.close().await;
    for list in LISTS {
        let found = pages(&user, list, "").await;
        assert_eq!(found.iter().map(Vec::len).collect::<Vec<_>>(), [MOST, 1], "{list:?}");
        assert!(found.concat().is_sorted_by(|a, b| a < b), "{list:?}");
        let whole = pages(&user, list, "limit=1000").await;
        assert_eq!(found, whole, "{list:?}");
    }
    assert_eq!(user.names("/bucket/available").await.len(), MOST);
    server.stop().await;
}
