import pytest
from small_students import Case, case, standard_jobs

collect_ignore = ["conftest.py"]  # --doctest-modules would import it under a name that other folders use too


@pytest.fixture(scope="session")
def mean() -> Case:
    """Tied, ordered, no context; every recipe."""
    mixes = ("int8+hidden=int4+residual=int4", "float32+item_table=int4+hidden=int8")
    return case(standard_jobs("float32", "float16", "dynamic_int8", "int4_table", "int16x8", *mixes))


@pytest.fixture(scope="session")
def untied() -> Case:
    """Two tables and two context features."""
    return case(standard_jobs("int4_table"), tied=False, context={"hour": 4, "place": 6})


@pytest.fixture(scope="session")
def conv() -> Case:
    """The encoder of neighbours, with context, so that the host hands two tensors over."""
    return case(standard_jobs("int4_table"), encoder="conv", context={"hour": 4})
