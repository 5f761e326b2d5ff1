//! Open uploads and their parts are listed in order, page by page, each once.

use repoplane::service::objects::uploads::{
    self, ListParts, ListUploads, UploadListing, UploadMarker,
};
use repoplane::service::objects::{Conditions, ObjectError, deleting};

use super::stage::Uploads;
use crate::support::Server;

#[tokio::test]
async fn uploads_are_listed_by_their_keys_and_beginnings() {
    let server = Server::start().await;
    let uploads = Uploads::on_disk(&server, "MIRROR", 1).await;
    let mut begun = vec![];
    for key in ["b/1", "a", "b/2", "b", "a", "é/1", "c/d/e", "a"] {
        begun.push(uploads.begin(key).await);
    }
    let gone = uploads.begin("a").await;
    uploads.abort(gone).await.expect("aborted");
    let mut sorted = begun.clone();
    sorted.sort();
    let all = |found: &UploadListing| -> Vec<_> {
        found.uploads.iter().map(|upload| (upload.key.clone(), upload.id)).collect()
    };
    let named = |places: &[super::stage::Place<'_>]| -> Vec<_> {
        places.iter().map(|(key, id)| ((*key).to_owned(), *id)).collect()
    };
    let request = ListUploads { limit: 1_000, ..ListUploads::default() };
    let found = list(&uploads, &request).await;
    assert_eq!(all(&found), named(&sorted));
    assert_eq!(found.next, None);

    for limit in 1..=sorted.len() {
        let mut request = ListUploads { limit, ..ListUploads::default() };
        let mut found = vec![];
        loop {
            let page = list(&uploads, &request).await;
            assert!(page.uploads.len() <= limit);
            found.extend(all(&page));
            request.after = page.next;
            if request.after.is_none() {
                break;
            }
        }
        assert_eq!(found, named(&sorted), "{limit}");
    }

    let behind = Some(UploadMarker { key: "a".to_owned(), upload: None });
    let found = list(&uploads, &ListUploads { after: behind, limit: 1, ..request.clone() }).await;
    assert_eq!(all(&found), named(&sorted[3..4]));
    let prefix = ListUploads { prefix: "b/".to_owned(), ..request };
    assert_eq!(all(&list(&uploads, &prefix).await), named(&sorted[4..6]));
    server.stop().await;
}

#[tokio::test]
async fn uploads_with_a_delimiter_are_listed_as_one() {
    let server = Server::start().await;
    let uploads = Uploads::on_disk(&server, "MIRROR", 1).await;
    for key in ["a", "b/1", "b/1", "b/2", "b/c/3", "b0", "é/1", "z"] {
        uploads.begin(key).await;
    }
    for limit in [1, 2, 10] {
        let delimiter = Some("/".to_owned());
        let mut request = ListUploads { delimiter, limit, ..ListUploads::default() };
        let mut found = vec![];
        loop {
            let page = list(&uploads, &request).await;
            found.extend(page.uploads.into_iter().map(|upload| upload.key));
            found.extend(page.prefixes);
            request.after = page.next;
            if request.after.is_none() {
                break;
            }
        }
        found.sort();
        assert_eq!(found, ["a", "b/", "b0", "z", "é/"], "{limit}");
    }
    server.stop().await;
}

#[tokio::test]
async fn parts_are_listed_by_their_numbers() {
    let server = Server::start().await;
    let uploads = Uploads::on_disk(&server, "MIRROR", 1).await;
    let place = uploads.begin("a").await;
    for number in [9, 2, 10_000, 4] {
        uploads.send(place, number, number.to_string().as_bytes()).await.expect("a part");
    }
    let (session, space) = uploads.stage.space().await;
    let list = async |place, after, limit| {
        let request = ListParts { after, limit };
        uploads::list_parts(uploads.stage.services(), &session, &space, place, request).await
    };
    let first = list(place, 0, 3).await.expect("a page");
    assert_eq!(first.parts.iter().map(|part| part.number).collect::<Vec<_>>(), [2, 4, 9]);
    assert_eq!((first.parts[1].size, first.next), (1, Some(9)));
    assert_eq!(first.upload.by, session.caller.key);
    let last = list(place, 9, 3).await.expect("a page");
    assert_eq!(last.parts.iter().map(|part| part.number).collect::<Vec<_>>(), [10_000]);
    assert_eq!(last.next, None);
    let elsewhere = list(("b", place.1), 0, 3).await;
    assert!(matches!(elsewhere, Err(ObjectError::NoSuchUpload)), "{elsewhere:?}");
    // An object that goes takes no upload with it.
    let services = uploads.stage.services();
    let none = Conditions::default();
    deleting::delete(services, &session, &space, "a", &none).await.expect("a delete");
    assert_eq!(list(place, 0, 10).await.expect("a page").parts.len(), 4);
    server.stop().await;
}

async fn list(uploads: &Uploads<'_>, request: &ListUploads) -> UploadListing {
    let (session, space) = uploads.stage.space().await;
    let listed = uploads::list_uploads(uploads.stage.services(), &session, &space, request).await;
    listed.expect("a list")
}
