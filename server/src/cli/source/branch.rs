//! `repoplane source branch`: the branches of a source repo, and how they join.

use clap::Subcommand;
use repoplane_client::types::{
    Branch, BranchName, BranchPage, CommitId, CreateBranchRequest, MergeRequest, Revision,
};
use serde_json::json;

use super::edit::Terms;
use super::repo;
use crate::cli::remote::Remote;
use crate::cli::table::table;

#[derive(Subcommand)]
pub enum BranchCommand {
    /// List the branches
    Ls {
        /// Id or name of the source repo
        repo: String,
    },
    /// Make a branch
    Create {
        /// Id or name of the source repo
        repo: String,
        /// What to call it
        branch: BranchName,
        /// Branch, tag or commit where it begins [default: the head]
        #[arg(long, value_name = "REF")]
        from: Option<Revision>,
    },
    /// Delete a branch; its commits stay where other branches have them
    Rm {
        /// Id or name of the source repo
        repo: String,
        /// The branch
        branch: BranchName,
        /// Delete it only if this still is its head
        #[arg(long, value_name = "COMMIT")]
        expected_head: Option<CommitId>,
    },
    /// Merge a branch, tag or commit into a branch
    Merge {
        /// Id or name of the source repo
        repo: String,
        /// What to merge
        from: Revision,
        #[command(flatten)]
        terms: Terms,
    },
}

pub async fn run(remote: &Remote, command: BranchCommand) -> anyhow::Result<()> {
    match command {
        BranchCommand::Ls { repo } => {
            let id = repo::find(remote, &repo).await?;
            let items = remote.all(remote.client.list_branches().repo_id(id).stream()).await?;
            let default = |branch: &Branch| if branch.is_default { "yes" } else { "no" }.to_owned();
            let rows = items
                .iter()
                .map(|branch| [branch.name.clone(), branch.head.clone(), default(branch)]);
            let text = table(["NAME", "HEAD", "DEFAULT"], rows);
            remote.print(&BranchPage { items, next_cursor: None }, &text)
        }
        BranchCommand::Create { repo, branch, from } => {
            let id = repo::find(remote, &repo).await?;
            let body = CreateBranchRequest { name: branch, from };
            let sent = remote.client.create_branch().repo_id(id).body(body).send();
            let made = remote.call(sent).await?;
            remote.print(&made, &format!("{}\n", made.head))
        }
        BranchCommand::Rm { repo, branch, expected_head } => {
            let id = repo::find(remote, &repo).await?;
            let mut request = remote.client.delete_branch().repo_id(id).branch(branch.clone());
            if let Some(head) = expected_head {
                request = request.expected_head(head);
            }
            remote.call(request.send()).await?;
            eprintln!("Deleted the branch {:?}.", *branch);
            remote.print(&json!({ "name": *branch }), "")
        }
        BranchCommand::Merge { repo, from, terms } => {
            let id = repo::find(remote, &repo).await?;
            let Terms { message, branch, expected_head } = terms;
            let body = MergeRequest { from, message, branch, expected_head, author: None };
            let sent = remote.client.merge_branch().repo_id(id).body(body).send();
            let merged = remote.call(sent).await?;
            remote.print(&merged, &format!("{}\n", merged.repo_head))
        }
    }
}
