//! While a bucket is imported, it is not known what it held before, and no condition is taken to hold.

use futures::StreamExt as _;
use repoplane::model::upload::Part;
use repoplane::service::objects::uploads::Completion;
use repoplane::service::objects::writing::{self, NewObject};
use repoplane::service::objects::{Conditions, Matching, ObjectError, Promised, deleting};
use serde_json::json;

use crate::objects::stage::Stage;
use crate::storage::stage::User;
use crate::support::Server;
use crate::support::faulty_cloud::{Fault, On};
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

#[tokio::test]
async fn conditions_are_on_what_a_bucket_held_before() {
    let (server, clouds) = Server::beside_faulty_clouds(1).await;
    clouds[0].swap("a", b"before", false);
    let user = User::owner(&server);
    let body = json!({ "name": "bucket-0", "storageType": "S3", "bucket": "bucket-0",
        "endpoint": clouds[0].url, "key": "key", "secret": "secret" });
    let bucket = user.create_bucket(body).await.expect("a bucket");
    clouds[0].fail(On::List, Fault::Refuses);
    let stage = Stage::over(&server, user, "NORMAL", vec![bucket]).await;
    let uploads = Uploads { stage };
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
