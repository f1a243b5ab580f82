"""What a person does with each kind of task: one table, from the command that completes a task to who sends what.

An act says nothing about when: the year decides that. An empty answer means "not now": the person looks again the next
working day. A further kind of task is one function and one line here.
"""

from collections.abc import Awaitable, Callable, Mapping

from cli.rehearsal import agreeing, beginning, leaving, meeting, reviewing
from cli.rehearsal.cast import Player
from cli.rehearsal.scene import Ask, Duty, Scene

Act = Callable[[Scene, Player, Duty], Awaitable[list[Ask]]]

ACTS: Mapping[str, Act] = {
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
    "AppointToPanel": reviewing.appoint_panel,
    "ApproveAction": agreeing.approve_action,
    "CheckIn": agreeing.check_in,
    "ChooseAfterShortfall": beginning.choose_after_shortfall,
    "CloseAction": agreeing.other_half,
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
    "ReportComplete": agreeing.other_half,
    "ScheduleReview": reviewing.schedule_review,
    "ScheduleSession": meeting.schedule_session,
    "SettleNotes": meeting.settle_notes,
    "SettleUndelivered": reviewing.settle_undelivered,
    "ShareInsight": beginning.share_insight,
    "SignCompact": agreeing.sign_compact,
    "StateWillingness": beginning.state_willingness,
    "VerifyAction": agreeing.verify_action,
    "WithdrawAction": agreeing.other_half,
    "WriteNotes": meeting.write_notes,
    "WriteReflection": beginning.write_reflection,
    "WriteThemes": beginning.write_themes,
}
"""The command that completes a task -> what is done with it."""
