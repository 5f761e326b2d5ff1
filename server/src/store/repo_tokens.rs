//! Tables `tokens` and `token_repos`: the tokens that reach only the source repos they name.

use sqlx::any::AnyRow;
use sqlx::{AnyPool, Row};

use super::row::{known, parsed};
use super::tokens::{TokenHash, from_row};
use crate::model::id::{TokenId, UserId};
use crate::model::page::{Page, PageRequest};
use crate::model::time::Timestamp;
use crate::model::token::{RepoAccess, RepoToken};

const COLUMNS: &str = "id, user_id, kind, name, shown, created_at, expires_at, access";
/// The live repo tokens of a user.
const LIVE: &str = "FROM tokens WHERE user_id = $1 AND kind = 'repo' AND revoked_at IS NULL
     AND (expires_at IS NULL OR expires_at > $2)";

/// A live repo token of `user`, by its id.
pub async fn get(
    db: &AnyPool,
    user: UserId,
    id: TokenId,
    now: Timestamp,
) -> Result<Option<RepoToken>, sqlx::Error> {
    let one = sqlx::AssertSqlSafe(format!("SELECT {COLUMNS} {LIVE} AND id = $3"));
    let row = sqlx::query(one)
        .bind(user.to_string())
        .bind(now.micros())
        .bind(id.to_string())
        .fetch_optional(db)
        .await?;
    Ok(with_repos(db, row.as_slice()).await?.pop())
}

/// The id of a live repo token of `user`, with the hash it has to be compared by.
pub async fn find(
    db: &AnyPool,
    user: UserId,
    lookup: &str,
    now: Timestamp,
) -> Result<Option<(TokenId, TokenHash)>, sqlx::Error> {
    let one = sqlx::AssertSqlSafe(format!("SELECT id, lookup, hash {LIVE} AND lookup = $3"));
    sqlx::query(one)
        .bind(user.to_string())
        .bind(now.micros())
        .bind(lookup)
        .fetch_optional(db)
        .await?
        .map(|row| {
            let hash = TokenHash { lookup: row.try_get("lookup")?, hash: row.try_get("hash")? };
            Ok((parsed(&row, "id")?, hash))
        })
        .transpose()
}

/// The live repo tokens of `user`, newest first.
pub async fn list(
    db: &AnyPool,
    user: UserId,
    page: PageRequest,
    now: Timestamp,
) -> Result<Page<RepoToken>, sqlx::Error> {
    let count = sqlx::AssertSqlSafe(format!("SELECT COUNT(*) AS n {LIVE}"));
    let count = sqlx::query(count).bind(user.to_string()).bind(now.micros());
    let total: i64 = count.fetch_one(db).await?.try_get("n")?;
    let some = sqlx::AssertSqlSafe(format!(
        "SELECT {COLUMNS} {LIVE} ORDER BY created_at DESC, id DESC LIMIT $3 OFFSET $4"
    ));
    let rows = sqlx::query(some)
        .bind(user.to_string())
        .bind(now.micros())
        .bind(page.size)
        .bind(page.start)
        .fetch_all(db)
        .await?;
    Ok(Page { items: with_repos(db, &rows).await?, total, next: page.next(total) })
}

async fn with_repos(db: &AnyPool, rows: &[AnyRow]) -> Result<Vec<RepoToken>, sqlx::Error> {
    let token = |row| {
        let access = known(row, "access", RepoAccess::parse)?;
        Ok(RepoToken { token: from_row(row)?, access, repos: Vec::new() })
    };
    let mut tokens = rows.iter().map(token).collect::<Result<Vec<_>, sqlx::Error>>()?;
    if tokens.is_empty() {
        return Ok(tokens);
    }
    let places: Vec<_> = (1..=tokens.len()).map(|n| format!("${n}")).collect();
    let named = sqlx::AssertSqlSafe(format!(
        "SELECT t.token_id, t.repo_id FROM token_repos t JOIN source_repos r ON r.id = t.repo_id
         WHERE r.deleted_at IS NULL AND t.token_id IN ({}) ORDER BY t.repo_id",
        places.join(", ")
    ));
    let ids: Vec<_> = tokens.iter().map(|token| token.token.id.to_string()).collect();
    let named = ids.iter().fold(sqlx::query(named), |query, id| query.bind(id));
    for row in named.fetch_all(db).await? {
        let id: TokenId = parsed(&row, "token_id")?;
        if let Some(token) = tokens.iter_mut().find(|token| token.token.id == id) {
            token.repos.push(parsed(&row, "repo_id")?);
        }
    }
    Ok(tokens)
}
