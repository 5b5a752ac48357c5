package kdrec.core

import java.nio.ByteBuffer
import java.nio.ByteOrder

private const val TOP = 10

/**
 * Ask the cases of a golden.json again: what LiteRT on x86-64 answered when the bundle was made.
 *
 * Returns one sentence a case and signature that differ; none when all are equal, scores to the bit.
 */
fun replayGolden(golden: ByteArray, model: ItemModel): List<String> {
    val root = Json.parse(Manifest.GOLDEN, golden)
    root.only(listOf("oracle", "cases"))
    return root["cases"].elements().flatMapIndexed { number, case ->
        case.only(listOf("inputs", "outputs"))
        val tokens = case["inputs"].mapping().mapValues { (_, values) -> values.elements().map { it.integer(0) }.toIntArray() }
        case["outputs"].mapping().mapNotNull { (signature, expected) ->
            val isEqual = when (signature) {
                "score" -> isScore(expected, model.scores(tokens))
                "recommend" -> isTop(expected, model.recommended(tokens))
                else -> false
            }
            if (isEqual) null else "case $number, $signature differs"
        }
    }
}

private fun isScore(expected: Field, scores: FloatArray): Boolean {
    val stored = ByteBuffer.allocate(4 * scores.size).order(ByteOrder.LITTLE_ENDIAN)
    scores.forEach { stored.putFloat(it) }
    val top = best(scores, BooleanArray(scores.size) { true }, minOf(TOP, scores.size))
    return expected["sha256"].digest() == sha256(stored.array()) &&
        expected["top"].elements().map { it.integer(0) } == top.asList()
}

private fun isTop(expected: Field, top: Top): Boolean {
    val scores = expected["scores"].elements().map { it.number().toFloat() }
    return expected["items"].elements().map { it.integer(0) } == top.positions.asList() &&
        scores.toFloatArray().contentEquals(top.scores)
}
