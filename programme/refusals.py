"""Every reason to say no. The class name is the code on the wire; the text says what to do instead.

A refusal never carries an answer, a comment or a name: ids, dates and numbers only. Four families say what kind of no
it is; the front door gives each family its HTTP status.
"""


class Refusal(Exception):  # noqa: N818 - the word of the programme; the class name is what callers read
    """A request that the programme does not allow. ``str()`` is a sentence for people; nothing branches on it."""

    @property
    def code(self) -> str:
        """The name on the wire."""
        return type(self).__name__


class NotAllowed(Refusal):
    """The person may not do this."""


class Unknown(Refusal):
    """What the request names does not exist in this engagement."""


class Invalid(Refusal):
    """The request contradicts itself or a limit of the programme, whoever asks and whenever."""


class OutOfTurn(Refusal):
    """A good request at the wrong moment: the engagement is in another state."""


# --- shared by every command ---------------------------------------------------------------------------------------


class TooLong(Invalid):
    """A text is longer than its field allows."""

    def __init__(self, field: str, limit: int) -> None:
        super().__init__(f"'{field}' is longer than {limit} characters. Shorten it and send it again.")


class RoleRequired(NotAllowed):
    """The person holds none of the roles that may do this."""

    def __init__(self, roles: str) -> None:
        super().__init__(f"Only {roles} may do this. Ask the programme manager who holds that part.")


class ForbiddenCombination(NotAllowed):
    """One person may not hold, or act in, these two parts of one engagement."""

    def __init__(self, first: str, second: str) -> None:
        super().__init__(f"Nobody may be {first} and {second} in the same engagement. Name somebody else.")


class UnknownPerson(Unknown):
    """Nobody with this id takes part."""

    def __init__(self, person: str) -> None:
        super().__init__(f"Nobody with the id '{person}' takes part in this engagement. Enrol the person first.")


class EngagementEnded(OutOfTurn):
    """The engagement has ended; its history stays readable."""

    def __init__(self) -> None:
        super().__init__("This engagement has ended. Its history stays readable; nothing more can be added.")


class EngagementPaused(OutOfTurn):
    """The clock stands still; only safety objections and the end of the pause go on."""

    def __init__(self) -> None:
        super().__init__(
            "This engagement is paused. Wait for it to resume; a patient-safety objection can be raised at any time."
        )


class NotYet(OutOfTurn):
    """The programme has not come to the stage in which this is done."""

    def __init__(self, what: str) -> None:
        super().__init__(f"This cannot be done yet: {what}.")


class AlreadyDone(OutOfTurn):
    """This has been done, and is done once."""

    def __init__(self, what: str) -> None:
        super().__init__(f"This has been done already: {what}. Nothing was changed.")


class NotHeldByYou(NotAllowed):
    """The task belongs to somebody else."""

    def __init__(self, what: str) -> None:
        super().__init__(f"{what} belongs to somebody else. You can only do your own.")


class MovedOn(OutOfTurn):
    """Somebody else moved the engagement since the caller looked."""

    def __init__(self) -> None:
        super().__init__(
            "Somebody else changed this engagement since you looked. Read it again, then decide whether to repeat."
        )


class CommandReused(Invalid):
    """The same command id came with another content."""

    def __init__(self) -> None:
        super().__init__("This command id was used for another request. Send a new request under a new id.")


# --- people --------------------------------------------------------------------------------------------------------


class AlreadyEnrolled(OutOfTurn):
    """The person takes part already."""

    def __init__(self, person: str) -> None:
        super().__init__(f"The person '{person}' is enrolled already. A side never changes within a cycle.")


class WrongSide(NotAllowed):
    """A person acts for one side only."""

    def __init__(self) -> None:
        super().__init__("You are enrolled on the other side. One person speaks for one side throughout a cycle.")


class RoleTaken(OutOfTurn):
    """Another person holds this role, of which there is one."""

    def __init__(self, role: str) -> None:
        super().__init__(f"There is a {role} already. An appointment ends before another begins.")


class NoAppointment(Unknown):
    """There is no open appointment to accept or decline."""

    def __init__(self, role: str) -> None:
        super().__init__(f"You have no open appointment as {role}.")


class NotRegistered(Invalid):
    """A medical approver is a GMC-registered doctor."""

    def __init__(self) -> None:
        super().__init__(
            "A medical approver must be a GMC-registered doctor. Set gmc_registered, or name somebody else."
        )


# --- mandate -------------------------------------------------------------------------------------------------------


class ThresholdOutOfRange(Invalid):
    """k is set between 8 and 30, at set-up only."""

    def __init__(self, floor: int, ceiling: int) -> None:
        super().__init__(f"The threshold k must lie between {floor} and {ceiling}: it protects who said what.")


class InvalidOdsCode(Invalid):
    """Not an ODS code of a trust."""

    def __init__(self) -> None:
        super().__init__("This is no ODS code of a trust. Write it as on the ODS portal, such as R1A or Y0X1Z.")


class NotAskedNow(OutOfTurn):
    """No question of willingness is open for this sponsor."""

    def __init__(self) -> None:
        super().__init__("Your statement for this round is given. You are asked again when the next round opens.")


# --- diagnosis -----------------------------------------------------------------------------------------------------


class WindowClosed(OutOfTurn):
    """The questionnaire is not open."""

    def __init__(self) -> None:
        super().__init__("The questionnaire is not open. Answers can be given only while its window is open.")


class TooFewSources(Invalid):
    """A theme must come from at least three people."""

    def __init__(self) -> None:
        super().__init__("A theme must come from at least 3 people. Leave it out, or join it with another.")


# --- continuity ----------------------------------------------------------------------------------------------------


class PauseTooLong(Invalid):
    """A pause is short; a longer one is a decision of the sponsors."""

    def __init__(self, working_days: int) -> None:
        super().__init__(
            f"A pause lasts at most {working_days} working days. Name an earlier day, and extend it later if you must."
        )


class NotPaused(OutOfTurn):
    """The clock runs."""

    def __init__(self) -> None:
        super().__init__("This engagement is not paused.")
