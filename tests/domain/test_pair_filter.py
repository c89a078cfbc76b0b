"""Which pairs are meant."""

from __future__ import annotations

import pytest

from workbench.contract.schema import adapter
from workbench.domain.label import PairFilter


@pytest.mark.parametrize("field", PairFilter.own_fields())
def test_null_is_as_good_as_nothing_given(field: str) -> None:
    assert PairFilter(**{field: None}).values() == PairFilter().values()
    assert adapter(PairFilter).validate_python({field: None}).values() == PairFilter().values()
