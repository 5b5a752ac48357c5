"""The options of a Config as options of commands: every command takes its part of the table."""

import inspect
import json
from collections.abc import Callable
from dataclasses import MISSING, Field, fields, replace
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, get_args, get_origin

import typer

from kdrec.cli.option_texts import OPTIONS
from kdrec.config import Config
from kdrec.errors import DataError

# What the commands that train have beside a configuration.
Out = Annotated[Path | None, typer.Option(help="Folder for bundles and report.", show_default="tflite_models/<data>")]
Work = Annotated[Path | None, typer.Option(help="Folder for stages and checkpoints.", show_default="runs/<data>")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print errors only.")]


EXAMPLES = {"--teacher-option": "epochs=3", "--table-option": "rows=64", "--loss-option": "top=50"}


def with_options(*panels: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command the options of some panels; it receives one argument, `config`, in their place.

    An option that is not given has the value of `--config FILE`, or else Config's default.
    """

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        signature = inspect.signature(command, eval_str=True)
        own = [parameter for name, parameter in signature.parameters.items() if name != "config"]
        shared = [option(field) for field in fields(Config) if OPTIONS[field.name][0] in panels]
        file = inspect.Parameter(
            "config", inspect.Parameter.KEYWORD_ONLY, annotation=Path | None,
            default=typer.Option(None, "--config", help="A run's config.json to repeat; options given override it."),
        )  # fmt: skip

        def wrapped(config: Path | None, **values: Any) -> None:
            given = {field.name: values.pop(field.name) for field in fields(Config) if field.name in values}
            command(config=config_of(config, given), **values)

        wrapped.__name__, wrapped.__doc__ = command.__name__, command.__doc__
        wrapped.__signature__ = inspect.Signature([*own, file, *shared])  # type: ignore[attr-defined]
        return wrapped

    return decorate


def option(field: Field[Any]) -> inspect.Parameter:
    """A field of Config as an option whose None says 'not given'."""
    panel, text, *names = OPTIONS[field.name]
    names = names or ["--" + field.name.replace("_", "-")]
    default = field.default if field.default is not MISSING else None
    if field.name == "tied":
        default = "tied" if default else "untied"
    if default not in (None, ()) and default is not False:
        text += f" [default: {', '.join(default) if isinstance(default, tuple) else default}]"
    return inspect.Parameter(
        field.name, inspect.Parameter.KEYWORD_ONLY, annotation=spelled(field.type),
        default=typer.Option(None, *names, help=text, rich_help_panel=panel, show_default=False),
    )  # fmt: skip


def spelled(hint: Any) -> Any:
    """The type by which the command line reads a field: a tuple is a repeated option, a dict repeats key=value."""
    inner = without_union(hint)
    if get_origin(inner) is tuple:
        return list[without_union(get_args(inner)[0])] | None  # type: ignore[misc]
    return list[str] | None if get_origin(inner) is dict else inner | None


def without_union(hint: Any) -> Any:
    """The one type that a text is read as: what may be a number or text is text, in which Config finds the number."""
    parts = [part for part in get_args(hint) if part is not type(None)] if isinstance(hint, UnionType) else [hint]
    return str if str in parts else parts[0]


def config_of(file: Path | None, given: dict[str, Any]) -> Config:
    """The configuration of a file, or the default one, with the options that were given."""
    base = Config.from_file(file) if file is not None else Config()
    values = {name: value for name, value in given.items() if value is not None}
    for name in ("teacher_options", "table_options", "loss_options"):
        if name in values:
            values[name] = dict(key_value(text, OPTIONS[name][-1]) for text in values[name])
    return replace(base, **values)


def key_value(text: str, option: str) -> tuple[str, Any]:
    """Take `key=value` apart; a value that reads as JSON (a number, true, a list) is one.

    >>> key_value("epochs=3", "--teacher-option"), key_value("optimizer=adam", "--teacher-option")
    (('epochs', 3), ('optimizer', 'adam'))

    Raises:
        DataError: there is no '='.
    """
    key, equals, value = text.partition("=")
    if not equals or not key:
        raise DataError(f"{option} must be key=value, not {text!r}; for example {option} {EXAMPLES[option]}")
    try:
        return key, json.loads(value)
    except json.JSONDecodeError:
        return key, value
