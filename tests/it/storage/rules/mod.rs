//! What a storage repo may hold, at every door that says so: creating, changing, checking either.

mod links;
mod modes;
mod names;

use repoplane_client::types;
use serde_json::{Value, json};
use uuid::Uuid;

use super::stage::{User, answer, typed, wanted};
use crate::support::Server;

/// A server with one storage repo that holds nothing.
pub struct Scene {
    pub server: Server,
    pub user: User,
    pub blank: Uuid,
}

impl Scene {
    pub async fn start() -> Self {
        let server = Server::start().await;
        let user = User::owner(&server);
        let blank = user.repo("blank", "NORMAL", json!([])).await;
        Self { server, user, blank }
    }

    /// Every door has the same opinion of buckets in a mode, and a refusal changes nothing.
    pub async fn expect(&self, mode: &str, links: Value, code: &str) {
        let user = &self.user;
        let status = match code {
            "SUCCESS" => 200,
            "NOT_FOUND" => 404,
            _ => 400,
        };
        let before = user.state().await;
        let checked = [
            self.check(None, json!({ "mode": mode, "repoBuckets": links })).await,
            self.check(Some(self.blank), json!({ "mode": mode, "repoBuckets": links })).await,
        ];
        assert_eq!(checked, [code, code], "{mode} {links}");
        assert_eq!(before, user.state().await, "a check changes nothing");

        let created = user.create_repo(wanted("asked", mode, links.clone())).await;
        let changed = user.change_repo(self.blank, wanted("blank", mode, links.clone())).await;
        match (created, changed) {
            (Ok(made), Err(second)) if code == "SUCCESS" && !links[0].is_null() => {
                // The one that was made holds the buckets now.
                assert_eq!(second.status, 400, "{mode} {links}");
                user.delete_repo(made).await.expect("deleted");
                let again = user.change_repo(self.blank, wanted("blank", mode, links)).await;
                again.expect("changed");
            }
            (Ok(made), Ok(_)) if code == "SUCCESS" => {
                user.delete_repo(made).await.expect("deleted")
            }
            (Err(created), Err(changed)) => {
                for refusal in [created, changed] {
                    assert_eq!(refusal.rule(), (status, code), "{mode} {links}");
                }
                assert_eq!(before, user.state().await, "{mode} {links}");
            }
            other => panic!("{mode} {links}: {other:?}"),
        }
        let emptied = user.change_repo(self.blank, wanted("blank", "NORMAL", json!([]))).await;
        emptied.expect("empty again");
    }

    /// The verdict on a new storage repo, or on a change of one.
    pub async fn check(&self, repo: Option<Uuid>, body: Value) -> String {
        let client = &self.user.client;
        let body: types::ValidateStorageRepoRequest = typed(body);
        let verdict = match repo {
            None => answer(client.validate_new_storage_repo().body(body).send().await),
            Some(id) => answer(client.validate_storage_repo().repo_id(id).body(body).send().await),
        };
        let verdict = verdict.expect("both outcomes are 200");
        assert_eq!(verdict.success, verdict.error_code == "SUCCESS");
        assert_eq!(verdict.success, verdict.error_message.is_none());
        verdict.error_code
    }

    /// A change that breaks a rule, which checking it says too.
    pub async fn refuse(&self, repo: Uuid, body: Value, code: &str) {
        let before = self.user.state().await;
        let question = json!({ "mode": body["mode"], "repoBuckets": body["repoBuckets"] });
        assert_eq!(self.check(Some(repo), question).await, code, "{body}");
        let refusal = self.user.change_repo(repo, body.clone()).await.expect_err("refused");
        assert_eq!(refusal.rule(), (400, code), "{body}");
        assert_eq!(before, self.user.state().await, "{body}");
    }

    pub async fn stop(self) {
        self.server.stop().await;
    }
}
