from kdrec.tflite.read import parse
from kdrec.tflite.sizes import sizes
from kdrec.tflite.strip import strip
from kdrec.tflite.tied_table import tie
from kdrec.tflite.write import pack

ROWS, WIDTH = 21, 8


def test_the_parts_add_up_and_a_shared_table_counts_once(tied_mean):
    before = sizes(tied_mean.content, n_items=20)
    assert before.tables == 2 * ROWS * WIDTH
    content = pack(strip(tie(parse(tied_mean.content), tied_mean.table)))
    after = sizes(content, n_items=20)
    assert after.tables == ROWS * WIDTH
    assert after.weights == WIDTH * WIDTH  # the encoder's matrix, shared by both graphs
    assert after.tables + after.weights + after.overhead == after.file == len(content)
    assert after.constants[0] == ((ROWS, WIDTH), "int8", ROWS * WIDTH)
