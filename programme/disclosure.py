"""The diagnosis pack, and what protects the candour of the people whose answers are in it.

Source: programme.md, "Stage 1 Diagnosis" and "Disclosure". The rules here, in the order of an attack on them:

- No figure without enough people. Side by side needs k people of *each* side, question by question; if one side is
  short, both together need 2k. A pack is one or the other, so that all less one side never gives the other side.
- A question that may not be shown is in no figure at all: the score of its condition rests on the other statements, so
  there is nothing to subtract it from.
- A score and its anchor statement together give the mean of the remaining statements. Where that mean would be shown
  only as a band, the anchor is withheld.
- What is drawn from figures (labels, priorities) is drawn from what is shown: a hidden figure decides nothing, and a
  band counts as its edge. Apart from that it uses unrounded figures.

What may not be shown is *absent* from a ``Pack`` (None), and the page says ``HIDDEN``. Rule 5 (nothing before the
window closes) belongs to whoever calls ``make_pack``; until then there is only ``turnout``.
"""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from typing import NamedTuple

from pydantic import ConfigDict, Field

from programme.messages import Frozen, Side
from programme.questionnaire import LETTERS, Condition, Letter, Questionnaire
from programme.template import THRESHOLD_CEILING, THRESHOLD_FLOOR

HIDDEN = "Hidden to protect people's identity"
BAND_ABOVE, BAND_BELOW = Decimal("4.5"), Decimal("1.5")  # beyond these a mean nearly tells each person's answer
FEWEST_VOICES = 3  # of each side in a figure of both together: one person would only subtract their own rating
_ROUND_PEOPLE_TO = 5


class AnswerSheet(Frozen):
    """One person's ratings by question key, 1 to 5 or None for "I do not know", with the side and nothing else.

    Neither its ``repr`` nor a validation error shows a rating, because both end in logs.
    """

    model_config = ConfigDict(hide_input_in_errors=True)

    side: Side
    ratings: dict[str, int | None] = Field(repr=False)


class PackThresholds(Frozen):
    """When a label applies, on the scale of 1 to 5. Settings with a version."""

    version: int = 1
    strength_from: Decimal = Decimal("3.5")
    concern_below: Decimal = Decimal("3.0")
    alike_below: Decimal = Decimal("0.5")
    different_from: Decimal = Decimal("0.75")
    guess_right_below: Decimal = Decimal("0.5")
    guess_wrong_from: Decimal = Decimal("0.75")


DEFAULT_THRESHOLDS = PackThresholds()


class View(StrEnum):
    """What a pack may show at all."""

    SIDE_BY_SIDE = "side_by_side"
    TOGETHER = "together"
    NOTHING = "nothing"


class Label(StrEnum):
    """What a condition's figures say, in the words that are shown and in the order in which they are tried."""

    HIDDEN_AGREEMENT = "Hidden agreement"
    REAL_DIFFERENCE = "Real difference"
    SHARED_CONCERN = "Shared concern"
    SHARED_STRENGTH = "Shared strength"
    BLIND_SPOT = "One-sided blind spot"
    MIXED = "Mixed"


class Band(StrEnum):
    """An extreme score, in the words that are shown instead of it."""

    ABOVE = "Above 4.5"
    BELOW = "Below 1.5"


class Figure(Frozen):
    """A mean that may be shown, to 1 decimal place, or the band's edge; ``people`` is a rough count in words."""

    value: Decimal
    band: Band | None = None
    people: str

    @property
    def words(self) -> str:
        """The figure as it is shown."""
        return self.band or str(self.value)


class Pair(Frozen):
    """The same figure of both sides. There is no figure of one side alone."""

    doctors: Figure
    managers: Figure


class Perspective(Frozen):
    """How well each side knows the other.

    ``guess.doctors`` is what doctors expect of managers. Read it beside ``actual.managers``, the managers' own mean on
    the anchor statement; and the other way round.
    """

    actual: Pair
    guess: Pair


class ConditionResult(Frozen):
    """What may be shown of a condition: ``sides`` or ``together``, never both; None is hidden.

    ``rests_on``: the statements that the score is the mean of; the others are hidden and not in it.
    """

    id: str
    title: str
    rests_on: tuple[Letter, ...] = ()
    sides: Pair | None = None
    together: Figure | None = None
    perspective: Perspective | None = None
    label: Label | None = None


class Answered(Frozen):
    """How many people's answers a pack stands on, in rounded words; None is hidden."""

    doctors: str | None = None
    managers: str | None = None
    together: str | None = None


class Pack(Frozen):
    """The published diagnosis: everything in it may be shown to everybody who may see results.

    ``priority``: ids of the conditions with a score, the lowest first.
    """

    questionnaire_version: int
    thresholds: PackThresholds
    k: int
    view: View
    answered: Answered
    conditions: tuple[ConditionResult, ...]
    priority: tuple[str, ...]


class Turnout(Frozen):
    """All that is known of a side while its window is open. ``completed`` None: fewer than k, hidden."""

    invited: int
    completed: int | None


class Change(Frozen):
    """A score in two cycles. ``by`` is the difference of the shown figures, None where one of them is a band."""

    before: Figure
    after: Figure
    by: Decimal | None


class ConditionTrend(Frozen):
    """A condition in two cycles: both sides, or both together."""

    id: str
    title: str
    doctors: Change | None = None
    managers: Change | None = None
    together: Change | None = None


class Comparison(Frozen):
    """What may be shown of the change between two cycles. ``why_not`` says why there is nothing at all."""

    conditions: tuple[ConditionTrend, ...] = ()
    why_not: str | None = None


class _Sum(NamedTuple):
    """The ratings of one question, added up."""

    total: int
    people: int


class _Mean(NamedTuple):
    """An exact mean. It never leaves this module."""

    value: Fraction
    people: int

    @property
    def counted(self) -> Fraction:
        """The mean as far as it is shown: beyond a band's edge it counts as the edge."""
        return min(max(self.value, Fraction(BAND_BELOW)), Fraction(BAND_ABOVE))


_Tally = Mapping[str, Mapping[Side, _Sum]]  # question key -> side -> sum
_Means = Mapping[Side, _Mean]


class _Known(NamedTuple):
    """What each side said to the anchor, and what each expects the other to have said."""

    actual: _Means
    guess: _Means


class _Worked(NamedTuple):
    """A result with its place in the priority order; ``rank`` None: it has none."""

    result: ConditionResult
    rank: tuple[Fraction, Fraction] | None


def make_pack(
    questionnaire: Questionnaire,
    sheets: Sequence[AnswerSheet],
    *,
    k: int,
    thresholds: PackThresholds = DEFAULT_THRESHOLDS,
    combined_only: bool = False,
) -> Pack:
    """Work out what may be shown of the answers to a closed questionnaire. The order of the sheets does not matter.

    k: the smallest side whose figures are shown, 8 to 30. ``combined_only``: the facilitator chose the combined pack.

    Raises:
        ValueError: k is out of range, or a sheet does not fit the questionnaire (names the keys, never a rating).
    """
    _check(k)
    _check_fit(questionnaire, sheets)
    people = {side: sum(sheet.side is side for sheet in sheets) for side in Side}
    view = _view(people, k, combined_only=combined_only)
    worked = [
        _worked(condition, _tally(condition, sheets), view, k, thresholds) for condition in questionnaire.conditions
    ]
    ranked = sorted((each.rank, place) for place, each in enumerate(worked) if each.rank is not None)
    return Pack(
        questionnaire_version=questionnaire.version,
        thresholds=thresholds,
        k=k,
        view=view,
        answered=_answered(people, view, k),
        conditions=tuple(each.result for each in worked),
        priority=tuple(worked[place].result.id for _, place in ranked),
    )


def turnout(invited: int, completed: int, k: int) -> Turnout:
    """What may be said of one side while its window is open.

    Raises:
        ValueError: k is out of range.
    """
    _check(k)
    return Turnout(invited=invited, completed=completed if completed >= k else None)


def compare(previous: Pack, current: Pack) -> Comparison:
    """The change between two cycles, from what both packs show and from nothing else.

    A condition is compared only where its score rests on the same statements both times.
    """
    if previous.questionnaire_version != current.questionnaire_version:
        return Comparison(why_not="The questionnaire has changed, so the two cycles cannot be compared")
    if View.NOTHING in (previous.view, current.view):
        return Comparison(why_not=HIDDEN)
    if previous.view is not current.view:
        return Comparison(why_not="Only one of the two cycles shows the sides apart, so they cannot be compared")
    earlier = {result.id: result for result in previous.conditions}
    trends = (_trend(earlier[result.id], result) for result in current.conditions if result.id in earlier)
    return Comparison(conditions=tuple(trend for trend in trends if trend is not None))


def _check(k: int) -> None:
    if not THRESHOLD_FLOOR <= k <= THRESHOLD_CEILING:
        raise ValueError(f"k must be from {THRESHOLD_FLOOR} to {THRESHOLD_CEILING}")


def _check_fit(questionnaire: Questionnaire, sheets: Sequence[AnswerSheet]) -> None:
    misfits = {key for sheet in sheets for key in questionnaire.misfits(sheet.ratings)}
    if misfits:
        raise ValueError(f"answers do not fit the questionnaire: {', '.join(sorted(misfits))}")


def _view(people: Mapping[Side, int], k: int, *, combined_only: bool) -> View:
    allowed = (View.TOGETHER,) if combined_only else (View.SIDE_BY_SIDE, View.TOGETHER)
    return next((view for view in allowed if _enough(people, view, k)), View.NOTHING)


def _enough(people: Mapping[Side, int], view: View, k: int) -> bool:
    """Whether so many people of each side are enough for a figure, be it of a whole pack or of one question."""
    fewest = min(people.values())
    match view:
        case View.SIDE_BY_SIDE:
            return fewest >= k
        case View.TOGETHER:
            return sum(people.values()) >= 2 * k and fewest >= FEWEST_VOICES
        case View.NOTHING:
            return False


def _tally(condition: Condition, sheets: Sequence[AnswerSheet]) -> _Tally:
    return {key: {side: _sum(condition, key, sheets, side) for side in Side} for key in condition.keys}


def _sum(condition: Condition, key: str, sheets: Sequence[AnswerSheet], side: Side) -> _Sum:
    """The scores of everyone on a side who rated a question: "I do not know" leaves both the mean and the count."""
    rated = [rating for sheet in sheets if sheet.side is side and (rating := sheet.ratings[key]) is not None]
    return _Sum(sum(condition.score(key, rating) for rating in rated), len(rated))


def _worked(condition: Condition, tally: _Tally, view: View, k: int, thresholds: PackThresholds) -> _Worked:
    letters = tuple(letter for letter in LETTERS if _enough_for(condition.key(letter), tally, view, k))
    if not letters:
        return _Worked(ConditionResult(id=condition.id, title=condition.title), None)
    if view is View.TOGETHER:
        return _together(condition, tally, letters, k)
    return _side_by_side(condition, tally, letters, k, thresholds)


def _enough_for(key: str, tally: _Tally, view: View, k: int) -> bool:
    return _enough({side: added.people for side, added in tally[key].items()}, view, k)


def _together(condition: Condition, tally: _Tally, letters: tuple[Letter, ...], k: int) -> _Worked:
    mean = _mean([_added(tally[condition.key(letter)].values()) for letter in letters])
    result = ConditionResult(id=condition.id, title=condition.title, rests_on=letters, together=_figure(mean, 2 * k))
    return _Worked(result, (mean.counted, Fraction()))


def _side_by_side(
    condition: Condition, tally: _Tally, letters: tuple[Letter, ...], k: int, thresholds: PackThresholds
) -> _Worked:
    scores = _means(condition, tally, letters)
    known = _known(condition, tally, letters, k)
    result = ConditionResult(
        id=condition.id,
        title=condition.title,
        rests_on=letters,
        sides=_pair(scores, k),
        perspective=Perspective(actual=_pair(known.actual, k), guess=_pair(known.guess, k)) if known else None,
        label=_label(scores, known, thresholds),
    )
    low, high = sorted(mean.counted for mean in scores.values())
    return _Worked(result, (low, low - high))


def _known(condition: Condition, tally: _Tally, letters: tuple[Letter, ...], k: int) -> _Known | None:
    """The anchor's actual means and the guesses of them, where all four may be shown; a guess alone says nothing."""
    rest = tuple(letter for letter in letters if letter != condition.anchor)
    if condition.anchor not in letters or not _enough_for(condition.guess_key, tally, View.SIDE_BY_SIDE, k):
        return None
    # Whoever has the score and the anchor has the mean of the rest, exactly where a band would have veiled it.
    if rest and any(mean.value != mean.counted for mean in _means(condition, tally, rest).values()):
        return None
    guess = {side: _mean([tally[condition.guess_key][side]]) for side in Side}
    return _Known(_means(condition, tally, (condition.anchor,)), guess)


def _means(condition: Condition, tally: _Tally, letters: tuple[Letter, ...]) -> _Means:
    return {side: _mean([tally[condition.key(letter)][side] for letter in letters]) for side in Side}


def _mean(questions: Sequence[_Sum]) -> _Mean:
    """The mean of the questions' means, each question weighing the same; it rests on the fewest people of any."""
    means = [Fraction(question.total, question.people) for question in questions]
    return _Mean(sum(means, Fraction()) / len(means), min(question.people for question in questions))


def _added(sides: Iterable[_Sum]) -> _Sum:
    totals, people = zip(*sides, strict=True)
    return _Sum(sum(totals), sum(people))


def _label(scores: _Means, known: _Known | None, thresholds: PackThresholds) -> Label | None:
    """The first label that the shown figures justify.

    Without the perspective, the labels that need it are not tried, and "Mixed" (none of them) would say too much.
    """
    doctors, managers = (scores[side].counted for side in (Side.DOCTOR, Side.MANAGER))
    apart = abs(doctors - managers)
    alike = apart < Fraction(thresholds.alike_below)
    agree, missed, blind = _judged(known, thresholds) if known else (False, False, False)
    holds = {
        Label.HIDDEN_AGREEMENT: agree and missed,
        Label.REAL_DIFFERENCE: apart >= Fraction(thresholds.different_from),
        Label.SHARED_CONCERN: alike and max(doctors, managers) < Fraction(thresholds.concern_below),
        Label.SHARED_STRENGTH: alike and min(doctors, managers) >= Fraction(thresholds.strength_from),
        Label.BLIND_SPOT: blind,
        Label.MIXED: known is not None,
    }
    return next((label for label in Label if holds[label]), None)


def _judged(known: _Known, thresholds: PackThresholds) -> tuple[bool, bool, bool]:
    """Whether the sides agree on the anchor, whether a guess is wrong, and whether one is wrong and the other right."""
    actual = {side: mean.counted for side, mean in known.actual.items()}
    smaller, larger = sorted(abs(known.guess[side].counted - actual[side.other]) for side in Side)
    agree = abs(actual[Side.DOCTOR] - actual[Side.MANAGER]) < Fraction(thresholds.alike_below)
    missed = larger >= Fraction(thresholds.guess_wrong_from)
    return agree, missed, missed and smaller < Fraction(thresholds.guess_right_below)


def _pair(means: _Means, k: int) -> Pair:
    return Pair(doctors=_figure(means[Side.DOCTOR], k), managers=_figure(means[Side.MANAGER], k))


def _figure(mean: _Mean, least: int) -> Figure:
    band = None
    if mean.value != mean.counted:
        band = Band.ABOVE if mean.value > mean.counted else Band.BELOW
    tenths = (mean.counted * 10 + Fraction(1, 2)) // 1  # halves go up, as people round
    return Figure(value=Decimal(tenths).scaleb(-1), band=band, people=_roughly(mean.people, least))


def _roughly(people: int, least: int) -> str:
    """A count to the nearest 5, and never a number below the least that may be shown."""
    nearest = round(Fraction(people, _ROUND_PEOPLE_TO)) * _ROUND_PEOPLE_TO
    return f"about {nearest}" if nearest > least else f"{least} or more"


def _answered(people: Mapping[Side, int], view: View, k: int) -> Answered:
    match view:
        case View.SIDE_BY_SIDE:
            return Answered(doctors=_roughly(people[Side.DOCTOR], k), managers=_roughly(people[Side.MANAGER], k))
        case View.TOGETHER:
            return Answered(together=_roughly(sum(people.values()), 2 * k))
        case View.NOTHING:
            return Answered()


def _trend(previous: ConditionResult, current: ConditionResult) -> ConditionTrend | None:
    if not current.rests_on or previous.rests_on != current.rests_on:
        return None
    before, after = previous.sides, current.sides
    return ConditionTrend(
        id=current.id,
        title=current.title,
        doctors=_change(before.doctors, after.doctors) if before and after else None,
        managers=_change(before.managers, after.managers) if before and after else None,
        together=_change(previous.together, current.together),
    )


def _change(before: Figure | None, after: Figure | None) -> Change | None:
    if before is None or after is None:
        return None
    by = None if before.band or after.band else after.value - before.value
    return Change(before=before, after=after, by=by)
