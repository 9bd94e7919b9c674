"""What can go wrong, as codes. The words live in the catalogues (`error.<code>`), the status here."""


class ConfigError(Exception):
    """A setting is missing, weak or malformed; the message names it and says what to write."""


class AppError(Exception):
    """A failure a person can be told about.

    `code` names the catalogue's sentence, `params` fills its placeholders, `status` is the HTTP status.
    `retry_after` is in seconds.
    """

    code = "internal"
    status = 500

    def __init__(self, code: str | None = None, *, retry_after: int | None = None, **params: object) -> None:
        super().__init__(code or self.code)
        self.code = code or self.code
        self.retry_after = retry_after
        self.params = params


class BadRequest(AppError):
    code, status = "bad_request", 400


class SignInRequired(AppError):
    code, status = "sign_in_required", 401


class TokenRequired(AppError):
    """A program asks without a personal access token, or with one that opens nothing."""

    code, status = "token_required", 401


class Forbidden(AppError):
    code, status = "forbidden", 403


class OutsideHours(Forbidden):
    """The group of the person does not chat now: `params` say when it `opens_at`."""

    code = "outside_hours"


class ComesTooSoon(Forbidden):
    """The account of this identity was deleted lately: `params` say from when on (`again_at`) it may have a new one."""

    code = "identity_left"


class WrongCode(Forbidden):
    """Not a code of the second step, or one that was used before: a guess that counts."""

    code = "wrong_second_step_code"


class NotFound(AppError):
    """Absent, or someone else's: the two look the same."""

    code, status = "not_found", 404


class Conflict(AppError):
    code, status = "conflict", 409


class TooLarge(AppError):
    code, status = "too_large", 413


class TooSlow(AppError):
    """The request's body did not come in time."""

    code, status = "too_slow", 408


class Invalid(AppError):
    code, status = "invalid", 422


class TooMany(AppError):
    code, status = "too_many", 429


class BudgetExhausted(TooMany):
    """No room for another answer: `params` say which budget, and how much of it is left until it renews."""

    code, status = "budget_exhausted", 429


class Unavailable(AppError):
    code, status = "unavailable", 503


class UpstreamError(AppError):
    """The provider failed, with `upstream_status` if it said one; `retryable`: another try or key may help.

    `detail` is the provider's own words, without secrets: for administrators only.
    """

    code, status = "upstream_failed", 502

    def __init__(
        self,
        code: str | None = None,
        *,
        retryable: bool = False,
        status: int | None = None,
        retry_after: int | None = None,
        detail: str | None = None,
    ) -> None:
        super().__init__(code, retry_after=retry_after)
        self.retryable = retryable
        self.upstream_status = status
        self.detail = detail


class DeliveryError(AppError):
    """A warning could not be delivered; `lasting`: another try will not help.

    `detail` is the other side's own words, without secrets: for administrators only.
    """

    code, status = "delivery_failed", 502

    def __init__(self, code: str, *, detail: str | None = None, lasting: bool = False) -> None:
        super().__init__(code)
        self.detail = detail
        self.lasting = lasting
