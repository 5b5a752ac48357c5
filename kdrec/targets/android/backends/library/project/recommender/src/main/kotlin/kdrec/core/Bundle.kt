package kdrec.core

import java.io.IOException

/** A verified bundle: its manifest and its catalogue. Its model was verified, too, and is not kept in memory. */
class Bundle private constructor(val manifest: Manifest, val items: Items) {
    /** The file that has the model. */
    val model: String get() = manifest.signatures.getValue("score").file

    companion object {
        /**
         * Verify the files that recommending needs: nothing is used before it has been compared with the manifest.
         *
         * [read] gives the content of a file by its name, and throws an [IOException] where there is none.
         */
        fun open(read: (String) -> ByteArray): Bundle {
            val manifest = Manifest.read(content(Manifest.NAME, read))
            if (manifest.oracle != "litert") {
                throw BundleException(
                    "${Manifest.NAME} must be of a target that LiteRT runs, it names ${manifest.target}; " +
                        "give a bundle for android",
                )
            }
            manifest.signatures.values.map { it.file }.distinct().forEach { verified(it, manifest, read) }
            val items = Items.read(verified(Manifest.ITEMS, manifest, read))
            if (items.ids.size != manifest.nItems) {
                throw BundleException(
                    "${Manifest.ITEMS} must have ${manifest.nItems} ids, as ${Manifest.NAME} says, received " +
                        "${items.ids.size}; export the bundle again",
                )
            }
            if (items.rare.isNotEmpty() != (manifest.rare != null)) {
                throw BundleException(
                    "${Manifest.ITEMS} must name rare items just where ${Manifest.NAME} has a token for them, received " +
                        "${items.rare.size} and token ${manifest.rare}; export the bundle again",
                )
            }
            return Bundle(manifest, items)
        }

        /** A file that the manifest lists, compared with its size and sha256. */
        fun verified(name: String, manifest: Manifest, read: (String) -> ByteArray): ByteArray =
            manifest.files.getValue(name).verified(name, content(name, read))

        private fun content(name: String, read: (String) -> ByteArray): ByteArray =
            try {
                read(name)
            } catch (error: IOException) {
                throw BundleException("$name is missing or cannot be read; copy the whole bundle or export it again", error)
            }
    }
}
