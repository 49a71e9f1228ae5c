from __future__ import annotations

from typing import Any

import pytest

from catalog.declarations import CatalogDeclaration
from catalog.registration.entity_inference import InferredEntities, entity_name_of, infer_entities
from catalog.registration.faults import Faults


def infer(groups: dict[str, Any], known: dict[str, Any] | None = None, **keys: Any) -> tuple[InferredEntities, str]:
    complete = {
        name: {"source_table": "t", "features": [{"name": "x", "type": "float"}], **group}
        for name, group in groups.items()
    }
    faults = Faults()
    declaration = CatalogDeclaration.model_validate({"groups": complete, **keys})
    inferred = infer_entities(declaration, known=known or {}, faults=faults)
    return inferred, "\n".join(f"{key}: {message}" for key, message in faults.found)


def key(name: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "type": "integer", "is_primary_key": True, **more}


@pytest.mark.parametrize(
    ("keys", "name"),
    [
        (["customer_id"], "customer"),
        (["CustomerID"], "customerid"),
        (["account"], "account"),
        (["customer_id", "branch_id"], "customer_branch"),
    ],
)
def test_the_name_of_an_entity_comes_from_its_keys(keys: list[str], name: str) -> None:
    assert entity_name_of(keys) == name


def test_a_group_with_a_primary_key_defines_the_entity_and_one_without_takes_the_only_one() -> None:
    inferred, faults = infer({"a": {"features": [key("customer_id")]}, "b": {}})
    assert not faults
    assert inferred.entities["customer"].join_keys == ("customer_id",)
    assert inferred.entity_of == {"a": "customer", "b": "customer"}


def test_declared_entities_are_found_by_their_keys() -> None:
    entities = {"client": {"join_keys": ["customer_id"]}, "shop": {"join_keys": ["shop_no"]}}
    inferred, faults = infer({"a": {"join_keys": ["customer_id"]}, "b": {"entity": "shop"}}, entities=entities)
    assert not faults
    assert inferred.entity_of == {"a": "client", "b": "shop"}


def test_several_keys_keep_their_order_and_a_source_column_is_mapped() -> None:
    inferred, faults = infer({"a": {"features": [key("shop_id", source_column="Shop No"), key("day")]}})
    assert not faults
    assert inferred.entities["shop_day"].join_keys == ("shop_id", "day")
    assert inferred.key_maps == {"a": {"shop_id": "Shop No"}}


def test_a_key_map_says_which_column_holds_which_key() -> None:
    entities = {"customer": {"join_keys": ["customer_id"]}}
    mapped = {"entity": "customer", "join_keys": ["cust_no"], "key_map": {"customer_id": "cust_no"}}
    inferred, faults = infer({"a": mapped}, entities=entities)
    assert not faults
    assert inferred.key_maps == {"a": {"customer_id": "cust_no"}}


def test_the_catalog_knows_the_only_entity() -> None:
    inferred, faults = infer({"a": {}}, known={"customer": ("customer_id",)})
    assert not faults
    assert inferred.entity_of == {"a": "customer"}


@pytest.mark.parametrize(
    ("group", "told"),
    [
        ({}, "choose one of customer, shop"),
        ({"entity": "custmer"}, "did you mean customer?"),
        ({"entity": "customer", "join_keys": ["other"]}, "are not the join keys of its entity, customer_id"),
        ({"entity": "customer", "key_map": {"wrong": "x"}}, "is not a join key of its entity"),
        ({"join_keys": ["a", "a"]}, "names a join key twice"),
        ({"join_keys": ["customer_id"], "features": [key("shop_no")]}, "let both name the same"),
        ({"join_keys": ["1st key"]}, "gives no name of an entity"),
    ],
)
def test_what_cannot_be_told_is_a_fault_of_the_group(group: dict[str, Any], told: str) -> None:
    entities = {"customer": {"join_keys": ["customer_id"]}, "shop": {"join_keys": ["shop_no"]}}
    _, faults = infer({"a": group}, entities=entities)
    assert faults.startswith("features.a")
    assert told in faults


def test_two_keys_from_one_column_are_a_fault() -> None:
    entities = {"visit": {"join_keys": ["a", "b"]}}
    _, faults = infer({"g": {"entity": "visit", "key_map": {"a": "x", "b": "x"}}}, entities=entities)
    assert "reads two join keys from the same column" in faults
