"""Source code for a device, from a bundle or a .tflite file."""

from pathlib import Path

from kdrec import targets
from kdrec.bundle.manifest import NAME
from kdrec.bundle.read import open_bundle
from kdrec.errors import RuntimeFileError, TargetError
from kdrec.files import replace_folder
from kdrec.targets.base.backends import backend, first

MODEL = "model.tflite"
INSTALLED = ("node_modules", "package-lock.json")  # what npm puts beside the code


def write_code(
    source: str | Path, folder: str | Path, target: str | None = None, backend_name: str | None = None
) -> list[Path]:
    """Generate code from a file and write it to a folder of its own, all of it or nothing.

    Args:
        source: the folder of a bundle of the target, or of another with the same file, which is verified; or a
            .tflite file made for it.
        folder: where to; what this wrote before is replaced, what npm installed there stays.
        target: the device, a name in `kdrec.targets`; None takes that of the bundle, and of a .tflite file micro.
        backend_name: which of its generators; None takes the first one by name.

    Returns:
        The files written.

    Raises:
        UnknownNameError: no such device or generator.
        BundleError: the bundle is incomplete or altered.
        TargetError: the bundle is of another device, or the generator does not know something in the file.
        RuntimeFileError: the file cannot be read.
        OutputError: `folder` holds something else.
    """
    source = Path(source)
    bundle = open_bundle(source) if source.is_dir() else None
    target = target or ("micro" if bundle is None else bundle.manifest.target)
    generate = backend(target, backend_name or first(target))
    if bundle is not None:
        if not _has_file_for(bundle.manifest.target, target):
            raise TargetError(
                f"{source / NAME} must name the target {target}, it names {bundle.manifest.target}; give the bundle "
                f"that `kdrec run --target {target}` wrote"
            )
        content = bundle.files[MODEL]
    else:
        try:
            content = source.read_bytes()
        except OSError as error:
            raise RuntimeFileError(
                f"{source} cannot be read: {error.strerror}; give a bundle's folder or a .tflite file"
            ) from error
    files = generate(content, bundle)
    replace_folder(folder, files, INSTALLED)
    return [Path(folder) / name for name in files]


def _has_file_for(made_for: str, target: str) -> bool:
    """Whether a bundle's file is that of a target: of this one, or of one for which export writes the same."""
    wanted = targets.get(target)
    return made_for in targets.names() and targets.get(made_for).has_file_of(wanted)
