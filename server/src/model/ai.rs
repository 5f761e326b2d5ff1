//! Language models that storage repos name, and the keys for them.

use super::id::{AiKeyId, AiLlmId, OrgId, StorageRepoId, UserId, WorkspaceId};
use super::time::Timestamp;

/// What the public half of an AI API key begins with.
pub const AI_KEY_PREFIX: &str = "RPAI";
/// Most AI LLMs of one organisation.
pub const AI_LLMS_MAX: i64 = 10_000;
/// Characters of an AI LLM's key that lists may show.
pub const SHOWN_KEY_CHARS: usize = 3;

/// Who runs a language model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AiType {
    OpenAi,
    Google,
    Anthropic,
    Aws,
    Other,
}

impl AiType {
    pub const ALL: [Self; 5] =
        [Self::OpenAi, Self::Google, Self::Anthropic, Self::Aws, Self::Other];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OpenAi => "OPENAI",
            Self::Google => "GOOGLE",
            Self::Anthropic => "ANTHROPIC",
            Self::Aws => "AWS",
            Self::Other => "OTHER",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }

    /// Where the provider's API is, when there is one address for all.
    pub const fn default_endpoint(self) -> Option<&'static str> {
        match self {
            Self::OpenAi => Some("https://api.openai.com/v1"),
            Self::Google => Some("https://generativelanguage.googleapis.com/v1beta"),
            Self::Anthropic => Some("https://api.anthropic.com/v1"),
            Self::Aws => Some("https://bedrock-runtime.us-east-1.amazonaws.com"),
            Self::Other => None,
        }
    }
}

#[derive(Clone, Debug)]
pub struct AiLlm {
    pub id: AiLlmId,
    pub org: OrgId,
    pub workspace: WorkspaceId,
    pub user: UserId,
    pub name: String,
    pub ai_type: AiType,
    pub endpoint: String,
    /// The first characters of the key, to tell keys apart.
    pub shown_key: Option<String>,
    pub created_at: Timestamp,
}

#[derive(Clone, Debug)]
pub struct AiKey {
    pub id: AiKeyId,
    pub repo: StorageRepoId,
    pub name: String,
    pub ai_type: AiType,
    /// The public half.
    pub key: String,
    pub created_at: Timestamp,
}
