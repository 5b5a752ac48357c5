import pytest

from kdrec.compress import recipes
from kdrec.errors import ConversionError
from kdrec.export import ExportJob

INT8 = recipes.get("int8")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"signatures": ("rank",)},
            r"signatures of export job 'j' must be some of recommend, score, embed, not \('rank',\)",
        ),
        ({"signatures": ()}, r"signatures .* must be some of recommend, score, embed, not \(\)"),
        ({"lookup": "cloud"}, "lookup of export job 'j' must be one of device, host, not 'cloud'; change the target's"),
        ({"one_subgraph": True}, "signatures .* must be exactly one when one_subgraph is set"),
        ({"topk": None}, "topk .* must be at least 1 for signature recommend, not None"),
        ({"topk": 0}, "topk .* must be at least 1 for signature recommend, not 0"),
        ({"lookup": "host"}, r"signatures .* must be \('score',\) when the host looks up the history"),
        ({"max_fc_outputs": 0}, "max_fc_outputs .* must be at least 1 or None, not 0"),
    ],
)
def test_options_that_contradict_each_other_are_refused(options, message):
    with pytest.raises(ConversionError, match=message):
        ExportJob("j", INT8, **options)


def test_a_host_needs_an_int8_stage():
    with pytest.raises(ConversionError, match="recipe .* must compute in int8 when the host .*, not 'float32'"):
        ExportJob("j", recipes.get("float32"), signatures=("score",), lookup="host")
