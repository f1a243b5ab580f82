"""The thirty invariants of programme.md as checkers: what was, what was recorded, what is; every fault in words.

A checker reads state and journal as plain data and asks the rules nothing that they themselves decide, so that a rule
which is taken away shows here. Invariants whose home is elsewhere (what leaves the store, what travels to Temporal)
are judged as far as the core reaches; ``test_invariants.py`` names the tests that hold the rest.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

from programme.engagement import Engagement
from programme.messages import (
    Entry,
    TaskId,
)
from tests.core.judged_agreements import (
    a_material_change_voids_agreements_and_approval,
    active_actions_can_be_checked,
    active_only_with_an_agreement_from_each_side,
    an_objection_suspends_until_an_approver_decides,
    clinical_actions_wait_for_an_independent_approver,
    no_stage_after_mandate_without_both_sponsors_willing,
    nobody_counts_for_two_sides,
    only_an_approver_decides_a_clinical_question,
    silence_never_agrees_or_approves,
)
from tests.core.judged_both_sides import (
    completion_is_verified_by_others_from_both_sides,
    escalations_that_name_a_side_reach_both_sponsors_together,
    nobody_challenges_their_own,
    notes_count_when_both_sides_confirmed_and_dissent_stays,
    only_quorate_sessions_agree,
    panels_have_both_sides_and_no_renewal_without_an_external_review,
    what_ends_or_binds_needs_both_sides,
)
from tests.core.judged_candour import (
    comments_are_the_facilitators_alone,
    no_result_before_the_window_closes_and_then_for_everybody,
    not_answering_is_nobodys_business,
    nothing_ties_a_person_to_answers,
    small_groups_stay_hidden_and_k_is_fixed,
    the_facilitator_is_of_neither_side,
    what_travels_holds_no_candid_word,
)
from tests.core.judged_history import (
    a_pause_reminds_nobody_and_passes_no_gate,
    due_dates_never_move_earlier_nor_unexplained,
    figures_and_findings_are_corrected_never_edited,
    messages_leave_in_sending_hours_and_each_rung_once,
    nothing_ranks_people_or_trusts,
    one_cycle_at_a_time,
    the_history_rebuilds_the_state,
)
from tests.core.judging import Checker, Step

INVARIANTS: tuple[Checker, ...] = (
    no_stage_after_mandate_without_both_sponsors_willing,
    nobody_counts_for_two_sides,
    active_only_with_an_agreement_from_each_side,
    silence_never_agrees_or_approves,
    clinical_actions_wait_for_an_independent_approver,
    only_an_approver_decides_a_clinical_question,
    an_objection_suspends_until_an_approver_decides,
    a_material_change_voids_agreements_and_approval,
    active_actions_can_be_checked,
    small_groups_stay_hidden_and_k_is_fixed,
    comments_are_the_facilitators_alone,
    no_result_before_the_window_closes_and_then_for_everybody,
    nothing_ties_a_person_to_answers,
    not_answering_is_nobodys_business,
    the_facilitator_is_of_neither_side,
    nobody_challenges_their_own,
    panels_have_both_sides_and_no_renewal_without_an_external_review,
    only_quorate_sessions_agree,
    notes_count_when_both_sides_confirmed_and_dissent_stays,
    completion_is_verified_by_others_from_both_sides,
    what_ends_or_binds_needs_both_sides,
    escalations_that_name_a_side_reach_both_sponsors_together,
    messages_leave_in_sending_hours_and_each_rung_once,
    due_dates_never_move_earlier_nor_unexplained,
    the_history_rebuilds_the_state,
    what_travels_holds_no_candid_word,
    figures_and_findings_are_corrected_never_edited,
    one_cycle_at_a_time,
    a_pause_reminds_nobody_and_passes_no_gate,
    nothing_ranks_people_or_trusts,
)
"""In the order of programme.md: the first is invariant 1."""


def violations(step: Step) -> list[str]:
    """Everything that is wrong with a step, with the numbers of the invariants."""
    return [f"invariant {number}: {words}" for number, check in enumerate(INVARIANTS, 1) for words in check(step)]


@dataclass
class Watch:
    """Everything recorded so far, and every due date ever promised: what a single step cannot know."""

    recorded: list[Entry] = field(default_factory=list)
    promised: dict[TaskId, date] = field(default_factory=dict)

    def see(self, before: Engagement, entries: Sequence[Entry], after: Engagement) -> list[str]:
        """What is wrong with one more step."""
        self.recorded += entries
        found = violations(Step(before, entries, after, self.recorded, self.promised))
        for task in after.open_tasks:
            if task.due:
                self.promised[task.id] = max(task.due.on, self.promised.get(task.id, task.due.on))
        return found
