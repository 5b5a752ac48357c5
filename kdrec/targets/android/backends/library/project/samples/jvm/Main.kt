package kdrec.jvm

import kdrec.core.Bundle
import kdrec.core.Id
import kdrec.core.Manifest
import kdrec.core.Recommender
import kdrec.core.replayGolden
import java.io.File
import kotlin.system.exitProcess

/** Replay golden.json of a bundle's folder, then recommend for the ids that follow it. */
fun main(arguments: Array<String>) {
    val folder = File(arguments.firstOrNull() ?: error("usage: FOLDER [ID ...]"))
    val read = { name: String -> File(folder, name).readBytes() }
    val bundle = Bundle.open(read)
    SessionModel(Session(File(folder, bundle.model).path), bundle.manifest).use { model ->
        val differences = replayGolden(Bundle.verified(Manifest.GOLDEN, bundle.manifest, read), model)
        differences.forEach(::println)
        if (differences.isNotEmpty()) exitProcess(1)
        println("golden vectors: equal")
        val history = arguments.drop(1).mapNotNull { bundle.items.idFromText(it) }
        val found = Recommender(bundle, model).recommend(history)
        for ((place, item) in found.items.withIndex()) println("$item\t${found.scores[place]}\t${found.titles[place]}")
    }
}
