//! While a bucket is imported, it is not known what it held before, and no condition is taken to hold.

use futures::StreamExt as _;
use repoplane::model::id::Version;
use repoplane::model::time::Timestamp;
use repoplane::model::upload::Part;
use repoplane::service::objects::uploads::Completion;
use repoplane::service::objects::writing::{self, NewObject};
use repoplane::service::objects::{Conditions, Matching, ObjectError, Promised, deleting};
use repoplane::store::intents::{self, Intent};
use serde_json::json;

use crate::objects::stage::Stage;
use crate::storage::stage::User;
use crate::support::Server;
use crate::support::faulty_cloud::{Fault, FaultyCloud, On};
use crate::uploads::stage::{Place, Uploads, completion};

async fn delete(stage: &Stage<'_>) -> Result<(), ObjectError> {
    let (session, space) = stage.space().await;
    let held = Conditions { if_size: Some(1), ..Conditions::default() };
    deleting::delete(stage.services(), &session, &space, "a", &held).await.map(drop)
}

async fn write(stage: &Stage<'_>) -> Result<(), ObjectError> {
    let (session, space) = stage.space().await;
    let new = NewObject {
        key: "a".to_owned(),
        length: 0,
        attributes: Default::default(),
        tags: vec![],
        conditions: Conditions { if_none_match: Some(Matching::Any), ..Conditions::default() },
        promised: Promised::default(),
    };
    let content = futures::stream::empty().boxed();
    writing::put(stage.services(), &session, &space, new, content).await.map(drop)
}

async fn complete(
    uploads: &Uploads<'_>,
    place: Place<'_>,
    parts: &[Part],
) -> Result<(), ObjectError> {
    let conditions = Conditions { if_none_match: Some(Matching::Any), ..Conditions::default() };
    let asked = Completion { conditions, ..completion(parts) };
    uploads.complete_as(place, asked).await.map(drop)
}

/// Over a bucket that held `a` before, and lists nothing until it recovers.
async fn importing<'s>(server: &'s Server, cloud: &FaultyCloud) -> Stage<'s> {
    cloud.swap("a", b"before", false);
    let user = User::owner(server);
    let body = json!({ "name": "bucket-0", "storageType": "S3", "bucket": "bucket-0",
        "endpoint": cloud.url, "key": "key", "secret": "secret" });
    let bucket = user.create_bucket(body).await.expect("a bucket");
    cloud.fail(On::List, Fault::Refuses);
    Stage::over(server, user, "NORMAL", vec![bucket]).await
}

#[tokio::test]
async fn what_another_server_is_about_to_change_is_imported() {
    let (server, clouds) = Server::beside_faulty_clouds(1).await;
    let stage = importing(&server, &clouds[0]).await;
    let (_, space) = stage.space().await;
    let intent = Intent {
        space: space.id,
        key: "a".to_owned(),
        version: Version::new(),
        node: "another".to_owned(),
        lease_until: Timestamp::now().plus(intents::LEASE),
        object: None,
        told: false,
    };
    let mut tx = stage.services().store.begin().await.expect("a transaction");
    assert!(intents::take(&mut tx, &intent).await.expect("an intent").is_some());
    tx.commit().await.expect("committed");
    clouds[0].recover();
    stage.until_alike().await;
    assert_eq!(stage.keys().await, ["a"]);
    server.stop().await;
}

#[tokio::test]
async fn conditions_are_on_what_a_bucket_held_before() {
    let (server, clouds) = Server::beside_faulty_clouds(1).await;
    let uploads = Uploads { stage: importing(&server, &clouds[0]).await };
    let place = uploads.begin("a").await;
    let parts = [uploads.send(place, 1, b"after").await.expect("a part")];
    let all = async || {
        let stage = &uploads.stage;
        let done = tokio::join!(delete(stage), write(stage), complete(&uploads, place, &parts));
        [done.0, done.1, done.2]
    };
    for refused in all().await {
        assert!(matches!(refused, Err(ObjectError::Importing)), "{refused:?}");
    }
    clouds[0].recover();
    uploads.stage.until_alike().await;
    for refused in all().await {
        assert!(matches!(refused, Err(ObjectError::PreconditionFailed(_))), "{refused:?}");
    }
    assert_eq!(clouds[0].get("a").as_deref(), Some(&b"before"[..]));
    server.stop().await;
}
