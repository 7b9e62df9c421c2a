"""Which actions run beside which, and when the robot has to stand."""

from __future__ import annotations

from orchestrator.vda5050.messages import Action, ActionStatus, BlockingType
from ros_nodes.onboard.actions import ActionBook
from tests.support.onboard_robots import an_action, an_order

NONE, SOFT, HARD = BlockingType.NONE, BlockingType.SOFT, BlockingType.HARD
RUNNING, WAITING, FINISHED, FAILED = (
    ActionStatus.RUNNING,
    ActionStatus.WAITING,
    ActionStatus.FINISHED,
    ActionStatus.FAILED,
)


class Tool:
    """Takes two seconds for everything, except for what it refuses."""

    def __init__(self, *, refuses: str = "", breaks: str = "") -> None:
        self.refuses = refuses
        self.breaks = breaks

    def begin(self, action: Action) -> float | str:
        return "it cannot be done" if action.action_id == self.refuses else 2.0

    def complete(self, action: Action) -> str | None:
        return "it broke" if action.action_id == self.breaks else None


def a_book(*blocking: BlockingType) -> ActionBook:
    """Return a book with actions a, b, c … at the first node, due now."""
    actions = [an_action("pick", blocking=kind, action_id=chr(97 + index)) for index, kind in enumerate(blocking)]
    book = ActionBook()
    book.add_nodes(an_order([("A", 0.0, 0.0)], actions={"A": actions}).nodes)
    book.make_due(0)
    return book


def statuses(book: ActionBook) -> list[ActionStatus]:
    return [item.action_status for item in book.reported()]


def settle(
    book: ActionBook, time_s: float, tool: Tool | None = None, *, is_standing: bool = True
) -> list[ActionStatus]:
    while book.advance_to(time_s, tool or Tool(), is_standing=is_standing, may_start=True):
        pass
    return statuses(book)


def test_actions_that_do_not_block_run_side_by_side() -> None:
    assert settle(a_book(NONE, SOFT, NONE), 0.0) == [RUNNING, RUNNING, RUNNING]


def test_hard_action_waits_for_those_before_it_and_keeps_those_behind_it_waiting() -> None:
    subject = a_book(NONE, HARD, NONE)
    assert settle(subject, 0.0) == [RUNNING, WAITING, WAITING]
    assert settle(subject, 2.0) == [FINISHED, RUNNING, WAITING]
    assert settle(subject, 4.0) == [FINISHED, FINISHED, RUNNING]
    assert settle(subject, 6.0) == [FINISHED, FINISHED, FINISHED]
    assert subject.is_quiet


def test_action_that_blocks_driving_waits_until_the_robot_stands() -> None:
    subject = a_book(SOFT)
    assert settle(subject, 0.0, is_standing=False) == [WAITING]
    assert subject.holds_robot
    assert settle(subject, 1.0) == [RUNNING]


def test_action_that_does_not_block_starts_while_driving_and_lets_the_robot_drive() -> None:
    subject = a_book(NONE)
    assert settle(subject, 0.0, is_standing=False) == [RUNNING]
    assert not subject.holds_robot


def test_nothing_starts_before_its_node_is_traversed() -> None:
    book = ActionBook()
    book.add_nodes(an_order([("A", 0.0, 0.0)], actions={"A": [an_action("pick")]}).nodes)
    assert settle(book, 5.0) == [WAITING]
    assert not book.holds_robot


def test_refused_action_fails_and_lets_the_next_one_go() -> None:
    subject = a_book(HARD, HARD)
    assert settle(subject, 0.0, Tool(refuses="a")) == [FAILED, RUNNING]
    assert subject.reported()[0].result_description == "it cannot be done"


def test_action_whose_effect_fails_at_its_end_is_failed() -> None:
    subject = a_book(HARD)
    settle(subject, 0.0, Tool(breaks="a"))
    assert settle(subject, 2.0, Tool(breaks="a")) == [FAILED]


def test_next_event_is_the_end_of_the_first_running_action() -> None:
    subject = a_book(NONE, NONE)
    assert subject.next_event_s is None
    settle(subject, 1.0)
    assert subject.next_event_s == 3.0


def test_failing_what_waits_leaves_what_runs_and_what_is_instant() -> None:
    subject = a_book(HARD, HARD)
    instant = subject.add_instant(an_action("stateRequest"))
    settle(subject, 0.0)
    subject.fail_waiting("cancelled")
    assert statuses(subject) == [RUNNING, FAILED, WAITING]
    assert not instant.is_over
    assert not subject.is_order_quiet


def test_update_replaces_only_the_horizon_s_actions() -> None:
    book = ActionBook()
    base, horizon = an_action("pick", action_id="base"), an_action("drop", action_id="horizon")
    book.add_nodes(an_order([("A", 0.0, 0.0), ("B", 1.0, 0.0)], actions={"A": [base], "B": [horizon]}).nodes)
    book.drop_horizon(0)
    assert [item.action_id for item in book.reported()] == ["base"]
    assert book.known_up_to(0) == {"base"}
