package android.content.res

import java.io.File
import java.io.InputStream

/** A stand-in for Android's: the assets are the files of a folder. */
class AssetManager(private val folder: File) {
    fun open(name: String): InputStream = File(folder, name).inputStream()
}
