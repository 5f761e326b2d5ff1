//! The database of a test: SQLite, or PostgreSQL when `TEST_POSTGRES_URL` names a server.

use std::path::Path;

use repoplane::store::Store;
use sqlx::Executor;

/// A PostgreSQL server where the tests may make databases, for instance
/// `postgres://postgres@127.0.0.1:5433/postgres`.
pub const VARIABLE: &str = "TEST_POSTGRES_URL";

pub enum Database {
    Sqlite,
    Postgres { server: String, name: String },
}

impl Database {
    pub async fn create() -> Self {
        match std::env::var(VARIABLE) {
            Ok(server) => Self::create_postgres(server).await,
            Err(_) => Self::Sqlite,
        }
    }

    async fn create_postgres(server: String) -> Self {
        let database = Self::create_empty_postgres(server).await;
        let store = Store::open(&database.url(Path::new(""))).await.expect("new database");
        store.migrate().await.expect("migrated");
        store.close().await;
        database
    }

    /// A database without a table.
    pub async fn create_empty_postgres(server: String) -> Self {
        let name = format!("test_{}", uuid::Uuid::new_v4().simple());
        administer(&server, format!("CREATE DATABASE {name}")).await;
        Self::Postgres { server, name }
    }

    pub fn url(&self, folder: &Path) -> String {
        match self {
            Self::Sqlite => format!("sqlite:{}?mode=rwc", folder.join("repoplane.db").display()),
            Self::Postgres { server, name } => {
                let mut url: url::Url = server.parse().expect("TEST_POSTGRES_URL");
                url.set_path(name);
                url.into()
            }
        }
    }

    pub async fn drop(self) {
        if let Self::Postgres { server, name } = self {
            administer(&server, format!("DROP DATABASE {name} WITH (FORCE)")).await;
        }
    }
}

async fn administer(server: &str, statement: String) {
    let pool = sqlx::PgPool::connect(server).await.expect("TEST_POSTGRES_URL can be connected to");
    pool.execute(sqlx::AssertSqlSafe(statement)).await.expect("the right to make databases");
    pool.close().await;
}
