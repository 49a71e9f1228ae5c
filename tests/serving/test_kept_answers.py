"""What a process keeps stays within its bounds, whoever asks and keeps at the same time."""

from __future__ import annotations

import random
import threading
from typing import Any

from serving.kept_answers import AnswerRoom, Doorkeeper, KeptAnswer, PlanAnswers, memory_of
from serving.stores.online_revisions import Revisions

FIRST: Revisions = ((1, 11),)
SECOND: Revisions = ((1, 12),)
LIMIT = 100_000


def answer(text: bytes = b"x" * 650, span: tuple[int, int] = (0, 100)) -> KeptAnswer:
    """One of 1,000 bytes, unless said otherwise."""
    return KeptAnswer.of(text, size=len(text), span=span)


def keep(plan: PlanAnswers, *keys: Any, revisions: Revisions = FIRST, **given: Any) -> None:
    plan.keep("vectors", revisions, {key: answer(**given) for key in keys}, limit=LIMIT)


def found(plan: PlanAnswers, *keys: Any, at_us: int = 50) -> list[Any]:
    shelf = plan.shelf("vectors")
    return [] if shelf is None else [kept and kept.answer for kept in shelf.find(keys, at_us, limit=LIMIT)]


def plan_in(room: AnswerRoom, key: str = "plan", facts: str = "facts", most: int = 10) -> PlanAnswers:
    return room.of_plan(key, facts, most=most)


class TestWhatIsFound:
    def test_by_the_key_as_it_is_written(self) -> None:
        plan = plan_in(AnswerRoom())
        keep(plan, 1, text=b"number")
        keep(plan, "1", text=b"text")
        assert found(plan, "1", 1, 2, 1) == [b"text", b"number", None, b"number"]

    def test_at_the_instants_of_its_span_both_included(self) -> None:
        plan = plan_in(AnswerRoom())
        keep(plan, 1, text=b"a", span=(10, 20))
        assert [found(plan, 1, at_us=at)[0] for at in (9, 10, 20, 21)] == [None, b"a", b"a", None]

    def test_nothing_of_other_revisions(self) -> None:
        plan = plan_in(AnswerRoom())
        keep(plan, 1, 2, text=b"old")
        keep(plan, 2, text=b"new", revisions=SECOND)
        shelf = plan.shelf("vectors")
        assert shelf is not None
        assert shelf.revisions == SECOND
        assert found(plan, 1, 2) == [None, b"new"]

    def test_the_same_plan_made_anew_finds_it_and_another_does_not(self) -> None:
        room = AnswerRoom()
        keep(plan_in(room), 1, text=b"a")
        assert found(plan_in(room), 1) == [b"a"]
        assert found(plan_in(room, "other plan"), 1) == []
        assert found(plan_in(room, facts="a mask"), 1) == []
        assert found(plan_in(room), 1) == []


class TestDoorkeeper:
    def test_knows_whom_it_has_met(self) -> None:
        keeper = Doorkeeper()
        visitors = [("plan", "vectors", key) for key in ["1", "a", "客户", 1]]
        assert [[keeper.meet(visitor) for visitor in visitors] for _ in range(3)] == [
            [False] * 4,
            [True] * 4,
            [True] * 4,
        ]

    def test_takes_few_for_others_and_forgets_in_time(self) -> None:
        keeper = Doorkeeper()
        mistaken = sum(keeper.meet(("plan", "vectors", key)) for key in range(200_000))
        assert mistaken < 200_000 // 4
        assert not keeper.meet(("plan", "vectors", 0)) or not keeper.meet(("plan", "vectors", 1))

    def test_of_a_plan_it_knows_each_form_by_itself(self) -> None:
        room = AnswerRoom()
        plan, other = plan_in(room), plan_in(room, "other plan")
        assert plan.asked_again("vectors", [1, 2]) == set()
        assert plan.asked_again("vectors", [2, 3]) == {2}
        assert plan.asked_again("values", [2]) == other.asked_again("vectors", [2]) == set()


class TestBounds:
    def test_never_more_bytes_than_the_limit(self) -> None:
        room = AnswerRoom()
        plans = [plan_in(room, str(number)) for number in range(3)]
        for key in range(1_000):
            keep(plans[key % 3], key)
            assert room.bytes() <= LIMIT
        assert room.bytes() > LIMIT // 2

    def test_what_is_used_stays_and_what_is_not_goes(self) -> None:
        plan = plan_in(AnswerRoom())
        keep(plan, "used", "unused")
        for key in range(200):
            keep(plan, key)
            found(plan, "used")
        assert [kept is not None for kept in found(plan, "used", "unused")] == [True, False]

    def test_one_answer_shall_not_drive_out_all_others(self) -> None:
        plan = plan_in(AnswerRoom())
        keep(plan, 1)
        keep(plan, 2, text=b"x" * (LIMIT // 8))
        assert [kept is not None for kept in found(plan, 1, 2)] == [True, False]

    def test_what_is_kept_again_counts_once(self) -> None:
        room = AnswerRoom()
        plan = plan_in(room)
        for _ in range(1_000):
            keep(plan, 1)
        assert room.bytes() == 1_000
        assert found(plan, 1) != [None]

    def test_answers_of_earlier_revisions_leave_their_room(self) -> None:
        room = AnswerRoom()
        plan = plan_in(room)
        for number in range(1_000):
            keep(plan, *range(10), revisions=((1, number),))
        assert room.bytes() == 10_000

    def test_no_more_plans_than_said_the_least_used_go(self) -> None:
        room = AnswerRoom()
        first, second = plan_in(room, "first", most=2), plan_in(room, "second", most=2)
        keep(first, 1)
        keep(second, 1)
        plan_in(room, "first", most=2)
        plan_in(room, "third", most=2)
        assert found(plan_in(room, "first", most=2), 1) != []
        assert room.bytes() == 1_000
        # Somebody still reads by the plan that went.
        keep(second, 1)
        keep(second, 1, revisions=SECOND)
        assert room.bytes() == 1_000

    def test_size_of_values(self) -> None:
        assert memory_of([1.0, "text", None]) < memory_of([1.0, "text" * 100, None])
        assert memory_of([[0.5] * 1_000]) > 8_000
        assert memory_of([{"a": ["b" * 5_000]}]) > 5_000


def test_threads_that_keep_find_and_write_at_once() -> None:
    """Each answer says of which key and revision it is; nobody finds another's."""
    room = AnswerRoom()
    wrong: list[object] = []
    barrier = threading.Barrier(4)

    def work(seed: int) -> None:
        choose = random.Random(seed)
        barrier.wait()
        for turn in range(3_000):
            plan = plan_in(room, f"plan {choose.randrange(3)}", most=2)
            revisions = ((1, turn // 100),)
            keys = [choose.randrange(200) for _ in range(5)]
            shelf = plan.shelf("vectors")
            if shelf is not None and shelf.revisions == revisions:
                for key, kept in zip(keys, shelf.find(keys, 50, limit=LIMIT), strict=True):
                    if kept is not None and kept.answer != (key, revisions):
                        wrong.append((key, revisions, kept))
            made = {key: KeptAnswer.of((key, revisions), size=650, span=(0, 100)) for key in keys}
            plan.keep("vectors", revisions, made, limit=LIMIT)
            if turn % 50 == 0 and room.bytes() > LIMIT:
                wrong.append(room.bytes())

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert wrong == []
    assert 0 < room.bytes() <= LIMIT
