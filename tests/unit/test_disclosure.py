"""What the diagnosis pack shows, and above all what nobody can learn from it."""

import re
from collections.abc import Callable, Sequence
from decimal import Decimal
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from programme.disclosure import (
    HIDDEN,
    AnswerSheet,
    Band,
    ConditionResult,
    Label,
    Pack,
    View,
    compare,
    make_pack,
    turnout,
)
from programme.messages import Side
from programme.questionnaire import Condition, Questionnaire

QUESTIONNAIRE = Questionnaire.from_yaml(
    (Path(__file__).parents[2] / "programme/templates/questionnaire.yaml").read_text(encoding="utf-8")
)
K = 11
Ratings = Sequence[int | None]


def spread(mean: str, people: int) -> Ratings:
    """Whole ratings of so many people with exactly this mean."""
    total = Decimal(mean) * people
    assert total == int(total), "choose a number of people for which the mean is possible"
    low, more = divmod(int(total), people)
    return [low + 1] * more + [low] * (people - more)


def sheets(side: Side, people: int, /, **questions: Ratings) -> list[AnswerSheet]:
    """Answer sheets of one side: 3 to everything but the questions named."""
    return [
        AnswerSheet(
            side=side,
            ratings={key: questions[key][person] if key in questions else 3 for key in QUESTIONNAIRE.keys},
        )
        for person in range(people)
    ]


def both(doctors: int = 20, managers: int = 20, /, **questions: tuple[Ratings, Ratings]) -> list[AnswerSheet]:
    """Both sides; each question named gets (doctors' ratings, managers' ratings)."""
    return [
        *sheets(Side.DOCTOR, doctors, **{key: of[0] for key, of in questions.items()}),
        *sheets(Side.MANAGER, managers, **{key: of[1] for key, of in questions.items()}),
    ]


def pack(answers: list[AnswerSheet], k: int = K, *, combined_only: bool = False) -> Pack:
    return make_pack(QUESTIONNAIRE, answers, k=k, combined_only=combined_only)


def result(shown: Pack, condition: str) -> ConditionResult:
    return next(each for each in shown.conditions if each.id == condition)


def all_means(condition: str, doctors: str, managers: str, people: int = 20) -> dict[str, tuple[Ratings, Ratings]]:
    """All statements of a condition at these means; for a reversed one the ratings turn round."""
    of = next(each for each in QUESTIONNAIRE.conditions if each.id == condition)
    means = {
        key: [str(6 - Decimal(mean)) if key[-1] in of.reverse else mean for mean in (doctors, managers)]
        for key in of.keys[:3]
    }
    return {key: (spread(mean[0], people), spread(mean[1], people)) for key, mean in means.items()}


def few(people: int, rating: int, total: int = 20) -> Ratings:
    """So many people give this rating; the others do not know."""
    return [rating] * people + [None] * (total - people)


# --- the questionnaire -----------------------------------------------------------------------------------------------


def test_the_questionnaire_asks_44_ratings_about_eleven_conditions() -> None:
    assert len(QUESTIONNAIRE.conditions) == 11
    assert len(QUESTIONNAIRE.keys) == len(set(QUESTIONNAIRE.keys)) == 44
    assert QUESTIONNAIRE.keys[:5] == ("C01a", "C01b", "C01c", "C01g", "C02a")


@pytest.mark.parametrize(
    ("side", "statement", "guess"),
    [
        (
            Side.DOCTOR,
            "I talk often enough with managers about what we are trying to achieve.",
            "What I think most managers would say about talking often enough with doctors",
        ),
        (
            Side.MANAGER,
            "I talk often enough with doctors about what we are trying to achieve.",
            "What I think most doctors would say about talking often enough with managers",
        ),
    ],
)
def test_each_side_reads_the_questions_about_the_other(side: Side, statement: str, guess: str) -> None:
    texts = dict(QUESTIONNAIRE.statements_for(side))
    assert (texts["C08a"], texts["C08g"]) == (statement, guess)
    assert tuple(texts) == QUESTIONNAIRE.keys
    assert not any("{" in text for text in texts.values())


def test_only_the_two_statements_that_describe_trouble_are_reversed() -> None:
    reversed_keys = [each.key(letter) for each in QUESTIONNAIRE.conditions for letter in each.reverse]
    assert reversed_keys == ["C05c", "C09c"]
    agree_with_everything = both(**{key: ([4] * 20, [4] * 20) for key in ("C05a", "C05b", "C05c")})
    sides = result(pack(agree_with_everything), "C05").sides
    assert sides is not None
    assert sides.doctors.value == Decimal("3.3"), "(4 + 4 + 2) / 3"


def test_a_guess_of_a_reversed_anchor_turns_with_it() -> None:
    condition = Condition(
        id="X", title="", statements={"a": "", "b": "", "c": ""}, guess="", anchor="c", reverse=("c",)
    )
    assert [condition.score(key, 2) for key in condition.keys] == [2, 2, 4, 4]


def test_a_condition_without_its_three_statements_is_refused() -> None:
    with pytest.raises(ValidationError, match="exactly the statements"):
        Questionnaire.from_yaml("{version: 1, conditions: [{id: C01, title: T, guess: G, statements: {a: x, b: y}}]}")


def test_answers_that_do_not_fit_are_named_by_key_and_never_by_rating() -> None:
    (sheet,) = sheets(Side.DOCTOR, 1, C03b=[77])
    strange = sheet.model_copy(
        update={"ratings": {**{k: v for k, v in sheet.ratings.items() if k != "C01a"}, "C99a": 4}}
    )
    assert QUESTIONNAIRE.misfits(strange.ratings) == ("C01a", "C03b", "C99a")
    with pytest.raises(ValueError, match="C01a, C03b, C99a") as refused:
        pack([strange])
    assert "77" not in str(refused.value)


def test_an_answer_sheet_does_not_tell_its_ratings_to_a_log() -> None:
    (sheet,) = sheets(Side.DOCTOR, 1)
    assert repr(sheet) == "AnswerSheet(side=<Side.DOCTOR: 'doctor'>)"
    with pytest.raises(ValidationError) as refused:
        AnswerSheet.model_validate({"side": "doctor", "ratings": {"C01a": "secret"}})
    assert "secret" not in str(refused.value)


# --- labels and priorities -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("label", "scores", "actual", "guess"),
    [
        (Label.HIDDEN_AGREEMENT, ("3.0", "3.0"), ("3.0", "3.0"), ("2.2", "3.0")),
        (Label.HIDDEN_AGREEMENT, ("3.0", "3.0"), ("3.0", "3.0"), ("3.0", "3.75")),
        (Label.HIDDEN_AGREEMENT, ("2.5", "3.5"), ("3.0", "3.0"), ("2.0", "4.0")),  # comes before the difference
        (Label.REAL_DIFFERENCE, ("2.1", "3.4"), ("2.1", "3.4"), ("3.4", "2.1")),
        (Label.REAL_DIFFERENCE, ("2.5", "3.25"), ("2.5", "3.25"), ("3.25", "2.5")),
        (Label.REAL_DIFFERENCE, ("3.5", "2.5"), ("3.5", "2.5"), ("3.5", "3.5")),  # comes before the blind spot
        (Label.SHARED_CONCERN, ("2.5", "2.6"), ("2.5", "2.6"), ("2.6", "2.5")),
        (Label.MIXED, ("2.9", "3.0"), ("2.9", "3.0"), ("3.0", "2.9")),
        (Label.SHARED_STRENGTH, ("3.5", "3.9"), ("3.5", "3.9"), ("3.9", "3.5")),
        (Label.MIXED, ("3.45", "3.9"), ("3.45", "3.9"), ("3.9", "3.45")),
        (Label.MIXED, ("3.5", "4.0"), ("3.5", "4.0"), ("4.0", "3.5")),
        (Label.BLIND_SPOT, ("3.0", "3.6"), ("3.0", "3.6"), ("2.85", "3.2")),
        (Label.BLIND_SPOT, ("3.0", "3.6"), ("3.0", "3.6"), ("3.6", "3.75")),
        (Label.MIXED, ("3.0", "3.6"), ("3.0", "3.6"), ("2.85", "3.75")),  # both guesses are wrong
        (Label.MIXED, ("3.0", "3.6"), ("3.0", "3.6"), ("2.85", "3.5")),  # the other guess is not right
        (Label.MIXED, ("3.0", "3.6"), ("3.0", "3.6"), ("2.9", "3.0")),  # a guess out by less than 0.75
    ],
)
def test_each_condition_gets_the_first_label_that_fits(
    label: Label, scores: tuple[str, str], actual: tuple[str, str], guess: tuple[str, str]
) -> None:
    rest = [str((3 * Decimal(score) - Decimal(anchor)) / 2) for score, anchor in zip(scores, actual, strict=True)]
    means = {"C02a": actual, "C02b": rest, "C02c": rest, "C02g": guess}
    answers = both(40, 40, **{key: (spread(mean[0], 40), spread(mean[1], 40)) for key, mean in means.items()})
    assert result(pack(answers), "C02").label is label


def test_labels_and_thresholds_are_those_of_the_programme() -> None:
    assert [str(label) for label in Label] == [
        "Hidden agreement",
        "Real difference",
        "Shared concern",
        "Shared strength",
        "One-sided blind spot",
        "Mixed",
    ]
    assert pack(both()).thresholds.version == 1


def test_the_lowest_score_comes_first_and_the_wider_gap_breaks_a_tie() -> None:
    answers = both(
        **all_means("C05", "2.0", "2.0"),
        **all_means("C07", "2.0", "3.5"),
        **all_means("C09", "1.8", "4.0"),
    )
    assert pack(answers).priority[:4] == ("C09", "C07", "C05", "C01")


def test_a_guess_is_read_beside_what_the_other_side_really_said() -> None:
    answers = both(
        C02a=(spread("2.0", 20), spread("4.0", 20)),
        C02g=(spread("2.5", 20), spread("3.5", 20)),
    )
    perspective = result(pack(answers), "C02").perspective
    assert perspective is not None
    assert [perspective.actual.managers.words, perspective.guess.doctors.words] == ["4.0", "2.5"]
    assert [perspective.actual.doctors.words, perspective.guess.managers.words] == ["2.0", "3.5"]


# --- enough people ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("k", [7, 31, 0])
def test_k_cannot_be_set_outside_8_to_30(k: int) -> None:
    with pytest.raises(ValueError, match="8 to 30"):
        pack(both(), k=k)
    with pytest.raises(ValueError, match="8 to 30"):
        turnout(20, 20, k)


@pytest.mark.parametrize(
    ("doctors", "managers", "view"),
    [
        (11, 11, View.SIDE_BY_SIDE),
        (40, 10, View.TOGETHER),
        (12, 10, View.TOGETHER),
        (11, 10, View.NOTHING),
        (10, 10, View.NOTHING),
        (19, 3, View.TOGETHER),
        (20, 2, View.NOTHING),
        (40, 0, View.NOTHING),
        (0, 0, View.NOTHING),
    ],
)
def test_what_is_shown_depends_on_the_shorter_side(doctors: int, managers: int, view: View) -> None:
    shown = pack(both(doctors, managers))
    assert shown.view is view
    assert all((each.sides is not None) == (view is View.SIDE_BY_SIDE) for each in shown.conditions)
    assert all((each.together is not None) == (view is View.TOGETHER) for each in shown.conditions)


def test_a_pack_never_shows_one_side_beside_the_two_together() -> None:
    for shown in (pack(both()), pack(both(), combined_only=True)):
        assert not any(each.sides and each.together for each in shown.conditions)


def test_a_combined_pack_says_nothing_about_either_side() -> None:
    shown = pack(both(30, 9))
    assert shown.answered.model_dump(exclude_none=True) == {"together": "about 40"}
    assert all(each.perspective is None and each.label is None for each in shown.conditions)


def test_the_facilitator_may_choose_the_combined_pack() -> None:
    assert pack(both(), combined_only=True).view is View.TOGETHER


def test_too_few_answers_look_the_same_whatever_they_were() -> None:
    assert pack(both(11, 4)).model_dump_json() == pack(both(2, 9, C01a=([5] * 2, [1] * 9))).model_dump_json()
    assert pack(both(11, 4)).answered.model_dump(exclude_none=True) == {}


def test_a_question_that_few_answer_is_hidden_on_both_sides_though_its_condition_is_shown() -> None:
    shown = result(pack(both(C02a=(few(10, 5), [3] * 20))), "C02")
    assert shown.sides is not None
    assert shown.rests_on == ("b", "c")
    assert shown.perspective is None


def test_a_condition_that_few_can_judge_is_hidden_and_has_no_priority() -> None:
    shown = pack(both(**{f"C02{letter}": (few(10, 1), [1] * 20) for letter in "abc"}))
    hidden = result(shown, "C02")
    assert hidden.model_dump(exclude_none=True) == {"id": "C02", "title": hidden.title, "rests_on": ()}
    assert "C02" not in shown.priority
    assert HIDDEN == "Hidden to protect people's identity"


def test_without_the_perspective_only_labels_that_do_not_need_it_are_given() -> None:
    unknown = {"C02g": (few(10, 3), [3] * 20)}
    assert result(pack(both(**unknown)), "C02").label is None, "not even Mixed: that would deny a hidden agreement"
    different = result(pack(both(**unknown, **all_means("C02", "2.0", "4.0"))), "C02")
    assert different.label is Label.REAL_DIFFERENCE


def test_a_combined_question_needs_twice_k_people() -> None:
    answers = both(30, 9, C02b=(few(14, 5, 30), few(7, 5, 9)), C02c=(few(20, 5, 30), few(2, 5, 9)))
    assert result(pack(answers), "C02").rests_on == ("a",)


# --- what is published of a figure -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mean", "words"),
    [("5", "Above 4.5"), ("4.55", "Above 4.5"), ("4.5", "4.5"), ("2.25", "2.3"), ("1.5", "1.5"), ("1.45", "Below 1.5")],
)
def test_means_have_one_decimal_and_extremes_are_bands(mean: str, words: str) -> None:
    sides = result(pack(both(**all_means("C02", mean, "3"))), "C02").sides
    assert sides is not None
    assert sides.doctors.words == words


@pytest.mark.parametrize(
    ("people", "words"), [(11, "11 or more"), (12, "11 or more"), (13, "about 15"), (18, "about 20")]
)
def test_how_many_answered_is_only_said_roughly(people: int, words: str) -> None:
    assert pack(both(people, people)).answered.doctors == words


def test_an_open_window_shows_how_many_were_asked_and_hides_a_small_count() -> None:
    assert turnout(14, 10, K).model_dump() == {"invited": 14, "completed": None}
    assert turnout(14, 11, K).completed == 11


# --- attacks ---------------------------------------------------------------------------------------------------------


def test_one_dissenter_cannot_be_seen_through_a_band() -> None:
    unanimous = all_means("C02", "5", "3")
    one_less: dict[str, tuple[Ratings, Ratings]] = {**unanimous, "C02a": ([5] * 19 + [4], [3] * 20)}
    assert pack(both(**unanimous)).model_dump_json() == pack(both(**one_less)).model_dump_json()


def test_score_less_anchor_does_not_give_the_unanimous_rest() -> None:
    fives = ([5] * 20, [3] * 20)
    shown = result(pack(both(C02a=(spread("3", 20), [3] * 20), C02b=fives, C02c=fives)), "C02")
    assert shown.sides is not None
    assert shown.sides.doctors.words == "4.3"
    assert shown.perspective is None, "3 x 4.3 - 3.0 would say that everybody gave 5 to the other two"


@pytest.mark.parametrize(("managers", "label"), [("4.2", Label.SHARED_STRENGTH), ("3.7", Label.REAL_DIFFERENCE)])
def test_a_label_compares_the_edge_of_a_band_and_not_what_is_behind_it(managers: str, label: Label) -> None:
    for doctors in ("4.55", "5"):
        assert result(pack(both(**all_means("C02", doctors, managers))), "C02").label is label


def test_a_priority_does_not_tell_which_of_two_bands_is_lower() -> None:
    one = pack(both(**all_means("C02", "1.0", "3"), **all_means("C07", "1.4", "3")))
    other = pack(both(**all_means("C02", "1.4", "3"), **all_means("C07", "1.0", "3")))
    assert one.model_dump_json() == other.model_dump_json()


def sampled(random: Random, doctors: int, managers: int) -> list[AnswerSheet]:
    """Answers in which every question has its own mood and its own share of "I do not know"."""
    moods = {key: (random.randint(1, 5), random.choice((0.0, 0.2, 0.6))) for key in QUESTIONNAIRE.keys}

    def rating(key: str) -> int | None:
        mood, unknown = moods[key]
        return None if random.random() < unknown else min(5, max(1, mood + random.choice((-1, 0, 0, 1))))

    return [
        AnswerSheet(side=side, ratings={key: rating(key) for key in QUESTIONNAIRE.keys})
        for side in [Side.DOCTOR] * doctors + [Side.MANAGER] * managers
    ]


def rated(answers: list[AnswerSheet], key: str, side: Side) -> int:
    return sum(sheet.side is side and sheet.ratings[key] is not None for sheet in answers)


def redrawn(answers: list[AnswerSheet], random: Random, secret: Callable[[str], bool]) -> list[AnswerSheet]:
    """The same people, the same "I do not know", but other ratings for the secret questions."""
    return [
        sheet.model_copy(
            update={
                "ratings": {
                    key: random.randint(1, 5) if rating is not None and secret(key) else rating
                    for key, rating in sheet.ratings.items()
                }
            }
        )
        for sheet in answers
    ]


people = st.integers(0, 24)
randoms = st.integers(0, 2**32).map(Random)


@given(randoms, st.integers(11, 24), st.integers(11, 24))
def test_hidden_answers_change_nothing_that_is_shown(random: Random, doctors: int, managers: int) -> None:
    answers = sampled(random, doctors, managers)
    other = redrawn(answers, random, lambda key: min(rated(answers, key, side) for side in Side) < K)
    assert pack(other).model_dump_json() == pack(answers).model_dump_json()


@given(randoms, people, people)
def test_nobody_reads_a_side_out_of_a_combined_pack(random: Random, doctors: int, managers: int) -> None:
    """Doctors' and managers' answers can trade places without a trace."""
    answers = sampled(random, doctors, managers)
    known = [sheet for sheet in answers if None not in sheet.ratings.values()]
    shuffled = random.sample([sheet.ratings for sheet in known], len(known))
    traded = [
        *(sheet for sheet in answers if None in sheet.ratings.values()),
        *(sheet.model_copy(update={"ratings": of}) for sheet, of in zip(known, shuffled, strict=True)),
    ]
    shown = pack(answers, combined_only=True)
    assert pack(traded, combined_only=True).model_dump_json() == shown.model_dump_json()


@given(randoms, people, people, st.integers(8, 30))
def test_no_figure_rests_on_fewer_people_than_allowed(random: Random, doctors: int, managers: int, k: int) -> None:
    answers = sampled(random, doctors, managers)
    shown = pack(answers, k)
    least = 2 * k if shown.view is View.TOGETHER else k
    counts = re.findall(r'"(?:about )?(\d+)(?: or more)?"', shown.model_dump_json())
    assert all(int(count) >= least for count in counts)
    for each in shown.conditions:
        for letter in each.rests_on:
            per_side = [rated(answers, f"{each.id}{letter}", side) for side in Side]
            assert sum(per_side) >= least if shown.view is View.TOGETHER else min(per_side) >= k


@given(randoms, people, people)
def test_no_figure_is_more_extreme_than_a_band_or_finer_than_a_tenth(
    random: Random, doctors: int, managers: int
) -> None:
    figures = re.findall(r'"value":"([^"]*)"', pack(sampled(random, doctors, managers)).model_dump_json())
    assert all(
        re.fullmatch(r"[1-4]\.\d", figure) and Decimal("1.5") <= Decimal(figure) <= Decimal("4.5") for figure in figures
    )


@given(randoms, people, people)
def test_the_order_of_the_answers_does_not_matter(random: Random, doctors: int, managers: int) -> None:
    answers = sampled(random, doctors, managers)
    assert pack(random.sample(answers, len(answers))).model_dump_json() == pack(answers).model_dump_json()


@given(randoms, people, people)
def test_a_pack_survives_the_journal(random: Random, doctors: int, managers: int) -> None:
    shown = pack(sampled(random, doctors, managers))
    assert Pack.model_validate_json(shown.model_dump_json()) == shown


# --- two cycles ------------------------------------------------------------------------------------------------------


def test_a_trend_is_the_difference_of_what_both_packs_show() -> None:
    before, after = pack(both(**all_means("C02", "2.0", "3.0"))), pack(both(**all_means("C02", "3.5", "2.5")))
    trend = next(each for each in compare(before, after).conditions if each.id == "C02")
    assert trend.doctors is not None
    assert trend.managers is not None
    assert (trend.doctors.by, trend.managers.by) == (Decimal("1.5"), Decimal("-0.5"))
    assert trend.together is None


def test_a_band_has_no_difference() -> None:
    trend = compare(pack(both()), pack(both(**all_means("C02", "5", "3")))).conditions[1]
    assert trend.doctors is not None
    assert (trend.doctors.by, trend.doctors.after.band) == (None, Band.ABOVE)


def test_two_combined_packs_are_compared_together() -> None:
    trend = compare(pack(both(30, 9)), pack(both(30, 9))).conditions[0]
    assert trend.together is not None
    assert (trend.together.by, trend.doctors, trend.managers) == (Decimal("0.0"), None, None)


@pytest.mark.parametrize(
    ("before", "after", "why"),
    [((20, 5), (20, 20), "sides apart"), ((9, 9), (20, 20), HIDDEN), ((20, 20), (9, 9), HIDDEN)],
)
def test_there_is_no_trend_unless_both_cycles_pass(before: tuple[int, int], after: tuple[int, int], why: str) -> None:
    comparison = compare(pack(both(*before)), pack(both(*after)))
    assert comparison.conditions == ()
    assert comparison.why_not is not None
    assert why in comparison.why_not


def test_a_changed_questionnaire_breaks_the_trend_line() -> None:
    changed = make_pack(QUESTIONNAIRE.model_copy(update={"version": 2}), both(), k=K)
    assert compare(pack(both()), changed).conditions == ()


def test_a_condition_that_rests_on_other_statements_is_not_compared() -> None:
    fewer = pack(both(C02a=(few(10, 5), [3] * 20)))
    assert "C02" not in {trend.id for trend in compare(pack(both()), fewer).conditions}
    assert len(compare(pack(both()), fewer).conditions) == 10
