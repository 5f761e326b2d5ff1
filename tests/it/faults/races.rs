//! Requests that meet on one key while a bucket takes its time.

use std::cell::Cell;

use repoplane::model::access::Role;
use repoplane::model::object::{About, Object};
use repoplane::model::time::Timestamp;
use repoplane::service::objects::{ObjectError, changing};
use repoplane::store::{Kind, intents, objects};
use sqlx::Executor;

use super::stage::{Broken, Known};
use crate::support::Server;
use crate::support::faulty_cloud::{Fault, On};

fn known(key: &str, content: &[u8]) -> Known {
    Known::from([(key.to_owned(), content.to_vec())])
}

/// The buckets have the new version already, the catalog has not: whoever reads then waits.
#[tokio::test]
async fn a_read_that_is_overtaken_by_a_write_reads_what_was_written() {
    for (mode, buckets) in [("NORMAL", 1), ("MIRROR", 2)] {
        let (server, clouds) = Server::beside_faulty_clouds(buckets).await;
        let broken = Broken::over(&server, &clouds, mode).await;
        broken.put("a", b"old").await.expect("a write");
        let gate = clouds[buckets - 1].hold_answer(On::Put);
        let reads = async {
            gate.reached().await;
            // The other one may be about to answer; the last to have it is this one.
            while clouds.iter().any(|cloud| cloud.get("a").as_deref() != Some(b"new")) {
                tokio::task::yield_now().await;
            }
            let opens = async { gate.open() };
            let (read, ()) = tokio::join!(broken.stage.get("a"), opens);
            assert_eq!(read.expect("a read"), b"new");
        };
        let (put, ()) = tokio::join!(broken.put("a", b"new"), reads);
        put.expect("a write");
        // Nobody has to prove anything for having been ahead.
        assert_eq!(broken.stage.get("a").await.expect("a read"), b"new");
        broken.mend().await;
        broken.check(&known("a", b"new")).await;
        server.stop().await;
    }
}

/// Nobody knows whether the only bucket stored what it was sent, until it answers again.
#[tokio::test]
async fn what_only_a_silent_bucket_knows_is_not_forgotten() {
    for (mode, buckets) in [("NORMAL", 1), ("MIRROR", 2), ("BACKUP", 2)] {
        let (server, clouds) = Server::beside_faulty_clouds(buckets).await;
        let broken = Broken::over(&server, &clouds, mode).await;
        broken.put("a", b"old").await.expect("a write");
        broken.mend().await;
        for cloud in &clouds {
            cloud.fail(On::Put, Fault::SaysNothing);
            cloud.fail(On::Head, Fault::Refuses);
        }
        broken.put("a", b"new").await.expect_err("nobody says that it is stored");
        let only = if mode == "BACKUP" { 1 } else { buckets };
        for cloud in &clouds[..only] {
            assert_eq!(cloud.get("a").as_deref(), Some(&b"new"[..]), "{mode}");
        }
        broken.mend().await;
        // It was never acknowledged; but where it has replaced all there was, it is all there is.
        let now = broken.stage.get("a").await.expect("a read");
        assert!(now == b"new" || (mode == "BACKUP" && now == b"old"), "{mode}");
        broken.check(&known("a", &now)).await;
        server.stop().await;
    }
}

/// Somebody else, who thought the process dead, has given the key back before it was sure to have it. With
/// PostgreSQL; SQLite has one server, and nobody else.
#[tokio::test]
async fn a_write_whose_key_was_given_back_replaces_nothing() {
    const GIVEN_BACK: &str = "CREATE FUNCTION give_back() RETURNS trigger LANGUAGE plpgsql AS $$
         BEGIN
             DELETE FROM intents WHERE space_id = OLD.space_id AND key = OLD.key;
             RETURN NULL;
         END $$;
         CREATE TRIGGER give_back BEFORE UPDATE ON intents
             FOR EACH ROW EXECUTE FUNCTION give_back()";
    let (server, clouds) = Server::beside_faulty_clouds(2).await;
    let broken = Broken::over(&server, &clouds, "MIRROR").await;
    let store = &broken.stage.services().store;
    if store.kind() == Kind::Postgres {
        broken.put("a", b"old").await.expect("a write");
        store.write_now().execute(GIVEN_BACK).await.expect("a trigger");
        let put = broken.put("a", b"new").await;
        assert!(matches!(put, Err(ObjectError::Busy)), "{put:?}");
        let drop = "DROP TRIGGER give_back ON intents";
        store.write_now().execute(drop).await.expect("no trigger");
        broken.check(&known("a", b"old")).await;
        broken.put("a", b"newer").await.expect("a write");
        broken.check(&known("a", b"newer")).await;
    }
    server.stop().await;
}

/// A process that was thought dead comes back when somebody else has written the key since.
#[tokio::test]
async fn a_late_write_does_not_replace_what_came_after_it() {
    let (server, clouds) = Server::beside_faulty_clouds(2).await;
    let broken = Broken::over(&server, &clouds, "MIRROR").await;
    if broken.stage.services().store.kind() == Kind::Sqlite {
        // No other process can be on it, so nobody asks the database who has the key by now.
        return server.stop().await;
    }
    broken.put("a", b"old").await.expect("a write");
    let gate = clouds[0].hold_body(On::Put);
    let late = clouds[1].hold_answer(On::Put);
    let overtakes = async {
        gate.reached().await;
        late.reached().await;
        let space = broken.space().await.id;
        let known = broken.stage.services().store.read();
        let known = objects::get(known, space, "a").await.expect("a row").expect("an object");
        replace(&broken, Object { size: 5, about: About::default(), ..known.object }).await;
        clouds[1].swap("a", b"newer", false);
        gate.open();
        late.open();
    };
    let (put, ()) = tokio::join!(broken.put("a", b"late"), overtakes);
    assert!(matches!(put, Err(ObjectError::Busy)), "{put:?}");
    broken.mend().await;
    assert_eq!(broken.stage.get("a").await.expect("a read"), b"newer");
    assert_eq!(clouds[0].get("a").as_deref(), Some(&b"newer"[..]));
    server.stop().await;
}

/// What another process does that takes the key over and writes something else.
async fn replace(broken: &Broken<'_>, object: Object) {
    let (services, space) = (broken.stage.services(), broken.space().await.id);
    let store = &services.store;
    intents::end_all(store.write_now()).await.expect("intents");
    let taken = intents::take_over(store.write_now(), (space, "a"), "other", Timestamp::now());
    let taken = taken.await.expect("intents").expect("an intent to take over");
    let about =
        About { native: Some(crate::support::faulty_cloud::etag(b"newer")), ..object.about };
    let object = Object { version: repoplane::model::id::Version::new(), about, ..object };
    let mut tx = store.begin().await.expect("a transaction");
    assert!(intents::release(&mut tx, (space, "a"), taken.version).await.expect("intents"));
    objects::put(&mut tx, space, &object).await.expect("a row");
    tx.commit().await.expect("a commit");
}

/// A process that was thought dead comes back, and nobody has touched the key since.
#[tokio::test]
async fn a_late_write_that_nobody_overtook_counts() {
    let (server, clouds) = Server::beside_faulty_clouds(1).await;
    let broken = Broken::over(&server, &clouds, "NORMAL").await;
    broken.put("a", b"old").await.expect("a write");
    let gate = clouds[0].hold_body(On::Put);
    let drops = async {
        gate.reached().await;
        let (services, space) = (broken.stage.services(), broken.space().await.id);
        let store = &services.store;
        intents::end_all(store.write_now()).await.expect("intents");
        let taken = intents::take_over(store.write_now(), (space, "a"), "other", Timestamp::now());
        let taken = taken.await.expect("intents").expect("an intent to take over");
        let mut tx = store.begin().await.expect("a transaction");
        assert!(intents::release(&mut tx, (space, "a"), taken.version).await.expect("intents"));
        tx.commit().await.expect("a commit");
        gate.open();
    };
    let (put, ()) = tokio::join!(broken.put("a", b"late"), drops);
    put.expect("a write");
    broken.mend().await;
    broken.check(&known("a", b"late")).await;
    server.stop().await;
}

/// Whoever asks for tags and goes away, at any moment, does not leave the key taken.
#[tokio::test]
async fn a_client_that_goes_away_leaves_no_key_taken() {
    let (server, clouds) = Server::beside_faulty_clouds(1).await;
    let broken = Broken::over(&server, &clouds, "NORMAL").await;
    broken.put("a", b"content").await.expect("a write");
    let session = broken.stage.session().await;
    let space = session.space("bucket-0", Role::Write).expect("a space");
    for polls in 1..40 {
        let tags = vec![("name".to_owned(), polls.to_string())];
        let mut asked =
            Box::pin(changing::set_tags(broken.stage.services(), &session, &space, "a", tags));
        for _ in 0..polls {
            if futures::poll!(&mut asked).is_ready() {
                break;
            }
            tokio::task::yield_now().await;
        }
        drop(asked);
    }
    broken.put("a", b"another").await.expect("a write to a key that nobody has");
    broken.mend().await;
    broken.check(&known("a", b"another")).await;
    server.stop().await;
}

/// Many writers, readers and deleters on one key, with a bucket that comes and goes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_key_under_load_is_never_mixed() {
    const ROUNDS: usize = 40;
    let (server, clouds) = Server::beside_faulty_clouds(2).await;
    let broken = Broken::over(&server, &clouds, "MIRROR").await;
    let falls = Cell::new(0);
    let writer = async |name: usize| {
        for round in 0..ROUNDS {
            let before = falls.get();
            let content = vec![u8::try_from(name).expect("a digit"); 100 + name * 1_000];
            match broken.put("a", &content).await {
                Ok(()) | Err(ObjectError::Busy) => {}
                // One bucket was gone already, or given up, when the other one went.
                Err(ObjectError::Unavailable(_)) if falls.get() > before => {}
                Err(error) => panic!("{name} {round}: {error}"),
            }
        }
    };
    let reader = async || {
        for _ in 0..ROUNDS * 2 {
            match broken.stage.get("a").await {
                Ok(read) => {
                    let name = usize::from(read[0]);
                    assert_eq!(read, vec![read[0]; 100 + name * 1_000]);
                }
                Err(ObjectError::NoSuchKey) => {}
                // Others were faster again and again.
                Err(ObjectError::Unavailable(_) | ObjectError::Busy) => {}
                Err(error) => panic!("{error}"),
            }
        }
    };
    let deleter = async || {
        for _ in 0..ROUNDS {
            match broken.stage.delete("a").await {
                Ok(_) | Err(ObjectError::Busy) => {}
                Err(error) => panic!("{error}"),
            }
        }
    };
    let comes_and_goes = async {
        for round in 0..ROUNDS {
            let gate = clouds[round % 2].hold_before(On::Put);
            gate.reached().await;
            falls.set(falls.get() + 1);
            clouds[round % 2].fall();
            gate.open();
            clouds[round % 2].recover();
            broken.calm().await;
        }
    };
    tokio::select! {
        _ = futures::future::join(
            futures::future::join3(writer(1), writer(2), writer(3)),
            futures::future::join(reader(), deleter()),
        ) => {}
        () = async { comes_and_goes.await; std::future::pending().await } => {}
    }
    broken.mend().await;
    match broken.stage.get("a").await {
        Ok(now) => broken.check(&known("a", &now)).await,
        Err(error) => {
            assert!(matches!(error, ObjectError::NoSuchKey), "{error}");
            broken.check(&Known::new()).await;
        }
    }
    server.stop().await;
}
