package kdrec.sample

import android.app.Activity
import android.os.Bundle
import android.widget.ArrayAdapter
import android.widget.AutoCompleteTextView
import android.widget.Button
import android.widget.ListView
import android.widget.TextView
import kdrec.android.DeviceRecommender
import kdrec.core.BundleException
import kdrec.core.Id
import kdrec.core.RecommenderException
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.SupervisorJob
import kotlinx.coroutines.asCoroutineDispatcher
import kotlinx.coroutines.cancel
import kotlinx.coroutines.launch
import java.util.concurrent.Executor

private const val HISTORY = "history"
private const val SHOWN = 10
private const val NEAR = 0.01f // cores that multiply bytes round scores otherwise, by less than this share

/** One screen: search items and tap them, see what is recommended with titles, tap on. Nothing leaves the device. */
class MainActivity : Activity() {
    private val scope = CoroutineScope(SupervisorJob() + Executor { runOnUiThread(it) }.asCoroutineDispatcher())
    private val history = ArrayList<Int>() // positions in the catalogue, the most recent last
    private var shown = emptyList<Id>()
    private var recommender: DeviceRecommender? = null

    override fun onCreate(state: Bundle?) {
        super.onCreate(state)
        setContentView(R.layout.main)
        state?.getIntegerArrayList(HISTORY)?.let { history.addAll(it) }
        start {
            val opened = DeviceRecommender.open(assets)
            recommender = opened
            listen(opened)
            recommend(opened)
            status(goldenVectors(opened))
        }
    }

    override fun onSaveInstanceState(state: Bundle) {
        super.onSaveInstanceState(state)
        state.putIntegerArrayList(HISTORY, history)
    }

    override fun onDestroy() {
        scope.cancel()
        recommender?.close()
        super.onDestroy()
    }

    private fun listen(recommender: DeviceRecommender) {
        val items = recommender.bundle.items
        val search = findViewById(R.id.search) as AutoCompleteTextView
        search.setAdapter(ArrayAdapter(this, android.R.layout.simple_dropdown_item_1line, items.titles))
        search.setOnItemClickListener { found, _, place, _ ->
            search.setText("")
            add(recommender, items.titles.indexOf(found.getItemAtPosition(place)))
        }
        list.setOnItemClickListener { _, _, place, _ -> add(recommender, items.positions.getValue(shown[place])) }
        (findViewById(R.id.start_again) as Button).setOnClickListener {
            history.clear()
            start { recommend(recommender) }
        }
    }

    private fun add(recommender: DeviceRecommender, position: Int) {
        history += position
        start { recommend(recommender) }
    }

    private suspend fun recommend(recommender: DeviceRecommender) {
        val items = recommender.bundle.items
        val left = items.ids.size - history.distinct().size
        val found = recommender.recommend(history.map { items.ids[it] }, k = minOf(SHOWN, left))
        shown = found.items
        list.adapter = ArrayAdapter(this, android.R.layout.simple_list_item_1, found.titles)
        text(R.id.heading).setText(if (found.fallback) R.string.popular else R.string.recommended)
        val titles = history.asReversed().joinToString { items.titles[it] }
        text(R.id.history).text = getString(R.string.history, titles)
    }

    /** In debug builds, whose assets have golden.json: whether this device answers as LiteRT on x86-64 did. */
    private suspend fun goldenVectors(recommender: DeviceRecommender): String =
        try {
            when {
                recommender.replayGolden().isEmpty() -> "golden vectors: equal"
                else -> recommender.replayGolden(NEAR).firstOrNull() ?: "golden vectors: within ${NEAR * 100} %"
            }
        } catch (absent: BundleException) {
            "golden vectors: not in this build"
        }

    /** Run it, and show what is refused. */
    private fun start(action: suspend () -> Unit) {
        scope.launch {
            try {
                action()
            } catch (error: RecommenderException) {
                status(error.message.orEmpty())
            }
        }
    }

    private val list get() = findViewById(R.id.list) as ListView

    private fun text(id: Int) = findViewById(id) as TextView

    private fun status(text: String) {
        text(R.id.status).text = text
    }
}
