"""Who does what about each kind of task, in a forecast: one table, from the command that completes a task to the deed.

A deed says nothing about when: ``days.py`` does. An empty answer means "not now": it is tried again the next working
day. A kind of task without a deed is what the programme waits for; ``tests/core`` names it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from programme.forecasting import agreeing, beginning, leaving, meeting, reviewing
from programme.forecasting.moment import Deeds, Moment

DEEDS: Mapping[str, Callable[[Moment], Deeds]] = {
    "AcceptAppointment": beginning.accept_appointment,
    "AcceptEnrolment": beginning.accept_enrolment,
    "AcceptHandover": leaving.accept_handover,
    "AcceptOwnership": leaving.accept_ownership,
    "AcceptPanel": reviewing.accept_panel,
    "AcknowledgeObjection": agreeing.acknowledge_objection,
    "AddPoints": beginning.add_points,
    "AgreeAction": agreeing.agree_action,
    "AnswerFinding": reviewing.answer_findings,
    "AnswerInvitation": meeting.answer_invitation,
    "AnswerRebase": agreeing.answer_rebase,
    "Appoint": beginning.appoint,
    "AppointToPanel": reviewing.appoint_panel,
    "ApproveAction": agreeing.approve_action,
    "CheckIn": agreeing.check_in,
    "ChooseAfterShortfall": beginning.choose_after_shortfall,
    "CloseAction": agreeing.close_action,
    "CompleteQuestionnaire": beginning.complete_questionnaire,
    "ConfirmNeedMet": agreeing.confirm_need,
    "ConfirmNotes": meeting.confirm_notes,
    "ConfirmPairs": beginning.confirm_pairs,
    "DecideObjection": agreeing.decide_objection,
    "DecideRenewal": reviewing.decide_renewal,
    "DefineMeasure": beginning.define_measure,
    "ExplainSignal": agreeing.explain_signal,
    "GivePositionStatement": reviewing.give_position,
    "HoldReview": reviewing.hold_review,
    "MarkReflection": beginning.mark_reflection,
    "MoveSession": meeting.move_session,
    "NameSuccessor": leaving.name_successor,
    "OfferInsight": beginning.offer_insight,
    "OwnDevelopmentNeed": agreeing.own_need,
    "RePair": beginning.settle_pair,
    "RecordAttendance": meeting.record_attendance,
    "RecordFindings": reviewing.record_findings,
    "RecordJointMeeting": reviewing.record_joint_meeting,
    "RecordProgressCheck": reviewing.progress_check,
    "RecordTouchpoint": agreeing.record_touchpoint,
    "RecordVisit": beginning.record_visit,
    "ReportComplete": agreeing.report_complete,
    "ScheduleReview": reviewing.schedule_review,
    "ScheduleSession": meeting.schedule_session,
    "SettleNotes": meeting.settle_notes,
    "SettleUndelivered": beginning.settle_undelivered,
    "ShareInsight": beginning.share_insight,
    "SignCompact": agreeing.sign_compact,
    "StateWillingness": beginning.state_willingness,
    "VerifyAction": agreeing.verify_action,
    "WithdrawAction": agreeing.withdraw_action,
    "WriteNotes": meeting.write_notes,
    "WriteReflection": beginning.write_reflection,
    "WriteThemes": beginning.write_themes,
}
"""The command that completes a task -> what is done with it."""
