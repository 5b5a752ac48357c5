package kdrec.core

/** Positions of items and their scores, as a file ranks them. */
class Top(val positions: IntArray, val scores: FloatArray)

/** A model of items, whatever runs it; it is not for several threads at once. */
interface ItemModel {
    /** Tokens of a history that it takes. */
    val length: Int

    /** Items that it scores. */
    val nItems: Int

    /** Items of its own top K; 0 when it does not rank. */
    val k: Int

    /** A score of each item; [tokens] by input: `history` has [length], a context feature one. */
    fun scores(tokens: Map<String, IntArray>): FloatArray

    /** The model's own top K, in its own order. */
    fun recommended(tokens: Map<String, IntArray>): Top
}
