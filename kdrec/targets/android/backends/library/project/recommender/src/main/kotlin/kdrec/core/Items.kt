package kdrec.core

/**
 * items.json: the catalogue.
 *
 * [ids] and [titles] by position; [popular] positions, best first, for histories without a known item; [rare] ids of
 * further items of the log, which share one row: a history may hold them, no list does.
 */
class Items private constructor(
    val ids: List<Id>,
    val titles: List<String>,
    val popular: List<Int>,
    val rare: List<Id>,
) {
    /** Position of each id. */
    val positions: Map<Id, Int> = ids.withIndex().associate { (position, id) -> id to position }

    /** What stands for each id in a history: its position + 1, or the one token that rare items share. */
    val tokens: Map<Id, Int> = positions.mapValues { it.value + 1 } + rare.associateWith { ids.size + 1 }

    /** The id that a typed text stands for: an integer when the catalogue's ids are integers; null if it is none. */
    fun idFromText(text: String): Id? =
        if (ids[0] is Id.Text) Id.Text(text) else text.trim().toLongOrNull()?.let { Id.Number(it) }

    companion object {
        /** Refuses ids that repeat or mix types, titles of another number, popular positions outside or repeated. */
        fun read(content: ByteArray): Items {
            val root = Json.parse(Manifest.ITEMS, content)
            val hasRare = root.has("rare")
            root.only(listOf("ids", "titles", "popular") + listOf("rare").filter { hasRare })
            val ids = readIds(root["ids"], emptyList())
            val rare = if (hasRare) readIds(root["rare"], ids) else emptyList()
            val titles = root["titles"].elements().map { it.anyText() }
            if (titles.size != ids.size) root["titles"].refuse("must be a list of ${ids.size} texts, one an id")
            val popular = root["popular"].elements().map { place ->
                place.integer().also {
                    if (it !in ids.indices) place.refuse("must be a position from 0 to ${ids.size - 1}")
                }
            }
            if (popular.toSet().size != popular.size) root["popular"].refuse("must name each position once")
            return Items(ids, titles, popular, rare)
        }

        private fun readIds(field: Field, others: List<Id>): List<Id> {
            val ids = field.elements().map { it.id() }
            if (ids.isEmpty()) field.refuse("must be a list that is not empty")
            val all = others + ids
            if (all.any { it::class != all[0]::class }) field.refuse("must hold integers or texts, all of one kind")
            val seen = HashSet<Id>()
            all.firstOrNull { !seen.add(it) }?.let { field.refuse("must name each id once, $it is there twice") }
            return ids
        }
    }
}
