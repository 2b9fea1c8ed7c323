# SPDX-License-Identifier: GPL-3.0-or-later
"""The one exception type for everything that a user can run into."""

from __future__ import annotations

from collections.abc import Mapping

from .sentences import Sentence


class UserError(Exception):
    """A failure that the user can understand and act on.

    The panel, the command line and the wire all show the three parts:

    * ``code``: a stable identifier in kebab case, such as ``video-unreadable``; scripts may test for it;
    * ``message``: what happened and to what (names the file, the value, the cause);
    * ``remedy``: the one thing to do next.

    Values that message and remedy name in braces are given by name, so that both can be translated:
    ``UserError("take-missing", "There is no take {path}.", "Choose another.", path=path)``.
    """

    def __init__(self, code: str, message: str, remedy: str, /, **values: object) -> None:
        super().__init__(code, message, remedy)
        self.code = code
        self.message = message if isinstance(message, Sentence) else Sentence(message, **values)
        self.remedy = remedy if isinstance(remedy, Sentence) else Sentence(remedy, **values)

    def as_fields(self) -> dict[str, str]:
        """The three parts by their names, as programs read them."""
        return {"code": self.code, "message": self.message, "remedy": self.remedy}

    def as_dict(self) -> dict[str, object]:
        """The three parts as JSON takes them, with the templates and values that translations need."""
        parts: dict[str, object] = dict(self.as_fields())
        values = {**self.message.values, **self.remedy.values}
        if values:
            parts |= {"message_template": self.message.template, "remedy_template": self.remedy.template}
            parts["values"] = values
        return parts

    @classmethod
    def from_dict(cls, parts: Mapping[str, object]) -> UserError:
        """The error of which `as_dict` tells; parts that are missing are empty, and what does not fit is left out."""
        code, message, remedy = (str(parts.get(name, "")) for name in ("code", "message", "remedy"))
        values = parts.get("values")
        if isinstance(values, Mapping) and values:
            try:
                made = cls(code, str(parts["message_template"]), str(parts["remedy_template"]), **dict(values))
            except (LookupError, TypeError, ValueError):
                return cls(code, message, remedy)
            if (made.message, made.remedy) == (message, remedy):
                return made
        return cls(code, message, remedy)

    def __str__(self) -> str:
        return f"{self.message} [{self.code}] {self.remedy}"


def lacks_package(error: ImportError) -> UserError:
    """The error of a Python that has not all packages of the engine."""
    return UserError(
        "engine-incomplete",
        "The engine on this computer lacks a package: {error}.",
        "Install the engine there (human3r install-engine), or use the Python of a complete one.",
        error=error,
    )
