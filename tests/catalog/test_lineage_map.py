"""What the lineage page is made of, each by itself: question, narrowing, collapsing, outline, file of its own."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from urllib.parse import parse_qs

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.drawings import GraphEdge, GraphNode, lineage_graph
from catalog.drawings.standalone import standalone
from catalog.errors import InvalidInput
from catalog.lineage_map.collapsing import COMFORTABLE, MOST_SHOWN, STEP, Member, collapse
from catalog.lineage_map.narrowing import contracted, leading_to, reachable
from catalog.lineage_map.outline import outline
from catalog.lineage_map.question import LineageQuestion, read_question

KINDS = ["feature", "service", "source_table"]


def test_a_question_is_what_its_query_string_says() -> None:
    asked = read_question(
        {
            "feature": ["balance"],
            "up": ["2"],
            "kind": ["service", "feature"],
            "only": ["failing"],
            "expand": ["a", "a"],
        },
        kinds=KINDS,
    )

    assert asked == LineageQuestion(
        feature="balance", up=2, kinds=frozenset({"feature", "service"}), only_failing=True, expand=("a", "a")
    )
    assert read_question(parse_qs(asked.query()), kinds=KINDS) == asked
    assert asked.query(only_failing=False, kinds=frozenset(), expand=()) == "feature=balance&up=2"
    assert read_question({"node": ["source_table:a:b"]}, kinds=KINDS).kind_and_name == ("source_table", "a:b")
    assert (read_question({"depth": ["1"]}, kinds=KINDS).up, read_question({"depth": ["1"]}, kinds=KINDS).down) == (
        1,
        1,
    )


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"up": ["9"]}, "up is a whole number from 0 to 8"),
        ({"down": ["x"]}, "down is a whole number"),
        ({"kind": ["colour"]}, "colour is not one of feature, service, source_table"),
        ({"only": ["good"]}, "only is failing"),
        ({"node": ["colour:red"]}, "node is written kind:name"),
    ],
)
def test_what_is_no_choice_is_refused(query: dict[str, list[str]], said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        read_question(query, kinds=KINDS)


CHAIN = {("table", "column"): "", ("column", "feature"): "mean", ("feature", "model"): "", ("other", "model"): ""}


def test_hidden_kinds_leave_the_ways_through_them() -> None:
    assert contracted(CHAIN, kept={"table", "feature", "model"}) == {
        ("table", "feature"): "",
        ("feature", "model"): "",
    }
    assert contracted(CHAIN, kept={"column", "feature"}) == {("column", "feature"): "mean"}


def test_only_what_lies_between_the_focus_and_what_is_wrong_is_left() -> None:
    pairs = list(CHAIN)
    assert leading_to({"table"}, focus={"feature"}, pairs=pairs) == {"table", "column", "feature"}
    assert leading_to({"model"}, focus={"feature"}, pairs=pairs) == {"feature", "model"}
    # What feeds something downstream, too, is on no way from the focus.
    assert leading_to({"other"}, focus={"feature"}, pairs=pairs) == {"feature"}
    assert reachable(["table"], pairs) == {"table": 0, "column": 1, "feature": 2, "model": 3}


def members(count: int, cluster: str = "feature:sales") -> list[Member]:
    return [Member(id=f"{cluster}{one}", cluster=cluster, weight=one) for one in range(count)]


def test_few_nodes_stay_as_they_are() -> None:
    assert collapse(members(COMFORTABLE)).stacks == {}


def test_the_largest_cluster_is_collapsed_first_and_only_as_far_as_needed() -> None:
    every = [*members(100), *members(10, "feature:money"), Member("focus", "feature:sales", is_focus=True)]

    found = collapse(every)

    assert {name: len(held) for name, held in found.stacks.items()} == {"feature:sales": 100}
    assert found.shown == [*(one.id for one in members(10, "feature:money")), "focus"]


def test_opening_shows_the_weightiest_and_opening_again_shows_more() -> None:
    once = collapse(members(100), expand=["feature:sales"])
    twice = collapse(members(100), expand=["feature:sales", "feature:sales"])

    assert once.shown == [f"feature:sales{one}" for one in range(80, 100)]
    assert len(once.stacks["feature:sales"]) == 100 - STEP
    assert len(twice.shown) == 2 * STEP
    assert once.opened == {"feature:sales"}


@settings(max_examples=80, deadline=None)
@given(
    sizes=st.lists(st.integers(min_value=1, max_value=90), max_size=8),
    expand=st.lists(st.sampled_from(["c0", "c1", "c2", "unknown"]), max_size=9),
)
def test_nothing_is_lost_and_it_fits(sizes: list[int], expand: list[str]) -> None:
    every = [one for index, size in enumerate(sizes) for one in members(size, f"c{index}")]
    every.append(Member("focus", "c0", is_focus=True))

    found = collapse(every, expand=expand)

    held = [one for stack in found.stacks.values() for one in stack]
    assert sorted([*found.shown, *held]) == sorted(one.id for one in every)
    assert "focus" in found.shown
    assert len(found.shown) + len(found.stacks) <= MOST_SHOWN
    assert all(len(stack) > 1 for stack in found.stacks.values())


def test_the_outline_is_a_well_formed_nested_list() -> None:
    edges = {("a", "b"): "x", ("b", "d"): "", ("a", "c"): "", ("c", "d"): "", ("d", "a"): "round"}

    lines, cut = outline(["d"], edges=edges, upward=True)

    assert not cut
    assert [(line.node, line.depth, line.is_repeated) for line in lines] == [
        ("b", 0, False), ("a", 1, False), ("d", 2, True), ("c", 0, False), ("a", 1, True),
    ]  # fmt: skip
    html = "".join(f"{line.opens}<li>{line.node}{line.closes}" for line in lines)
    assert html == "<ul><li>b<ul><li>a<ul><li>d</li></ul></li></ul></li><li>c<ul><li>a</li></ul></li></ul>"


@settings(max_examples=60, deadline=None)
@given(pairs=st.sets(st.tuples(st.sampled_from("abcdefg"), st.sampled_from("abcdefg")), max_size=20))
def test_every_outline_is_well_formed_and_ends(pairs: set[tuple[str, str]]) -> None:
    lines, _ = outline(["a"], edges=dict.fromkeys(pairs, ""), upward=False)
    html = "".join(f"{line.opens}<li>{line.node}{line.closes}" for line in lines)
    ET.fromstring(f"<div>{html}</div>")
    assert {line.node for line in lines} | {"a"} == set(reachable("a", pairs))


def test_a_file_of_its_own_has_its_colours_and_whole_addresses() -> None:
    drawn = lineage_graph(
        nodes=[
            GraphNode(id="1", kind="feature", name="<b>", href="/features/b/?group=x&y", is_focus=True),
            GraphNode(id="2", kind="feature service", name="m", href="?expand=m", state="failing"),
        ],
        edges=[GraphEdge(source="1", target="2")],
        title="Lineage",
        description="Two.",
    )

    text = standalone(drawn, address="https://store.example/lineage/")

    root = ET.fromstring(text)
    space = "{http://www.w3.org/2000/svg}"
    boxes = [one for one in root.iter(f"{space}rect") if one.get("class") == "d-node__box"]
    assert [box.get("fill") for box in boxes] == ["#e3f1f2", "#ffffff"]
    assert [one.get("href") for one in root.iter(f"{space}a")] == [
        "https://store.example/features/b/?group=x&y",
        "https://store.example/lineage/?expand=m",
    ]
    assert root.find(f"{space}rect").get("width") == "100%"  # type: ignore[union-attr]  # it is there
    assert "style=" not in text
