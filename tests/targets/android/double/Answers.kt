package kdrec.test

import kdrec.core.Id
import kdrec.core.Recommendations
import kdrec.core.RecommenderException
import java.io.File

/**
 * Requests of a file, one a line, as a function answers them: fields `history k exclude candidates context flag`, between
 * tabs, ids between spaces as `n7` or `tname`, `-` for none. An answer has the fields of [Recommendations], or an error.
 */
fun answer(requests: String, recommend: (Request) -> Recommendations): String =
    File(requests).readLines().joinToString("\n") { line ->
        try {
            text(recommend(Request(line.split("\t"))))
        } catch (error: RecommenderException) {
            "${error::class.simpleName}: ${error.message}"
        }
    }

class Request(fields: List<String>) {
    val history = ids(fields[0])!!
    val k = fields[1].toInt()
    val exclude = ids(fields[2])!!
    val candidates = ids(fields[3])
    val context = fields[4].split(" ").filter { it.isNotEmpty() }.associate { it.substringBefore("=") to id(it.substringAfter("=")) }
    val excludeHistory = fields[5] == "True"
}

private fun ids(field: String): List<Id>? =
    if (field == "-") null else field.split(" ").filter { it.isNotEmpty() }.map(::id)

private fun id(text: String): Id = if (text[0] == 'n') Id.of(text.drop(1).toLong()) else Id.of(text.drop(1))

private fun text(found: Recommendations): String =
    listOf(
        ids(found.items), found.scores.joinToString(" ") { it.toRawBits().toString() }, found.titles.joinToString("|"),
        ids(found.unknown), found.unknownContext.joinToString(" "), found.fallback.toString(),
    ).joinToString("\t")

private fun ids(found: List<Id>) = found.joinToString(" ") { if (it is Id.Number) "n$it" else "t$it" }
