# SPDX-License-Identifier: GPL-3.0-or-later
"""The one exception type for everything that a user can run into."""


class UserError(Exception):
    """A failure that the user can understand and act on.

    The panel, the command line and the wire all show the three parts:

    * ``code``: a stable identifier in kebab case, such as ``video-unreadable``; scripts may test for it;
    * ``message``: what happened and to what (names the file, the value, the cause);
    * ``remedy``: the one thing to do next.
    """

    def __init__(self, code: str, message: str, remedy: str) -> None:
        super().__init__(code, message, remedy)
        self.code = code
        self.message = message
        self.remedy = remedy

    def as_fields(self) -> dict[str, str]:
        """The three parts by their names, as programs read them."""
        return {"code": self.code, "message": self.message, "remedy": self.remedy}

    def __str__(self) -> str:
        return f"{self.message} [{self.code}] {self.remedy}"
