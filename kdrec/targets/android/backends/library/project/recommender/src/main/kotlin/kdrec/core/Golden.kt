package kdrec.core

import java.nio.ByteBuffer
import java.nio.ByteOrder
import kotlin.math.abs

private const val TOP = 10

/**
 * Ask the cases of a golden.json again: what LiteRT on x86-64 answered when the bundle was made.
 *
 * Returns one sentence a case and signature that differ; none when all are equal. With [tolerance] 0 scores are equal to
 * the bit; above, they may differ by this share of the largest one, for processors round some numbers otherwise, and items
 * that are so close may change places.
 */
fun replayGolden(golden: ByteArray, model: ItemModel, tolerance: Float = 0f): List<String> {
    val root = Json.parse(Manifest.GOLDEN, golden)
    root.only(listOf("oracle", "cases"))
    return root["cases"].elements().flatMapIndexed { number, case ->
        case.only(listOf("inputs", "outputs"))
        val tokens = case["inputs"].mapping().mapValues { (_, values) -> integers(values) }
        case["outputs"].mapping().mapNotNull { (signature, expected) ->
            val isRight = when (signature) {
                "score" -> isScore(expected, model.scores(tokens), tolerance)
                "recommend" -> isTop(expected, model.recommended(tokens), tolerance)
                else -> false
            }
            if (isRight) null else "case $number, $signature differs"
        }
    }
}

private fun isScore(expected: Field, scores: FloatArray, tolerance: Float): Boolean {
    val top = integers(expected["top"])
    val received = best(scores, BooleanArray(scores.size) { true }, minOf(TOP, scores.size))
    if (tolerance > 0f) {
        val least = scores[received.last()] - 2 * tolerance * scores.maxOf { abs(it) } // both lists may be off
        return top.all { scores[it] >= least }
    }
    val stored = ByteBuffer.allocate(4 * scores.size).order(ByteOrder.LITTLE_ENDIAN)
    scores.forEach { stored.putFloat(it) }
    return expected["sha256"].digest() == sha256(stored.array()) && top.contentEquals(received)
}

private fun isTop(expected: Field, top: Top, tolerance: Float): Boolean {
    val scores = expected["scores"].elements().map { it.number().toFloat() }.toFloatArray()
    if (tolerance > 0f) {
        val most = tolerance * scores.maxOf { abs(it) }
        return scores.size == top.scores.size && scores.indices.all { abs(scores[it] - top.scores[it]) <= most }
    }
    return integers(expected["items"]).contentEquals(top.positions) && scores.contentEquals(top.scores)
}

private fun integers(field: Field): IntArray = field.elements().map { it.integer(0) }.toIntArray()
