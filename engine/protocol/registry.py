"""Finds extensions: one file in a folder, one object with an agreed name."""

import importlib
import pkgutil
from types import ModuleType
from typing import Any

from engine.protocol.errors import UserError
from engine.protocol.text import nearest


def scan(package: ModuleType, attribute: str, name_of: str = "name") -> dict[str, Any]:
    """Return every extension of a folder by its name, sorted.

    Args:
        package: The folder. Modules called ``base`` or ``registry`` and those that start
            with ``_`` are no extensions.
        attribute: What each module must define, such as ``BEHAVIOUR``.
        name_of: The attribute of that object that holds its name.

    Raises:
        ValueError: A module lacks the attribute, or two share a name.
    """
    found: dict[str, Any] = {}
    for info in pkgutil.iter_modules(package.__path__):
        if info.name in {"base", "registry"} or info.name.startswith("_"):
            continue
        module = importlib.import_module(f"{package.__name__}.{info.name}")
        extension = getattr(module, attribute, None)
        if extension is None:
            raise ValueError(f"{module.__name__} defines no {attribute}")
        name = getattr(extension, name_of)
        if name in found:
            raise ValueError(f"two extensions of {package.__name__} are called {name!r}")
        found[name] = extension
    return dict(sorted(found.items()))


def pick(found: dict[str, Any], name: str, what: str) -> Any:
    """Return the extension called ``name``.

    Raises:
        UserError: There is none; names the allowed ones and the nearest.
    """
    if name not in found:
        allowed = ", ".join(found)
        raise UserError(f"unknown {what} {name!r}; allowed: {allowed}{nearest(name, found)}")
    return found[name]
