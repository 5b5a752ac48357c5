package kdrec.core

import java.security.MessageDigest

/** What a file must be: its size in bytes and its sha256 in hex. */
data class Checksum(val bytes: Long, val sha256: String) {
    /** Refuse content that is cut or altered; what is returned is what was hashed. */
    fun verified(name: String, content: ByteArray): ByteArray {
        if (content.size.toLong() != bytes) {
            throw BundleException(
                "$name must have $bytes bytes, received ${content.size}: it was cut or replaced; " +
                    "copy the bundle again or export it again",
            )
        }
        val received = sha256(content)
        if (received != sha256) {
            throw BundleException(
                "$name was altered: its sha256 must be ${sha256.take(12)}…, received ${received.take(12)}…; " +
                    "copy the bundle again or export it again",
            )
        }
        return content
    }
}

/** The sha256 of bytes, in hex. */
fun sha256(content: ByteArray): String =
    MessageDigest.getInstance("SHA-256").digest(content).joinToString("") { "%02x".format(it) }
