package kdrec.test

import android.content.res.AssetManager
import com.google.ai.edge.litert.Double
import kdrec.android.DeviceRecommender
import kdrec.core.Bundle
import kdrec.core.BundleException
import kdrec.core.Recommender
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.runBlocking
import java.io.File

/** What the tests ask of the compiled code: one command a call of the JVM. */
fun main(arguments: Array<String>) {
    val (command, folder) = arguments
    when (command) {
        "core" -> println(core(folder, arguments[2]))
        "open" -> println(File(folder).list()!!.sorted().joinToString("\n") { opened(File(folder, it)) })
        "device" -> println(device(folder, arguments[2]))
    }
}

/** Requests to the core, with a model that is a formula. */
private fun core(folder: String, requests: String): String {
    val bundle = Bundle.open { File(folder, it).readBytes() }
    val recommender = Recommender(bundle, Formula(bundle.manifest.nItems, bundle.manifest.length))
    return answer(requests) { asked ->
        recommender.recommend(
            asked.history, asked.k, asked.exclude, asked.candidates, asked.context, asked.excludeHistory,
        )
    }
}

private fun opened(folder: File): String =
    try {
        Bundle.open { File(folder, it).readBytes() }
        "${folder.name} opened"
    } catch (error: BundleException) {
        "${folder.name} refused: ${error.message}"
    }

/** Requests to the adapter, over LiteRT: from assets and from a folder, many at once. */
private fun device(folder: String, requests: String): String = runBlocking {
    val parent = File(folder).parentFile
    val fromAssets = DeviceRecommender.open(AssetManager(parent), File(folder).name, threads = 3)
    val buffers = Double.buffers
    val differences = fromAssets.replayGolden()
    val near = fromAssets.replayGolden(0.001f)
    val answers = answer(requests) { asked ->
        runBlocking {
            List(2) { async { fromAssets.recommend(asked.history, asked.k, asked.exclude, asked.candidates, asked.context) } }
                .awaitAll().distinct().single()
        }
    }
    val madeLater = Double.buffers - buffers
    fromAssets.close()
    fromAssets.close()
    val fromFolder = DeviceRecommender.open(File(folder))
    val differencesOfFolder = fromFolder.replayGolden()
    fromFolder.close()
    val later = try {
        fromFolder.recommend(emptyList()).toString()
    } catch (error: Exception) {
        (error is java.util.concurrent.CancellationException).toString()
    }
    Thread.sleep(200) // closing is done on the recommender's own thread
    listOf(
        "differences ${differences + differencesOfFolder}", "near $near", "first ${Double.runs.take(2)}", "threads ${Double.threads}",
        "options ${Double.options}", "later $madeLater", "open ${Double.open}", "closed $later", answers,
    ).joinToString("\n")
}
