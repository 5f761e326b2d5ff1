//! Lists of repos: filters, order, pages.

use std::collections::BTreeSet;

use futures::TryStreamExt;
use repoplane_client::types::{CreateSourceRepoRequest, SourceRepo, SourceRepoOrder};
use serde_json::json;
use uuid::Uuid;

use crate::support::Server;
use crate::support::repo::{self, Repo, created, write};

async fn with_metadata(server: &Server, pairs: &[(&str, &str)]) -> Uuid {
    let metadata = Some(repo::pairs(pairs));
    let body = CreateSourceRepoRequest { metadata, ..Default::default() };
    created(server.owner().create_source_repo().body(body).send().await).repo_id
}

fn ids(repos: &[SourceRepo]) -> Vec<Uuid> {
    repos.iter().map(|repo| repo.repo_id).collect()
}

#[tokio::test]
async fn a_filter_takes_the_repos_that_have_every_pair_exactly() {
    let server = Server::start().await;
    let odd = [("qu\"ote'", "\\\"%_"), ("ünï", "漢字🦀"), ("nul\0", "\0"), ("empty", "")];
    let all = with_metadata(&server, &odd).await;
    let two = with_metadata(&server, &[("team", "search"), ("empty", "")]).await;
    let other = with_metadata(&server, &[("team", "Search"), ("ünï", "漢字")]).await;
    let bare = Repo::create(&server.owner(), &[]).await.id;
    for (filter, expected) in [
        (json!({}), vec![all, two, other, bare]),
        (json!({"qu\"ote'": "\\\"%_"}), vec![all]),
        (json!({"ünï": "漢字🦀"}), vec![all]),
        (json!({"nul\0": "\0"}), vec![all]),
        (json!({"nul": "\0"}), vec![]),
        (json!({"empty": ""}), vec![all, two]),
        (json!({"empty": "", "team": "search"}), vec![two]),
        (json!({"team": "search"}), vec![two]),
        (json!({"team": "sear%"}), vec![]),
        (json!({"team": ""}), vec![]),
        (json!({"team": "search", "ünï": "漢字"}), vec![]),
    ] {
        let list = server.owner();
        let found = list.list_source_repos().filter_metadata(filter.to_string()).send().await;
        let found = found.expect("a list").into_inner();
        assert_eq!(
            (ids(&found.items), found.total_items),
            (expected.clone(), expected.len() as i64),
            "{filter}"
        );
        assert_eq!(found.next_page, None);
    }
    for filter in ["[]", "{", "\"a\"", "{\"a\": 1}", "{\"a\": null}", "1"] {
        let list = server.owner();
        let refused = list.list_source_repos().filter_metadata(filter).send().await;
        assert_eq!(
            refused.expect_err("no filter").status().map(|s| s.as_u16()),
            Some(422),
            "{filter}"
        );
    }
    server.stop().await;
}

#[tokio::test]
async fn bounds_of_time_are_exclusive() {
    let server = Server::start().await;
    let mut made = Vec::new();
    for _ in 0..4 {
        made.push(Repo::create(&server.owner(), &[]).await.record().await);
    }
    let client = server.owner();
    let after = client.list_source_repos().created_after(made[1].created_at).send().await;
    assert_eq!(ids(&after.expect("a list").items), ids(&made[2..]));
    let before = client.list_source_repos().created_before(made[2].created_at).send().await;
    assert_eq!(ids(&before.expect("a list").items), ids(&made[..2]));
    let between = client.list_source_repos().created_after(made[0].created_at);
    let between = between.created_before(made[3].created_at).send().await.expect("a list");
    assert_eq!((ids(&between.items), between.total_items), (ids(&made[1..3]), 2));
    server.stop().await;
}

#[tokio::test]
async fn the_order_is_by_creation_or_by_update() {
    let server = Server::start().await;
    let mut repos = Vec::new();
    for _ in 0..4 {
        repos.push(Repo::create(&server.owner(), &[]).await);
    }
    // Repo 0 is updated last; the others count from their creation.
    repos[2].diff(vec![write("a", "a")]).await.expect("an edit");
    repos[0].diff(vec![write("a", "a")]).await.expect("an edit");
    let at = |order: [usize; 4]| order.map(|index| repos[index].id).to_vec();
    let client = server.owner();
    for (order, descending, expected) in [
        (SourceRepoOrder::CreatedAt, false, at([0, 1, 2, 3])),
        (SourceRepoOrder::CreatedAt, true, at([3, 2, 1, 0])),
        (SourceRepoOrder::UpdatedAt, false, at([1, 3, 2, 0])),
        (SourceRepoOrder::UpdatedAt, true, at([0, 2, 3, 1])),
    ] {
        let list = client.list_source_repos().order_by(order).order_descending(descending);
        let found = list.send().await.expect("a list");
        assert_eq!(ids(&found.items), expected, "{order:?} {descending}");
    }
    server.stop().await;
}

#[tokio::test]
async fn pages_neither_overlap_nor_leave_gaps() {
    let server = Server::start().await;
    let mut made = BTreeSet::new();
    for _ in 0..7 {
        made.insert(Repo::create(&server.owner(), &[]).await.id);
    }
    let client = server.owner();
    for size in 1..=8_u32 {
        let size = std::num::NonZeroU32::new(size).expect("not zero");
        let (mut start, mut seen) = (0, Vec::new());
        loop {
            let page = client.list_source_repos().page_start(start).page_size(size).send().await;
            let page = page.expect("a page").into_inner();
            assert_eq!(page.total_items, 7);
            seen.extend(ids(&page.items));
            match page.next_page {
                Some(next) => {
                    assert_eq!(next, start + i64::from(size.get()));
                    start = next;
                }
                None => break,
            }
        }
        assert_eq!(seen.len(), 7);
        assert_eq!(seen.iter().copied().collect::<BTreeSet<_>>(), made);
        let streamed: Vec<_> =
            client.list_source_repos().page_size(size).stream().try_collect().await.expect("all");
        assert_eq!(ids(&streamed), seen);
    }
    let beyond = client.list_source_repos().page_start(7).send().await.expect("a page");
    assert_eq!((beyond.items.len(), beyond.total_items, beyond.next_page), (0, 7, None));
    let http = repoplane_client::reqwest::Client::new();
    for query in [
        "page_size=0",
        "page_size=101",
        "page_start=-1",
        "page_size=x",
        "order_by=name",
        "order_descending=maybe",
        "created_after=yesterday",
        "surprise=1",
    ] {
        let get = http.get(format!("{}/v1/repo?{query}", server.url()));
        let answer = get.bearer_auth(crate::support::OWNER_TOKEN).send().await.expect("an answer");
        assert_eq!(answer.status().as_u16(), 422, "{query}");
    }
    server.stop().await;
}
