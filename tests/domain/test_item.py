"""What a pair is about, as people call it."""

import pytest

from workbench.domain.item import item_name, item_told


@pytest.mark.parametrize(
    ("item_ref", "name", "told"),
    [
        ("17", "17", "item 17"),
        ("request:request_01k9x3v7tq8m2c5d", "served request tq8m2c5d", "served request tq8m2c5d"),
        ("added:40", "added pair 40", "added pair 40"),
        ("request:of a customer", "request:of a customer", "item request:of a customer"),
        ("added:later", "added:later", "item added:later"),
        ("", "", "item "),
    ],
)
def test_only_what_no_row_is_behind_is_called_after_where_it_came_from(item_ref, name, told):
    assert (item_name(item_ref), item_told(item_ref)) == (name, told)
