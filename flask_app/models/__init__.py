"""The schema. Money is integer micro-units of a currency, tokens are integers, times are UTC."""

from flask_app.models.accounts import (
    DEFAULT_GROUP_ID,
    AccessToken,
    AuditEntry,
    Group,
    GroupManager,
    Invitation,
    InvitationLetter,
    LoginSession,
    PasswordLink,
    PendingSignIn,
    RecoveryCode,
    SecondStep,
    Setting,
    TokenOrigin,
    User,
)
from flask_app.models.assistants import Assistant, AssistantFile, SharedAssistant, SharedAssistantFile
from flask_app.models.chat import Conversation, Folder, ImportedDaily, KeptDraft, Message, Run
from flask_app.models.devices import KnownDevice
from flask_app.models.files import FilePiece, KeptFile, MessageFile, PassageVectors, RemovedObject
from flask_app.models.identities import IdentityProvider, IdentitySignIn, LeftIdentity, LinkedIdentity
from flask_app.models.metering import (
    Attempt,
    Budget,
    CodeBatch,
    RedeemCode,
    SpentDaily,
    SpentMonthly,
    TokenUsage,
    TopUp,
    UsageHourly,
)
from flask_app.models.notices import Notice
from flask_app.models.passkeys import Passkey, UsedChallenge
from flask_app.models.programs import ProgramKey, ProgramRequest, ProgramWords
from flask_app.models.prompts import EVERYBODY, Prompt, SharedPrompt
from flask_app.models.reconciliation import BalanceReading, Reconciliation
from flask_app.models.registrations import Registration
from flask_app.models.search import SearchDocument, SearchPosting, SearchProgress
from flask_app.models.sharing import Share, SharedDaily
from flask_app.models.site import ANNOUNCED, Announcement, ServerProcess
from flask_app.models.tool_servers import GroupToolServer, ServerTool, ToolServer
from flask_app.models.tools import ToolCall
from flask_app.models.upstream import ApiKey, ChatModel, ModelAlias, Provider, Tariff
from flask_app.models.web_searches import WebSearch, WebSource

__all__ = [
    "ANNOUNCED",
    "DEFAULT_GROUP_ID",
    "EVERYBODY",
    "AccessToken",
    "Announcement",
    "ApiKey",
    "Assistant",
    "AssistantFile",
    "Attempt",
    "AuditEntry",
    "BalanceReading",
    "Budget",
    "ChatModel",
    "CodeBatch",
    "Conversation",
    "FilePiece",
    "Folder",
    "Group",
    "GroupManager",
    "GroupToolServer",
    "IdentityProvider",
    "IdentitySignIn",
    "ImportedDaily",
    "Invitation",
    "InvitationLetter",
    "KeptDraft",
    "KeptFile",
    "KnownDevice",
    "LeftIdentity",
    "LinkedIdentity",
    "LoginSession",
    "Message",
    "MessageFile",
    "ModelAlias",
    "Notice",
    "PassageVectors",
    "Passkey",
    "PasswordLink",
    "PendingSignIn",
    "ProgramKey",
    "ProgramRequest",
    "ProgramWords",
    "Prompt",
    "Provider",
    "Reconciliation",
    "RecoveryCode",
    "RedeemCode",
    "Registration",
    "RemovedObject",
    "Run",
    "SearchDocument",
    "SearchPosting",
    "SearchProgress",
    "SecondStep",
    "ServerProcess",
    "ServerTool",
    "Setting",
    "Share",
    "SharedAssistant",
    "SharedAssistantFile",
    "SharedDaily",
    "SharedPrompt",
    "SpentDaily",
    "SpentMonthly",
    "Tariff",
    "TokenOrigin",
    "TokenUsage",
    "ToolCall",
    "ToolServer",
    "TopUp",
    "UsageHourly",
    "UsedChallenge",
    "User",
    "WebSearch",
    "WebSource",
]
