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


class Unrecordable(Invalid):
    """A value that no journal can keep: a control character, a time without its zone, a date or number out of range."""

    def __init__(self, field: str, instead: str) -> None:
        super().__init__(f"What stands in '{field}' cannot be recorded. Write {instead}.")


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


class NoDeparture(Unknown):
    """Nobody has recorded that this person goes."""

    def __init__(self, person: str) -> None:
        super().__init__(f"No departure of '{person}' is recorded. The programme manager records the last day first.")


class NoHandover(Unknown):
    """The part is not handed over, or not to this person."""

    def __init__(self, role: str) -> None:
        super().__init__(f"The part of {role} is not handed over here. Look at your tasks for what is asked of you.")


class NotASuccessor(Invalid):
    """A successor is of the same side, takes part, and stays."""

    def __init__(self, who: str) -> None:
        super().__init__(f"Name a successor {who}.")


class CannotCover(NotAllowed):
    """Cover never crosses sides, and joins nothing in one person that is held apart."""

    def __init__(self, who: str) -> None:
        super().__init__(f"On behalf of this person acts {who}. Arrange cover by somebody who is that.")


class NotCovering(NotAllowed):
    """Nobody arranged that this person acts for the other today."""

    def __init__(self) -> None:
        super().__init__(
            "You do not cover for this person today. Leave out On-Behalf-Of to act for yourself, or ask for cover."
        )


class NotCoverable(NotAllowed):
    """What a person stands for, answers or says in confidence is nobody else's to do."""

    def __init__(self) -> None:
        super().__init__("This is done in person. It waits for whoever it was asked of; cover does not reach it.")


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
            f"A pause lasts at most {working_days} working days in all; then both sponsors decide whether they go on. "
            "Name an earlier day."
        )


class WindowIsOpen(Invalid):
    """A questionnaire is open, and nobody has said what becomes of it in the pause."""

    def __init__(self) -> None:
        super().__init__(
            "A questionnaire is open. Say as 'window' what becomes of it: 'close' to close it now, or 'extend' to keep "
            "it open for as many working days longer as the pause lasts."
        )


class DecisionAwaited(OutOfTurn):
    """The last pause was the longest that is possible, and both sponsors have not decided yet how to go on."""

    def __init__(self) -> None:
        super().__init__(
            "The programme has paused for as long as it may. Both sponsors first say whether they are willing to go on."
        )


class NotPaused(OutOfTurn):
    """The clock runs."""

    def __init__(self) -> None:
        super().__init__("This engagement is not paused.")


# --- measures ------------------------------------------------------------------------------------------------------


class UnknownMeasure(Unknown):
    """No measure has this id."""

    def __init__(self, measure: str) -> None:
        super().__init__(f"There is no measure '{measure}'. Define it first, or look up its id.")


class PointExists(OutOfTurn):
    """A month has one value in force; another comes as a correction."""

    def __init__(self, month: str) -> None:
        super().__init__(f"{month} has a point already. Correct it with a reason; nothing was entered.")


class UnknownPoint(Unknown):
    """There is nothing to correct."""

    def __init__(self, month: str) -> None:
        super().__init__(f"There is no point for {month}. Add it instead of correcting it.")


class UnknownSignal(Unknown):
    """No signal has this number."""

    def __init__(self, number: int) -> None:
        super().__init__(f"This measure has no signal {number}. Look up its number on the chart's page.")


# --- actions and development needs ---------------------------------------------------------------------------------


class UnknownAction(Unknown):
    """No action has this id in the running cycle."""

    def __init__(self, action: str) -> None:
        super().__init__(f"There is no action '{action}' in this cycle. Look up its id in the action register.")


class UnknownNeed(Unknown):
    """No development need has this id in the running cycle."""

    def __init__(self, need: str) -> None:
        super().__init__(f"There is no development need '{need}' in this cycle. Look up its id.")


class UnknownObjection(Unknown):
    """No objection to this action has this number."""

    def __init__(self, number: int) -> None:
        super().__init__(f"This action has no patient-safety objection {number}. Look up its number.")


class NotCoOwner(NotAllowed):
    """Only the co-owners speak for an action."""

    def __init__(self) -> None:
        super().__init__("Only its co-owners may do this, one doctor and one manager. Speak to them.")


class NotSignatory(NotAllowed):
    """One person signs for each side."""

    def __init__(self) -> None:
        super().__init__("Only the person named to sign for a side may do this. Speak to the one of your side.")


class NotYourApproval(NotAllowed):
    """Approval is a matter of a GMC-registered doctor who neither owns nor proposed the action."""

    def __init__(self) -> None:
        super().__init__(
            "Only a medical approver who is GMC-registered, acts for no other side and neither owns nor proposed this"
            " action may decide it; the deputy decides where the approver may not, or has let the date pass."
        )


class OwnWork(NotAllowed):
    """What was done is checked by people who do not own it."""

    def __init__(self) -> None:
        super().__init__("Nobody confirms what they own themselves. Ask somebody of your side who does not own it.")


class TouchpointIncomplete(Invalid):
    """A joint touchpoint is joint."""

    def __init__(self) -> None:
        super().__init__("A joint touchpoint takes both co-owners of each action and a sponsor. Meet again, together.")


class ActionIncomplete(OutOfTurn):
    """An action cannot be proposed, or agreed, without what makes it checkable."""

    def __init__(self, lacks: str) -> None:
        super().__init__(f"This action still lacks {lacks}. Complete it, then propose it.")


class ActionElsewhere(OutOfTurn):
    """The action stands where this is not done."""

    def __init__(self, status: str) -> None:
        super().__init__(f"This is not done with what is {status.replace('_', ' ')}. Look at what its page offers now.")


class VersionMoved(OutOfTurn):
    """A yes or no is given to the version that was read."""

    def __init__(self, version: int) -> None:
        super().__init__(f"The text has changed: it is version {version} now. Read it again, then decide.")


class TooManyActions(OutOfTurn):
    """A cycle carries a few actions well."""

    def __init__(self, most: int) -> None:
        super().__init__(f"There are {most} actions already. Close or withdraw one before drafting another.")


# --- perspective exchange ------------------------------------------------------------------------------------------


class UnknownPair(Unknown):
    """No pair has this id."""

    def __init__(self, pair: str) -> None:
        super().__init__(f"There is no pair '{pair}' in this cycle. Look at your tasks for those that you belong to.")


class NotYourPair(NotAllowed):
    """What happens within a pair is between its members."""

    def __init__(self) -> None:
        super().__init__("Only the members of this pair may do this, each for the other side's part.")


class PairClosed(OutOfTurn):
    """The pair was excused or replaced."""

    def __init__(self) -> None:
        super().__init__("This pair was excused or replaced. Ask the facilitator for a new one if you want to go on.")


class PairNotMixed(Invalid):
    """A pair is a doctor and a manager; a trio has both sides too."""

    def __init__(self) -> None:
        super().__init__("A pair is a doctor and a manager who take part; a trio has one person more, of either side.")


class InOneLine(Invalid):
    """Two of a pair stand in one line of management."""

    def __init__(self, first: str, second: str) -> None:
        super().__init__(f"'{first}' and '{second}' stand in one line of management. Pair each with somebody else.")


class TooManyPairs(Invalid):
    """A person is in more pairs than the programme asks of anybody."""

    def __init__(self, person: str, most: int) -> None:
        super().__init__(f"'{person}' would be in more than {most} pairs. Take the person out of one.")


class LeftOut(Invalid):
    """Somebody for whom a partner was found is in no pair."""

    def __init__(self, person: str) -> None:
        super().__init__(f"'{person}' is in no pair. Add the person to a pair; who cannot take part is excused later.")


# --- joint sessions ------------------------------------------------------------------------------------------------


class UnknownSession(Unknown):
    """No session has this id."""

    def __init__(self, session: str) -> None:
        super().__init__(f"There is no joint session '{session}' in this cycle.")


class SessionTooSoon(Invalid):
    """Too near to the session before it."""

    def __init__(self, working_days: int, earliest: str) -> None:
        super().__init__(
            f"At least {working_days} working days lie between two joint sessions. Choose {earliest} or a later day."
        )


class SessionTooLate(Invalid):
    """Later than the rules allow."""

    def __init__(self, latest: str) -> None:
        super().__init__(f"This joint session takes place by {latest}. Choose that day or an earlier one.")


class NotQuorate(OutOfTurn):
    """Nothing may be agreed by a session without quorum."""

    def __init__(self) -> None:
        super().__init__(
            "This session was not quorate, so nothing was agreed. Record the conversation, and agree at the next date."
        )


class DidNotAttend(NotAllowed):
    """Notes are confirmed by people who attended."""

    def __init__(self) -> None:
        super().__init__("Only a participant who attended this session may confirm or dispute its notes.")


class NotesChanged(OutOfTurn):
    """The notes are not those that were read."""

    def __init__(self, version: int) -> None:
        super().__init__(f"The notes have changed since you read them. Read version {version}, then answer again.")


class OutputMissing(Invalid):
    """The notes lack what this session has to bring."""

    def __init__(self, what: str) -> None:
        super().__init__(f"The notes of this session lack {what}. Add it and send them again.")


class UnknownCondition(Invalid):
    """Not one of the eleven conditions."""

    def __init__(self, condition: str) -> None:
        super().__init__(f"There is no condition '{condition}'. The conditions are C01 to C11.")


class UnknownDifference(Unknown):
    """No difference has this id."""

    def __init__(self, difference: str) -> None:
        super().__init__(f"There is no difference '{difference}' in the log. Raise it first.")


# --- challenge reviews ---------------------------------------------------------------------------------------------


class ConflictOfInterest(NotAllowed):
    """Nobody challenges what they own, approved, signed, sponsor, take part in or manage."""

    def __init__(self, conflict: str) -> None:
        super().__init__(f"Nobody may challenge here {conflict}. Appoint another challenger in this place.")


class PanelNotQuorate(OutOfTurn):
    """The panel meets with its chair and at least so many challengers more, a doctor and a manager among them."""

    def __init__(self, challengers: int) -> None:
        super().__init__(
            f"A review needs its chair and {challengers} challengers more, a doctor and a manager among them."
            " Complete the panel, or move the meeting."
        )


class StatementsMissing(OutOfTurn):
    """A position statement is missing, and the chair has not said that the panel went on without it."""

    def __init__(self) -> None:
        super().__init__(
            "A position statement is missing. Say that the panel went on without it (without_statements),"
            " or move the meeting."
        )


class EvidenceIsFrozen(OutOfTurn):
    """What the panel reads was fixed, so that both sides and the panel speak of the same thing."""

    def __init__(self) -> None:
        super().__init__("The evidence of this review is frozen. Say it in the review meeting, or in your answers.")


class FindingNotTied(Invalid):
    """A finding belongs to one action of the evidence, or to one of the eleven conditions."""

    def __init__(self) -> None:
        super().__init__("Tie each finding to one action of the evidence or to one condition (C01 to C11), not both.")


class NotComplacent(Invalid):
    """Nothing to say is itself a finding, and needs a reason and a second challenger."""

    def __init__(self) -> None:
        super().__init__(
            "Without a concern or a recommendation, write the reason and name a second challenger who attended."
        )


# --- renewal -------------------------------------------------------------------------------------------------------


class SponsorsAbsent(Invalid):
    """The joint meeting is one of both sponsors with the facilitator."""

    def __init__(self) -> None:
        super().__init__("Both sponsors must have been at the joint meeting. Find a date for both in time.")


# --- changes -------------------------------------------------------------------------------------------------------


class UnknownTask(Unknown):
    """No open task of this id is yours to look after."""

    def __init__(self) -> None:
        super().__init__("There is no open task with this id that you look after. Look at the list of tasks.")


class NotExtendable(OutOfTurn):
    """The due date does not move."""

    def __init__(self, why: str) -> None:
        super().__init__(f"This due date stays as it is. {why}.")


class NotSkippable(OutOfTurn):
    """Something hangs on the step."""

    def __init__(self, what: str) -> None:
        super().__init__(f"This step cannot be left out: {what} hangs on it. Give it more time instead.")


class CannotReturn(OutOfTurn):
    """The programme does not go back there."""

    def __init__(self, instead: str) -> None:
        super().__init__(f"The programme does not return to this stage. {instead}.")


class NotHeld(Unknown):
    """The person does not hold the part."""

    def __init__(self, role: str) -> None:
        super().__init__(f"This person neither holds nor was offered the part of {role}.")


class UnknownEntry(Unknown):
    """No entry of this number is yours to correct."""

    def __init__(self) -> None:
        super().__init__("There is no entry with this number that you may correct. Look at the history.")


class NotCorrectable(OutOfTurn):
    """The entry is not corrected in this way."""

    def __init__(self, why: str) -> None:
        super().__init__(f"This entry is not corrected by another. {why}.")


class ExtensionTooLong(Invalid):
    """A duty is given a few working days more, not any number."""

    def __init__(self, most: int, left: int) -> None:
        super().__init__(
            f"One duty is given at most {most} working days more in all; {left} of them are left. Name an earlier day."
        )
