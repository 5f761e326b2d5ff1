//! The rules a new document can break, with who suffers and what to do instead. An id, once released, never changes:
//! allow lists are written against it.

use crate::Direction;

/// One way to break clients.
#[derive(Debug)]
pub struct Rule {
    pub id: &'static str,
    /// `None`: only code generated from the document breaks, or both sides do.
    pub direction: Option<Direction>,
    /// Who breaks.
    pub breaks: &'static str,
    /// How to get the same result without breaking anyone.
    pub instead: &'static str,
}

macro_rules! rules {
    ($($name:ident $id:literal $direction:ident: $breaks:literal, $instead:literal;)*) => {
        $(pub(super) const $name: &Rule = &Rule {
            id: $id,
            direction: rules!(@ $direction),
            breaks: $breaks,
            instead: $instead,
        };)*
        /// Every rule of [`compat`](crate::compat).
        pub const RULES: &[&Rule] = &[$($name),*];
    };
    (@ request) => { Some(Direction::Request) };
    (@ response) => { Some(Direction::Response) };
    (@ both) => { None };
}

rules! {
    // Whole operations
    OPERATION_REMOVED "operation-removed" request: "clients that call it get 404 or 405", "keep it and mark it `deprecated`";
    OPERATION_ID_CHANGED "operation-id-changed" both: "generated clients only: the method changes its name", "keep the operationId";
    PATH_PARAMETER_RENAMED "path-parameter-renamed" both: "generated clients only: the argument changes its name", "keep the parameter's name";
    SCHEMA_REMOVED "schema-removed" both: "generated clients only: the type disappears", "keep the schema under its name";
    CALLBACK_REMOVED "callback-removed" response: "clients that wait for it are no longer called", "keep sending it";
    SERVER_REMOVED "server-removed" request: "clients configured with that base URL", "keep the old URL listed and served";
    SECURITY_TIGHTENED "security-tightened" request: "clients whose credentials were enough before get 401 or 403", "add the new scheme or scope as an alternative";
    SECURITY_SCHEME_CHANGED "security-scheme-changed" request: "clients that present their credentials in the old way get 401", "add a second scheme as an alternative";

    // Parameters
    PARAMETER_REMOVED "request-parameter-removed" request: "clients that send it are refused or ignored", "keep it and mark it `deprecated`";
    PARAMETER_REQUIRED "request-parameter-required" request: "clients that leave it out are refused", "make it optional with a default";
    PARAMETER_ENCODING "request-parameter-encoding-changed" request: "clients that encode it in the old way are misread", "add a new parameter";
    PARAMETER_EMPTY "request-parameter-empty-refused" request: "clients that send it without a value are refused", "keep `allowEmptyValue`";

    // Bodies
    BODY_REMOVED "request-body-removed" request: "clients that send a body are refused or ignored", "keep accepting it";
    BODY_REQUIRED "request-body-required" request: "clients that send no body are refused", "make the body optional";
    REQUEST_MEDIA_TYPE_REMOVED "request-media-type-removed" request: "clients that send it get 415", "keep accepting the media type";
    RESPONSE_MEDIA_TYPE_REMOVED "response-media-type-removed" response: "clients that read this media type get another one or 406", "keep offering the media type";
    REQUEST_ENCODING "request-encoding-changed" request: "clients that encode this part in the old way are misread", "add a new property";
    RESPONSE_ENCODING "response-encoding-changed" response: "clients that decode this part in the old way misread it", "add a new property";

    // Responses
    STATUS_REMOVED "response-status-removed" response: "clients that wait for this status never see it", "keep the status for the same outcome";
    STATUS_ADDED "response-status-added" response: "clients that know only the old statuses take it for an unexpected answer", "use a documented status, or announce a range such as 4XX first";
    RESPONSE_BODY_ADDED "response-body-added" response: "generated clients only: the method changes its return type", "add a new operation";
    HEADER_REMOVED "response-header-removed" response: "clients that read the header", "keep sending it";
    HEADER_OPTIONAL "response-header-not-required" response: "clients that rely on the header", "keep sending it always";

    // Schemas: types and values
    REQUEST_TYPE "request-type-changed" request: "clients that send the old type are refused", "accept both types, or add a new property";
    RESPONSE_TYPE "response-type-changed" response: "clients that expect the old type fail to read it", "add a new property";
    REQUEST_FORMAT "request-format-changed" request: "clients that send the old format may be refused", "add a new property";
    RESPONSE_FORMAT "response-format-changed" response: "clients that parse the old format may fail", "add a new property";
    REQUEST_NULL "request-null-refused" request: "clients that send null are refused", "keep accepting null";
    RESPONSE_NULL "response-null-added" response: "clients that do not expect null fail to read it", "leave the property out instead, if it is optional";
    REQUEST_ENUM "request-enum-value-removed" request: "clients that send this value are refused", "keep accepting it as a synonym";
    RESPONSE_ENUM "response-enum-value-added" response: "clients that know only the old values fail to read it", "answer with an old value, and put the new one into a new property";
    REQUEST_ENUM_CLOSED "request-enum-introduced" request: "clients that send any other value are refused", "keep the values open and document the known ones";
    RESPONSE_ENUM_OPENED "response-enum-dropped" response: "clients that know only the listed values fail to read others", "keep the enum";
    REQUEST_BOUND "request-bound-tightened" request: "clients that send values beyond the new bound are refused", "keep the old bound";
    RESPONSE_BOUND "response-bound-loosened" response: "clients that rely on the old bound", "keep the old bound";
    REQUEST_PATTERN "request-pattern-changed" request: "clients whose values match only the old pattern are refused", "keep the old pattern";
    RESPONSE_PATTERN "response-pattern-changed" response: "clients that parse values by the old pattern", "keep the old pattern";
    REQUEST_DEFAULT "request-default-changed" request: "clients that leave the value out get another behaviour", "keep the default";
    REQUEST_NOT "request-not-changed" request: "clients may send values that are now excluded", "keep `not` as it is";
    RESPONSE_NOT "response-not-changed" response: "clients may receive values that were excluded", "keep `not` as it is";
    REQUEST_XML "request-xml-changed" request: "clients that send XML in the old form are misread", "keep the XML names";
    RESPONSE_XML "response-xml-changed" response: "clients that read XML in the old form", "keep the XML names";

    // Schemas: objects and unions
    REQUEST_PROPERTY_REMOVED "request-property-removed" request: "clients that send it are refused or ignored", "keep it and mark it `deprecated`";
    RESPONSE_PROPERTY_REMOVED "response-property-removed" response: "clients that read it", "keep sending it and mark it `deprecated`";
    REQUEST_PROPERTY_REQUIRED "request-property-required" request: "clients that leave it out are refused", "make it optional with a default";
    RESPONSE_PROPERTY_OPTIONAL "response-property-not-required" response: "clients that rely on it fail when it is absent", "keep sending it always";
    RESPONSE_CLOSED_PROPERTY "response-property-added-to-closed" response: "clients that were told `additionalProperties: false` refuse the answer", "open the schema in an earlier version, or add a new operation";
    REQUEST_CLOSED "request-additional-properties-closed" request: "clients that send other properties are refused", "keep ignoring unknown properties";
    RESPONSE_OPENED "response-additional-properties-opened" response: "clients that were told `additionalProperties: false` refuse the answer", "keep the schema closed";
    REQUEST_BRANCH "request-branch-removed" request: "clients that send this alternative are refused", "keep accepting it";
    RESPONSE_BRANCH "response-branch-added" response: "clients that know only the old alternatives fail to read it", "add a new operation or property";
    REQUEST_DISCRIMINATOR "request-discriminator-changed" request: "clients that tag the alternative in the old way are misread", "keep the discriminator";
    RESPONSE_DISCRIMINATOR "response-discriminator-changed" response: "clients that tell the alternatives apart in the old way", "keep the discriminator";
}
