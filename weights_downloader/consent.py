# SPDX-License-Identifier: GPL-3.0-or-later
"""What only the user can give: acceptance of a license, and a login, which is asked for and never kept."""

from __future__ import annotations

import getpass
import os
import sys

from engine.contract.errors import UserError
from engine.contract.sentences import Sentence
from engine.installed.registry import Item

from .control import Control
from .form import Credentials
from .reporting import Reporter

USERNAME_VARIABLE, PASSWORD_VARIABLE = "HUMAN3R_SMPLX_USERNAME", "HUMAN3R_SMPLX_PASSWORD"


def licence_text(item: Item) -> str:
    """The terms, for people."""
    return f"{item.licence.name}: {item.licence.terms}\n{item.licence.url}"


def require_licence(item: Item, accepted: bool, control: Control, reporter: Reporter) -> None:
    """Show the license; go on only with the user's yes. Raises UserError (``licence-not-accepted``)."""
    reporter.note(licence_text(item))
    if accepted:
        return
    if control.is_terminal:
        print("Do you accept this license? Type yes: ", end="", file=sys.stderr, flush=True)
        if control.read_line().strip().lower() == "yes":
            return
    raise UserError(
        "licence-not-accepted",
        "Nothing was downloaded: the license of {name} was not accepted. {terms}",
        "Read it. If you accept it, run the command with --accept-license.",
        name=item.name,
        terms=licence_text(item),
    )


def ask_login(item: Item, control: Control) -> Credentials:
    """Name and password from the environment, else two lines of standard input, asked for on a terminal.

    Raises UserError (``login-missing``).
    """
    username, password = os.environ.get(USERNAME_VARIABLE, ""), os.environ.get(PASSWORD_VARIABLE, "")
    if not (username and password):
        if control.is_terminal:
            print(f"Account at {item.register} (it is not stored)\nUser name: ", end="", file=sys.stderr, flush=True)
            username, password = control.read_line(), getpass.getpass("Password: ")
        else:
            username, password = control.read_line(), control.read_line()
    if not (username and password):
        raise UserError(
            "login-missing",
            "{title} is for registered users, and no user name and password were given.",
            "Register at {register}, then give both as two lines on standard input, or in the environment "
            "variables {username_variable} and {password_variable}.",
            title=Sentence(item.title),
            register=item.register,
            username_variable=USERNAME_VARIABLE,
            password_variable=PASSWORD_VARIABLE,
        )
    return Credentials(username, password)
