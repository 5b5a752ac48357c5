package kdrec.android

import android.content.res.AssetManager
import com.google.ai.edge.litert.CompiledModel
import kdrec.core.Bundle
import kdrec.core.Id
import kdrec.core.Manifest
import kdrec.core.Recommendations
import kdrec.core.Recommender
import kdrec.core.replayGolden
import kotlinx.coroutines.ExecutorCoroutineDispatcher
import kotlinx.coroutines.asCoroutineDispatcher
import kotlinx.coroutines.withContext
import java.io.File
import java.util.concurrent.Executors
import java.util.concurrent.atomic.AtomicBoolean

/**
 * The recommender of a bundle on a device. All of its work, loading too, is done on one thread of its own, so it may be
 * called from any, the main one too. Close it when it is not needed any more.
 */
class DeviceRecommender private constructor(
    private val dispatcher: ExecutorCoroutineDispatcher,
    private val model: LiteRtModel,
    private val recommender: Recommender,
    private val read: (String) -> ByteArray,
) : AutoCloseable {
    private val isClosed = AtomicBoolean()

    /** What the bundle holds: ids, titles, and the values of context. */
    val bundle: Bundle get() = recommender.bundle

    /** See [Recommender.recommend]. */
    suspend fun recommend(
        history: List<Id>,
        k: Int = 10,
        exclude: Collection<Id> = emptyList(),
        candidates: Collection<Id>? = null,
        context: Map<String, Id> = emptyMap(),
        excludeHistory: Boolean = true,
    ): Recommendations = withContext(dispatcher) {
        recommender.recommend(history, k, exclude, candidates, context, excludeHistory)
    }

    /** See [Recommender.similarItems]. */
    suspend fun similarItems(item: Id, k: Int = 10): Recommendations =
        withContext(dispatcher) { recommender.similarItems(item, k) }

    /**
     * How this device's answers to golden.json differ from those of LiteRT on x86-64, one sentence each; see
     * [kdrec.core.replayGolden]. The file is in the assets of debug builds only.
     */
    suspend fun replayGolden(tolerance: Float = 0f): List<String> = withContext(dispatcher) {
        replayGolden(Bundle.verified(Manifest.GOLDEN, bundle.manifest, read), model, tolerance)
    }

    /** Lets calls that were made end, then frees the model and its buffers; later calls are cancelled. */
    override fun close() {
        if (isClosed.getAndSet(true)) return
        dispatcher.executor.execute { model.close() }
        dispatcher.close()
    }

    companion object {
        /** The folder of the assets that the library has. */
        const val ASSETS = "recommender"

        /** From the app's assets; the model is mapped into memory from the APK, where it lies uncompressed. */
        suspend fun open(assets: AssetManager, folder: String = ASSETS, threads: Int = 1): DeviceRecommender =
            open(threads, { name -> assets.open("$folder/$name").use { it.readBytes() } }) { name, options ->
                CompiledModel.create(assets, "$folder/$name", options)
            }

        /** From a folder, for example of a bundle that the app has fetched. */
        suspend fun open(folder: File, threads: Int = 1): DeviceRecommender =
            open(threads, { name -> File(folder, name).readBytes() }) { name, options ->
                CompiledModel.create(File(folder, name).path, options)
            }

        private suspend fun open(
            threads: Int,
            read: (String) -> ByteArray,
            create: (String, CompiledModel.Options) -> CompiledModel,
        ): DeviceRecommender {
            val dispatcher = Executors.newSingleThreadExecutor { Thread(it, "recommender") }.asCoroutineDispatcher()
            var opened: LiteRtModel? = null
            try {
                return withContext(dispatcher) {
                    val bundle = Bundle.open(read)
                    val model = LiteRtModel.open(bundle.manifest, threads) { options -> create(bundle.model, options) }
                    opened = model
                    model.warmUp()
                    DeviceRecommender(dispatcher, model, Recommender(bundle, model), read)
                }
            } catch (error: Throwable) { // a caller that was cancelled meanwhile, too, gets no model
                opened?.let { model -> dispatcher.executor.execute { model.close() } }
                dispatcher.close()
                throw error
            }
        }
    }
}
