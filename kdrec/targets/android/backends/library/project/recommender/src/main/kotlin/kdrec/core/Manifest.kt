package kdrec.core

private const val SCHEMA = 2
private val FIELDS = listOf(
    "schema", "name", "target", "recipe", "kdrec", "libraries", "data", "history", "context", "files", "signatures",
    "host", "metrics", "oracle",
)
private val PLAIN_NAME = Regex("[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")

/**
 * manifest.json: what a bundle holds, and how its files are called and checked.
 *
 * A history has its last [length] known items, right-aligned; token 0 is padding, position + 1 an item, and [rare] what
 * the rare items of items.json share. Value i of a [context] feature is token i + 1; 0 is unknown.
 */
class Manifest private constructor(
    val name: String,
    val target: String,
    val oracle: String,
    val nItems: Int,
    val length: Int,
    val rare: Int?,
    val context: Map<String, List<Id>>,
    val files: Map<String, Checksum>,
    val signatures: Map<String, Signature>,
) {
    companion object {
        const val NAME = "manifest.json"
        const val ITEMS = "items.json"
        const val GOLDEN = "golden.json"

        /** Check every field; the first that is wrong is named. */
        fun read(content: ByteArray): Manifest {
            val root = Json.parse(NAME, content)
            checkSchema(root)
            val isSealed = root.has("sha256")
            root.only(FIELDS + listOf("sha256", "runtime").filter { root.has(it) })
            val isCut = root["schema"].integer() == 2
            val nItems = readData(root["data"], isCut)
            val hasRare = isCut && root["history"].has("rare")
            val length = readHistory(root["history"], nItems, hasRare)
            listOf("recipe", "kdrec").forEach { root[it].text() }
            root["libraries"].mapping().values.forEach { it.text() }
            root["metrics"].mapping().values.forEach { it.number() }
            if (root.has("runtime")) checkRuntime(root["runtime"])
            if (root["host"].value != null) root["host"].refuse("must be null: LiteRT on a phone needs no host part")
            val manifest = Manifest(
                name = root["name"].text(),
                target = root["target"].text(),
                oracle = root["oracle"].oneOf(listOf("litert", "tflite-micro")),
                nItems = nItems,
                length = length,
                rare = if (hasRare) nItems + 1 else null,
                context = root["context"].mapping().mapValues { (_, values) -> values.elements().map { it.id() } },
                files = root["files"].mapping().mapValues { (name, entry) -> readChecksum(name, entry) },
                signatures = root["signatures"].mapping().mapValues { (_, entry) -> Signature.read(entry) },
            )
            manifest.checkFiles(root)
            if (isSealed) checkSeal(root)
            return manifest
        }

        private fun readData(data: Field, isCut: Boolean): Int {
            data.only(listOf("name", "fingerprint", "n_items") + listOf("log_items").filter { isCut })
            listOf("name", "fingerprint").forEach { data[it].text() }
            val nItems = data["n_items"].integer(1)
            if (isCut) data["log_items"].integer(nItems + 1)
            return nItems
        }

        private fun readHistory(history: Field, nItems: Int, hasRare: Boolean): Int {
            history.only(listOf("length", "ordered", "padding", "alignment") + listOf("rare").filter { hasRare })
            if (history["padding"].integer() != 0) history["padding"].refuse("must be 0")
            if (history["alignment"].value != "right") history["alignment"].refuse("must be 'right'")
            history["ordered"].boolean()
            if (hasRare && history["rare"].integer() != nItems + 1) history["rare"].refuse("must be ${nItems + 1}")
            return history["length"].integer(1)
        }

        /** The published runtimes from which on the file was seen to answer: nothing is done with them on a phone. */
        private fun checkRuntime(runtime: Field) {
            val names = listOf("runs_from", "equal_from")
            runtime.only(names)
            for (name in names) {
                runtime[name].only(listOf("package", "version"))
                listOf("package", "version").forEach { runtime[name][it].text() }
            }
        }

        /** A newer schema is no altered file: the message says to update. */
        private fun checkSchema(root: Field) {
            val schema = root["schema"].integer(1)
            if (schema > SCHEMA) {
                throw BundleException(
                    "$NAME has schema $schema, a newer schema than $SCHEMA, which this version reads: update the app",
                )
            }
        }

        /** The sha256 of all other fields, however they are laid out: it finds what was altered by accident. */
        private fun checkSeal(root: Field) {
            val others = (root.value as Map<*, *>).filterKeys { it != "sha256" }
            val expected = sha256(canonicalJson(others).toByteArray())
            if (root["sha256"].digest() != expected) {
                root["sha256"].refuse("must be that of the other fields, ${expected.take(12)}…")
            }
        }

        private fun readChecksum(name: String, entry: Field): Checksum {
            if (!PLAIN_NAME.matches(name) || name == NAME) {
                entry.refuse("must name files of the bundle's own folder, without any path")
            }
            entry.only(listOf("bytes", "sha256"))
            val bytes = entry["bytes"].long().also { if (it < 0) entry["bytes"].refuse("must be an integer of at least 0") }
            return Checksum(bytes, entry["sha256"].digest())
        }
    }

    private fun checkFiles(root: Field) {
        val needed = setOf(ITEMS, GOLDEN) + signatures.values.map { it.file }
        (needed - files.keys).minOrNull()?.let { root["files"].refuse("must list $it") }
        if ("score" !in signatures) root["signatures"].refuse("must have 'score'")
    }
}
