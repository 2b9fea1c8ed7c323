# SPDX-License-Identifier: GPL-3.0-or-later
"""The one exception type for everything that a user can run into."""

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

    def __str__(self) -> str:
        return f"{self.message} [{self.code}] {self.remedy}"
