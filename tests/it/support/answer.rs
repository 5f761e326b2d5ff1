//! What the generated client brings back when the server says no.

use repoplane_client::{Error, ResponseValue, types};

/// The status and the message of a refusal by the storage half.
pub fn refusal<T>(sent: Result<ResponseValue<T>, Error<types::StorageError>>) -> (u16, String) {
    match sent {
        Ok(_) => panic!("the call succeeded"),
        Err(Error::ErrorResponse(answer)) => {
            (answer.status().as_u16(), answer.into_inner().message)
        }
        Err(other) => panic!("not a documented refusal: {other:?}"),
    }
}
