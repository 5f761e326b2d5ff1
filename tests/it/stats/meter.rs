//! The meter itself: nothing is lost in order, nothing is counted twice, and what is old is added up.

use repoplane::model::time::Timestamp;
use repoplane::model::usage::{DAYS_KEPT, MINUTES_KEPT};
use sqlx::AnyPool;

use super::{DAY, HOUR, Stage, at_bucket, by_client, decimal, moved};

/// Rows of a table.
async fn rows(pool: &AnyPool, table: &str) -> i64 {
    let count = format!("SELECT COUNT(*) FROM {table}");
    sqlx::query_scalar(sqlx::AssertSqlSafe(count)).fetch_one(pool).await.expect("a count")
}

async fn pool(stage: &Stage) -> AnyPool {
    AnyPool::connect(&stage.server.database_url()).await.expect("the test's database")
}

#[tokio::test]
async fn a_server_that_stops_in_order_loses_nothing() {
    let stage = Stage::start().await;
    stage.meter().count(&by_client(stage.mirror, None), moved(3, 2, 1, 1));
    let server = stage.server.restart().await;
    let stage = Stage { server, ..stage };
    let owner = crate::storage::stage::User::owner(&stage.server);
    let stage = Stage { owner, ..stage };
    let expected = [(stage.mirror, decimal([3, 2, 1]))];
    assert_eq!(stage.repo_totals(Some(&[stage.mirror])).await, expected);
    stage.stop().await;
}

#[tokio::test]
async fn what_cannot_be_written_is_written_later() {
    let stage = Stage::start().await;
    let pool = pool(&stage).await;
    let rename = async |from: &str, to: &str| {
        let statement = format!("ALTER TABLE {from} RENAME TO {to}");
        sqlx::query(sqlx::AssertSqlSafe(statement)).execute(&pool).await.expect("renamed");
    };
    stage.meter().count(&by_client(stage.mirror, None), moved(1, 0, 0, 1));
    rename("usage_minutes", "elsewhere").await;
    stage.meter().flush().await.expect_err("there is no such table");
    stage.meter().count(&by_client(stage.mirror, None), moved(2, 0, 0, 1));
    rename("elsewhere", "usage_minutes").await;
    let expected = [(stage.mirror, decimal([3, 0, 0]))];
    assert_eq!(stage.repo_totals(Some(&[stage.mirror])).await, expected);
    assert_eq!(stage.repo_totals(Some(&[stage.mirror])).await, expected, "and only once");
    pool.close().await;
    stage.stop().await;
}

#[tokio::test]
async fn two_servers_add_to_each_other() {
    let stage = Stage::start().await;
    let meters =
        [stage.meter().clone(), stage.other_meter("127.0.0.1"), stage.other_meter("other")];
    let work = meters.iter().map(async |meter| {
        for _ in 0..20 {
            meter.count(&by_client(stage.mirror, Some(stage.key)), moved(1, 2, 3, 1));
            meter.count(&at_bucket(stage.mirror, stage.a), moved(1, 2, 3, 1));
            meter.flush().await.expect("written");
        }
    });
    futures::future::join_all(work).await;
    let expected = [(stage.mirror, decimal([60, 120, 180]))];
    assert_eq!(stage.repo_totals(Some(&[stage.mirror])).await, expected);
    stage.stop().await;
}

#[tokio::test]
async fn minutes_become_days_when_they_are_old() {
    let stage = Stage::start().await;
    let pool = pool(&stage).await;
    let now = Timestamp::now();
    // The last minute of a day that is over for two days, and the first minute of the next.
    let edge = now.minus(MINUTES_KEPT).floor(DAY);
    for (at, up) in [(edge.minus(HOUR), 1), (edge.minus(HOUR / 60), 10), (edge, 100), (now, 1_000)]
    {
        stage.meter().count_at(at, &by_client(stage.mirror, None), moved(up, 0, 0, 1));
    }
    let expected = [(stage.mirror, decimal([1_111, 0, 0]))];
    assert_eq!(stage.repo_totals(Some(&[stage.mirror])).await, expected);
    assert_eq!((rows(&pool, "usage_minutes").await, rows(&pool, "usage_days").await), (4, 0));
    for _ in 0..2 {
        stage.meter().roll(now).await.expect("added up");
        assert_eq!((rows(&pool, "usage_minutes").await, rows(&pool, "usage_days").await), (2, 1));
        assert_eq!(stage.repo_totals(Some(&[stage.mirror])).await, expected);
    }
    // A server that could not write for days.
    stage.meter().count_at(edge.minus(HOUR), &by_client(stage.mirror, None), moved(1, 0, 0, 1));
    stage.meter().flush().await.expect("written");
    stage.meter().roll(now).await.expect("added up");
    assert_eq!((rows(&pool, "usage_minutes").await, rows(&pool, "usage_days").await), (2, 1));
    let expected = [(stage.mirror, decimal([1_112, 0, 0]))];
    assert_eq!(stage.repo_totals(Some(&[stage.mirror])).await, expected);
    pool.close().await;
    stage.stop().await;
}

#[tokio::test]
async fn days_that_are_too_old_stay_in_the_totals() {
    let stage = Stage::start().await;
    let pool = pool(&stage).await;
    let now = Timestamp::now();
    let oldest = now.minus(DAYS_KEPT).floor(DAY);
    for (at, up) in [(oldest.minus(3 * DAY), 1), (oldest.minus(HOUR), 10), (oldest, 100)] {
        stage.meter().count_at(at, &at_bucket(stage.mirror, stage.a), moved(up, 0, 0, 1));
        stage.meter().count_at(at, &by_client(stage.mirror, None), moved(up, 0, 0, 1));
    }
    stage.meter().flush().await.expect("written");
    for _ in 0..2 {
        stage.meter().roll(now).await.expect("added up");
        assert_eq!((rows(&pool, "usage_minutes").await, rows(&pool, "usage_days").await), (0, 4));
    }
    let expected = [(stage.mirror, decimal([111, 0, 0]))];
    assert_eq!(stage.repo_totals(Some(&[stage.mirror])).await, expected);
    let daily = stage.owner.read("/stats/daily?startDate=0001-01-01").await;
    let days = daily["data"].as_array().expect("rows");
    assert_eq!(days.len(), 1, "what is too old is in no row: {daily}");
    assert_eq!(
        (&days[0]["timestamp"], &days[0]["upl_bytes"]),
        (&oldest.seconds().into(), &100.into())
    );
    pool.close().await;
    stage.stop().await;
}
