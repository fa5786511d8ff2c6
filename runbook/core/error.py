"""Every error the runbook raises on purpose.

    RunbookError                 code, message, hint, exit status
    ├── UsageError               wrong options or inputs
    │   └── BookError            a fault in a book, inputs or scenario file: file, line, column
    ├── ContextError             the sign-in is not the one the run is pinned to
    ├── StepFault                a step broke its contract (a defect of ours, never of the cloud)
    ├── ArmError                 what Azure Resource Manager did with a call
    │   ├── NotSent              the request never left: nothing can have happened
    │   │   └── SignInNeeded     no access token: sign in again, or otherwise; nothing can have happened
    │   ├── AnswerMissing        sent, but no answer came: it may or may not have happened
    │   └── Refused              answered with an error: not applied
    │       └── Throttled        refused for now; ask again after ``retry_after_s``
    └── JournalError             the run's own record
        ├── RunUnknown           no run of that name
        ├── Driven               another process drives this run
        ├── LeaseLost            this process drove the run, and another took it over
        ├── TooNew               written by a later release
        ├── Damaged              the hash chain does not hold
        └── Unwritable           the disk is full, read-only, or not ours

What may have happened on the far side follows from the class, never from reading a message.
"""

from __future__ import annotations

from typing import Any, ClassVar


class RunbookError(Exception):
    """An error an operator may read: what is wrong, and what to do now."""

    code: ClassVar[str] = "error"
    """Stable name; scripts may match on it."""
    exit_status: ClassVar[int] = 1

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()


class UsageError(RunbookError):
    code = "usage"
    exit_status = 2


class BookError(UsageError):
    """A fault in a file the operator wrote. ``line`` and ``column`` count from 1; 0 means unknown."""

    code = "book"

    def __init__(self, message: str, *, file: str = "", line: int = 0, column: int = 0, hint: str = "") -> None:
        super().__init__(message, hint)
        self.file, self.line, self.column = file, line, column

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}: {self.message}" if self.file else super().__str__()


class ContextError(RunbookError):
    code = "context"
    exit_status = 5


class StepFault(RunbookError):
    code = "step_fault"


class ArmError(RunbookError):
    """A call to Azure Resource Manager did not succeed."""

    code = "arm"


class NotSent(ArmError):
    code = "not_sent"


class SignInNeeded(NotSent):
    code = "sign_in"
    exit_status = 5


class AnswerMissing(ArmError):
    code = "answer_missing"


class Refused(ArmError):
    """ARM answered with an error.

    Args:
        status: HTTP status.
        arm_code: the innermost error code, such as ``SubnetIsFull``.
        target: ARM's ``target``, often a resource id or namespace; may be empty.
        details: the error's ``details`` as ARM sent them.
        correlation_id: searchable in the activity log; may be empty.
    """

    code = "refused"

    def __init__(
        self,
        message: str,
        *,
        status: int,
        arm_code: str,
        target: str = "",
        details: list[dict[str, Any]] | None = None,
        correlation_id: str = "",
        hint: str = "",
    ) -> None:
        super().__init__(message, hint)
        self.status, self.arm_code, self.target = status, arm_code, target
        self.details = details or []
        self.correlation_id = correlation_id

    def __str__(self) -> str:
        return f"{self.arm_code}: {self.message}"


class Throttled(Refused):
    """Refused for now. ``retry_after_s`` is ARM's own wish, in seconds; None when it gave none."""

    code = "throttled"

    def __init__(self, message: str, *, retry_after_s: float | None, **rest: Any) -> None:
        super().__init__(message, **rest)
        self.retry_after_s = retry_after_s


class JournalError(RunbookError):
    code = "journal"


class RunUnknown(JournalError):
    code = "run_unknown"
    exit_status = 2


class Driven(JournalError):
    code = "driven"
    exit_status = 6


class LeaseLost(JournalError):
    code = "lease_lost"
    exit_status = 6


class TooNew(JournalError):
    code = "too_new"


class Damaged(JournalError):
    code = "damaged"


class Unwritable(JournalError):
    code = "unwritable"
