"""The exported Kotlin, compiled once for all tests by the compiler of the wheel kotlin-jupyter-kernel, run on a JVM."""

import hashlib
import os
import shutil
import subprocess
import zipfile
from collections.abc import Callable, Iterable
from importlib.util import find_spec
from pathlib import Path

HERE = Path(__file__).parent
DEMO = HERE.parents[2] / "tflite_models/demo/android"
JNA = Path("/usr/share/java/jna.jar")
COMPILER = "org.jetbrains.kotlin.cli.jvm.K2JVMCompiler"
WITH_ALL = "kotlin-jupyter-kernel-0.12.0-322-all.jar"  # the compiler and the coroutines, among much else
SOURCES = ("recommender/src/main/kotlin", "samples/jvm")
# One thread that optimizes nothing for long: the JVM lives for seconds.
JAVA = ("java", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto")


def jars() -> Path:
    return Path(find_spec("run_kotlin_kernel").submodule_search_locations[0]) / "jars"


def litert() -> Path:
    return Path(find_spec("ai_edge_litert").submodule_search_locations[0]) / "libLiteRt.so"


def compiled(project: Path, cache: Path) -> str:
    """The classes of a project, of its samples and of the doubles beside this file: a class path.

    Args:
        project: as exported.
        cache: a folder that is kept between runs of the tests; equal sources are compiled once.
    """
    sources = [*(project / part for part in SOURCES), HERE / "double"]
    place = cache / fingerprint(sources)
    coroutines = place / "coroutines.jar"
    libraries = [jars() / "kotlin-stdlib-1.9.23.jar", coroutines, JNA]
    if not (place / "classes").is_dir():
        shutil.rmtree(cache, ignore_errors=True)
        place.mkdir(parents=True)
        cut_out("kotlinx/coroutines/", coroutines)
        compile_to(place / "fresh", sources, libraries)
        os.rename(place / "fresh", place / "classes")
    return path_of([place / "classes", *libraries])


def compile_to(folder: Path, sources: Iterable[Path], libraries: Iterable[Path], *options: str) -> None:
    """Compile Kotlin; warnings are errors."""
    compiler = [WITH_ALL, "kotlin-stdlib-1.9.23.jar", "kotlin-script-runtime-1.9.23.jar", "kotlin-reflect-1.9.23.jar"]
    done = subprocess.run(
        [
            *(*JAVA, "-Xmx1g", "-cp", path_of(jars() / jar for jar in compiler), COMPILER),
            *(
                "-no-stdlib",
                "-no-reflect",
                "-jvm-target",
                "1.8",
                "-language-version",
                "2.0",
                "-Xsuppress-version-warnings",
            ),
            *("-Werror", *options),
            *("-d", folder, "-classpath", path_of(libraries), *sources),
        ],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr


def cut_out(prefix: str, target: Path) -> None:
    """Classes of the large jar, in a small one: the compiler reads the table of every jar it is given."""
    with zipfile.ZipFile(jars() / WITH_ALL) as large, zipfile.ZipFile(target, "w") as small:
        for name in large.namelist():
            if name.startswith((prefix, "META-INF/kotlinx")):
                small.writestr(name, large.read(name))


def runner(class_path: str) -> Callable[..., list[str]]:
    """Run a main class with arguments; the lines that it printed."""

    def run(main: str, *arguments: object) -> list[str]:
        command = [
            *JAVA,
            f"-Dlitert={litert()}",
            "-Dfile.encoding=UTF-8",
            "-cp",
            class_path,
            main,
            *map(str, arguments),
        ]
        done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8")
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout.splitlines()

    return run


def fingerprint(sources: Iterable[Path]) -> str:
    digest = hashlib.sha256(Path(__file__).read_bytes())
    for source in sources:
        for path in sorted(source.rglob("*.kt")):
            digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()[:16]


def path_of(jars: Iterable[Path]) -> str:
    return ":".join(map(str, jars))
